/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <assert.h>
#include <math.h>
#include <string.h>

__extension__ typedef __int128 wide_t; /* a total times a share */

int64_t transform_units(double number, int scale)
{
    return (int64_t)floor(number * scale + 0.5);
}

bool transform_same_text(trp_text_t a, trp_text_t b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Rows mostly come in the order of the entrants: the search starts after the last one found. */
static size_t find_runner(const transform_t *transform, trp_text_t id, size_t start)
{
    for (size_t i = 0; i < transform->runner_count; i++) {
        size_t at = (start + i) % transform->runner_count;
        if (transform_same_text(transform->runners[at].entrant->entrant_id, id)) {
            return at;
        }
    }
    return transform->runner_count;
}

static int64_t total_of(const race_data_t *race, const char *type)
{
    trp_text_t wanted = {type, strlen(type)};
    for (size_t i = 0; i < race->pools_count; i++) {
        if (transform_same_text(race->pools[i].type, wanted)) {
            return race->pools[i].total_cents;
        }
    }
    return 0;
}

static void add_rows(transform_t *transform)
{
    const race_data_t *race = transform->race;
    size_t next = 0;
    for (size_t i = 0; i < race->money_count; i++) {
        const race_money_row_t *row = &race->money[i];
        size_t at = find_runner(transform, row->entrant_id, next);
        if (at == transform->runner_count) {
            continue; /* transform_check refuses such rows */
        }
        next = at + 1;
        transform_runner_t *runner = &transform->runners[at];
        if (runner->entrant->scratched) {
            continue;
        }
        runner->hold += transform_units(row->hold_pct, TRANSFORM_SHARE_UNITS);
        runner->bet += transform_units(row->bet_pct, TRANSFORM_SHARE_UNITS);
        runner->win += row->has_win_cents ? row->win_cents : 0;
        runner->place += row->has_place_cents ? row->place_cents : 0;
    }
}

/* The next cent goes to the largest remainder that got none yet; at most 39 are handed out. */
static size_t largest_remainder(const transform_t *transform, const int64_t *remainders)
{
    size_t best = 0;
    for (size_t i = 1; i < transform->runner_count; i++) {
        if (remainders[i] > remainders[best] ||
            (remainders[i] == remainders[best] &&
             transform->runners[i].entrant->number < transform->runners[best].entrant->number)) {
            best = i;
        }
    }
    return best;
}

/* Splits `total` by the shares so that the parts add up to it: largest remainder, the lowest runner
 * number first among equals. All 0 when there is no share. `parts`: runner_count amounts. */
static void split(const transform_t *transform, int64_t total, int64_t *parts)
{
    int64_t remainders[TRANSFORM_ENTRANTS_MAX];
    int64_t left = total;
    memset(parts, 0, transform->runner_count * sizeof(*parts));
    if (transform->hold_sum == 0) {
        return;
    }
    for (size_t i = 0; i < transform->runner_count; i++) {
        wide_t product = (wide_t)total * transform->runners[i].hold;
        parts[i] = (int64_t)(product / transform->hold_sum);
        remainders[i] = (int64_t)(product % transform->hold_sum);
        left -= parts[i];
    }
    assert(left == 0 || transform->runner_count > 0); /* somebody holds what is left */
    for (; left > 0; left--) {
        size_t at = largest_remainder(transform, remainders);
        parts[at]++;
        remainders[at] = -1;
    }
}

void transform_shares(transform_t *transform)
{
    const race_data_t *race = transform->race;
    transform->win.total = total_of(race, "win");
    transform->place.total = total_of(race, "place");
    transform->win.is_fed = race->money_count > 0 && race->money[0].has_win_cents;
    transform->place.is_fed = race->money_count > 0 && race->money[0].has_place_cents;
    add_rows(transform);
    for (size_t i = 0; i < transform->runner_count; i++) {
        transform->hold_sum += transform->runners[i].hold;
    }
    int64_t parts[TRANSFORM_ENTRANTS_MAX];
    if (!transform->win.is_fed) {
        split(transform, transform->win.total, parts);
        for (size_t i = 0; i < transform->runner_count; i++) {
            transform->runners[i].win = parts[i];
        }
    }
    if (!transform->place.is_fed) {
        split(transform, transform->place.total, parts);
        for (size_t i = 0; i < transform->runner_count; i++) {
            transform->runners[i].place = parts[i];
        }
    }
}
