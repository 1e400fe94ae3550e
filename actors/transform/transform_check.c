/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_check.h"

#include <stdarg.h>
#include <stdio.h>

#include "actors/transform/transform_race.h"

trp_status_t transform_refuse(trp_fault_t *fault, const msgpack_object *value, const char *rule,
                              const char *path, ...)
{
    char text[sizeof(fault->path)];
    va_list arguments;
    va_start(arguments, path);
    vsnprintf(text, sizeof(text), path, arguments);
    va_end(arguments);
    trp_fault_set(fault, value, text, rule);
    fault->message = race_data_schema.name;
    return TRP_PAYLOAD;
}

msgpack_object transform_text_value(trp_text_t text)
{
    msgpack_object value = {.type = MSGPACK_OBJECT_STR};
    value.via.str.ptr = text.data;
    value.via.str.size = (uint32_t)text.size;
    return value;
}

msgpack_object transform_int_value(int64_t number)
{
    msgpack_object value = {.type = MSGPACK_OBJECT_POSITIVE_INTEGER};
    value.via.u64 = (uint64_t)number;
    return value;
}

static trp_status_t check_pools(const race_data_t *race, trp_fault_t *fault)
{
    for (size_t i = 0; i < race->pools_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (transform_same_text(race->pools[i].type, race->pools[j].type)) {
                msgpack_object value = transform_text_value(race->pools[i].type);
                return transform_refuse(fault, &value, "each type once", "pools[%zu].type", i);
            }
        }
    }
    return TRP_OK;
}

static trp_status_t check_entrants(const race_data_t *race, trp_fault_t *fault)
{
    for (size_t i = 0; i < race->entrants_count; i++) {
        const race_entrant_t *entrant = &race->entrants[i];
        for (size_t j = 0; j < i; j++) {
            if (transform_same_text(entrant->entrant_id, race->entrants[j].entrant_id)) {
                msgpack_object value = transform_text_value(entrant->entrant_id);
                return transform_refuse(fault, &value, "each entrant once",
                                        "entrants[%zu].entrant_id", i);
            }
            if (entrant->number == race->entrants[j].number) {
                msgpack_object value = transform_int_value(entrant->number);
                return transform_refuse(fault, &value, "each number once", "entrants[%zu].number",
                                        i);
            }
        }
    }
    return TRP_OK;
}

static trp_status_t check_row_ids(const race_data_t *race, trp_fault_t *fault)
{
    size_t next = 0; /* rows mostly come in the order of the entrants */
    for (size_t i = 0; i < race->money_count; i++) {
        trp_text_t id = race->money[i].entrant_id;
        size_t tried = 0;
        while (tried < race->entrants_count &&
               !transform_same_text(
                   id, race->entrants[(next + tried) % race->entrants_count].entrant_id)) {
            tried++;
        }
        if (tried == race->entrants_count) {
            msgpack_object value = transform_text_value(id);
            return transform_refuse(fault, &value, "the entrant_id of one of entrants",
                                    "money[%zu].entrant_id", i);
        }
        next += tried + 1;
    }
    return TRP_OK;
}

/* One of the two kinds of feed amounts in a row. */
typedef struct amount {
    bool has;
    int64_t cents;
} amount_t;

static amount_t amount_of(const race_money_row_t *row, bool is_win)
{
    return is_win ? (amount_t){row->has_win_cents, row->win_cents}
                  : (amount_t){row->has_place_cents, row->place_cents};
}

static trp_status_t check_amounts(const race_data_t *race, bool is_win, trp_fault_t *fault)
{
    const char *member = is_win ? "win_cents" : "place_cents";
    int64_t sum = 0;
    for (size_t i = 0; i < race->money_count; i++) {
        amount_t amount = amount_of(&race->money[i], is_win);
        msgpack_object value = transform_int_value(amount.cents);
        if (amount.has != amount_of(&race->money[0], is_win).has) {
            return transform_refuse(fault, amount.has ? &value : NULL,
                                    "in all rows of money or in none", "money[%zu].%s", i, member);
        }
        if (amount.has && amount.cents > TRANSFORM_MONEY_MAX - sum) {
            return transform_refuse(fault, &value, "all rows together below 10000000000000",
                                    "money[%zu].%s", i, member);
        }
        sum += amount.has ? amount.cents : 0;
    }
    return TRP_OK;
}

trp_status_t transform_check(const race_data_t *race, trp_fault_t *fault)
{
    trp_status_t status = check_pools(race, fault);
    if (status == TRP_OK) {
        status = check_entrants(race, fault);
    }
    if (status == TRP_OK) {
        status = check_row_ids(race, fault);
    }
    if (status == TRP_OK) {
        status = check_amounts(race, true, fault);
    }
    if (status == TRP_OK) {
        status = check_amounts(race, false, fault);
    }
    if (status == TRP_OK && race->previous != NULL) {
        status = transform_check_previous(race, fault);
    }
    return status;
}
