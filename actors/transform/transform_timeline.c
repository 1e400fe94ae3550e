/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <math.h>
#include <stdlib.h>

#include "messages/codec.h"

/* An integer of a map that transform_check has seen. */
static int64_t integer_of(const msgpack_object *map, const char *name)
{
    const msgpack_object *member = trp_member(map, name);
    return member->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? (int64_t)member->via.u64
                                                           : member->via.i64;
}

/* Copies what the last result says of a bucket, with room for this poll's entrants. */
static trp_status_t bucket_read(transform_bucket_t *bucket, const previous_bucket_t *before,
                                msgpack_zone *zone)
{
    const msgpack_object_map *map = &before->inc->via.map;
    size_t room = map->size + TRANSFORM_ENTRANTS_MAX;
    bucket->bucket = before->bucket;
    bucket->count = map->size;
    bucket->incs = msgpack_zone_malloc(zone, room * sizeof(*bucket->incs));
    if (bucket->incs == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        bucket->incs[i] = (transform_inc_t){.id = {key->via.str.ptr, key->via.str.size},
                                            .win = integer_of(&map->ptr[i].val, "win"),
                                            .place = integer_of(&map->ptr[i].val, "place")};
    }
    return TRP_OK;
}

/* Ids mostly stand in the order of the entrants: the search starts at the place expected. */
static transform_inc_t *find_inc(const transform_bucket_t *bucket, trp_text_t id, size_t start)
{
    for (size_t i = 0; i < bucket->count; i++) {
        transform_inc_t *inc = &bucket->incs[(start + i) % bucket->count];
        if (transform_same_text(inc->id, id)) {
            return inc;
        }
    }
    return NULL;
}

static void add_poll(const transform_t *transform, transform_bucket_t *bucket)
{
    for (size_t i = 0; i < transform->runner_count; i++) {
        const transform_runner_t *runner = &transform->runners[i];
        transform_inc_t *inc = find_inc(bucket, runner->entrant->entrant_id, i);
        if (inc == NULL) {
            inc = &bucket->incs[bucket->count++];
            *inc = (transform_inc_t){.id = runner->entrant->entrant_id};
        }
        inc->win += runner->inc_win;
        inc->place += runner->inc_place;
    }
}

static int compare_falling(const void *a, const void *b)
{
    double left = ((const transform_bucket_t *)a)->bucket;
    double right = ((const transform_bucket_t *)b)->bucket;
    return (left < right) - (left > right);
}

static transform_bucket_t *current_bucket(transform_t *transform)
{
    for (size_t i = 0; i < transform->timeline_count; i++) {
        if (transform->timeline[i].bucket == transform->bucket) {
            return &transform->timeline[i];
        }
    }
    return NULL;
}

/* Money of the buckets below a bound, as a part of all that the runner has now. */
static double late_ratio(const transform_t *transform, size_t at, double below)
{
    const transform_runner_t *runner = &transform->runners[at];
    int64_t sum = 0;
    if (runner->win == 0) {
        return NAN;
    }
    for (size_t i = 0; i < transform->timeline_count; i++) {
        const transform_bucket_t *bucket = &transform->timeline[i];
        const transform_inc_t *inc = NULL;
        if (bucket->bucket < below) {
            inc = find_inc(bucket, runner->entrant->entrant_id, at);
        }
        sum += inc == NULL ? 0 : inc->win;
    }
    return (double)sum / (double)runner->win;
}

trp_status_t transform_timeline(transform_t *transform, msgpack_zone *zone)
{
    const previous_race_t *previous = transform->race->previous;
    size_t known = previous == NULL ? 0 : previous->timeline_count;
    transform->timeline = msgpack_zone_malloc(zone, (known + 1) * sizeof(*transform->timeline));
    if (transform->timeline == NULL) {
        return TRP_NO_MEMORY;
    }
    for (; transform->timeline_count < known; transform->timeline_count++) {
        size_t at = transform->timeline_count;
        trp_status_t status = bucket_read(&transform->timeline[at], &previous->timeline[at], zone);
        if (status != TRP_OK) {
            return status;
        }
    }
    transform_bucket_t *bucket = current_bucket(transform);
    if (bucket == NULL) {
        bucket = &transform->timeline[transform->timeline_count++];
        *bucket = (transform_bucket_t){.bucket = transform->bucket};
        bucket->incs = msgpack_zone_malloc(zone, TRANSFORM_ENTRANTS_MAX * sizeof(*bucket->incs));
        if (bucket->incs == NULL) {
            return TRP_NO_MEMORY;
        }
    }
    add_poll(transform, bucket);
    qsort(transform->timeline, transform->timeline_count, sizeof(*transform->timeline),
          compare_falling);
    for (size_t i = 0; i < transform->runner_count; i++) {
        transform->runners[i].late5 = late_ratio(transform, i, 5);
        transform->runners[i].late1 = late_ratio(transform, i, 1);
    }
    return TRP_OK;
}
