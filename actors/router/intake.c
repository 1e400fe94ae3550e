/* SPDX-License-Identifier: MIT */
#include "actors/router/intake.h"

#include <stdio.h>
#include <string.h>

#include "actors/router/base/body_key.h"
#include "actors/router/base/cache_key.h"
#include "actors/router/base/difference.h"

static trp_text_t text(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

/* An answer that can't be made is missed by the router after its time limit. */
static trp_status_t answer(trp_ctx_t *ctx, const trp_envelope_t *message,
                           const trp_schema_t *schema, const void *value, uint16_t tag)
{
    zmq_msg_t body;
    trp_status_t status = trp_schema_pack(schema, value, &body);
    if (status == TRP_OK) {
        status = trp_reply_move(ctx, message, tag, &body);
        zmq_msg_close(&body);
    }
    return status == TRP_GONE ? TRP_OK : status; /* the router that asked has ended */
}

/* ---- bodies ---- */

/* What of a body was asked for. */
typedef struct found {
    char key[TRP_TASK_KEY_MAX + 1];
    cache_key_t digest;
    trp_fault_t fault;
} found_t;

static trp_status_t find(const intake_look_t *look, found_t *found, intake_looked_t *looked)
{
    trp_document_t document;
    trp_status_t status =
        trp_document_init(&document, look->body.data, look->body.size, &found->fault);
    if (status == TRP_PAYLOAD) {
        looked->has_rule = looked->has_path = true;
        looked->rule = text(found->fault.rule);
        looked->path = text(found->fault.path);
        looked->has_offset = found->fault.has_offset;
        looked->offset = (int64_t)found->fault.offset;
        return TRP_OK;
    }
    if (status != TRP_OK) {
        return status;
    }
    if (look->has_member) {
        char member[64];
        snprintf(member, sizeof(member), "%.*s", (int)look->member.size, look->member.data);
        body_key_of(&document, member, found->key);
        looked->has_key = found->key[0] != '\0';
        looked->key = text(found->key);
    }
    trp_document_fini(&document);
    return TRP_OK;
}

static bool find_digest(const intake_look_t *look, cache_key_t *digest)
{
    if (look->frames) {
        cache_key_of_frames(look->tool, look->body, digest);
        return true;
    }
    if (look->foreign) {
        cache_key_of_foreign(look->tool, look->body, digest);
        return true;
    }
    return cache_key_of_call(look->tool, (uint32_t)look->version, look->body, digest) == TRP_OK;
}

static trp_status_t on_look(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_document_t document;
    intake_look_t look;
    intake_looked_t looked = {.has_key = false};
    found_t found;
    if (trp_message_unpack(&intake_look_schema, message, &document, &look, &found.fault) !=
        TRP_OK) {
        return TRP_OK; /* only the router asks */
    }
    trp_status_t status = look.foreign ? TRP_OK : find(&look, &found, &looked);
    if (status == TRP_OK && look.digest && !looked.has_rule && find_digest(&look, &found.digest)) {
        looked.has_digest = true;
        looked.digest = (trp_text_t){(const char *)found.digest.bytes, sizeof(found.digest.bytes)};
    }
    if (status == TRP_OK) {
        status = answer(ctx, message, &intake_looked_schema, &looked, TRP_TAG_INTAKE_LOOKED);
    }
    trp_document_fini(&document);
    return status;
}

/* ---- results ---- */

static trp_status_t on_compare(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_document_t document;
    intake_compare_t pair;
    trp_fault_t fault;
    difference_t difference;
    char ignore[256];
    if (trp_message_unpack(&intake_compare_schema, message, &document, &pair, &fault) != TRP_OK) {
        return TRP_OK;
    }
    snprintf(ignore, sizeof(ignore), "%.*s", (int)pair.ignore.size, pair.ignore.data);
    trp_status_t status = difference_find(pair.first, pair.second, ignore, &difference);
    if (status == TRP_OK) {
        size_t size = trp_utf8_check(difference.path, strlen(difference.path)); /* it may be cut */
        const intake_compared_t compared = {.equal = difference.is_equal,
                                            .path = {difference.path, size}};
        status = answer(ctx, message, &intake_compared_schema, &compared, TRP_TAG_INTAKE_COMPARED);
    }
    trp_document_fini(&document);
    return status;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    switch (message->tag) {
    case TRP_TAG_INTAKE_LOOK:
        return on_look(ctx, message);
    case TRP_TAG_INTAKE_COMPARE:
        return on_compare(ctx, message);
    default:
        return TRP_OK;
    }
}

static const trp_schema_t *const messages[] = {&intake_look_schema, &intake_looked_schema,
                                               &intake_compare_schema, &intake_compared_schema,
                                               NULL};

const trp_class_t intake_class = {
    .name = INTAKE_NAME, .version = 1, .receive = receive, .messages = messages};
