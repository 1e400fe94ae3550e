/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <math.h>

#define HALF_LIFE_MS 60000 /* of the averaged rate */
#define MINUTE_MS    60000

static const previous_entrant_t *find_before(const previous_race_t *previous, trp_text_t id,
                                             size_t start)
{
    for (size_t i = 0; i < previous->entrants_count; i++) {
        const previous_entrant_t *before =
            &previous->entrants[(start + i) % previous->entrants_count];
        if (transform_same_text(before->entrant_id, id)) {
            return before;
        }
    }
    return NULL;
}

/* Without a last poll the amounts themselves are the increments; an entrant that it did not list
 * starts with none. */
static void take_increments(transform_runner_t *runner, bool is_first)
{
    if (is_first) {
        runner->inc_win = runner->win;
        runner->inc_place = runner->place;
    } else if (runner->before != NULL) {
        runner->inc_win = runner->win - runner->before->win_cents;
        runner->inc_place = runner->place - runner->before->place_cents;
    }
}

static void take_rate(transform_runner_t *runner, int64_t passed_ms)
{
    const previous_entrant_t *before = runner->before;
    runner->rate = NAN;
    runner->ewma = NAN;
    if (before == NULL) {
        return;
    }
    runner->ewma = before->has_ewma_cpm ? before->ewma_cpm : NAN;
    if (passed_ms == 0) {
        return;
    }
    double passed = (double)passed_ms;
    runner->rate = (double)(runner->inc_win + runner->inc_place) * MINUTE_MS / passed;
    if (isnan(runner->ewma)) {
        runner->ewma = runner->rate;
        return;
    }
    double weight = exp2(-passed / HALF_LIFE_MS);
    runner->ewma = weight * runner->ewma + (1 - weight) * runner->rate;
}

static void note_vanished(transform_t *transform, const previous_race_t *previous)
{
    for (size_t i = 0; i < previous->entrants_count; i++) {
        const previous_entrant_t *before = &previous->entrants[i];
        size_t at = 0;
        while (at < transform->runner_count && transform->runners[at].before != before) {
            at++;
        }
        if (at == transform->runner_count) {
            transform->vanished[transform->vanished_count++] = before;
        }
    }
}

void transform_flow(transform_t *transform)
{
    const race_data_t *race = transform->race;
    const previous_race_t *previous = race->previous;
    int64_t passed_ms = previous == NULL ? 0 : race->polled_at - previous->polled_at;
    for (size_t i = 0; i < transform->runner_count; i++) {
        transform_runner_t *runner = &transform->runners[i];
        if (previous != NULL) {
            runner->before = find_before(previous, runner->entrant->entrant_id, i);
        }
        if (runner->before != NULL) {
            runner->hold_before = transform_units(runner->before->hold_pct, TRANSFORM_SHARE_UNITS);
            runner->bet_before = transform_units(runner->before->bet_pct, TRANSFORM_SHARE_UNITS);
        }
        take_increments(runner, previous == NULL);
        take_rate(runner, passed_ms);
    }
    transform->win.growth = transform->win.total;
    transform->place.growth = transform->place.total;
    if (previous != NULL) {
        transform->win.growth -= previous->pools.win_cents;
        transform->place.growth -= previous->pools.place_cents;
        note_vanished(transform, previous);
    }
}
