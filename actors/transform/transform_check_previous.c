/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_check.h"

#include <string.h>

#include "actors/transform/transform_race.h"

#define INC_MAX 9007199254740991 /* 2^53 - 1, what a double can count to */

static bool is_count(const msgpack_object *object, uint64_t max)
{
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 <= max;
}

static bool is_pair(const msgpack_object *object)
{
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size != 2) {
        return false;
    }
    const msgpack_object *items = object->via.array.ptr;
    return is_count(&items[0], TRANSFORM_TIME_MAX) && is_count(&items[1], TRANSFORM_HOLD_MAX);
}

static trp_status_t check_recent(const msgpack_object *recent, size_t entrant, trp_fault_t *fault)
{
    if (recent->type != MSGPACK_OBJECT_ARRAY) {
        return transform_refuse(fault, recent, "an array", "previous.entrants[%zu].recent",
                                entrant);
    }
    const msgpack_object_array *pairs = &recent->via.array;
    if (pairs->size < 1 || pairs->size > TRANSFORM_RECENT_MAX) {
        return transform_refuse(fault, recent, "1 to 21 pairs", "previous.entrants[%zu].recent",
                                entrant);
    }
    for (size_t i = 0; i < pairs->size; i++) {
        if (!is_pair(&pairs->ptr[i])) {
            return transform_refuse(fault, &pairs->ptr[i],
                                    "a pair of a time in ms and an integer from 0 to 10000000",
                                    "previous.entrants[%zu].recent[%zu]", entrant, i);
        }
    }
    return TRP_OK;
}

static trp_status_t check_entrants(const previous_race_t *previous, trp_fault_t *fault)
{
    for (size_t i = 0; i < previous->entrants_count; i++) {
        trp_text_t id = previous->entrants[i].entrant_id;
        for (size_t j = 0; j < i; j++) {
            if (transform_same_text(id, previous->entrants[j].entrant_id)) {
                msgpack_object value = transform_text_value(id);
                return transform_refuse(fault, &value, "each entrant once",
                                        "previous.entrants[%zu].entrant_id", i);
            }
        }
        trp_status_t status = check_recent(previous->entrants[i].recent, i, fault);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static bool is_increment(const msgpack_object *object)
{
    return is_count(object, INC_MAX) ||
           (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && object->via.i64 >= -INC_MAX);
}

static trp_status_t check_increment(const msgpack_object_kv *entry, size_t bucket,
                                    trp_fault_t *fault)
{
    static const char *const members[] = {"win", "place"};
    const char *id = entry->key.via.str.ptr;
    int id_size = (int)entry->key.via.str.size;
    if (entry->key.type != MSGPACK_OBJECT_STR || id_size < 1 || id_size > TRANSFORM_ID_MAX ||
        memchr(id, '\0', (size_t)id_size) != NULL) {
        return transform_refuse(fault, &entry->key,
                                "keys are entrant ids: 1 to 64 bytes without U+0000",
                                "previous.timeline[%zu].inc", bucket);
    }
    if (entry->val.type != MSGPACK_OBJECT_MAP) {
        return transform_refuse(fault, &entry->val, "a map", "previous.timeline[%zu].inc.%.*s",
                                bucket, id_size, id);
    }
    for (size_t i = 0; i < 2; i++) {
        const msgpack_object *value = trp_member(&entry->val, members[i]);
        if (value == NULL || !is_increment(value)) {
            return transform_refuse(
                fault, value, "an integer from -9007199254740991 to 9007199254740991",
                "previous.timeline[%zu].inc.%.*s.%s", bucket, id_size, id, members[i]);
        }
    }
    return TRP_OK;
}

static trp_status_t check_timeline(const previous_race_t *previous, trp_fault_t *fault)
{
    for (size_t i = 0; i < previous->timeline_count; i++) {
        const msgpack_object *inc = previous->timeline[i].inc;
        if (inc->type != MSGPACK_OBJECT_MAP) {
            return transform_refuse(fault, inc, "a map", "previous.timeline[%zu].inc", i);
        }
        for (size_t j = 0; j < inc->via.map.size; j++) {
            trp_status_t status = check_increment(&inc->via.map.ptr[j], i, fault);
            if (status != TRP_OK) {
                return status;
            }
        }
    }
    return TRP_OK;
}

trp_status_t transform_check_previous(const race_data_t *race, trp_fault_t *fault)
{
    const previous_race_t *previous = race->previous;
    if (!transform_same_text(previous->race_id, race->race_id)) {
        msgpack_object value = transform_text_value(previous->race_id);
        return transform_refuse(fault, &value, "the race_id of this race", "previous.race_id");
    }
    if (race->polled_at < previous->polled_at) {
        msgpack_object value = transform_int_value(race->polled_at);
        return transform_refuse(fault, &value, "not before previous.polled_at", "polled_at");
    }
    trp_status_t status = check_entrants(previous, fault);
    return status == TRP_OK ? check_timeline(previous, fault) : status;
}
