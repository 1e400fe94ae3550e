/* SPDX-License-Identifier: MIT */
/* Typed messages, for actor authors: sent and read by the name of their schema. A value of another
 * type doesn't compile; a message of another type is refused with both names.
 *
 * After TRP_SCHEMA_DECLARE(reading, READING_FIELDS), which makes reading_t and reading_schema, one
 * actor sends and another reads:
 *
 *     reading_t reading = {.sensor = 4, .celsius = 21.5};
 *     status = trp_send_as(ctx, chart, reading, &reading);
 *
 * In the receiver:
 *
 *     status = trp_read_as(ctx, message, reading, &reading, &fault);
 *
 * A schema of fixed size (TRP_SCHEMA_FIXED) travels as the struct inside a runtime. Where it leaves
 * that, for a process, a thread or a client, it is packed, so that a program of another build reads
 * it by its own schema: members in another order, an optional one that is missing, and one that it
 * does not know when the schema is TRP_SCHEMA_OPEN. trp_read_as takes both forms. Schemas with
 * strings, whose values point into a document, are read by trp_message_unpack. */
#ifndef TRP_RUNTIME_TYPED_H
#define TRP_RUNTIME_TYPED_H

#include "runtime/troupe.h"

/** trp_send_struct with a value that must be a `schema`_t. */
#define trp_send_as(ctx, to, schema, value) \
    trp_send_struct((ctx), (to), &schema##_schema, TRP_AS(schema, value))

/** trp_read_struct into a value that must be a `schema`_t. */
#define trp_read_as(ctx, message, schema, value, fault) \
    trp_read_struct((ctx), (message), &schema##_schema, \
                    _Generic((value), schema##_t *      \
                             : (value)),                \
                    (fault))

/** `value`, which must be a pointer to a `schema`_t. */
#define TRP_AS(schema, value) \
    _Generic((value), schema##_t * : (value), const schema##_t * : (value))

/** Reads a message of a FIXED schema. errors: TRP_PAYLOAD (it is another message, or out of its
 * bounds) with a fault, TRP_UNSUPPORTED (the schema is not FIXED), TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_read_struct(const trp_ctx_t *ctx,
                                                  const trp_envelope_t *message,
                                                  const trp_schema_t *schema, void *value,
                                                  trp_fault_t *fault);

#endif
