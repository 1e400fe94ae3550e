/* SPDX-License-Identifier: MIT */
/* The verb `child`: what one may ask a supervisor, by its registered name. */
#include <stdio.h>
#include <string.h>

#include "messages/supervisor.h"
#include "supervisor/control/inquiry.h"

/* Longer than most starts and stops take; the answer comes when they are over. */
#define CHILD_ASK_MS 60000

static const struct {
    const char *name;
    uint16_t tag;
    bool has_id; /* it is about one child */
} actions[] = {
    {"start", TRP_TAG_CHILD_START, false},    {"terminate", TRP_TAG_CHILD_TERMINATE, true},
    {"restart", TRP_TAG_CHILD_RESTART, true}, {"delete", TRP_TAG_CHILD_DELETE, true},
    {"spec", TRP_TAG_CHILD_SPEC, true},       {"which", TRP_TAG_CHILDREN_WHICH, false},
    {"count", TRP_TAG_CHILDREN_COUNT, false},
};

static const char *text_of(bool has, trp_text_t text, char copy[TRP_NAME_MAX])
{
    snprintf(copy, TRP_NAME_MAX, "%.*s", has ? (int)text.size : 0, has ? text.data : "");
    return copy;
}

/* The supervisor's answer is the result, as it is. */
static void ask(inquiry_t *inquiry, trp_ctx_t *ctx, trp_pid_t supervisor, size_t action,
                const char *id)
{
    child_start_t start = {.has_id = id[0] != '\0', .id = {id, strlen(id)}};
    child_id_t child = {.id = {id, strlen(id)}};
    bool is_start = actions[action].tag == TRP_TAG_CHILD_START;
    zmq_msg_t message;
    trp_status_t status = is_start ? trp_schema_pack(&child_start_schema, &start, &message)
                                   : trp_schema_pack(&child_id_schema, &child, &message);
    if (status != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "%s", trp_status_text(status));
        return;
    }
    trp_request_t request = {.to = supervisor,
                             .tag = actions[action].tag,
                             .message = &message,
                             .timeout_ms = CHILD_ASK_MS};
    inquiry->asked = "the supervisor";
    inquiry_ask(inquiry, ctx, &request, TRP_TAG_CHILD_ANSWER);
    zmq_msg_close(&message);
}

void inquiry_child(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    char name[TRP_NAME_MAX], id[TRP_NAME_MAX], who[TRP_NAME_MAX];
    size_t action = 0;
    text_of(request->has_action, request->action, name);
    text_of(request->has_id, request->id, id);
    text_of(request->has_who, request->who, who);
    while (action < sizeof(actions) / sizeof(actions[0]) &&
           strcmp(actions[action].name, name) != 0) {
        action++;
    }
    if (action == sizeof(actions) / sizeof(actions[0])) {
        inquiry_fail(inquiry, ctx, "E_BAD_REQUEST",
                     "action is start, terminate, restart, delete, spec, which or count");
        return;
    }
    if (actions[action].has_id && id[0] == '\0') {
        inquiry_fail(inquiry, ctx, "E_BAD_REQUEST", "%s needs the id of a child", name);
        return;
    }
    trp_pid_t supervisor = trp_whereis(ctx, who);
    bool is_one = strcmp(who, "root") == 0 || strncmp(who, "pool.", 5) == 0;
    if (!is_one || trp_pid_is_none(supervisor)) {
        inquiry_fail(inquiry, ctx, "E_NOT_FOUND",
                     "no supervisor `%s`; they are root and pool.NAME: see tree", who);
        return;
    }
    ask(inquiry, ctx, supervisor, action, id);
}
