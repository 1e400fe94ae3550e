/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <math.h>

#define SHIFT_WINDOW_MS 60000
#define SHIFT_UNITS     500 /* 5.00 points */
#define CHANGES_MIN     5   /* earlier changes without which a deviation means nothing */
#define CHANGES_MAX     20
#define DEVIATIONS      3

static int64_t integer_of(const msgpack_object *object)
{
    return (int64_t)object->via.u64; /* transform_check lets only positive ones through */
}

static void take_history(transform_runner_t *runner, int64_t polled_at)
{
    if (runner->before != NULL) {
        const msgpack_object_array *pairs = &runner->before->recent->via.array;
        for (size_t i = 0; i < pairs->size; i++) {
            const msgpack_object *pair = pairs->ptr[i].via.array.ptr;
            runner->recent[runner->recent_count++] =
                (transform_pair_t){integer_of(&pair[0]), integer_of(&pair[1])};
        }
    }
    runner->recent[runner->recent_count++] = (transform_pair_t){polled_at, runner->hold};
}

static bool find_shift(transform_runner_t *runner, int64_t polled_at)
{
    int64_t largest = 0;
    for (size_t i = 0; i + 1 < runner->recent_count; i++) {
        const transform_pair_t *pair = &runner->recent[i];
        int64_t age_ms = polled_at - pair->at_ms;
        int64_t shift = runner->hold - pair->hold;
        if (age_ms >= 0 && age_ms <= SHIFT_WINDOW_MS && shift > largest) {
            largest = shift;
        }
    }
    if (largest < SHIFT_UNITS) {
        return false;
    }
    runner->signal = TRANSFORM_SHIFT;
    runner->signal_value = (double)largest / TRANSFORM_SHARE_UNITS;
    return true;
}

/* (last change - mean) / deviation of the changes before it, all in integers: with n earlier ones
 * of sum s1 and squares s2 it is (n c - s1) / sqrt(n s2 - s1^2). Largest term: 20 * 20 * 10^14. */
static void find_deviation(transform_runner_t *runner, int64_t win_total)
{
    if (runner->recent_count < CHANGES_MIN + 2) {
        return;
    }
    int64_t earlier = (int64_t)runner->recent_count - 2;
    int64_t sum = 0, squares = 0, last = 0;
    for (size_t i = 1; i < runner->recent_count; i++) {
        last = runner->recent[i].hold - runner->recent[i - 1].hold;
        if (i + 1 < runner->recent_count) {
            sum += last;
            squares += last * last;
        }
    }
    int64_t above = earlier * last - sum;
    int64_t spread = earlier * squares - sum * sum;
    bool is_far = spread > 0 && above > 0 && above * above >= DEVIATIONS * DEVIATIONS * spread;
    if (is_far && win_total > 0 && 100 * runner->inc_win >= win_total) {
        runner->signal = TRANSFORM_Z;
        runner->signal_value = (double)above / sqrt((double)spread);
    }
}

static void drop_oldest(transform_runner_t *runner)
{
    if (runner->recent_count <= TRANSFORM_RECENT_MAX) {
        return;
    }
    runner->recent_count = TRANSFORM_RECENT_MAX;
    for (size_t i = 0; i < TRANSFORM_RECENT_MAX; i++) {
        runner->recent[i] = runner->recent[i + 1];
    }
}

_Static_assert(CHANGES_MAX == TRANSFORM_RECENT_MAX - 1, "changes between the pairs that are kept");

void transform_signals(transform_t *transform)
{
    int64_t polled_at = transform->race->polled_at;
    for (size_t i = 0; i < transform->runner_count; i++) {
        transform_runner_t *runner = &transform->runners[i];
        take_history(runner, polled_at);
        if (!find_shift(runner, polled_at)) {
            find_deviation(runner, transform->win.total);
        }
        drop_oldest(runner);
    }
}
