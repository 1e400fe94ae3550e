/* SPDX-License-Identifier: MIT */
/* A tree of many children: how long its start and its stop take; and a storm, in which children die
 * all the time while another actor asks the supervisor for its numbers.
 *
 *     tree [CHILDREN [STORM_S]]      default: 10000 children, 5 s: 100 of them die every 10 ms */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/log.h"
#include "runtime/runtime.h"
#include "supervisor/supervisor.h"

#define MS INT64_C(1000000)

enum { TAG_TICK = 0x3000, TAG_DIE = 0x3001, TAG_ASK = 0x3002 };

#define DEATHS_A_TICK 100
#define TICK_MS       10
#define ANSWERS_MAX   100000

static int child_count = 10000;
static int storm_s = 5;
static trp_supervisor_spec_t spec;
static trp_child_spec_t *children;
static trp_pid_t *pids;
static host_word_t finished;
static int64_t answers_ns[ANSWERS_MAX];
static size_t answer_count;

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
    int ticks_left, next;
} onlooker_t;

static long resident_kb(void)
{
    long pages = 0, all = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &all, &pages) != 2) {
        pages = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    onlooker_t *self = state;
    trp_supervisor_args_t own = {.spec = &spec, .parent = trp_self(ctx)};
    trp_spawn_t spawn = {.class = &trp_supervisor_class,
                         .args = &own,
                         .args_size = sizeof(own),
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
    printf("start        %8.1f ms\n", (double)(trp_now_ns(ctx) - self->began_ns) / (double)MS);
    printf("memory       %8ld KiB before the storm\n", resident_kb());
    self->ticks_left = storm_s * 1000 / TICK_MS;
    trp_status_t status = trp_timer_start(ctx, TICK_MS, TICK_MS, TAG_TICK, &self->ticks);
    return status == TRP_OK ? ask(self, ctx) : status;
}

static void end_storm(onlooker_t *self, trp_ctx_t *ctx)
{
    trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_timer_cancel(ctx, self->ticks);
    printf("memory       %8ld KiB after it\n", resident_kb());
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
    if (--self->ticks_left <= 0) {
        end_storm(self, ctx);
    }
    return TRP_OK;
}

static trp_status_t answered(onlooker_t *self, trp_ctx_t *ctx)
{
    uint64_t timer = 0;
    if (answer_count < ANSWERS_MAX) {
        answers_ns[answer_count++] = trp_now_ns(ctx) - self->asked_ns;
    }
    return self->ticks_left > 0 ? trp_timer_start(ctx, 1, 0, TAG_ASK, &timer) : TRP_OK;
}

static void end(onlooker_t *self, trp_ctx_t *ctx)
{
    printf("stop         %8.1f ms\n", (double)(trp_now_ns(ctx) - self->began_ns) / (double)MS);
    atomic_store_explicit(&finished, 1, memory_order_release);
    host_os.wake(host_os.user, &finished);
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

static const trp_class_t onlooker_class = {
    .name = "onlooker", .state_size = sizeof(onlooker_t), .init = init, .receive = receive};

/* ---- all of it ---- */

static int compare(const void *a, const void *b)
{
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static bool make_spec(int *numbers)
{
    children = calloc((size_t)child_count, sizeof(*children));
    pids = calloc((size_t)child_count, sizeof(*pids));
    if (children == NULL || pids == NULL) {
        return false;
    }
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
    return true;
}

static int run(int *numbers)
{
    trp_runtime_t *runtime = NULL;
    trp_pid_t pid;
    char rule[160];
    trp_spawn_t spawn = {.class = &onlooker_class};
    runtime_options_t options = {
        .node = 1 << 16, .incarnation = 1, .threads = host_os.processors(host_os.user)};
    if (!make_spec(numbers) || trp_supervisor_check(&spec, rule) != TRP_OK ||
        runtime_create(&options, &runtime) != TRP_OK || runtime_start(runtime) != TRP_OK ||
        runtime_spawn(runtime, &spawn, &pid) != TRP_OK) {
        fprintf(stderr, "tree: no memory\n");
        return 1;
    }
    printf("children     %8d\n", child_count);
    while (atomic_load_explicit(&finished, memory_order_acquire) == 0) {
        host_os.sleep(host_os.user, &finished, 0, HOST_FOREVER);
    }
    runtime_stop(runtime);
    runtime_destroy(&runtime);
    qsort(answers_ns, answer_count, sizeof(answers_ns[0]), compare);
    if (answer_count > 0) {
        printf("answers      %8zu, p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n", answer_count,
               (double)answers_ns[answer_count / 2] / (double)MS,
               (double)answers_ns[answer_count * 99 / 100] / (double)MS,
               (double)answers_ns[answer_count - 1] / (double)MS);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        child_count = atoi(argv[1]);
    }
    if (argc > 2) {
        storm_s = atoi(argv[2]);
    }
    if (child_count < 1 || child_count > 500000 || storm_s < 1) {
        fprintf(stderr, "usage: %s [CHILDREN [STORM_S]]\n", argv[0]);
        return 2;
    }
    log_level_set(LOG_FATAL + 1); /* the lines of a storm are bounded; here none is wanted */
    int *numbers = calloc((size_t)child_count, sizeof(*numbers));
    int status = numbers == NULL ? 1 : run(numbers);
    free(numbers);
    free(children);
    free(pids);
    return status;
}
