/* SPDX-License-Identifier: MIT */
/* The verb `roll`: replaces the workers of a pool one by one, by others of the same program or of a
 * new one, while the pool goes on serving.
 *
 *     LIST --> START a new one --> SOAK --> CHECK --> STOP an old one --> START ...
 *                                             |            all replaced: SOAK, CHECK --> COMMIT
 *                                             +--> a new one has died, or does not start:
 *                                                  BACK_START the stopped ones anew,
 *                                                  BACK_STOP the new ones
 *
 * One worker more than the pool has runs at a time. The template, and with it each later start,
 * gets the new program at the end only, so that going back needs to know nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/supervisor.h"
#include "runtime/log.h"
#include "supervisor/control/inquiry.h"

#define WORKERS_MAX 1024
#define START_MS    86400000 /* the supervisor's own limits are shorter */
#define SOAK_MS     250      /* a new one that dies at once does so in this time */
#define TAG_SOAKED  0x05f8

typedef enum roll_phase {
    ROLL_LIST,
    ROLL_START,
    ROLL_SOAK,
    ROLL_CHECK,
    ROLL_STOP,
    ROLL_COMMIT,
    ROLL_BACK_START,
    ROLL_BACK_STOP
} roll_phase_t;

typedef char worker_id_t[TRP_CHILD_ID_MAX + 1];

struct inquiry_roll {
    roll_phase_t phase;
    char supervisor[TRP_NAME_MAX];
    char program[256];
    bool has_program;
    worker_id_t *old, *fresh;
    size_t old_count, fresh_count;
    size_t stopped; /* of the old ones, the first so many */
    size_t back;    /* started again, or new ones stopped, on the way back */
    char why[TRP_REASON_LINE_MAX];
};

void inquiry_roll_free(inquiry_roll_t **pointer)
{
    inquiry_roll_t *roll = *pointer;
    *pointer = NULL;
    if (roll != NULL) {
        free(roll->old);
        free(roll->fresh);
        free(roll);
    }
}

/* ---- asking the supervisor ---- */

static void ask(inquiry_t *inquiry, trp_ctx_t *ctx, uint16_t tag, zmq_msg_t *message)
{
    const inquiry_roll_t *roll = inquiry->roll;
    const trp_request_t request = {.to = trp_whereis(ctx, roll->supervisor),
                                   .tag = tag,
                                   .message = message,
                                   .timeout_ms = START_MS};
    inquiry_ask(inquiry, ctx, &request, TRP_TAG_CHILD_ANSWER);
}

static void ask_packed(inquiry_t *inquiry, trp_ctx_t *ctx, uint16_t tag, const trp_schema_t *schema,
                       const void *value)
{
    zmq_msg_t message;
    if (trp_schema_pack(schema, value, &message) != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "no memory");
        return;
    }
    ask(inquiry, ctx, tag, &message);
    zmq_msg_close(&message);
}

static void ask_start(inquiry_t *inquiry, trp_ctx_t *ctx, bool is_new)
{
    const inquiry_roll_t *roll = inquiry->roll;
    const child_start_t start = {.has_program = is_new && roll->has_program,
                                 .program = {roll->program, strlen(roll->program)},
                                 .has_over_max = true,
                                 .over_max = true};
    ask_packed(inquiry, ctx, TRP_TAG_CHILD_START, &child_start_schema, &start);
}

static void ask_stop(inquiry_t *inquiry, trp_ctx_t *ctx, const char *id)
{
    const child_id_t stop = {.id = {id, strlen(id)}};
    ask_packed(inquiry, ctx, TRP_TAG_CHILD_TERMINATE, &child_id_schema, &stop);
}

static void ask_list(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    ask(inquiry, ctx, TRP_TAG_CHILDREN_WHICH, NULL);
}

/* ---- the steps ---- */

static void start_next(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    inquiry->roll->phase = ROLL_START;
    ask_start(inquiry, ctx, true);
}

static void soak(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    inquiry->roll->phase = ROLL_SOAK;
    if (trp_timer_start(ctx, SOAK_MS, 0, TAG_SOAKED, &inquiry->request) != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "no memory");
    }
}

static void commit(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    const inquiry_roll_t *roll = inquiry->roll;
    const child_start_t template = {.has_program = roll->has_program,
                                    .program = {roll->program, strlen(roll->program)}};
    inquiry->roll->phase = ROLL_COMMIT;
    ask_packed(inquiry, ctx, TRP_TAG_CHILD_TEMPLATE, &child_start_schema, &template);
}

static void finish(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    const inquiry_roll_t *roll = inquiry->roll;
    trp_writer_t result;
    log_event(LOG_INFO, "pool_rolled", LOG_TEXT("supervisor", roll->supervisor),
              LOG_INT("workers", roll->stopped), LOG_TEXT("program", roll->program));
    trp_writer_init(&result);
    trp_write_map(&result, 2);
    trp_put_int(&result, "replaced", (int64_t)roll->stopped);
    trp_put_text(&result, "program", roll->program);
    inquiry_answer(inquiry, ctx, &result);
}

/* ---- the way back ---- */

static void step_back(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    inquiry_roll_t *roll = inquiry->roll;
    if (roll->phase == ROLL_BACK_START && roll->back == roll->stopped) {
        roll->phase = ROLL_BACK_STOP;
        roll->back = 0;
    }
    if (roll->phase == ROLL_BACK_START) {
        roll->back++;
        ask_start(inquiry, ctx, false);
    } else if (roll->back < roll->fresh_count) {
        ask_stop(inquiry, ctx, roll->fresh[roll->back++]);
    } else {
        inquiry_fail(inquiry, ctx, "E_ROLLED_BACK", "%s; the pool is as it was", roll->why);
    }
}

static void turn_back(inquiry_t *inquiry, trp_ctx_t *ctx, const char *why)
{
    inquiry_roll_t *roll = inquiry->roll;
    snprintf(roll->why, sizeof(roll->why), "%s", why);
    log_event(LOG_ERROR, "pool_roll_back", LOG_TEXT("supervisor", roll->supervisor),
              LOG_TEXT("program", roll->program), LOG_TEXT("cause", why));
    roll->phase = ROLL_BACK_START;
    roll->back = 0;
    step_back(inquiry, ctx);
}

/* ---- what the supervisor says ---- */

static bool has_id(worker_id_t *ids, size_t count, trp_text_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(ids[i]) == id.size && memcmp(ids[i], id.data, id.size) == 0) {
            return true;
        }
    }
    return false;
}

/* Notes the workers that are neither new nor known: at first all, later those that the pool has
 * started meanwhile. */
static void note_old(inquiry_roll_t *roll, const children_t *children)
{
    for (size_t i = 0; i < children->children_count && roll->old_count < WORKERS_MAX; i++) {
        const child_info_t *row = &children->children[i];
        if (!has_id(roll->fresh, roll->fresh_count, row->id) &&
            !has_id(roll->old + roll->stopped, roll->old_count - roll->stopped, row->id)) {
            snprintf(roll->old[roll->old_count++], sizeof(worker_id_t), "%.*s", (int)row->id.size,
                     row->id.data);
        }
    }
}

/* NULL: all new ones live as they were started; else what is wrong. */
static const char *find_fault(const inquiry_roll_t *roll, const children_t *children,
                              char why[TRP_REASON_LINE_MAX])
{
    size_t up = 0;
    for (size_t i = 0; i < children->children_count; i++) {
        const child_info_t *row = &children->children[i];
        if (!has_id(roll->fresh, roll->fresh_count, row->id)) {
            continue;
        }
        up++;
        if (row->restarts > 0 || !row->has_pid) {
            snprintf(why, TRP_REASON_LINE_MAX, "the new %.*s ended: %.*s", (int)row->id.size,
                     row->id.data, row->has_last_reason ? (int)row->last_reason.size : 0,
                     row->has_last_reason ? row->last_reason.data : "");
            return why;
        }
    }
    return up == roll->fresh_count ? NULL : "a new worker is gone";
}

static void on_children(inquiry_t *inquiry, trp_ctx_t *ctx, const children_t *children)
{
    inquiry_roll_t *roll = inquiry->roll;
    char why[TRP_REASON_LINE_MAX];
    note_old(roll, children);
    const char *fault = find_fault(roll, children, why);
    if (fault != NULL) {
        turn_back(inquiry, ctx, fault);
    } else if (roll->phase == ROLL_CHECK && roll->fresh_count > roll->stopped) {
        roll->phase = ROLL_STOP;
        ask_stop(inquiry, ctx, roll->old[roll->stopped]);
    } else if (roll->stopped < roll->old_count) {
        start_next(inquiry, ctx);
    } else {
        commit(inquiry, ctx);
    }
}

static void on_answer(inquiry_t *inquiry, trp_ctx_t *ctx, const child_answer_t *answer)
{
    inquiry_roll_t *roll = inquiry->roll;
    char why[TRP_REASON_LINE_MAX];
    switch (roll->phase) {
    case ROLL_START:
        if (answer->outcome != CHILD_OK) {
            snprintf(why, sizeof(why), "a new worker did not start: %.*s",
                     answer->has_reason ? (int)answer->reason.size : 0,
                     answer->has_reason ? answer->reason.data : "");
            turn_back(inquiry, ctx, why);
            return;
        }
        snprintf(roll->fresh[roll->fresh_count++], sizeof(worker_id_t), "%.*s",
                 (int)answer->id.size, answer->id.data);
        soak(inquiry, ctx);
        break;
    case ROLL_STOP:
        roll->stopped++;
        if (roll->stopped < roll->old_count) {
            start_next(inquiry, ctx);
        } else {
            soak(inquiry, ctx);
        }
        break;
    case ROLL_COMMIT:
        finish(inquiry, ctx);
        break;
    default:
        step_back(inquiry, ctx);
    }
}

void inquiry_roll_reply(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_envelope_t *reply)
{
    trp_document_t document;
    trp_fault_t fault;
    children_t children;
    child_answer_t answer;
    if (reply->tag == TAG_SOAKED) {
        inquiry->roll->phase = ROLL_CHECK;
        ask_list(inquiry, ctx);
    } else if (reply->tag == TRP_TAG_CHILDREN &&
               trp_message_unpack(&children_schema, reply, &document, &children, &fault) ==
                   TRP_OK) {
        on_children(inquiry, ctx, &children);
        trp_document_fini(&document);
    } else if (reply->tag == TRP_TAG_CHILD_ANSWER &&
               trp_message_unpack(&child_answer_schema, reply, &document, &answer, &fault) ==
                   TRP_OK) {
        on_answer(inquiry, ctx, &answer);
        trp_document_fini(&document);
    } else {
        inquiry_fail(inquiry, ctx, "E_UNAVAILABLE",
                     "the pool's supervisor ended, or makes no sense");
    }
}

void inquiry_roll(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    inquiry_roll_t *roll = calloc(1, sizeof(*roll));
    inquiry->roll = roll;
    inquiry->asked = "the pool's supervisor";
    if (roll != NULL) {
        roll->old = calloc(WORKERS_MAX, sizeof(*roll->old));
        roll->fresh = calloc(WORKERS_MAX + 1, sizeof(*roll->fresh));
    }
    if (roll == NULL || roll->old == NULL || roll->fresh == NULL) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "no memory");
        return;
    }
    if (!request->has_pool) {
        inquiry_fail(inquiry, ctx, "E_BAD_REQUEST", "roll needs pool, the name of one");
        return;
    }
    snprintf(roll->supervisor, sizeof(roll->supervisor), "pool.%.*s", (int)request->pool.size,
             request->pool.data);
    if (trp_pid_is_none(trp_whereis(ctx, roll->supervisor))) {
        inquiry_fail(inquiry, ctx, "E_NOT_FOUND", "no pool `%.*s`", (int)request->pool.size,
                     request->pool.data);
        return;
    }
    roll->has_program = request->has_program;
    if (request->has_program) {
        snprintf(roll->program, sizeof(roll->program), "%.*s", (int)request->program.size,
                 request->program.data);
    }
    ask_list(inquiry, ctx);
}
