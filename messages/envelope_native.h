/* SPDX-License-Identifier: MIT */
/* Envelopes with a struct as it is in memory, and its schema behind it: the form of messages of
 * fixed size inside one runtime. Outside of it the layout may be another (a worker of another
 * build) and the address of a schema says nothing, so what leaves is packed first. As envelopes:
 * the owner's thread. */
#ifndef TRP_MESSAGES_ENVELOPE_NATIVE_H
#define TRP_MESSAGES_ENVELOPE_NATIVE_H

#include <string.h>

#include "messages/schema.h"

/** Whether messages of a schema may travel so. */
static inline bool schema_is_native(const trp_schema_t *schema)
{
    return (schema->flags & TRP_SCHEMA_FIXED) != 0 && schema->size <= TRP_STRUCT_MAX;
}

/** Copies a struct into an empty envelope. The schema outlives it. */
static inline void envelope_set_native(trp_envelope_t *envelope, const trp_schema_t *schema,
                                       const void *value)
{
    memcpy(envelope->payload.native.bytes, value, schema->size);
    envelope->payload.native.schema = schema;
    envelope->inline_size = (uint8_t)schema->size;
    envelope->tag = schema->tag;
    envelope->flags |= TRP_ENVELOPE_STRUCT;
}

static inline bool envelope_is_native(const trp_envelope_t *envelope)
{
    return (envelope->flags & TRP_ENVELOPE_STRUCT) != 0;
}

/** Packs the struct of a native envelope in place. errors: TRP_NO_MEMORY; it is as it was then */
TRP_MUST_USE trp_status_t envelope_pack(trp_envelope_t *envelope);

#endif
