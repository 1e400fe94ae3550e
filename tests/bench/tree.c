/* SPDX-License-Identifier: MIT */
/* A tree of many children: how long its start and its stop take; and a storm, in which children die
 * all the time while another actor asks the supervisor for its numbers.
 *
 *     tree tree [threads=1] [n=10000] [storm_s=5]    n children, of which 100 die every 10 ms
 *     tree run CONF                                  the same without an end in a node, by its
 *                                                    class `storm`; ./dev chaos storm asks it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/supervisor.h"
#include "tests/bench/bench.h"

#define MS INT64_C(1000000)

enum { TAG_TICK = 0x3000, TAG_DIE = 0x3001, TAG_ASK = 0x3002 };

#define DEATHS_A_TICK 100
#define TICK_MS       10
#define ANSWERS_MAX   100000

static int child_count = 10000;
static long storm_s; /* 0: until the node is stopped */
static trp_supervisor_spec_t spec;
static trp_child_spec_t *children;
static trp_pid_t *pids;
static int *numbers;
static int64_t answers_ns[ANSWERS_MAX];
static int64_t answer_count;

/* ---- children ---- */

static trp_status_t kid_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    size_t size = 0;
    int index;
    memcpy(&index, trp_message_data(args, &size), sizeof(index));
    pids[index] = trp_self(ctx);
    return TRP_OK;
}

static trp_status_t kid_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    return message->tag == TAG_DIE ? TRP_FAILED : TRP_OK;
}

static const trp_class_t kid_class = {.name = "kid", .init = kid_init, .receive = kid_receive};

/* ---- who looks on ---- */

typedef struct onlooker {
    trp_pid_t supervisor;
    uint64_t monitor, ticks, question;
    int64_t began_ns, asked_ns;
    long ticks_left;
    int next;
} onlooker_t;

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    onlooker_t *self = state;
    trp_supervisor_args_t own = {.spec = &spec, .parent = trp_self(ctx)};
    trp_spawn_t spawn = {.class = &trp_supervisor_class,
                         .args = &own,
                         .args_size = sizeof(own),
                         .link = storm_s == 0, /* a node's stop goes through it */
                         .monitor = true,
                         .monitor_ref = &self->monitor,
                         .ack = true};
    self->began_ns = trp_now_ns(ctx);
    return trp_spawn(ctx, &spawn, &self->supervisor);
}

static trp_status_t ask(onlooker_t *self, trp_ctx_t *ctx)
{
    self->asked_ns = trp_now_ns(ctx);
    return trp_supervisor_ask(ctx, self->supervisor, TRP_CHILDREN_COUNT, &self->question);
}

static trp_status_t begin_storm(onlooker_t *self, trp_ctx_t *ctx)
{
    if (storm_s > 0) {
        printf("tree.start %.1f ms\n", (double)(trp_now_ns(ctx) - self->began_ns) / (double)MS);
    }
    self->ticks_left = storm_s * 1000 / TICK_MS;
    trp_status_t status = trp_timer_start(ctx, TICK_MS, TICK_MS, TAG_TICK, &self->ticks);
    return status == TRP_OK ? ask(self, ctx) : status;
}

static void end_storm(onlooker_t *self, trp_ctx_t *ctx)
{
    trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_timer_cancel(ctx, self->ticks);
    self->began_ns = trp_now_ns(ctx);
    trp_exit(ctx, self->supervisor, &shutdown);
}

static trp_status_t tick(onlooker_t *self, trp_ctx_t *ctx)
{
    for (int i = 0; i < DEATHS_A_TICK; i++) {
        self->next = (self->next + 1) % child_count;
        if (trp_send(ctx, pids[self->next], TAG_DIE, NULL, 0) != TRP_OK) {
            return TRP_FAILED;
        }
    }
    if (--self->ticks_left == 0) {
        end_storm(self, ctx);
    }
    return TRP_OK;
}

static trp_status_t answered(onlooker_t *self, trp_ctx_t *ctx)
{
    uint64_t timer = 0;
    if (storm_s > 0 && answer_count < ANSWERS_MAX) {
        answers_ns[answer_count++] = trp_now_ns(ctx) - self->asked_ns;
    }
    return self->ticks_left != 0 ? trp_timer_start(ctx, 1, 0, TAG_ASK, &timer) : TRP_OK;
}

static void end(onlooker_t *self, trp_ctx_t *ctx)
{
    printf("tree.stop %.1f ms\n", (double)(trp_now_ns(ctx) - self->began_ns) / (double)MS);
    finish();
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    onlooker_t *self = state;
    switch (message->tag) {
    case TRP_TAG_STARTED:
        return begin_storm(self, ctx);
    case TAG_TICK:
        return tick(self, ctx);
    case TAG_ASK:
        return ask(self, ctx);
    case TRP_TAG_CHILDREN_COUNTED:
        return answered(self, ctx);
    case TRP_TAG_DOWN:
        if (message->request_id == self->monitor) {
            end(self, ctx);
        }
        return TRP_OK;
    default:
        return TRP_OK;
    }
}

static void make_spec(void)
{
    children = calloc((size_t)child_count, sizeof(*children));
    pids = calloc((size_t)child_count, sizeof(*pids));
    numbers = calloc((size_t)child_count, sizeof(*numbers));
    check(children != NULL && pids != NULL && numbers != NULL, "memory");
    for (int i = 0; i < child_count; i++) {
        numbers[i] = i;
        children[i] = (trp_child_spec_t){.class = &kid_class,
                                         .args = &numbers[i],
                                         .args_size = sizeof(int),
                                         .shutdown_ms = 5000,
                                         .start_ms = 10000};
        snprintf(children[i].id, sizeof(children[i].id), "kid.%d", i);
    }
    spec = (trp_supervisor_spec_t){.name = "crowd",
                                   .intensity = 100000,
                                   .period_s = 5,
                                   .children = children,
                                   .child_count = (size_t)child_count};
    char rule[160];
    check(trp_supervisor_check(&spec, rule) == TRP_OK, "the tree's spec");
}

static void forget_spec(void)
{
    free(children);
    free(pids);
    free(numbers);
}

static const trp_class_t storm_class = {
    .name = "storm", .state_size = sizeof(onlooker_t), .init = init, .receive = receive};

static void tree(void)
{
    log_level_set(LOG_FATAL + 1); /* the lines of a storm are bounded; here none is wanted */
    child_count = (int)argument("n", 10000);
    storm_s = argument("storm_s", 5);
    check(child_count > 0 && child_count <= 500000 && storm_s > 0, "n or storm_s");
    make_spec();
    spawn(&storm_class, NULL, 0);
    wait_finished();
    runtime_stop(runtime);
    print_latencies("tree.answer", answers_ns, answer_count);
    forget_spec();
}

int main(int argc, char **argv)
{
    static const benchmark_t all[] = {{"tree", tree}};
    if (argc > 1 && strcmp(argv[1], "tree") != 0) {
        make_spec();
        const int status = trp_main(argc, argv, (const trp_class_t *const[]){&storm_class, NULL});
        forget_spec();
        return status;
    }
    return bench_main(argc, argv, all, sizeof(all) / sizeof(all[0]));
}
