/* SPDX-License-Identifier: MIT */
#include "actors/router/pool/router_health.h"

#include <string.h>
#include <utlist.h>

#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

#define MS           INT64_C(1000000)
#define WINDOW       64 /* answers, after which older ones count half */
#define WINDOW_LEAST 32 /* answers without which there is no share */
#define GAP          50 /* percent above the others' share of errors */
#define LONGEST      10 /* times eject_ms; and how long a good one is remembered to have been bad */
#define REPLACED     3  /* ejections */

typedef enum verdict { GOOD, INPUT, BAD, FAULT } verdict_t;

static verdict_t judge(const task_done_t *done)
{
    static const char *const inputs[] = {"E_BAD_BODY", "E_BAD_PAYLOAD", "E_UNKNOWN_TOOL",
                                         "E_TOO_LARGE"};
    if (done->success) {
        return GOOD;
    }
    for (size_t i = 0; done->has_code && i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        if (done->code.size == strlen(inputs[i]) &&
            memcmp(done->code.data, inputs[i], done->code.size) == 0) {
            return INPUT;
        }
    }
    static const char internal[] = "E_INTERNAL";
    bool is_fault = done->has_code && done->code.size == sizeof(internal) - 1 &&
                    memcmp(done->code.data, internal, sizeof(internal) - 1) == 0;
    return is_fault ? FAULT : BAD;
}

static bool may_eject(const pool_t *pool)
{
    uint32_t staying = pool_staying(pool);
    uint64_t most = (uint64_t)staying * (uint64_t)pool->config->eject_percent / 100;
    return pool->ejected < most && pool->ejected + 1 < staying;
}

static void eject(worker_t *worker, const char *why)
{
    pool_t *pool = worker->pool;
    int64_t now = runtime_now_ns(pool->router->runtime);
    int64_t base_ns = pool->config->eject_ms * MS;
    if (worker->ejected_ns != 0 || worker->leaving || worker->is_understudy || !may_eject(pool)) {
        return;
    }
    if (now - worker->back_ns > LONGEST * base_ns) {
        worker->ejections = 0;
    }
    worker->ejections++;
    uint32_t times = worker->ejections < 5 ? 1u << (worker->ejections - 1) : LONGEST;
    worker->ejected_ns = now + base_ns * (times < LONGEST ? times : LONGEST);
    worker->seen = worker->bad = 0;
    pool->ejected++;
    worker_changed(worker);
    log_event(LOG_WARN, "worker_ejected", LOG_TEXT("worker", worker->name), LOG_TEXT("why", why),
              LOG_INT("times", worker->ejections),
              LOG_INT("for_ms", (worker->ejected_ns - now) / MS));
}

/* Percent of errors of all others in their windows; above 100: too few answers. */
static uint64_t others_share(const worker_t *worker)
{
    uint64_t seen = 0, bad = 0;
    const worker_t *other;
    DL_FOREACH(worker->pool->workers, other)
    {
        if (other != worker && other->ejected_ns == 0) {
            seen += other->seen;
            bad += other->bad;
        }
    }
    return seen < WINDOW_LEAST ? 101 : bad * 100 / seen;
}

static void note_window(worker_t *worker, bool is_bad)
{
    if (worker->seen >= WINDOW) {
        worker->seen /= 2;
        worker->bad /= 2;
    }
    worker->seen++;
    worker->bad += is_bad;
}

static void note(worker_t *worker, verdict_t verdict)
{
    pool_t *pool = worker->pool;
    int64_t limit = pool->config->eject_failures;
    if (verdict == GOOD) {
        worker->faults = 0;
        pool->good++;
        note_window(worker, false);
        return;
    }
    if (verdict == INPUT || limit == 0) {
        return;
    }
    note_window(worker, true);
    if (verdict == FAULT && worker->faults++ == 0) {
        worker->good_before = pool->good;
    }
    if (worker->faults >= (uint64_t)limit && pool->good > worker->good_before) {
        eject(worker, "faults in a row");
    } else if (worker->seen >= WINDOW_LEAST &&
               (uint64_t)worker->bad * 100 >= (others_share(worker) + GAP) * worker->seen) {
        eject(worker, "more errors than the others");
    }
}

void worker_note_answer(worker_t *worker, const task_done_t *done)
{
    note(worker, judge(done));
}

void worker_note_broken(worker_t *worker)
{
    note(worker, FAULT);
}

bool worker_is_hopeless(const worker_t *worker)
{
    return worker->ejections >= REPLACED && worker->ejected_ns != 0;
}
