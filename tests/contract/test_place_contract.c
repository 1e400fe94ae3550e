/* SPDX-License-Identifier: MIT */
/* What every place must do: the same actor, the same words to it, the same end, wherever it runs.
 * Each row is run in each place. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "tests/runtime/node/node_fixture.h"

enum {
    TAG_ECHO = 0x1000,
    TAG_FAIL,  /* its handler fails */
    TAG_DONE,  /* it stops by itself, with a reason of its own */
    TAG_SELF,  /* answers with its own pid */
    TAG_LATER, /* answers when a timer fires */
    TAG_TRAP,  /* traps exits and answers; tells the asker of the first one */
    TAG_MUTE,  /* answers nothing */
    TAG_LINK,  /* links to the asker, then fails */
    TAG_TICK,
    TAG_CANCEL,
    TAG_UNLINK,
};

typedef struct row {
    const char *text;
    const char *args;
    uint16_t ask;             /* asked of it when it has started; 0: nothing */
    trp_reason_kind_t exit;   /* sent to it when it has answered; NORMAL: nothing */
    uint16_t tag;             /* what the asker gets then ... */
    trp_reason_kind_t reason; /* ... with this, when it is EXIT or DOWN */
    int32_t code;
} row_t;

static const row_t rows[] = {
    {.text = "a request is answered", .ask = TAG_ECHO, .tag = TAG_ECHO},
    {.text = "it is known by the pid that its spawner got", .ask = TAG_SELF, .tag = TAG_SELF},
    {.text = "its timers fire", .ask = TAG_LATER, .tag = TAG_LATER},
    {.text = "a timer that was cancelled does not fire", .ask = TAG_CANCEL, .tag = TAG_LATER},
    {.text = "a request without an answer times out", .ask = TAG_MUTE, .tag = TRP_TAG_TIMEOUT},
    {.text = "a failed handler ends it with its status",
     .ask = TAG_FAIL,
     .tag = TRP_TAG_DOWN,
     .reason = TRP_REASON_ERROR,
     .code = TRP_PAYLOAD},
    {.text = "its own reason to stop is the reason",
     .ask = TAG_DONE,
     .tag = TRP_TAG_DOWN,
     .reason = TRP_REASON_SHUTDOWN},
    {.text = "a failed init is a failed start",
     .args = "fail",
     .tag = TRP_TAG_DOWN,
     .reason = TRP_REASON_START_FAILED,
     .code = TRP_DENIED},
    {.text = "a shutdown ends it",
     .exit = TRP_REASON_SHUTDOWN,
     .tag = TRP_TAG_DOWN,
     .reason = TRP_REASON_SHUTDOWN},
    {.text = "a kill ends it",
     .exit = TRP_REASON_KILLED,
     .tag = TRP_TAG_DOWN,
     .reason = TRP_REASON_KILLED},
    {.text = "a shutdown can be trapped",
     .ask = TAG_TRAP,
     .exit = TRP_REASON_SHUTDOWN,
     .tag = TAG_TRAP},
    {.text = "a kill can't be trapped",
     .ask = TAG_TRAP,
     .exit = TRP_REASON_KILLED,
     .tag = TRP_TAG_DOWN,
     .reason = TRP_REASON_KILLED},
    {.text = "who it links to hears of its end",
     .ask = TAG_LINK,
     .tag = TRP_TAG_EXIT,
     .reason = TRP_REASON_ERROR,
     .code = TRP_FAILED},
    {.text = "who it has unlinked from hears only what its monitor says",
     .ask = TAG_UNLINK,
     .tag = TRP_TAG_DOWN,
     .reason = TRP_REASON_ERROR,
     .code = TRP_FAILED},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- the actor ---- */

typedef struct subject {
    trp_reply_address_t asker;
    trp_pid_t told;
    uint64_t timer;
} subject_t;

static trp_status_t subject_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    (void)state;
    return args == NULL ? TRP_OK : TRP_DENIED;
}

static trp_status_t answer_later(trp_ctx_t *ctx, subject_t *subject)
{
    zmq_msg_t nothing;
    zmq_msg_init(&nothing);
    const trp_status_t status = trp_reply_to(ctx, subject->asker, TAG_LATER, &nothing);
    zmq_msg_close(&nothing);
    return status;
}

/* Of two timers the first is cancelled; the second says that the time of both has passed. */
static trp_status_t begin_and_cancel(trp_ctx_t *ctx, subject_t *subject,
                                     const trp_envelope_t *message)
{
    uint64_t first = 0;
    subject->asker = trp_reply_address(message);
    trp_status_t status = trp_timer_start(ctx, 1, 0, TAG_TICK, &first);
    trp_timer_cancel(ctx, first);
    return status == TRP_OK ? trp_timer_start(ctx, 5, 0, TAG_TICK, &subject->timer) : status;
}

static trp_status_t subject_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    subject_t *subject = state;
    const trp_pid_t self = trp_self(ctx);
    const trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, "its own");
    switch (message->tag) {
    case TAG_FAIL:
        return TRP_PAYLOAD;
    case TAG_DONE:
        trp_stop(ctx, &reason);
        return TRP_OK;
    case TAG_SELF:
        return trp_reply(ctx, message, TAG_SELF, &self, sizeof(self));
    case TAG_LATER:
        subject->asker = trp_reply_address(message);
        return trp_timer_start(ctx, 2, 0, TAG_TICK, &subject->timer);
    case TAG_CANCEL:
        return begin_and_cancel(ctx, subject, message);
    case TAG_TICK:
        /* fired by a timer that was cancelled it ends itself instead */
        return message->request_id == subject->timer ? answer_later(ctx, subject) : TRP_STATE;
    case TAG_TRAP:
        subject->told = message->from;
        trp_trap_exit(ctx, true);
        return trp_reply(ctx, message, TAG_ECHO, NULL, 0);
    case TRP_TAG_EXIT:
        return trp_send(ctx, subject->told, TAG_TRAP, NULL, 0);
    case TAG_LINK:
        return trp_link(ctx, message->from) == TRP_OK ? TRP_FAILED : TRP_STATE;
    case TAG_UNLINK:
        (void)!trp_link(ctx, message->from);
        trp_unlink(ctx, message->from);
        return TRP_FAILED;
    case TAG_ECHO:
        return trp_reply(ctx, message, TAG_ECHO, NULL, 0);
    default:
        return TRP_OK;
    }
}

static const trp_class_t subject_class = {.name = "subject",
                                          .version = 1,
                                          .state_size = sizeof(subject_t),
                                          .init = subject_init,
                                          .receive = subject_receive};

static const trp_class_t *const worker_classes[] = {&subject_class, NULL};

/* ---- who asks ---- */

typedef struct asker {
    trp_pid_t subject;
    uint64_t ref;
} asker_t;

static const row_t *row;
static trp_place_t place;

static trp_status_t asker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    asker_t *asker = state;
    const trp_spawn_t spawn = {.class = &subject_class,
                               .place = place,
                               .args = row->args,
                               .args_size = row->args == NULL ? 0 : strlen(row->args),
                               .monitor = true,
                               .monitor_ref = &asker->ref,
                               .ack = true};
    trp_trap_exit(ctx, true);
    return trp_spawn(ctx, &spawn, &asker->subject);
}

static trp_status_t ask(trp_ctx_t *ctx, const asker_t *asker)
{
    uint64_t id;
    const trp_request_t request = {.to = asker->subject, .tag = row->ask, .timeout_ms = 300};
    if (row->tag == TRP_TAG_DOWN || row->tag == TRP_TAG_EXIT) {
        return row->exit != TRP_REASON_NORMAL /* then it answers; else it ends */
                   ? trp_request(ctx, &request, &id)
                   : trp_send(ctx, asker->subject, row->ask, NULL, 0);
    }
    return trp_request(ctx, &request, &id);
}

static void send_exit(trp_ctx_t *ctx, const asker_t *asker)
{
    const trp_reason_t reason = trp_reason(row->exit, 0, NULL);
    trp_exit(ctx, asker->subject, &reason);
}

static bool is_wanted(const asker_t *asker, const trp_envelope_t *message)
{
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag != row->tag) {
        return false;
    }
    if (message->tag == TAG_SELF) {
        return size == sizeof(trp_pid_t) && memcmp(data, &asker->subject, size) == 0;
    }
    if (message->tag != TRP_TAG_DOWN && message->tag != TRP_TAG_EXIT) {
        return true;
    }
    trp_reason_t reason;
    memcpy(&reason, data, sizeof(reason));
    return trp_pid_equal(message->from, asker->subject) && reason.kind == row->reason &&
           reason.code == row->code;
}

static trp_status_t asker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const asker_t *asker = state;
    if (message->tag == TRP_TAG_STARTED && row->ask != 0) {
        return ask(ctx, asker);
    }
    if (row->exit != TRP_REASON_NORMAL &&
        (message->tag == TRP_TAG_STARTED || message->tag == TAG_ECHO)) {
        send_exit(ctx, asker);
        return TRP_OK;
    }
    if (row->tag == TRP_TAG_EXIT && message->tag == TRP_TAG_DOWN) {
        return TRP_OK; /* its monitor speaks as well */
    }
    const bool passed = is_wanted(asker, message);
    if (!passed) {
        fprintf(stderr, "place %d: %s: not with message %#x\n", (int)place, row->text,
                message->tag);
    }
    node_end(runtime_of(ctx), passed ? NODE_PASSED : NODE_FAILED);
    return TRP_OK;
}

static const trp_class_t asker_class = {.name = "asker",
                                        .version = 1,
                                        .state_size = sizeof(asker_t),
                                        .init = asker_init,
                                        .receive = asker_receive};

ParameterizedTestParameters(place_contract, the_same_words_have_the_same_effect_in_every_place)
{
    static size_t numbers[ROWS * TRP_PLACE_COUNT];
    for (size_t i = 0; i < ROWS * TRP_PLACE_COUNT; i++) {
        numbers[i] = i;
    }
    return cr_make_param_array(size_t, numbers, ROWS * TRP_PLACE_COUNT);
}

ParameterizedTest(const size_t *number, place_contract,
                  the_same_words_have_the_same_effect_in_every_place, .timeout = 20)
{
    row = &rows[*number % ROWS];
    place = (trp_place_t)(*number / ROWS);

    cr_expect_eq(node_fixture_drive(&asker_class, worker_classes), NODE_PASSED, "place %d: %s",
                 (int)place, row->text);
}
