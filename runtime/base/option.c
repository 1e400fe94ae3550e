/* SPDX-License-Identifier: MIT */
#include "runtime/base/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE_MAX 160

static const option_t *find(const option_table_t *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].name, name) == 0) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static trp_status_t set_int(const option_t *row, void *values, const char *value, char *rule)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < row->min || number > row->max) {
        snprintf(rule, RULE_MAX, "an integer from %lld to %lld, not \"%.40s\"", (long long)row->min,
                 (long long)row->max, value);
        return TRP_CONFIG;
    }
    memcpy((char *)values + row->offset, &(int64_t){number}, sizeof(int64_t));
    return TRP_OK;
}

static trp_status_t set_text(const option_t *row, void *values, const char *value, char *rule)
{
    size_t size = strlen(value) + 1;
    if (size > row->size) {
        snprintf(rule, RULE_MAX, "at most %zu bytes, not %zu", row->size - 1, size - 1);
        return TRP_CONFIG;
    }
    memcpy((char *)values + row->offset, value, size);
    return TRP_OK;
}

/* The index of `value` in "a|b|c", or -1. */
static int64_t choice_index(const char *choices, const char *value)
{
    size_t size = strlen(value);
    int64_t index = 0;
    for (const char *at = choices;; index++) {
        size_t length = strcspn(at, "|");
        if (length == size && memcmp(at, value, size) == 0) {
            return index;
        }
        if (at[length] == '\0') {
            return -1;
        }
        at += length + 1;
    }
}

static trp_status_t set_choice(const option_t *row, void *values, const char *value, char *rule)
{
    int64_t index = choice_index(row->choices, value);
    if (index < 0) {
        snprintf(rule, RULE_MAX, "one of %.80s, not \"%.40s\"", row->choices, value);
        return TRP_CONFIG;
    }
    memcpy((char *)values + row->offset, &index, sizeof(index));
    return TRP_OK;
}

static trp_status_t set_row(const option_t *row, void *values, const char *value, char *rule)
{
    switch (row->kind) {
    case OPTION_INT:
        return set_int(row, values, value, rule);
    case OPTION_CHOICE:
        return set_choice(row, values, value, rule);
    case OPTION_TEXT:
        break;
    }
    return set_text(row, values, value, rule);
}

trp_status_t option_set(const option_table_t *table, void *values, const char *name,
                        const char *value, char rule[RULE_MAX])
{
    const option_t *row = find(table, name);
    if (row == NULL) {
        snprintf(rule, RULE_MAX, "a known option");
        return TRP_NOT_FOUND;
    }
    return set_row(row, values, value, rule);
}

void option_format(const option_t *row, const void *values, char text[OPTION_TEXT_MAX])
{
    const char *member = (const char *)values + row->offset;
    int64_t number = 0;
    if (row->kind == OPTION_TEXT) {
        snprintf(text, OPTION_TEXT_MAX, "%s", member);
        return;
    }
    memcpy(&number, member, sizeof(number));
    if (row->kind == OPTION_INT) {
        snprintf(text, OPTION_TEXT_MAX, "%lld", (long long)number);
        return;
    }
    const char *at = row->choices;
    while (number-- > 0) {
        at += strcspn(at, "|") + 1;
    }
    snprintf(text, OPTION_TEXT_MAX, "%.*s", (int)strcspn(at, "|"), at);
}

void option_defaults(const option_table_t *table, void *values)
{
    char rule[RULE_MAX];
    for (size_t i = 0; i < table->count; i++) {
        if (set_row(&table->rows[i], values, table->rows[i].fallback, rule) != TRP_OK) {
            abort(); /* a default that breaks its own rule is a bug of the table */
        }
    }
}
