/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/router/router.h"
#include "runtime/offload.h"
#include "tests/sim/scenario_echo.h"
#include "tests/sim/sim.h"

#define TAG_ASK   TRP_TAG_USER
#define TAG_SAID  (TRP_TAG_USER + 1)
#define TAG_BREAK (TRP_TAG_USER + 2)
#define TAG_LATER (TRP_TAG_USER + 3)
#define TAG_BLOCK (TRP_TAG_USER + 4)
#define TAG_DONE  (TRP_TAG_USER + 5)

static trp_status_t block(void *argument, zmq_msg_t *result)
{
    (void)argument;
    (void)result;
    return TRP_OK;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    uint64_t timer;
    const trp_offload_t job = {.run = block, .tag = TAG_DONE};
    switch (message->tag) {
    case TAG_ASK:
        return trp_reply(ctx, message, TAG_SAID, "yes", 4);
    case TAG_LATER:
        return trp_timer_start(ctx, 3600000, 0, TAG_BREAK, &timer);
    case TAG_BLOCK:
        return trp_offload(ctx, &job, &timer);
    case TAG_BREAK:
        return TRP_FAILED;
    default:
        return TRP_OK;
    }
}

static const trp_class_t answerer_class = {.name = "answerer", .version = 1, .receive = receive};
static const trp_class_t *const classes[] = {&answerer_class, &router_class, &echo_class, NULL};

static trp_sim_t *sim;
static char failure[512];

static void note_failure(void *user, trp_sim_t *world)
{
    (void)user;
    snprintf(failure, sizeof(failure), "%s", trp_sim_failure(world));
}

static void open_world(const char *script)
{
    failure[0] = '\0';
    const trp_sim_options_t options = {.seed = 5, .script = script, .failed = note_failure};
    sim = trp_sim_open(&options);
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a", .classes = classes, .restart_ms = 1000});
}

static trp_pid_t spawn_answerer(trp_place_t place)
{
    return trp_sim_spawn(sim, "a", &(trp_spawn_t){.class = &answerer_class, .place = place});
}

Test(sim, an_actor_answers_the_test)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_POOL);

    (void)trp_sim_request(sim, &(trp_request_t){.to = pid, .tag = TAG_ASK});
    const trp_envelope_t *said = trp_sim_expect(sim, TAG_SAID);

    size_t size = 0;
    cr_expect_str_eq(trp_message_data(said, &size), "yes");
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, an_hour_takes_no_time)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_POOL);
    trp_reason_t reason;

    trp_sim_send(sim, pid, TAG_LATER, NULL, 0);
    trp_sim_advance(sim, 3599000);
    cr_expect(trp_sim_lives(sim, pid));
    trp_sim_advance(sim, 2000);

    cr_expect_not(trp_sim_lives(sim, pid));
    cr_assert(trp_sim_ended(sim, pid, &reason));
    cr_expect_eq(reason.kind, TRP_REASON_ERROR);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, an_offloaded_job_is_done_between_two_steps)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_POOL);

    trp_sim_send(sim, pid, TAG_BLOCK, NULL, 0);
    trp_sim_settle(sim);
    cr_expect_eq(trp_sim_handled(sim, TAG_DONE), 0);
    trp_sim_advance(sim, 10);

    cr_expect_eq(trp_sim_handled(sim, TAG_DONE), 1);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, an_offloaded_job_of_a_killed_node_does_not_run)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_POOL);

    trp_sim_send(sim, pid, TAG_BLOCK, NULL, 0);
    trp_sim_fault(sim, "kill node a");
    trp_sim_advance(sim, 10);

    cr_expect_eq(trp_sim_handled(sim, TAG_DONE), 0);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, an_actor_in_a_process_of_its_own_answers)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_PROCESS);
    trp_sim_advance(sim, 100);

    (void)trp_sim_request(sim, &(trp_request_t){.to = pid, .tag = TAG_ASK});
    trp_sim_advance(sim, 100);

    (void)trp_sim_expect(sim, TAG_SAID);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, an_actor_of_place_thread_answers_and_ends)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_THREAD);
    trp_reason_t reason = {0};

    (void)trp_sim_request(sim, &(trp_request_t){.to = pid, .tag = TAG_ASK});
    (void)trp_sim_expect(sim, TAG_SAID);
    trp_sim_send(sim, pid, TAG_BREAK, NULL, 0);

    cr_assert(trp_sim_ended(sim, pid, &reason));
    cr_expect_eq(reason.kind, TRP_REASON_ERROR);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

static bool has_asked(void *user, trp_sim_t *world)
{
    (void)user;
    return trp_sim_handled(world, TAG_ASK) > 0;
}

Test(sim, a_process_that_is_called_while_it_stands_still_goes_on_when_it_may)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_POOL);
    trp_sim_settle(sim);

    trp_sim_fault(sim, "pause a for 50 ms");
    trp_sim_send(sim, pid, TAG_ASK, NULL, 0);

    cr_expect(trp_sim_until(sim, has_asked, NULL, 1000));
    cr_expect(trp_sim_now_ms(sim) >= 50 && trp_sim_now_ms(sim) < 60, "%ld",
              (long)trp_sim_now_ms(sim));
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, the_test_waits_for_its_actor_while_the_node_stands_still)
{
    open_world(NULL);
    trp_sim_fault(sim, "pause a for 50 ms");

    const trp_pid_t pid = spawn_answerer(TRP_PLACE_POOL);

    cr_expect(trp_sim_lives(sim, pid));
    cr_expect_geq(trp_sim_now_ms(sim), 50);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, a_process_that_is_killed_is_mourned_with_its_signal)
{
    open_world("at 1 s kill process a.1");
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_PROCESS);
    trp_reason_t reason = {0};

    trp_sim_advance(sim, 2000);

    cr_assert(trp_sim_ended(sim, pid, &reason));
    cr_expect_eq(reason.kind, TRP_REASON_SIGNAL);
    cr_expect_eq(reason.code, 9);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, a_node_that_is_killed_is_started_again)
{
    open_world("at 1 s kill node a");

    trp_sim_advance(sim, 1500);
    cr_expect_null(sim_domain_of(sim, "a"));
    trp_sim_advance(sim, 1000);

    cr_assert_not_null(sim_domain_of(sim, "a"));
    cr_expect_eq(sim_domain_of(sim, "a")->child.incarnation, 2);
    cr_expect(trp_sim_close(&sim), "%s", failure);
}

Test(sim, a_script_that_is_not_understood_fails_with_its_line)
{
    open_world("at 1 s kill node a\nat 2 s bribe node a\n");

    cr_expect_str_eq(failure, "script: not understood: at 2 s bribe node a");
    cr_expect_not(trp_sim_close(&sim));
}

Test(sim, an_unexpected_message_fails)
{
    open_world(NULL);
    const trp_pid_t pid = spawn_answerer(TRP_PLACE_POOL);

    (void)trp_sim_request(sim, &(trp_request_t){.to = pid, .tag = TAG_ASK});
    (void)trp_sim_expect(sim, TAG_BREAK);

    cr_expect_str_eq(failure, "expected a message 0x1002, got 0x1001");
    cr_expect_not(trp_sim_close(&sim));
}

/* ---- the same seed, the same steps ---- */

static uint64_t hash_of(uint64_t seed, trp_sim_schedule_t schedule)
{
    const trp_sim_options_t options = {.seed = seed,
                                       .schedule = schedule,
                                       .faults = {.process_kills = 2, .over_ms = 1000},
                                       .failed = note_failure};
    sim = trp_sim_open(&options);
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a",
                                        .classes = classes,
                                        .threads = 2,
                                        .config = "majordomo\n"
                                                  "    endpoint = \"tcp://127.0.0.1:5555\"\n"
                                                  "pools\n"
                                                  "    echo\n"
                                                  "        class = echo\n"
                                                  "        place = process\n"
                                                  "        tools = echo\n"});
    trp_sim_client_t *client = trp_sim_client(sim, "client", "tcp://127.0.0.1:5555");
    trp_sim_call(client, "echo", "{\"n\":1}", 0);
    trp_sim_advance(sim, 3000);
    const uint64_t hash = trp_sim_hash(sim);
    cr_expect_eq(trp_sim_answers(client), 1, "seed %lu", seed);
    cr_expect(trp_sim_close(&sim), "%s", failure);
    return hash;
}

Test(sim, the_same_seed_has_the_same_steps)
{
    cr_expect_eq(hash_of(7, TRP_SIM_RANDOM), hash_of(7, TRP_SIM_RANDOM));
    cr_expect_eq(hash_of(7, TRP_SIM_PCT), hash_of(7, TRP_SIM_PCT));
}

Test(sim, another_seed_has_others)
{
    cr_expect_neq(hash_of(7, TRP_SIM_RANDOM), hash_of(8, TRP_SIM_RANDOM));
}

/* ---- the script ---- */

Test(sim_script, each_fault_reads_and_writes_alike)
{
    static const char *const lines[] = {
        "kill node b", "kill process a.1",     "kill actor a/pool.echo",  "split a b | c",
        "cut a -> *",  "pause a.1 for 500 ms", "split a | * for 2000 ms", "slow b",
        "stop node a",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        sim_fault_t fault = {.kind = SIM_HEAL};
        char again[192];
        cr_assert(sim_script_line(lines[i], &fault), "%s", lines[i]);
        sim_script_write(&fault, again);
        cr_expect_str_eq(again, lines[i]);
    }
}

Test(sim_script, what_is_no_fault_is_refused)
{
    static const char *const lines[] = {
        "",          "kill",
        "kill node", "split a b",
        "cut a | b", "pause a for ever",
        "heal a",    "kill node b for",
        "split | b", "pause a for 5 s or more",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        sim_fault_t fault = {.kind = SIM_HEAL};
        cr_expect_not(sim_script_line(lines[i], &fault), "%s", lines[i]);
    }
}
