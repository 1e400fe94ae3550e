/* SPDX-License-Identifier: MIT */
/* Handlers that do not return, on real threads. Each lets go when the test says so. */
#include "runtime/core/watchdog.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/spare.h"
#include "runtime/log.h"

#define LIMIT_MS 20000

enum { TAG_STICK = 0x1000, TAG_RUN, TAG_TICK };

static trp_runtime_t *runtime;
static sem_t letting_go;
static atomic_int sticking, runs, ticks, fatals;
static const char *_Atomic fatal_why;

static void on_fatal(void *user, const char *why, const runtime_at_work_t *who)
{
    (void)user;
    (void)who;
    atomic_store(&fatal_why, why);
    atomic_fetch_add(&fatals, 1);
    sem_post(&letting_go);
}

static runtime_options_t options_of(uint32_t threads)
{
    return (runtime_options_t){.node = 1 << 16,
                               .incarnation = 1,
                               .threads = threads,
                               .cells_max = 1000,
                               .watch = {.stuck_ms = 20,
                                         .edge_stuck_ms = 80,
                                         .kill_grace_ms = 20,
                                         .stuck_max = 4,
                                         .fatal = on_fatal}};
}

static void open_pool(uint32_t threads, int log_level)
{
    log_level_set(log_level);
    const runtime_options_t options = options_of(threads);
    cr_assert_eq(sem_init(&letting_go, 0, 0), 0);
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
    cr_assert_eq(runtime_start(runtime), TRP_OK);
}

TestSuite(watchdog, .timeout = 60);

/* ---- waiting for conditions ---- */

static void pass_a_moment(void)
{
    (void)poll(NULL, 0, 1);
}

#define AWAIT(condition)                                                                        \
    do {                                                                                        \
        const int64_t until_ns = host_os.now_ns(host_os.user) + LIMIT_MS * 1000000LL;           \
        while (!(condition)) {                                                                  \
            cr_assert_lt(host_os.now_ns(host_os.user), until_ns, "never came: %s", #condition); \
            pass_a_moment();                                                                    \
        }                                                                                       \
    } while (0)

static uint32_t pool_size(void)
{
    return (uint32_t)__builtin_popcountll(atomic_load(&runtime->live));
}

/* ---- actors ---- */

/* A function of its own: its name is looked for in the log. */
__attribute__((noinline)) static void wait_to_be_let_go(void)
{
    while (sem_wait(&letting_go) != 0) { /* EINTR, when somebody has looked */
    }
}

static trp_status_t stick(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    atomic_fetch_add(&sticking, 1);
    wait_to_be_let_go();
    atomic_fetch_sub(&sticking, 1);
    return TRP_OK;
}

static trp_status_t run(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    atomic_fetch_add(message->tag == TAG_TICK ? &ticks : &runs, 1);
    return TRP_OK;
}

static trp_status_t run_later(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    uint64_t timer = 0;
    return trp_timer_start(ctx, 5, 0, TAG_TICK, &timer);
}

static const trp_class_t sticking_class = {.name = "sticking", .receive = stick};
static const trp_class_t edge_sticking_class = {
    .name = "sticking", .receive = stick, .flags = TRP_CLASS_EDGE};
static const trp_class_t running_class = {.name = "running", .receive = run};
static const trp_class_t timed_class = {.name = "timed", .init = run_later, .receive = run};

/* Makes work on its own worker, then sticks: one in the LIFO slot, two in the queue, a timer. */
static trp_status_t make_work(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    for (int i = 0; i < 3; i++) {
        const trp_spawn_t spawn = {.class = &running_class};
        trp_pid_t pid;
        trp_status_t status = trp_spawn(ctx, &spawn, &pid);
        if (status == TRP_OK) {
            status = trp_send(ctx, pid, TAG_RUN, NULL, 0);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return stick(ctx, state, message);
}

static const trp_class_t working_class = {.name = "working", .receive = make_work};

static trp_pid_t spawn(const trp_class_t *class)
{
    trp_pid_t pid;
    const trp_spawn_t options = {.class = class};
    cr_assert_eq(runtime_spawn(runtime, &options, &pid), TRP_OK);
    return pid;
}

static void send_to(trp_pid_t to, uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    cr_assert_not_null(envelope);
    envelope->to = to;
    envelope->tag = tag;
    cr_assert_eq(runtime_send(runtime, envelope), TRP_OK);
}

static void let_go(int count)
{
    for (int i = 0; i < count; i++) {
        sem_post(&letting_go);
    }
    AWAIT(atomic_load(&sticking) == 0);
}

/* ---- taking over ---- */

Test(watchdog, with_one_thread_another_takes_the_queue_the_lifo_slot_and_the_timers)
{
    open_pool(1, LOG_FATAL);
    (void)spawn(&timed_class);

    send_to(spawn(&working_class), TAG_STICK);

    AWAIT(atomic_load(&runs) == 3 && atomic_load(&ticks) == 1);
    cr_assert_eq(atomic_load(&sticking), 1, "it all ran behind the handler's back");
    let_go(1);
    runtime_destroy(&runtime);
}

Test(watchdog, when_all_threads_are_stuck_what_comes_from_outside_runs)
{
    open_pool(2, LOG_FATAL);
    send_to(spawn(&sticking_class), TAG_STICK);
    send_to(spawn(&sticking_class), TAG_STICK);
    AWAIT(atomic_load(&sticking) == 2);

    send_to(spawn(&running_class), TAG_RUN);

    AWAIT(atomic_load(&runs) == 1);
    AWAIT(runtime_stuck(runtime).handlers == 2);
    AWAIT(pool_size() == 4);
    let_go(2);
    runtime_destroy(&runtime);
}

Test(watchdog, the_pool_has_its_size_again_when_the_handler_returns)
{
    open_pool(1, LOG_FATAL);
    for (int round = 0; round < 3; round++) {
        send_to(spawn(&sticking_class), TAG_STICK);
        AWAIT(pool_size() == 2);
        (void)spawn(&timed_class); /* its timer stays with the spare */

        let_go(1);

        AWAIT(pool_size() == 1 && runtime_stuck(runtime).handlers == 0);
        AWAIT(atomic_load(&ticks) == round + 1);
    }
    runtime_destroy(&runtime);
}

/* The looks of a watchdog that never comes by itself: the only pool thread is stuck, or is not. */
static void look_as(bool is_stuck)
{
    atomic_store(&runtime->watchdog.stuck, is_stuck ? 1ull << runtime->first_pool : 0);
    spare_balance(runtime);
}

Test(watchdog, a_spare_that_is_called_and_sent_back_before_it_runs_can_be_called_again)
{
    runtime_options_t options = options_of(1);
    log_level_set(LOG_ERROR);
    options.watch.stuck_ms = options.watch.edge_stuck_ms = options.watch.kill_grace_ms = 100000000;
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
    cr_assert_eq(runtime_start(runtime), TRP_OK);
    look_as(true); /* it has a thread from now on */
    for (int i = 0; i < 300; i++) {
        look_as(false);
        AWAIT(pool_size() == 1);
        look_as(true); /* and at once, before the thread is awake: */
        look_as(false);
        AWAIT(pool_size() == 1);
        look_as(true);
        AWAIT(pool_size() == 2);
    }
    runtime_destroy(&runtime);
}

Test(watchdog, there_are_no_more_spares_than_its_bound)
{
    open_pool(1, LOG_FATAL);
    for (int i = 0; i < SPARES_MAX + 1; i++) {
        send_to(spawn(&sticking_class), TAG_STICK);
    }

    AWAIT(atomic_load(&sticking) == SPARES_MAX + 1);

    AWAIT(runtime_stuck(runtime).handlers == SPARES_MAX + 1);
    cr_assert_eq(pool_size(), SPARES_MAX + 1);
    let_go(SPARES_MAX + 1);
    AWAIT(pool_size() == 1);
    runtime_destroy(&runtime);
}

/* ---- the log ---- */

static int log_begin(void)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_geq(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
    return ends[0];
}

static int count_of(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

Test(watchdog, a_stuck_handler_is_logged_once_with_who_what_and_its_calls)
{
    const int log = log_begin();
    char text[65536];
    open_pool(1, LOG_WARN);
    const trp_pid_t pid = spawn(&sticking_class);
    char pid_text[TRP_PID_TEXT_MAX];

    send_to(pid, TAG_STICK);
    AWAIT(runtime_stuck(runtime).handlers == 1);
    const uint32_t looks = runtime->watchdog.rows[0].looks;
    AWAIT(runtime->watchdog.rows[0].looks > looks + 8); /* twice its limit */
    let_go(1);
    runtime_destroy(&runtime);
    const ssize_t size = read(log, text, sizeof(text) - 1);

    cr_assert_gt(size, 0);
    text[size] = '\0';
    cr_expect_eq(count_of(text, "handler_stuck"), 1, "%s", text);
    cr_expect_eq(count_of(text, trp_pid_format(pid, pid_text)), 1, "%s", text);
    cr_expect_eq(count_of(text, "\"class\":\"sticking\""), 1, "%s", text);
    cr_expect_eq(count_of(text, "\"callback\":\"receive\",\"tag\":4096"), 1, "%s", text);
    cr_expect_eq(count_of(text, "\"for_ms\":20"), 1, "%s", text);
    cr_expect_geq(count_of(text, "wait_to_be_let_go+0x"), 1, "%s", text);
    cr_expect_geq(count_of(text, " < "), 3, "its callers: %s", text);
}

/* ---- an idle node ---- */

Test(watchdog, an_idle_node_has_no_watchdog_until_something_runs)
{
    open_pool(2, LOG_FATAL);
    send_to(spawn(&running_class), TAG_RUN);
    AWAIT(atomic_load(&runs) == 1);

    AWAIT(atomic_load(&runtime->watchdog.word) == 1 /* asleep */);
    send_to(spawn(&sticking_class), TAG_STICK);

    AWAIT(runtime_stuck(runtime).handlers == 1);
    let_go(1);
    AWAIT(atomic_load(&runtime->watchdog.word) == 1);
    runtime_destroy(&runtime);
}

/* ---- writing off ---- */

static trp_pid_t victim;
static trp_reason_t heard[2]; /* of a monitor, and of a request */
static atomic_int downs, answers_gone;

static trp_status_t watch_victim(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    uint64_t ref = 0;
    const trp_request_t request = {.to = victim, .tag = TAG_STICK, .timeout_ms = -1};
    trp_status_t status = trp_monitor(ctx, victim, &ref);
    return status == TRP_OK ? trp_request(ctx, &request, &ref) : status;
}

static trp_status_t hear(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (message->tag == TAG_RUN) {
        const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
        trp_exit(ctx, victim, &killed);
        return TRP_OK;
    }
    size_t size = 0;
    const int at = atomic_load(&downs);
    cr_assert_eq(message->tag, TRP_TAG_DOWN);
    cr_assert_eq(trp_reason_read(trp_message_data(message, &size), sizeof(heard[0]), &heard[at]),
                 TRP_OK);
    atomic_fetch_add(&downs, 1);
    return TRP_OK;
}

static const trp_class_t hearing_class = {.name = "hearing", .init = watch_victim, .receive = hear};

/* Sticks; what it calls when it is let go is answered as for one that is gone. */
static trp_status_t stick_then_call(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const trp_status_t status = stick(ctx, state, message);
    uint64_t ref = 0;
    atomic_fetch_add(&answers_gone, trp_send(ctx, victim, TAG_RUN, NULL, 0) == TRP_GONE);
    atomic_fetch_add(&answers_gone, trp_monitor(ctx, victim, &ref) == TRP_GONE);
    atomic_fetch_add(&answers_gone, trp_timer_start(ctx, 1, 0, TAG_TICK, &ref) == TRP_GONE);
    atomic_fetch_add(&answers_gone, trp_reply(ctx, message, TAG_RUN, NULL, 0) == TRP_GONE);
    return status;
}

static const trp_class_t victim_class = {
    .name = "victim", .state_size = 100, .receive = stick_then_call};

static void copy_state(void *user, const actor_info_t *info)
{
    if (trp_pid_equal(info->pid, victim)) {
        *(const char **)user = info->state;
    }
}

static const char *state_of_victim(void)
{
    const char *state = "none";
    runtime_each(runtime, copy_state, &state);
    return state;
}

static void assert_ledger(void)
{
    runtime_ledger_t ledger;
    runtime_ledger(runtime, &ledger);
    cr_assert_eq(ledger.sent, ledger.handled + ledger.queued + ledger.refused + ledger.dead,
                 "sent %lu handled %lu queued %lu refused %lu dead %lu", ledger.sent,
                 ledger.handled, ledger.queued, ledger.refused, ledger.dead);
}

Test(watchdog, a_killed_actor_whose_handler_does_not_return_is_written_off)
{
    open_pool(1, LOG_FATAL);
    const trp_spawn_t named = {.class = &victim_class, .name = "victim"};
    cr_assert_eq(runtime_spawn(runtime, &named, &victim), TRP_OK);
    const trp_pid_t hearing = spawn(&hearing_class);
    AWAIT(atomic_load(&sticking) == 1);

    send_to(victim, TAG_RUN); /* queued behind it */
    send_to(hearing, TAG_RUN);

    AWAIT(atomic_load(&downs) == 2);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(heard[i].kind, TRP_REASON_KILLED);
        cr_expect_str_eq(heard[i].text, "stuck");
    }
    cr_expect(trp_pid_is_none(runtime_whereis(runtime, "victim")));
    cr_expect_eq(runtime_stuck(runtime).written_off, 1);
    cr_expect_str_eq(state_of_victim(), "stuck");
    AWAIT(pool_size() == 2);
    assert_ledger();

    let_go(1);
    AWAIT(pool_size() == 1 && runtime_stuck(runtime).written_off == 0);
    cr_expect_eq(atomic_load(&answers_gone), 4);
    cr_expect_str_eq(state_of_victim(), "none");
    assert_ledger();
    cr_assert_eq(runtime_spawn(runtime, &named, &victim), TRP_OK, "its name is free");
    runtime_destroy(&runtime);
}

static trp_status_t kill_sticking(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_pid_t pids[SPARES_MAX];
    const size_t count = trp_find_class(ctx, "sticking", pids, SPARES_MAX);
    for (size_t i = 0; i < count; i++) {
        trp_exit(ctx, pids[i], &killed);
    }
    return TRP_OK;
}

static const trp_class_t killing_class = {.name = "killing", .receive = kill_sticking};

Test(watchdog, more_written_off_threads_than_its_bound_end_the_node)
{
    runtime_options_t options = options_of(1);
    options.watch.stuck_max = 1;
    log_level_set(LOG_FATAL + 1);
    cr_assert_eq(sem_init(&letting_go, 0, 0), 0);
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
    cr_assert_eq(runtime_start(runtime), TRP_OK);
    for (int i = 0; i < 2; i++) {
        send_to(spawn(&sticking_class), TAG_STICK);
    }
    AWAIT(atomic_load(&sticking) == 2);

    send_to(spawn(&killing_class), TAG_RUN);

    AWAIT(atomic_load(&fatals) == 1); /* which lets one go, here */
    cr_assert_str_eq(atomic_load(&fatal_why), "stuck_max");
    let_go(1);
    runtime_destroy(&runtime);
}

static trp_status_t stick_in_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    return stick(ctx, state, args);
}

static const trp_class_t slow_class = {
    .name = "sticking", .state_size = 8, .init = stick_in_init, .receive = run};

Test(watchdog, an_actor_that_does_not_return_from_init_is_written_off)
{
    open_pool(2, LOG_FATAL);
    victim = spawn(&slow_class);
    AWAIT(atomic_load(&sticking) == 1);

    send_to(spawn(&killing_class), TAG_RUN);

    AWAIT(strcmp(state_of_victim(), "stuck") == 0); /* counted before that */
    cr_expect_eq(runtime_stuck(runtime).written_off, 1);
    let_go(1);
    AWAIT(strcmp(state_of_victim(), "none") == 0);
    runtime_destroy(&runtime);
}

Test(watchdog, a_runtime_that_ends_does_not_wait_for_handlers_without_limit)
{
    open_pool(1, LOG_FATAL);
    send_to(spawn(&sticking_class), TAG_STICK);
    AWAIT(atomic_load(&sticking) == 1);

    runtime_stop(runtime);

    cr_assert_not(runtime_await_threads(runtime, 50));
    let_go(1);
    cr_assert(runtime_await_threads(runtime, LIMIT_MS));
    runtime_destroy(&runtime);
}

/* ---- the edge ---- */

static host_word_t bell;

static void no_poll(void *user)
{
    (void)user;
}

static void wait_for_bell(void *user, int64_t until_ns)
{
    (void)user;
    host_os.sleep(host_os.user, &bell, 0, until_ns);
    atomic_store(&bell, 0);
}

static void ring_bell(void *user)
{
    (void)user;
    atomic_store(&bell, 1);
    host_os.wake(host_os.user, &bell);
}

static void *run_edge(void *arg)
{
    runtime_run_edge(arg);
    return NULL;
}

Test(watchdog, an_edge_that_does_not_move_ends_the_node)
{
    runtime_options_t options = options_of(1);
    pthread_t edge;
    options.edge = (scheduler_park_t){.poll = no_poll, .park = wait_for_bell, .wake = ring_bell};
    log_level_set(LOG_FATAL + 1);
    cr_assert_eq(sem_init(&letting_go, 0, 0), 0);
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
    cr_assert_eq(runtime_start(runtime), TRP_OK);
    cr_assert_eq(pthread_create(&edge, NULL, run_edge, runtime), 0);
    AWAIT(atomic_load(&runtime->watchdog.word) == 1);

    send_to(spawn(&edge_sticking_class), TAG_STICK);

    AWAIT(atomic_load(&fatals) == 1);
    cr_assert_str_eq(atomic_load(&fatal_why), "edge_stuck");
    cr_assert_eq(pool_size(), 1, "nobody takes the edge's place");
    AWAIT(atomic_load(&sticking) == 0);
    runtime_stop(runtime);
    cr_assert_eq(pthread_join(edge, NULL), 0);
    runtime_destroy(&runtime);
}
