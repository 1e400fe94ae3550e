/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide_t;

static uint64_t splitmix64(uint64_t *x)
{
    *x += 0x9E3779B97F4A7C15u;
    uint64_t z = *x;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void transform_chance_init(transform_chance_t *chance, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        chance->s[i] = splitmix64(&seed);
    }
}

static uint64_t rotate_left(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t transform_chance_next(transform_chance_t *chance)
{
    uint64_t *s = chance->s;
    uint64_t output = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return output;
}

/* The runners that can be drawn, by rising number. */
typedef struct field {
    size_t runners[TRANSFORM_ENTRANTS_MAX];
    uint64_t weights[TRANSFORM_ENTRANTS_MAX];
    int64_t counts[TRANSFORM_ENTRANTS_MAX];
    size_t size, places;
    uint64_t sum;
} field_t;

static void field_init(field_t *field, const transform_t *transform)
{
    const transform_runner_t *runners = transform->runners;
    size_t starters = 0;
    memset(field, 0, sizeof(*field));
    for (size_t i = 0; i < transform->runner_count; i++) {
        starters += !runners[i].entrant->scratched;
        if (runners[i].hold == 0) {
            continue;
        }
        size_t at = field->size++;
        int64_t number = runners[i].entrant->number;
        for (; at > 0 && runners[field->runners[at - 1]].entrant->number > number; at--) {
            field->runners[at] = field->runners[at - 1];
        }
        field->runners[at] = i;
    }
    for (size_t i = 0; i < field->size; i++) {
        field->weights[i] = (uint64_t)runners[field->runners[i]].hold;
        field->sum += field->weights[i];
    }
    field->places = starters >= 8 ? 3 : starters >= 5 ? 2 : 1;
    if (field->places > field->size) {
        field->places = field->size;
    }
}

/* Who is taken out has the weight 0 until the draw ends: the walk passes over it. */
static void draw_finish(field_t *field, transform_chance_t *chance)
{
    size_t taken[3];
    uint64_t weights[3];
    uint64_t sum = field->sum;
    for (size_t place = 0; place < field->places; place++) {
        uint64_t u = (uint64_t)(((wide_t)transform_chance_next(chance) * sum) >> 64);
        size_t at = 0;
        while (u >= field->weights[at]) {
            u -= field->weights[at++];
        }
        field->counts[at]++;
        taken[place] = at;
        weights[place] = field->weights[at];
        sum -= weights[place];
        field->weights[at] = 0;
    }
    for (size_t place = 0; place < field->places; place++) {
        field->weights[taken[place]] = weights[place];
    }
}

void transform_places(transform_t *transform)
{
    const monte_carlo_t *wanted = transform->race->monte_carlo;
    field_t field;
    field_init(&field, transform);
    bool is_drawn = wanted != NULL && field.size > 0;
    for (size_t i = 0; i < transform->runner_count; i++) {
        transform->runners[i].probability = is_drawn ? 0 : NAN;
    }
    if (!is_drawn) {
        return;
    }
    int64_t draws = wanted->has_draws ? wanted->draws : TRANSFORM_DRAWS;
    transform_chance_t chance;
    transform_chance_init(&chance, wanted->has_seed ? (uint64_t)wanted->seed : 0);
    for (int64_t i = 0; i < draws; i++) {
        draw_finish(&field, &chance);
    }
    for (size_t i = 0; i < field.size; i++) {
        transform->runners[field.runners[i]].probability = (double)field.counts[i] / (double)draws;
    }
}
