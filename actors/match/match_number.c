/* SPDX-License-Identifier: MIT */
#include "actors/match/match_number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_text.h"

#define NUMBER_MAX 1e12

int64_t match_number_units(double number)
{
    return llround(number * 1e6);
}

bool match_number_read(const msgpack_object *object, int64_t *units)
{
    double number;
    switch (object->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        number = (double)object->via.u64;
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        number = (double)object->via.i64;
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        number = object->via.f64;
        break;
    default:
        return false;
    }
    if (!(fabs(number) <= NUMBER_MAX)) { /* a NaN is refused too */
        return false;
    }
    *units = match_number_units(number);
    return true;
}

uint32_t match_choice_bit(const match_item_t *item, const msgpack_object *object)
{
    trp_text_t id = {0};
    if (object->type == MSGPACK_OBJECT_STR) {
        id = (trp_text_t){object->via.str.ptr, object->via.str.size};
    } else if (object->type == MSGPACK_OBJECT_BOOLEAN && item->question->type == MATCH_BOOLEAN) {
        id = object->via.boolean ? (trp_text_t){"true", 4} : (trp_text_t){"false", 5};
    }
    for (uint32_t i = 0; id.size != 0 && i < item->choice_count; i++) {
        if (match_text_is(item->choices[i].id, id)) {
            return 1u << i;
        }
    }
    return 0;
}

static trp_status_t refuse(trp_fault_t *fault, const msgpack_object *answer, const char *rule)
{
    trp_fault_set(fault, answer, "answer", rule);
    fault->message = match_answer_schema.name;
    return TRP_PAYLOAD;
}

static trp_status_t read_choices(const match_item_t *item, const msgpack_object *answer,
                                 match_given_t *given, trp_fault_t *fault)
{
    const msgpack_object *ids = answer;
    uint32_t count = 1;
    if (answer->type == MSGPACK_OBJECT_ARRAY) {
        ids = answer->via.array.ptr;
        count = answer->via.array.size;
    }
    if (item->question->type != MATCH_MULTI && count != 1) {
        return refuse(fault, answer, "one option id");
    }
    if (count == 0 || count > item->choice_count) {
        return refuse(fault, answer, "1 or more option ids, none twice");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bit = match_choice_bit(item, &ids[i]);
        if (bit == 0 || (given->mask & bit) != 0) {
            return refuse(fault, &ids[i], bit == 0 ? "the id of an option" : "not there twice");
        }
        given->mask |= bit;
    }
    given->right = (uint32_t)__builtin_popcount(given->mask & item->correct_mask);
    given->wrong = (uint32_t)__builtin_popcount(given->mask & ~item->correct_mask);
    given->is_correct = given->mask == item->correct_mask;
    return TRP_OK;
}

static trp_status_t read_text(const match_item_t *item, const msgpack_object *answer,
                              match_given_t *given, trp_fault_t *fault)
{
    if (answer->type != MSGPACK_OBJECT_STR || answer->via.str.size > MATCH_NAME_BYTES) {
        return refuse(fault, answer, "a text of at most 256 bytes");
    }
    uint8_t *folded;
    size_t size;
    trp_text_t text = {answer->via.str.ptr, answer->via.str.size};
    trp_status_t status = match_text_fold(text, &folded, &size);
    if (status != TRP_OK) {
        return status == TRP_PAYLOAD ? refuse(fault, NULL, "a text in UTF-8") : status;
    }
    for (uint32_t i = 0; i < item->correct_count; i++) {
        if (item->accepted[i].size == size && memcmp(item->accepted[i].folded, folded, size) == 0) {
            given->is_correct = true;
        }
    }
    free(folded);
    return TRP_OK;
}

trp_status_t match_given_read(const match_item_t *item, const msgpack_object *answer,
                              match_given_t *given, trp_fault_t *fault)
{
    memset(given, 0, sizeof(*given));
    if (item->question->type != MATCH_TEXT && item->question->type != MATCH_NUMERIC) {
        return read_choices(item, answer, given, fault);
    }
    if (item->question->type == MATCH_TEXT) {
        trp_status_t status = read_text(item, answer, given, fault);
        if (status != TRP_OK) {
            return status;
        }
    } else {
        int64_t units;
        if (!match_number_read(answer, &units)) {
            return refuse(fault, answer, "a number from -1e12 to 1e12");
        }
        given->is_correct = llabs(units - item->value) <= item->tolerance;
    }
    given->right = given->is_correct ? 1 : 0;
    given->wrong = given->is_correct ? 0 : 1;
    return TRP_OK;
}
