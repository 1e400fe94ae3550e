/* SPDX-License-Identifier: MIT */
/* Bad use is answered, not suffered: a status or a dead letter with a cause, never a crash and
 * never silence. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/letter.h"
#include "runtime/memory.h"
#include "runtime/snapshot.h"
#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(bad_use, .init = open_node, .fini = node_close);

static probe_t a, b;

static void note_other(trp_ctx_t *ctx, probe_t *probe)
{
    int note = 1;
    probe->status = trp_send(ctx, probe->other, TAG_NOTE, &note, sizeof(note));
}

static void ask_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_NOTE};
    probe->status = trp_request(ctx, &request, &probe->ref);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static uint64_t dead_by(trp_dead_t why)
{
    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    return ledger.dead_by[why];
}

static void spawn_sender(trp_pid_t other)
{
    probe_spawn(&a, NULL);
    node_settle();
    a.other = other;
}

/* A message dies of `why`, and a request to the same pid is answered. */
static void check_nobody(trp_dead_t why)
{
    probe_do(&a, note_other);
    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(dead_by(why), 1);
    probe_do(&a, ask_other);
    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_NO_PROCESS);
}

Test(bad_use, a_send_to_a_dead_actor_is_a_dead_letter_and_a_request_hears_so)
{
    probe_spawn(&b, NULL);
    node_settle();
    probe_do(&b, stop);
    spawn_sender(b.pid);

    check_nobody(TRP_DEAD_STALE);
}

Test(bad_use, a_send_to_a_stale_pid_whose_cell_is_used_again_is_one_too)
{
    static probe_t next[8];
    probe_spawn(&b, NULL);
    node_settle();
    probe_do(&b, stop);
    for (int i = 0; i < 8; i++) {
        probe_spawn(&next[i], NULL);
    }
    spawn_sender(b.pid);

    check_nobody(TRP_DEAD_STALE);
}

Test(bad_use, a_send_to_a_foreign_pid_is_one_too)
{
    spawn_sender((trp_pid_t){.node = 99 << 16, .slot = 1, .generation = 1, .incarnation = 1});

    check_nobody(TRP_DEAD_UNREACHABLE);
}

Test(bad_use, a_send_to_a_former_incarnation_of_this_node_is_one_too)
{
    spawn_sender((trp_pid_t){.node = 7 << 16, .slot = 1, .generation = 1, .incarnation = 2});

    check_nobody(TRP_DEAD_UNREACHABLE);
}

Test(bad_use, a_send_to_nobody_is_one_too)
{
    spawn_sender(TRP_PID_NONE);

    check_nobody(TRP_DEAD_UNREACHABLE);
}

Test(bad_use, a_send_to_a_pid_made_of_noise_is_one_too)
{
    trp_pid_t noise;
    memset(&noise, 0xa5, sizeof(noise));
    spawn_sender(noise);

    check_nobody(TRP_DEAD_UNREACHABLE);
}

static void send_large(trp_ctx_t *ctx, probe_t *probe)
{
    static const char bytes[2000];
    probe->status = trp_send(ctx, probe->other, TAG_NOTE, bytes, sizeof(bytes));
}

Test(bad_use, a_message_over_the_bound_is_too_large)
{
    probe_spawn(&b, &(trp_spawn_t){.size_max = 1999});
    node_settle();
    spawn_sender(b.pid);

    probe_do(&a, send_large);

    cr_assert_eq(a.status, TRP_TOO_LARGE);
    cr_assert(probe_lives(&a));
}

Test(bad_use, a_full_mailbox_is_a_status)
{
    probe_spawn(&b, &(trp_spawn_t){.depth_max = 1});
    node_settle();
    spawn_sender(b.pid);
    cr_assert_eq(probe_note(&b, 1), TRP_OK);

    cr_assert_eq(probe_note(&b, 2), TRP_FULL);
}

static void take_name(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_register(ctx, "name");
}

Test(bad_use, a_name_that_is_taken_is_refused)
{
    probe_spawn(&b, &(trp_spawn_t){.name = "name"});
    spawn_sender(b.pid);
    trp_pid_t pid;
    trp_spawn_t again = {.class = &probe_class, .name = "name"};

    probe_do(&a, take_name);

    cr_assert_eq(a.status, TRP_EXISTS);
    cr_assert_eq(runtime_spawn(node, &again, &pid), TRP_EXISTS);
    cr_assert(trp_pid_equal(runtime_whereis(node, "name"), b.pid));
}

static trp_status_t ignore(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

static const trp_class_t quiet_class = {.name = "quiet", .receive = ignore};

Test(bad_use, the_actor_limit_is_a_status_and_the_node_goes_on)
{
    trp_pid_t pid;
    trp_spawn_t spawn = {.class = &quiet_class};
    spawn_sender(TRP_PID_NONE);
    int spawned = 0;

    trp_status_t status = TRP_OK;
    while ((status = runtime_spawn(node, &spawn, &pid)) == TRP_OK && spawned < 10000) {
        spawned++;
    }
    node_settle();

    cr_assert_eq(status, TRP_NO_MEMORY);
    cr_assert_eq(spawned, 4096 - 1);
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();
    cr_assert_eq(probe_last(&a)->note, 1);
}

static void use_unknowns(trp_ctx_t *ctx, probe_t *probe)
{
    trp_pid_t members[1];
    trp_unlink(ctx, probe->other);
    trp_demonitor(ctx, 12345);
    trp_timer_cancel(ctx, 12345);
    trp_request_cancel(ctx, 12345);
    trp_group_leave(ctx, "nobody.there");
    trp_free(ctx, NULL);
    cr_assert_eq(trp_members(ctx, "nobody.there", members, 1), 0);
    cr_assert(trp_pid_is_none(trp_whereis(ctx, "nobody")));
    cr_assert_eq(trp_group_join(ctx, ""), TRP_INVALID);
    cr_assert_eq(trp_register(ctx, ""), TRP_INVALID);
    trp_pid_t pid;
    cr_assert_eq(trp_spawn(ctx, &(trp_spawn_t){.class = NULL}, &pid), TRP_INVALID);
    cr_assert_eq(trp_spawn(ctx, &(trp_spawn_t){.class = &quiet_class, .place = 77}, &pid),
                 TRP_UNSUPPORTED);
}

Test(bad_use, references_that_were_never_given_out_do_nothing)
{
    spawn_sender(TRP_PID_NONE);

    probe_do(&a, use_unknowns);

    cr_assert(probe_lives(&a));
}

/* ---- want of memory: the process may map no more ---- */

#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_ADDRESSES false /* the sanitizer's own maps need terabytes */
#else
#define LIMITS_ADDRESSES true
#endif

static struct rlimit unlimited;

/* What is mapped now and `bytes` more is all that there is. */
static void limit_memory(rlim_t bytes)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    cr_assert_eq(getrlimit(RLIMIT_AS, &unlimited), 0);
    struct rlimit limit = {.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes,
                           .rlim_max = unlimited.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

static void send_until_refused(trp_ctx_t *ctx, probe_t *probe)
{
    static const char bytes[1 << 20];
    do {
        probe->status = trp_send(ctx, probe->other, TAG_NOTE, bytes, sizeof(bytes));
        probe->ref++;
    } while (probe->status == TRP_OK && probe->ref < 400);
}

static void ask_for_much(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    cr_assert_null(trp_alloc(ctx, 1 << 30));
    cr_assert_null(trp_scratch(ctx, 16 << 20));
}

Test(bad_use, want_of_memory_is_a_status_and_all_goes_on_when_there_is_some,
     .disabled = !LIMITS_ADDRESSES)
{
    probe_spawn(&b, &(trp_spawn_t){.size_max = 1u << 30});
    node_settle();
    spawn_sender(b.pid);
    limit_memory(32 << 20);

    probe_do(&a, send_until_refused);
    trp_status_t status = a.status;
    setrlimit(RLIMIT_AS, &unlimited);
    cr_assert_eq(status, TRP_NO_MEMORY);
    cr_assert_eq(b.count, (int)a.ref - 1, "what was sent before arrived");

    limit_memory(4 << 20);
    probe_do(&a, ask_for_much);
    setrlimit(RLIMIT_AS, &unlimited);
    cr_assert_eq(probe_note(&a, 7), TRP_OK);
    node_settle();
    cr_assert_eq(probe_last(&a)->note, 7);
}
