/* SPDX-License-Identifier: MIT */
/* Requests to supervisors, from actors: the way in of supervisor/supervisor.h. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/supervisor.h"

#define NO_LIMIT (-1) /* a start or a stop takes the time it takes */

trp_status_t trp_supervisor_start_child(trp_ctx_t *ctx, trp_pid_t supervisor,
                                        const trp_child_spec_t *spec, uint64_t *request_id)
{
    size_t args_size = spec->is_supervisor ? 0 : spec->args_size;
    char *bytes = malloc(sizeof(*spec) + args_size);
    if (bytes == NULL) {
        return TRP_NO_MEMORY;
    }
    memcpy(bytes, spec, sizeof(*spec));
    if (args_size > 0) {
        memcpy(bytes + sizeof(*spec), spec->args, args_size);
    }
    trp_request_t request = {.to = supervisor,
                             .tag = TRP_TAG_CHILD_ADD,
                             .data = bytes,
                             .size = sizeof(*spec) + args_size,
                             .timeout_ms = NO_LIMIT};
    trp_status_t status = trp_request(ctx, &request, request_id);
    free(bytes);
    return status;
}

static trp_status_t ask_child(trp_ctx_t *ctx, trp_pid_t supervisor, trp_child_request_t request,
                              const child_id_t *child, uint64_t *request_id)
{
    static const uint16_t tags[] = {
        [TRP_CHILD_TERMINATE] = TRP_TAG_CHILD_TERMINATE,
        [TRP_CHILD_RESTART] = TRP_TAG_CHILD_RESTART,
        [TRP_CHILD_DELETE] = TRP_TAG_CHILD_DELETE,
        [TRP_CHILD_SPEC] = TRP_TAG_CHILD_SPEC,
    };
    zmq_msg_t message;
    trp_status_t status = trp_schema_pack(&child_id_schema, child, &message);
    if (status != TRP_OK) {
        return status;
    }
    trp_request_t ask = {
        .to = supervisor, .tag = tags[request], .message = &message, .timeout_ms = NO_LIMIT};
    status = trp_request(ctx, &ask, request_id);
    zmq_msg_close(&message);
    return status;
}

trp_status_t trp_supervisor_ask_child(trp_ctx_t *ctx, trp_pid_t supervisor,
                                      trp_child_request_t request, const char *id,
                                      uint64_t *request_id)
{
    child_id_t child = {.id = {id, strlen(id)}};
    return ask_child(ctx, supervisor, request, &child, request_id);
}

trp_status_t trp_supervisor_ask_instance(trp_ctx_t *ctx, trp_pid_t supervisor,
                                         trp_child_request_t request, trp_pid_t pid,
                                         uint64_t *request_id)
{
    char text[TRP_PID_TEXT_MAX];
    trp_pid_format(pid, text);
    child_id_t child = {.id = {"", 0}, .has_pid = true, .pid = {text, strlen(text)}};
    return ask_child(ctx, supervisor, request, &child, request_id);
}

trp_status_t trp_supervisor_ask(trp_ctx_t *ctx, trp_pid_t supervisor,
                                trp_children_request_t request, uint64_t *request_id)
{
    static const uint16_t tags[] = {
        [TRP_CHILDREN_WHICH] = TRP_TAG_CHILDREN_WHICH,
        [TRP_CHILDREN_COUNT] = TRP_TAG_CHILDREN_COUNT,
        [TRP_CHILDREN_STOP] = TRP_TAG_SUPERVISOR_STOP,
    };
    trp_request_t ask = {.to = supervisor, .tag = tags[request], .timeout_ms = NO_LIMIT};
    return trp_request(ctx, &ask, request_id);
}
