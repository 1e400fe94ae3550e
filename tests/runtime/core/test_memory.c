/* SPDX-License-Identifier: MIT */
#include "runtime/memory.h"

#include <string.h>

#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(memory, .init = open_node, .fini = node_close);

#define QUOTA 10000

static probe_t a, watcher;
static unsigned char *block;
static size_t used, asked;

static void watch_a(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_monitor(ctx, a.pid, &probe->ref), TRP_OK);
}

static void spawn_with_quota(size_t memory_quota)
{
    probe_spawn(&watcher, NULL);
    probe_spawn(&a, &(trp_spawn_t){.memory_quota = memory_quota});
    node_settle();
    probe_do(&watcher, watch_a);
}

static void measure(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    used = trp_memory_used(ctx);
}

static void allocate(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    block = trp_alloc(ctx, asked);
    if (block != NULL) {
        memset(block, 7, asked);
    }
    used = trp_memory_used(ctx);
}

static void give_back(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_free(ctx, block);
    trp_free(ctx, NULL);
    used = trp_memory_used(ctx);
}

static void grow(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    unsigned char *grown = trp_realloc(ctx, block, asked);
    block = grown == NULL ? block : grown;
    used = trp_memory_used(ctx);
}

Test(memory, the_books_are_exact)
{
    const size_t state = probe_class.state_size;
    spawn_with_quota(QUOTA);

    probe_do(&a, measure);
    cr_assert_eq(used, state);
    asked = 100;
    probe_do(&a, allocate);
    cr_assert_eq(used, state + 100 + TRP_BLOCK_COST);
    cr_assert_eq((uintptr_t)block % 16, 0);
    asked = 5000;
    probe_do(&a, grow);
    cr_assert_eq(used, state + 5000 + TRP_BLOCK_COST);
    cr_assert_eq(block[99], 7);
    asked = 10;
    probe_do(&a, grow);
    cr_assert_eq(used, state + 10 + TRP_BLOCK_COST);
    probe_do(&a, give_back);
    cr_assert_eq(used, state);
}

Test(memory, the_last_byte_of_the_quota_is_given)
{
    spawn_with_quota(QUOTA);
    asked = QUOTA - TRP_BLOCK_COST - probe_class.state_size;

    probe_do(&a, allocate);

    cr_assert_not_null(block);
    cr_assert_eq(used, QUOTA);
    cr_assert(probe_lives(&a));
}

Test(memory, one_byte_above_the_quota_ends_the_actor_with_a_typed_reason)
{
    spawn_with_quota(QUOTA);
    asked = QUOTA - TRP_BLOCK_COST - probe_class.state_size + 1;

    probe_do(&a, allocate);

    cr_assert_null(block);
    cr_assert_not(probe_lives(&a));
    cr_assert_eq(probe_last(&watcher)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&watcher)->reason.kind, TRP_REASON_QUOTA);
    cr_assert_eq(probe_last(&watcher)->reason.code, TRP_NO_MEMORY);
    cr_assert_eq(a.terminations, 1);
}

static trp_status_t allocate_and_fail(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    (void)message;
    return trp_alloc(ctx, QUOTA) == NULL ? TRP_NO_MEMORY : TRP_OK;
}

Test(memory, the_typed_reason_stands_though_the_handler_fails_of_it)
{
    a.receive = allocate_and_fail;
    spawn_with_quota(QUOTA);

    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();

    cr_assert_eq(probe_last(&watcher)->reason.kind, TRP_REASON_QUOTA);
}

static void overgrow(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    block = trp_alloc(ctx, 100);
    memset(block, 7, 100);
    cr_assert_null(trp_realloc(ctx, block, QUOTA));
    cr_assert_eq(block[99], 7, "it is as it was");
    trp_free(ctx, block);
}

Test(memory, a_block_that_may_not_grow_is_as_it_was)
{
    spawn_with_quota(QUOTA);

    probe_do(&a, overgrow);

    cr_assert_eq(probe_last(&watcher)->reason.kind, TRP_REASON_QUOTA);
}

static void ask_for_all(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    cr_assert_null(trp_alloc(ctx, SIZE_MAX));
    cr_assert_null(trp_alloc(ctx, SIZE_MAX / 8));
    cr_assert_null(trp_scratch(ctx, SIZE_MAX));
}

Test(memory, want_of_memory_is_no_quota_and_ends_nobody)
{
    spawn_with_quota(0);

    probe_do(&a, ask_for_all);
    probe_do(&a, measure);

    cr_assert(probe_lives(&a));
    cr_assert_eq(used, probe_class.state_size);
}

Test(memory, a_state_above_the_quota_is_no_spawn)
{
    static const trp_class_t large = {
        .name = "large", .state_size = 2000, .receive = NULL, .version = 1};
    trp_class_t class = large;
    class.receive = probe_class.receive;
    trp_pid_t pid;
    trp_spawn_t spawn = {.class = &class, .memory_quota = 1999};

    cr_assert_eq(runtime_spawn(node, &spawn, &pid), TRP_TOO_LARGE);
}

/* ---- the end frees all: the address sanitizer's leak check is the judge ---- */

static void leave_blocks(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    for (int i = 0; i < 50; i++) {
        cr_assert_not_null(trp_alloc(ctx, 100));
    }
    cr_assert_not_null(trp_scratch(ctx, 100));
}

static void kill_a(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, a.pid, &reason);
}

static void sum_memory(void *user, const actor_info_t *info)
{
    *(size_t *)user += info->memory;
}

Test(memory, all_blocks_are_freed_when_the_actor_is_killed)
{
    size_t before = 0;
    size_t after = 0;
    spawn_with_quota(0);
    probe_do(&a, leave_blocks);
    runtime_each(node, sum_memory, &before);

    probe_do(&watcher, kill_a);

    runtime_each(node, sum_memory, &after);
    cr_assert_not(probe_lives(&a));
    cr_assert_eq(before - after, probe_class.state_size + 50 * (100 + TRP_BLOCK_COST));
}

/* ---- scratch ---- */

static unsigned char *first_scratch;

static void use_scratch(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    first_scratch = trp_scratch(ctx, 1000);
    cr_assert_not_null(first_scratch);
    memset(first_scratch, 1, 1000);
    for (int i = 0; i < 200; i++) { /* more than one chunk */
        unsigned char *more = trp_scratch(ctx, 999);
        cr_assert_not_null(more);
        cr_assert_eq((uintptr_t)more % 16, 0);
        memset(more, 2, 999);
    }
    cr_assert_eq(first_scratch[999], 1);
    used = trp_memory_used(ctx);
}

Test(memory, scratch_is_charged_and_gone_after_the_callback)
{
    spawn_with_quota(0);

    probe_do(&a, use_scratch);
    cr_assert_geq(used, probe_class.state_size + 1000 + 200 * 999);
    probe_do(&a, measure);

    cr_assert_eq(used, probe_class.state_size);
    cr_assert_eq(node->workers[0].scratch.charged, 0);
}

static void take_a_little(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    block = trp_scratch(ctx, 100);
}

Test(memory, the_chunk_is_used_again)
{
    spawn_with_quota(0);

    probe_do(&a, take_a_little);
    const unsigned char *before = block;
    probe_do(&a, take_a_little);

    cr_assert_eq(block, before);
}

static void take_all_scratch(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    cr_assert_not_null(trp_scratch(ctx, TRP_SCRATCH_MAX));
    cr_assert_null(trp_scratch(ctx, 1));
}

Test(memory, scratch_has_a_bound_that_ends_nobody)
{
    spawn_with_quota(0);

    probe_do(&a, take_all_scratch);

    cr_assert(probe_lives(&a));
}

static void take_scratch_above(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    cr_assert_null(trp_scratch(ctx, QUOTA));
}

Test(memory, scratch_counts_against_the_quota)
{
    spawn_with_quota(QUOTA);

    probe_do(&a, take_scratch_above);

    cr_assert_eq(probe_last(&watcher)->reason.kind, TRP_REASON_QUOTA);
}
