/* SPDX-License-Identifier: MIT */
#include "actors/match/match_question.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_number.h"
#include "actors/match/match_text.h"

/* A question on its way to being an item: where faults are put. */
struct making {
    match_item_t *item;
    const char *path;
    trp_fault_t *fault;
};

static const msgpack_object an_array = {.type = MSGPACK_OBJECT_ARRAY};

static msgpack_object object_of(trp_text_t text)
{
    return (msgpack_object){.type = MSGPACK_OBJECT_STR,
                            .via.str = {(uint32_t)text.size, text.data}};
}

static trp_status_t refuse(const struct making *making, const char *member,
                           const msgpack_object *value, const char *rule)
{
    char path[sizeof(making->fault->path)];
    snprintf(path, sizeof(path), "%s%s%s", making->path, making->path[0] == '\0' ? "" : ".",
             member);
    trp_fault_set(making->fault, value, path, rule);
    making->fault->message = match_question_schema.name;
    return TRP_PAYLOAD;
}

static trp_status_t refuse_correct(const struct making *making, size_t index, const char *rule)
{
    char member[32];
    snprintf(member, sizeof(member), "correct[%zu]", index);
    return refuse(making, member, &making->item->question->correct->via.array.ptr[index], rule);
}

/* single, multi, boolean: the options and which of them are right */
static trp_status_t make_choices(const struct making *making)
{
    static const match_choice_t truth[] = {{.id = {"true", 4}, .text = {"True", 4}},
                                           {.id = {"false", 5}, .text = {"False", 5}}};
    match_item_t *item = making->item;
    const match_question_t *question = item->question;
    bool is_implied = question->type == MATCH_BOOLEAN && question->options_count == 0;
    item->choice_count = is_implied ? 2 : (uint32_t)question->options_count;
    if (item->choice_count == 0) {
        return refuse(making, "options", NULL, "2 to 8 options");
    }
    if (question->type == MATCH_BOOLEAN && item->choice_count != 2) {
        return refuse(making, "options", &an_array, "none or 2 options for a boolean question");
    }
    memcpy(item->choices, is_implied ? truth : question->options,
           item->choice_count * sizeof(item->choices[0]));
    for (uint32_t i = 0; i < item->choice_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (match_text_is(item->choices[i].id, item->choices[k].id)) {
                char member[32];
                snprintf(member, sizeof(member), "options[%u].id", i);
                msgpack_object id = object_of(item->choices[i].id);
                return refuse(making, member, &id, "unique among the options");
            }
        }
    }
    const msgpack_object_array *correct = &question->correct->via.array;
    for (uint32_t i = 0; i < correct->size; i++) {
        uint32_t bit = match_choice_bit(item, &correct->ptr[i]);
        if (bit == 0) {
            return refuse_correct(making, i, "the id of an option");
        }
        if ((item->correct_mask & bit) != 0) {
            return refuse_correct(making, i, "not there twice");
        }
        item->correct_mask |= bit;
    }
    item->correct_count = correct->size;
    if (question->type != MATCH_MULTI && item->correct_count != 1) {
        return refuse(making, "correct", question->correct, "one option");
    }
    return TRP_OK;
}

static trp_status_t make_texts(const struct making *making)
{
    match_item_t *item = making->item;
    const msgpack_object_array *correct = &item->question->correct->via.array;
    if (correct->size > MATCH_ACCEPTED_MAX) {
        return refuse(making, "correct", item->question->correct, "at most 32 texts");
    }
    item->accepted = calloc(correct->size, sizeof(item->accepted[0]));
    if (item->accepted == NULL) {
        return TRP_NO_MEMORY;
    }
    for (uint32_t i = 0; i < correct->size; i++) {
        const msgpack_object *object = &correct->ptr[i];
        struct match_accepted *accepted = &item->accepted[i];
        if (object->type != MSGPACK_OBJECT_STR) {
            return refuse_correct(making, i, "a text");
        }
        trp_text_t text = {object->via.str.ptr, object->via.str.size};
        trp_status_t status = match_text_fold(text, &accepted->folded, &accepted->size);
        if (status == TRP_NO_MEMORY) {
            return status;
        }
        item->correct_count++;
        if (status != TRP_OK || accepted->size == 0 || text.size > MATCH_NAME_BYTES) {
            return refuse_correct(making, i, "a text of 1 to 256 bytes that is not blank");
        }
    }
    return TRP_OK;
}

static trp_status_t make_number(const struct making *making)
{
    match_item_t *item = making->item;
    const match_question_t *question = item->question;
    if (question->correct->via.array.size != 1) {
        return refuse(making, "correct", question->correct, "one number");
    }
    if (!match_number_read(&question->correct->via.array.ptr[0], &item->value)) {
        return refuse_correct(making, 0, "a number from -1e12 to 1e12");
    }
    item->correct_count = 1;
    item->tolerance = question->has_tolerance ? match_number_units(question->tolerance) : 0;
    return TRP_OK;
}

trp_status_t match_item_init(match_item_t *item, const match_question_t *question, const char *path,
                             trp_fault_t *fault)
{
    const struct making making = {item, path, fault};
    memset(item, 0, sizeof(*item));
    item->question = question;
    if (question->correct->type != MSGPACK_OBJECT_ARRAY || question->correct->via.array.size == 0) {
        return refuse(&making, "correct", question->correct, "an array that is not empty");
    }
    if (question->has_points && question->points % 1000 != 0) {
        msgpack_object points = {.type = MSGPACK_OBJECT_POSITIVE_INTEGER,
                                 .via.u64 = (uint64_t)question->points};
        return refuse(&making, "points", &points, "0, 1000 or 2000");
    }
    if (question->has_tolerance && question->type != MATCH_NUMERIC) {
        msgpack_object tolerance = {.type = MSGPACK_OBJECT_FLOAT64, .via.f64 = question->tolerance};
        return refuse(&making, "tolerance", &tolerance, "only for numeric questions");
    }
    if (question->type == MATCH_TEXT || question->type == MATCH_NUMERIC) {
        if (question->options_count != 0) {
            return refuse(&making, "options", &an_array, "none for text and numeric questions");
        }
        return question->type == MATCH_TEXT ? make_texts(&making) : make_number(&making);
    }
    return make_choices(&making);
}

void match_item_fini(match_item_t *item)
{
    for (uint32_t i = 0; item->accepted != NULL && i < item->correct_count; i++) {
        free(item->accepted[i].folded);
    }
    free(item->accepted);
    item->accepted = NULL;
}

static int by_id(const void *a, const void *b)
{
    const match_question_t *const *left = a, *const *right = b;
    size_t shorter = (*left)->id.size < (*right)->id.size ? (*left)->id.size : (*right)->id.size;
    int order = memcmp((*left)->id.data, (*right)->id.data, shorter);
    if (order != 0) {
        return order;
    }
    return ((*left)->id.size > (*right)->id.size) - ((*left)->id.size < (*right)->id.size);
}

/* Names the second of two questions with one id. */
static trp_status_t check_ids(const match_question_t *questions, size_t count, trp_fault_t *fault)
{
    if (count == 0) {
        return TRP_OK;
    }
    const match_question_t **sorted = calloc(count, sizeof(*sorted));
    if (sorted == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &questions[i];
    }
    qsort(sorted, count, sizeof(*sorted), by_id);
    trp_status_t status = TRP_OK;
    for (size_t i = 1; i < count && status == TRP_OK; i++) {
        if (by_id(&sorted[i - 1], &sorted[i]) == 0) {
            const match_question_t *second = sorted[i] > sorted[i - 1] ? sorted[i] : sorted[i - 1];
            match_item_t item = {.question = second};
            char path[64];
            snprintf(path, sizeof(path), "questions[%zu]", (size_t)(second - questions));
            msgpack_object id = object_of(second->id);
            status = refuse(&(struct making){&item, path, fault}, "id", &id,
                            "unique among the questions");
        }
    }
    free(sorted);
    return status;
}

trp_status_t match_questions_check(const match_question_t *questions, size_t count,
                                   trp_fault_t *fault)
{
    for (size_t i = 0; i < count; i++) {
        match_item_t item;
        char path[64];
        snprintf(path, sizeof(path), "questions[%zu]", i);
        trp_status_t status = match_item_init(&item, &questions[i], path, fault);
        match_item_fini(&item);
        if (status != TRP_OK) {
            return status;
        }
    }
    return check_ids(questions, count, fault);
}
