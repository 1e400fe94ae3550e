/* SPDX-License-Identifier: MIT */
#include "runtime/typed.h"

#include <stdio.h>

#include "messages/envelope_native.h"
#include "runtime/core/scheduler.h"

/* The name of a tag among the messages that the caller's class understands. */
static const char *name_of(const trp_ctx_t *ctx, uint16_t tag)
{
    const trp_schema_t *const *known = ctx->cell->class->messages;
    while (known != NULL && *known != NULL) {
        if ((*known)->tag == tag) {
            return (*known)->name;
        }
        known++;
    }
    return "unknown";
}

static trp_status_t refuse(trp_fault_t *fault, const trp_schema_t *schema, const char *rule)
{
    *fault = (trp_fault_t){.message = schema->name};
    snprintf(fault->rule, sizeof(fault->rule), "%s", rule);
    return TRP_PAYLOAD;
}

trp_status_t trp_read_struct(const trp_ctx_t *ctx, const trp_envelope_t *message,
                             const trp_schema_t *schema, void *value, trp_fault_t *fault)
{
    if ((schema->flags & TRP_SCHEMA_FIXED) == 0) {
        (void)refuse(fault, schema, "has parts of variable size: trp_message_unpack reads it");
        return TRP_UNSUPPORTED;
    }
    if (message->tag != schema->tag) {
        char rule[sizeof(fault->rule)];
        snprintf(rule, sizeof(rule), "expected `%.32s` (tag 0x%04x), got `%.32s` (tag 0x%04x)",
                 schema->name, schema->tag, name_of(ctx, message->tag), message->tag);
        return refuse(fault, schema, rule);
    }
    trp_envelope_check(message, __func__);
    if (!envelope_is_native(message)) {
        trp_document_t document;
        trp_status_t status = trp_message_unpack(schema, message, &document, value, fault);
        if (status == TRP_OK) {
            trp_document_fini(&document); /* of fixed size: nothing points into it */
        }
        return status;
    }
    if (message->payload.native.schema != schema) {
        char rule[sizeof(fault->rule)];
        snprintf(rule, sizeof(rule), "tag 0x%04x has two schemas in this program, here `%.32s`",
                 schema->tag, message->payload.native.schema->name);
        return refuse(fault, schema, rule);
    }
    memcpy(value, message->payload.native.bytes, schema->size);
    return TRP_OK;
}
