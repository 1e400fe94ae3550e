/* SPDX-License-Identifier: MIT */
/* Jobs on a host whose helper is the test: it runs them when it likes. The operating system's
 * helpers: tests/stress/offload.c, and each place: tests/contract/test_place_life.c. */
#include "runtime/offload.h"

#include <string.h>

#include "tests/runtime/fixture.h"

#define JOBS_MAX 4

static host_job_t *jobs[JOBS_MAX];
static size_t job_count;
static trp_host_t host;
static int runs, drops;
static trp_status_t outcome;
static probe_t a;
static int64_t timeout_ms;

static trp_status_t keep_job(void *user, host_job_t *job)
{
    (void)user;
    if (job_count == JOBS_MAX) {
        return TRP_BUSY;
    }
    jobs[job_count++] = job;
    return TRP_OK;
}

/* By a thread that is none of the runtime's. */
static void run_jobs(void)
{
    worker_t *before = scheduler_enter(NULL);
    for (size_t i = 0; i < job_count; i++) {
        jobs[i]->run(jobs[i]);
    }
    job_count = 0;
    scheduler_enter(before);
}

static void open_node(void)
{
    node_open(false);
    host = *node->host;
    host.offload = keep_job;
    node->host = &host;
    a = (probe_t){.count = 0};
    runs = drops = 0;
    job_count = 0;
    outcome = TRP_OK;
    timeout_ms = 0;
    probe_spawn(&a, NULL);
    node_settle();
}

static void close_node(void)
{
    run_jobs();
    node_close();
}

TestSuite(offload, .init = open_node, .fini = close_node);

static trp_status_t work(void *argument, zmq_msg_t *result)
{
    const int note = 40 + *(int *)argument;
    runs++;
    zmq_msg_close(result);
    zmq_msg_init_size(result, sizeof(note));
    memcpy(zmq_msg_data(result), &note, sizeof(note));
    return outcome;
}

static void drop(void *argument)
{
    (void)argument;
    drops++;
}

static void hand_over(trp_ctx_t *ctx, probe_t *probe)
{
    static int two = 2;
    const trp_offload_t job = {
        .run = work, .drop = drop, .argument = &two, .tag = TAG_NOTE, .timeout_ms = timeout_ms};
    probe->status = trp_offload(ctx, &job, &probe->ref);
}

static void cancel(trp_ctx_t *ctx, probe_t *probe)
{
    trp_offload_cancel(ctx, probe->ref);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

Test(offload, the_result_comes_as_a_message)
{
    probe_do(&a, hand_over);
    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(runs, 0);

    run_jobs();
    node_settle();

    const seen_t *seen = probe_last(&a);
    cr_assert_eq(seen->tag, TAG_NOTE);
    cr_assert_eq(seen->note, 42);
    cr_assert_eq(seen->request_id, a.ref);
    cr_assert(seen->flags & TRP_ENVELOPE_REPLY);
    cr_assert_eq(runs, 1);
    cr_assert_eq(drops, 1);
}

Test(offload, a_failure_comes_as_one)
{
    outcome = TRP_DENIED;
    probe_do(&a, hand_over);

    run_jobs();
    node_settle();

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_FAILED);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
}

Test(offload, what_is_cancelled_does_not_run_and_is_not_heard_of)
{
    probe_do(&a, hand_over);

    probe_do(&a, cancel);
    run_jobs();
    node_settle();

    cr_assert_eq(runs, 0);
    cr_assert_eq(drops, 1);
    cr_assert_eq(a.count, 0);
}

Test(offload, jobs_of_who_has_ended_do_not_run)
{
    probe_do(&a, hand_over);

    probe_do(&a, stop);
    run_jobs();
    node_settle();

    cr_assert_eq(runs, 0);
    cr_assert_eq(drops, 1);
}

Test(offload, after_its_time_it_is_late)
{
    timeout_ms = 10;
    probe_do(&a, hand_over);

    node_advance_ms(20);
    run_jobs();
    node_settle();

    cr_assert_eq(a.count, 1);
    cr_assert_eq(a.seen[0].tag, TRP_TAG_TIMEOUT);
    cr_assert_eq(a.seen[0].request_id, a.ref);
}

Test(offload, too_many_that_wait_are_refused_and_keep_their_argument)
{
    for (int i = 0; i < JOBS_MAX; i++) {
        probe_do(&a, hand_over);
        cr_assert_eq(a.status, TRP_OK);
    }

    probe_do(&a, hand_over);

    cr_assert_eq(a.status, TRP_BUSY);
    cr_assert_eq(drops, 0);
    run_jobs();
    node_settle();
    cr_assert_eq(a.count, JOBS_MAX);
    cr_assert_eq(drops, JOBS_MAX);
}

Test(offload, a_host_without_helpers_says_so)
{
    host.offload = NULL;

    probe_do(&a, hand_over);

    cr_assert_eq(a.status, TRP_UNSUPPORTED);
    cr_assert_eq(drops, 0);
}

Test(offload, a_job_may_outlive_its_runtime)
{
    probe_do(&a, hand_over);

    node_close();
    run_jobs();

    cr_assert_eq(runs, 0);
    cr_assert_eq(drops, 1);
    open_node();
}
