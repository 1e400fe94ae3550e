/* SPDX-License-Identifier: MIT */
#include "supervisor/front.h"

#include <string.h>

#include "runtime/log.h"

typedef struct front {
    front_args_t args;
    trp_pid_t child;
    uint64_t monitor; /* of the child; 0: it is down */
    int64_t refused;  /* since it is */
} front_t;

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    front_t *front = state;
    size_t size = 0;
    const void *data = message == NULL ? NULL : trp_message_data(message, &size);
    (void)ctx;
    if (size != sizeof(front->args)) {
        return TRP_INVALID;
    }
    memcpy(&front->args, data, sizeof(front->args));
    return TRP_OK;
}

/* The next incarnation: what was kept comes first. It may be starting still; its mailbox keeps. */
static trp_status_t turn_to(front_t *front, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (size != sizeof(front->child)) {
        return TRP_OK;
    }
    memcpy(&front->child, data, sizeof(front->child));
    if (front->monitor != 0) {
        trp_demonitor(ctx, front->monitor);
        front->monitor = 0;
    }
    if (front->refused > 0) {
        trp_log(ctx, LOG_WARN, "refused_while_down", "%lld messages", (long long)front->refused);
        front->refused = 0;
    }
    const trp_status_t status = trp_monitor(ctx, front->child, &front->monitor);
    trp_recall(ctx);
    return status;
}

/* Who asked hears it at once, as of a process that is not there. */
static trp_status_t refuse(front_t *front, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    front->refused++;
    if (message->request_id == 0 || (message->flags & TRP_ENVELOPE_REPLY) != 0) {
        return TRP_OK;
    }
    const trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    const trp_status_t status = trp_reply(ctx, message, TRP_TAG_DOWN, &reason, sizeof(reason));
    return status == TRP_NO_MEMORY ? status : TRP_OK; /* else who asked is gone */
}

static trp_status_t pass(front_t *front, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (front->monitor != 0) {
        const trp_status_t status = trp_forward(ctx, message, front->child);
        if (status == TRP_OK) {
            return TRP_OK;
        }
        if (status != TRP_GONE) {
            return refuse(front, ctx, message); /* its mailbox is full */
        }
    }
    if (front->args.while_down == TRP_WHILE_DOWN_QUEUE &&
        trp_defer(ctx, message, front->args.keep_max, SIZE_MAX) == TRP_OK) {
        return TRP_OK;
    }
    return refuse(front, ctx, message);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    front_t *front = state;
    if (message->tag == FRONT_TAG_CHILD && trp_pid_equal(message->from, front->args.supervisor)) {
        return turn_to(front, ctx, message);
    }
    if (message->tag == TRP_TAG_DOWN && front->monitor != 0 &&
        message->request_id == front->monitor) {
        front->monitor = 0;
        return TRP_OK;
    }
    return pass(front, ctx, message);
}

const trp_class_t front_class = {
    .name = "front",
    .version = 1,
    .state_size = sizeof(front_t),
    .init = init,
    .receive = receive,
    .flags = TRP_CLASS_SYSTEM,
};
