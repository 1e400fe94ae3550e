/* SPDX-License-Identifier: MIT */
#include "actors/router/base/advice.h"

#define HIGH_USE 0.8
#define LOW_USE  0.2
#define EVEN     0.8 /* efficiency that is good enough ... */
#define EVIDENCE 100 /* ... and tasks that it takes to judge by */
#define NEAR     0.9 /* of a limit */

static bool is_failing(const advice_figures_t *figures)
{
    return figures->is_broken;
}

static bool has_bad_ones(const advice_figures_t *figures)
{
    return figures->ejected > 0;
}

static bool is_short(const advice_figures_t *figures)
{
    return figures->use > HIGH_USE && figures->workers >= figures->max;
}

static bool is_full(const advice_figures_t *figures)
{
    bool is_near =
        figures->queue_max > 0 && (double)figures->queued >= NEAR * (double)figures->queue_max;
    return (figures->was_full || is_near) && figures->use <= HIGH_USE;
}

static bool holds_much(const advice_figures_t *figures)
{
    return figures->keys_used >= NEAR;
}

static bool is_uneven(const advice_figures_t *figures)
{
    return figures->workers > 1 && figures->done >= EVIDENCE && figures->efficiency < EVEN;
}

static bool is_idle(const advice_figures_t *figures)
{
    return figures->use < LOW_USE && figures->workers > figures->min && figures->queued == 0;
}

static const struct {
    bool (*applies)(const advice_figures_t *figures);
    advice_t advice;
} rules[] = {
    {is_failing,
     {"repair", "its workers keep failing, so it rests: `troupe why` of one that died"}},
    {has_bad_ones, {"look_at", "workers were ejected for their answers: the log names them"}},
    {is_short, {"scale_out", "all workers are in use: raise max, or add a node"}},
    {holds_much,
     {"raise_keys", "its workers hold almost all keys that they may: raise keys_max or max"}},
    {is_full,
     {"raise_limit", "its queue is full while workers are free at times: raise queue_max"}},
    {is_uneven,
     {"rebalance", "some workers get more than their share: another strategy or weights"}},
    {is_idle, {"scale_in", "most of its workers idle: lower min, idle_ms, or raise scale_down"}},
};

size_t advice_give(const advice_figures_t *figures, const advice_t *given[ADVICE_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].applies(figures)) {
            given[count++] = &rules[i].advice;
        }
    }
    return count;
}

double advice_efficiency(const double *shares, const double *wanted, size_t count)
{
    double apart = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        apart += shares[i] > wanted[i] ? shares[i] - wanted[i] : 0;
        all += shares[i];
    }
    return all > 0 ? 1 - apart : 1;
}
