/* SPDX-License-Identifier: MIT */
/* The test process is the guardian; its child, the node, dies. */
#include "runtime/guardian/culprit.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/troupe.h"

static culprit_page_t *page;
static culprit_t culprit;
static int is_ready[2]; /* a pipe: the node may be signalled */

static void set_up(void)
{
    page = culprit_open();
    cr_assert_not_null(page);
    cr_assert_eq(pipe(is_ready), 0);
}

static void tear_down(void)
{
    culprit_close(&page);
    (void)close(is_ready[0]);
    (void)close(is_ready[1]);
}

TestSuite(culprit, .init = set_up, .fini = tear_down, .timeout = 20);

static trp_status_t crash(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    (void)raise(SIGFPE);
    return TRP_OK;
}

static trp_status_t ignore(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

static const trp_class_t crash_class = {.name = "crash", .receive = crash};

/* What a helper does is its parent's fault. */
static trp_status_t beget(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_spawn_t spawn = {.class = &crash_class};
    trp_pid_t pid;
    (void)state;
    (void)args;
    trp_status_t status = trp_spawn(ctx, &spawn, &pid);
    return status == TRP_OK ? trp_send(ctx, pid, TRP_TAG_USER, NULL, 0) : status;
}

static const trp_class_t parent_class = {.name = "parent", .init = beget, .receive = ignore};

/* A node whose actor dies of its first message. */
static void node_with(const trp_class_t *class)
{
    trp_runtime_t *runtime = NULL;
    const runtime_options_t options = {.node = 1, .incarnation = 1, .threads = 1};
    const trp_spawn_t spawn = {.class = class, .origin = "tree.children.a"};
    trp_pid_t pid;
    culprit_catch(page);
    if (runtime_create(&options, &runtime) != TRP_OK || runtime_start(runtime) != TRP_OK ||
        runtime_spawn(runtime, &spawn, &pid) != TRP_OK) {
        _exit(1);
    }
    trp_envelope_t *message = envelope_alloc();
    message->to = pid;
    message->tag = TRP_TAG_USER;
    if (runtime_send(runtime, message) != TRP_OK) {
        _exit(2);
    }
    for (;;) {
        (void)pause();
    }
}

static void node_crashes(void)
{
    node_with(&crash_class);
}

static void node_of_a_parent(void)
{
    node_with(&parent_class);
}

static void node_without_actor(void)
{
    culprit_catch(page);
    abort();
}

static void node_that_is_signalled(void)
{
    culprit_catch(page);
    (void)!write(is_ready[1], "r", 1);
    for (;;) {
        (void)pause();
    }
}

/* The wait status of a node that does that; `number`: sent to it when it is ready, 0: nothing. */
static int status_of(void (*body)(void), int number)
{
    char ready;
    const pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGFPE, SIG_DFL); /* the test program has handlers of its own */
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGABRT, SIG_DFL);
        (void)alarm(10); /* whatever happens, it goes */
        body();
    }
    if (number != 0) {
        cr_assert_eq(read(is_ready[0], &ready, 1), 1);
        (void)kill(child, number);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

Test(culprit, actor_that_a_node_dies_of_is_named_with_who_answers_for_it)
{
    const int status = status_of(node_crashes, 0);

    cr_assert(WIFSIGNALED(status));
    cr_assert_eq(WTERMSIG(status), SIGFPE);
    cr_assert(culprit_take(page, &culprit));
    cr_expect_eq(culprit.signal, SIGFPE);
    cr_expect_str_eq(culprit.class_name, "crash");
    cr_expect_str_eq(culprit.origin, "tree.children.a");
    cr_expect_eq(culprit.actor.node, 1);
}

Test(culprit, helper_is_answered_for_by_the_child_that_spawned_it)
{
    cr_assert(WIFSIGNALED(status_of(node_of_a_parent, 0)));

    cr_assert(culprit_take(page, &culprit));
    cr_expect_str_eq(culprit.class_name, "crash");
    cr_expect_str_eq(culprit.origin, "tree.children.a");
}

Test(culprit, what_was_taken_is_taken_and_the_next_node_writes_anew)
{
    cr_assert(WIFSIGNALED(status_of(node_crashes, 0)));
    cr_assert(culprit_take(page, &culprit));
    cr_assert_not(culprit_take(page, &culprit));

    cr_assert(WIFSIGNALED(status_of(node_crashes, 0)));

    cr_assert(culprit_take(page, &culprit));
}

Test(culprit, death_outside_of_all_actors_is_nobodys)
{
    cr_assert(WIFSIGNALED(status_of(node_without_actor, 0)));

    cr_assert(culprit_take(page, &culprit));
    cr_expect_eq(culprit.signal, SIGABRT);
    cr_expect(trp_pid_is_none(culprit.actor));
    cr_expect_str_eq(culprit.origin, "");
}

Test(culprit, signal_from_outside_blames_nobody)
{
    const int numbers[] = {SIGKILL, SIGSEGV, SIGABRT, SIGTERM};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const int status = status_of(node_that_is_signalled, numbers[i]);

        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == numbers[i]);
        cr_expect_not(culprit_take(page, &culprit), "signal %d", numbers[i]);
    }
}

static void node_that_writes_rubbish(void)
{
    char origin[2 * CULPRIT_ORIGIN_MAX];
    memset(origin, 'x', sizeof(origin) - 1);
    origin[sizeof(origin) - 1] = '\0';
    culprit_note(page, &(runtime_at_work_t){{1, 2, 3, 4}, "cut\nhere", origin});
    abort();
}

Test(culprit, rubbish_of_a_broken_node_is_cut)
{
    cr_assert(WIFSIGNALED(status_of(node_that_writes_rubbish, 0)));

    cr_assert(culprit_take(page, &culprit));
    cr_expect_str_eq(culprit.class_name, "cut");
    cr_expect_eq(strlen(culprit.origin), CULPRIT_ORIGIN_MAX - 1);
}
