/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "messages/json_text.h"
#include "messages/schema_internal.h"
#include "messages/utf8.h"

#define NUMBER_MAX 40 /* bytes of a bound as text */

/* A bound as people write it: 100, not 100.0 or 1e+02. */
static char *format_bound(double bound, char text[NUMBER_MAX])
{
    if (bound == floor(bound) && fabs(bound) < 1e18) {
        snprintf(text, NUMBER_MAX, "%.0f", bound);
    } else {
        json_real(bound, text);
    }
    return text;
}

static TRP_PRINTF(2, 3) void append(char rule[RULE_MAX], const char *format, ...)
{
    size_t used = strlen(rule);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rule + used, RULE_MAX - used, format, arguments);
    va_end(arguments);
}

static void append_bounds(char rule[RULE_MAX], const trp_field_t *field)
{
    char low[NUMBER_MAX];
    char high[NUMBER_MAX];
    format_bound(field->min, low);
    format_bound(field->max, high);
    append(rule, "%s from %s to %s", field->kind == TRP_FIELD_INT ? "an integer" : "a number", low,
           high);
}

static void append_count(char rule[RULE_MAX], const trp_field_t *field, const char *unit)
{
    char low[NUMBER_MAX];
    char high[NUMBER_MAX];
    format_bound(field->min, low);
    format_bound(field->max, high);
    if (strcmp(low, high) == 0) {
        append(rule, "exactly %s %s", low, unit);
    } else {
        append(rule, "%s to %s %s", low, high, unit);
    }
}

bool schema_choice(const char **rest, trp_text_t *choice)
{
    if (**rest == '\0') {
        return false;
    }
    choice->data = *rest;
    choice->size = strcspn(*rest, "|");
    *rest += choice->size;
    *rest += **rest == '|' ? 1 : 0;
    return true;
}

static void append_choices(char rule[RULE_MAX], const trp_field_t *field)
{
    const char *rest = field->choices;
    trp_text_t choice;
    append(rule, "one of ");
    for (bool first = true; schema_choice(&rest, &choice); first = false) {
        append(rule, "%s%.*s", first ? "" : ", ", (int)choice.size, choice.data);
    }
}

char *schema_rule(const trp_field_t *field, char rule[RULE_MAX])
{
    rule[0] = '\0';
    switch (field->kind) {
    case TRP_FIELD_BOOL:
        append(rule, "true or false");
        break;
    case TRP_FIELD_INT:
    case TRP_FIELD_REAL:
        append_bounds(rule, field);
        break;
    case TRP_FIELD_STRING:
    case TRP_FIELD_TEXT:
        append(rule, "a string of ");
        append_count(rule, field, "bytes");
        break;
    case TRP_FIELD_BYTES:
        append(rule, "binary data of ");
        append_count(rule, field, "bytes");
        break;
    case TRP_FIELD_ENUM:
        append_choices(rule, field);
        break;
    case TRP_FIELD_MESSAGE:
        append(rule, "a map");
        break;
    case TRP_FIELD_LIST:
        append(rule, "an array of ");
        append_count(rule, field, "items");
        break;
    case TRP_FIELD_TEXTS:
        append(rule, "an array of ");
        append_count(rule, field, "strings");
        break;
    case TRP_FIELD_ANY:
    default:
        append(rule, "a value");
        break;
    }
    if (field->optional) {
        append(rule, " or null");
    }
    return rule;
}
