/* SPDX-License-Identifier: MIT */
#include "tests/supervision/stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define HELD_MAX  16
#define READY_MAX 65536
#define STEPS_MAX 10000000 /* of one settling: more is a program that runs in circles */

trp_runtime_t *stage;
static int64_t clock_ns;
static uint64_t chance;

/* Taken from the scheduler's queues, to be run in this order. */
static cell_t *ready[READY_MAX];
static size_t ready_count;
static trp_pid_t preferred;

/* Who is held; `cell` is theirs when they have something to do. */
static struct {
    trp_pid_t pid;
    cell_t *cell;
} held[HELD_MAX];

void stage_fail(const char *format, ...)
{
    va_list arguments;
    fputs("supervision_trace: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

/* ---- the host ---- */

static int64_t virtual_now_ns(void *user)
{
    (void)user;
    return clock_ns;
}

static int64_t virtual_epoch_ms(void *user)
{
    (void)user;
    return clock_ns / NS_PER_MS;
}

static uint64_t virtual_chance(void *user)
{
    (void)user;
    return chance += 0x9e3779b97f4a7c15u;
}

static void no_sleep(void *user, host_word_t *word, uint32_t expected, int64_t until_ns)
{
    (void)user;
    (void)word;
    (void)expected;
    (void)until_ns;
    stage_fail("a stepped runtime must not sleep");
}

static void no_wake(void *user, host_word_t *word)
{
    (void)user;
    (void)word;
}

static void no_join(void *user, host_thread_t **thread)
{
    (void)user;
    (void)thread;
}

static uint32_t one_processor(void *user)
{
    (void)user;
    return 1;
}

static const trp_host_t virtual_host = {.now_ns = virtual_now_ns,
                                        .epoch_ms = virtual_epoch_ms,
                                        .chance = virtual_chance,
                                        .sleep = no_sleep,
                                        .wake = no_wake,
                                        .thread_join = no_join,
                                        .processors = one_processor};

/* ---- the stage ---- */

void stage_open(void)
{
    clock_ns = 1000 * NS_PER_MS;
    chance = 1;
    ready_count = 0;
    preferred = TRP_PID_NONE;
    for (size_t i = 0; i < HELD_MAX; i++) {
        held[i].pid = TRP_PID_NONE;
        held[i].cell = NULL;
    }
    runtime_options_t options = {
        .node = 1 << 16, .incarnation = 1, .threads = 1, .cells_max = 65536, .host = &virtual_host};
    if (runtime_create(&options, &stage) != TRP_OK) {
        stage_fail("no memory for a runtime");
    }
    scheduler_enter(&stage->workers[0]);
}

void stage_close(void)
{
    scheduler_enter(NULL);
    runtime_destroy(&stage);
}

void stage_prefer(trp_pid_t pid)
{
    preferred = pid;
}

static bool keep_back(cell_t *cell)
{
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (!trp_pid_is_none(held[i].pid) && trp_pid_equal(held[i].pid, cell->self)) {
            held[i].cell = cell;
            return true;
        }
    }
    return false;
}

static void take_ready(worker_t *worker)
{
    cell_t *cell;
    while ((cell = scheduler_next(worker)) != NULL) {
        if (keep_back(cell)) {
            continue;
        }
        if (ready_count == READY_MAX) {
            stage_fail("more than %d actors have something to do", READY_MAX);
        }
        ready[ready_count++] = cell;
    }
}

/* The next to run; NULL: nobody. */
static cell_t *next_ready(void)
{
    size_t next = 0;
    if (ready_count == 0) {
        return NULL;
    }
    for (size_t i = 0; i < ready_count; i++) {
        if (trp_pid_equal(ready[i]->self, preferred)) {
            next = i;
        }
    }
    cell_t *cell = ready[next];
    memmove(&ready[next], &ready[next + 1], (--ready_count - next) * sizeof(ready[0]));
    return cell;
}

void stage_settle(void)
{
    worker_t *worker = &stage->workers[0];
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        take_ready(worker);
        cell_t *cell = next_ready();
        if (cell == NULL) {
            scheduler_tick(worker);
            take_ready(worker);
            cell = next_ready();
        }
        if (cell == NULL) {
            return;
        }
        if (!keep_back(cell)) {
            scheduler_run(worker, cell);
        }
    }
    stage_fail("the tree does not come to rest");
}

void stage_skip_ms(int64_t ms)
{
    clock_ns += ms * NS_PER_MS;
}

void stage_hold(trp_pid_t pid)
{
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (trp_pid_is_none(held[i].pid)) {
            held[i].pid = pid;
            held[i].cell = NULL;
            return;
        }
    }
    stage_fail("more than %d actors are held", HELD_MAX);
}

void stage_release(trp_pid_t pid)
{
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (!trp_pid_is_none(held[i].pid) && trp_pid_equal(held[i].pid, pid)) {
            held[i].pid = TRP_PID_NONE;
            if (held[i].cell != NULL) {
                scheduler_ready(stage, &stage->workers[0], held[i].cell);
            }
            held[i].cell = NULL;
        }
    }
}

bool stage_is_held(trp_pid_t pid)
{
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (!trp_pid_is_none(held[i].pid) && trp_pid_equal(held[i].pid, pid)) {
            return true;
        }
    }
    return false;
}
