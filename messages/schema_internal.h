/* SPDX-License-Identifier: MIT */
/* What the parts of the schema engine share. */
#ifndef TRP_MESSAGES_SCHEMA_INTERNAL_H
#define TRP_MESSAGES_SCHEMA_INTERNAL_H

#include "messages/schema.h"

#define RULE_MAX         128   /* bytes of trp_fault_t.rule */
#define TEXTS_STRING_MAX 65535 /* bytes of one string of a TEXTS */

/** What must hold for a field, in words: "a number from 0 to 100". Returns `rule`. */
char *schema_rule(const trp_field_t *field, char rule[RULE_MAX]);

/** The next choice of an ENUM: moves `*rest` behind it; false after the last one. */
bool schema_choice(const char **rest, trp_text_t *choice);

/** Fills `*out` from a sound MessagePack map of scalars and texts, written in the order of the
 * table; strings point into `bytes`. False: it is something else, or not sound; `*out` is undefined
 * then. */
bool schema_read_flat(const trp_schema_t *schema, trp_text_t bytes, void *out);

static inline bool schema_is_counted(const trp_field_t *field)
{
    return field->kind == TRP_FIELD_LIST || field->kind == TRP_FIELD_TEXTS;
}

/** The member is a pointer and NULL when absent. */
static inline bool schema_is_pointer(const trp_field_t *field)
{
    return field->kind == TRP_FIELD_ANY || (field->kind == TRP_FIELD_MESSAGE && field->optional);
}

#endif
