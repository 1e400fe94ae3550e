/* SPDX-License-Identifier: MIT */
/* What binds actors to each other holds in every place: links, monitors, names, requests with their
 * limits and answers, deadlines, forwarding, room. Each story is told in each place. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "runtime/letter.h"
#include "tests/contract/place_story.h"

enum {
    TAG_ECHO = 0x1000, /* answers */
    TAG_FAIL,          /* its handler fails with TRP_PAYLOAD */
    TAG_LEAVE,         /* stops: normal */
    TAG_LINK,          /* links to the pid, then answers [pid] */
    TAG_LINK_BRIEFLY,  /* ... and unlinks again */
    TAG_WATCH,         /* monitors the pid, then answers [pid] */
    TAG_WATCH_BRIEFLY, /* ... and no more */
    TAG_TRAP,          /* traps exits, then answers */
    TAG_HEARD,         /* what it has heard, told to the asker [trp_reason_t] */
    TAG_TOTAL,         /* answers how often it was told TAG_COUNT, or of an end [u32] */
    TAG_COUNT,
    TAG_NAME,       /* takes the name and answers with the status [text] */
    TAG_NAME_CHILD, /* spawns a child of that name and answers with the status [text] */
    TAG_MUTE,       /* keeps the address of its asker */
    TAG_LATE,       /* answers that one first, then this */
    TAG_ASK_MUTE,   /* asks the asker, who does not answer in time */
    TAG_ASK_ON,     /* asks the asker, no longer than it is asked itself */
    TAG_BLOCK,      /* does not return before the test says so */
    TAG_KILL_SELF,  /* is killed in its handler, and goes on for a while */
    TAG_FORWARD,    /* passes it on to the pid [pid] */
    TAG_ROOM,
};

#define DEPTH    8
#define LIMIT_MS 30
#define LONG_MS  10000

/* ---- the subject ---- */

typedef struct subject {
    trp_reply_address_t kept;
    trp_pid_t asker;
    uint32_t counted;
} subject_t;

static trp_status_t child_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    switch (message->tag) {
    case TAG_FAIL:
        return TRP_PAYLOAD;
    case TAG_LEAVE:
        trp_stop(ctx, NULL);
        return TRP_OK;
    case TAG_ECHO:
    case TAG_FORWARD:
        return trp_reply(ctx, message, TAG_ECHO, NULL, 0);
    default:
        return TRP_OK;
    }
}

static const trp_class_t child_class = {.name = "child", .receive = child_receive};

static trp_pid_t pid_of(const trp_envelope_t *message)
{
    trp_pid_t pid = TRP_PID_NONE;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&pid, data, size < sizeof(pid) ? size : sizeof(pid));
    return pid;
}

static trp_status_t reply_status(trp_ctx_t *ctx, const trp_envelope_t *message, trp_status_t status)
{
    const uint32_t number = (uint32_t)status;
    return trp_reply(ctx, message, message->tag, &number, sizeof(number));
}

static trp_status_t tie(trp_ctx_t *ctx, subject_t *subject, const trp_envelope_t *message)
{
    const trp_pid_t pid = pid_of(message);
    uint64_t ref = 0;
    trp_status_t status = TRP_OK;
    subject->asker = message->from;
    if (message->tag == TAG_LINK || message->tag == TAG_LINK_BRIEFLY) {
        status = trp_link(ctx, pid);
    } else {
        status = trp_monitor(ctx, pid, &ref);
    }
    if (message->tag == TAG_LINK_BRIEFLY) {
        trp_unlink(ctx, pid);
    } else if (message->tag == TAG_WATCH_BRIEFLY) {
        trp_demonitor(ctx, ref);
    }
    return status == TRP_OK ? trp_reply(ctx, message, message->tag, NULL, 0) : status;
}

static trp_status_t name_itself(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    char name[TRP_NAME_MAX] = "";
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(name, data, size < sizeof(name) ? size : sizeof(name) - 1);
    trp_pid_t pid;
    const trp_spawn_t spawn = {.class = &child_class, .name = name};
    return reply_status(ctx, message,
                        message->tag == TAG_NAME ? trp_register(ctx, name)
                                                 : trp_spawn(ctx, &spawn, &pid));
}

static trp_status_t tell(trp_ctx_t *ctx, subject_t *subject, const trp_reason_t *reason)
{
    subject->counted++;
    return trp_send(ctx, subject->asker, TAG_HEARD, reason, sizeof(*reason));
}

static trp_status_t answer_late(trp_ctx_t *ctx, const subject_t *subject,
                                const trp_envelope_t *message)
{
    zmq_msg_t nothing;
    zmq_msg_init(&nothing);
    const trp_status_t status = trp_reply_to(ctx, subject->kept, TAG_MUTE, &nothing);
    zmq_msg_close(&nothing);
    return status == TRP_OK ? trp_reply(ctx, message, TAG_LATE, NULL, 0) : status;
}

static trp_status_t ask_back(trp_ctx_t *ctx, subject_t *subject, const trp_envelope_t *message)
{
    uint64_t id;
    const bool is_mute = message->tag == TAG_ASK_MUTE;
    const trp_request_t request = {.to = message->from,
                                   .tag = message->tag,
                                   .timeout_ms = is_mute ? LIMIT_MS : 10 * LONG_MS,
                                   .inherit = !is_mute};
    subject->asker = message->from;
    subject->kept = trp_reply_address(message);
    return trp_request(ctx, &request, &id);
}

/* The kill comes while it works, and what it does then still counts. */
static trp_status_t be_killed(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    const trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, trp_self(ctx), &reason);
    return trp_send(ctx, message->from, TAG_HEARD, &reason, sizeof(reason));
}

static trp_status_t on_question(trp_ctx_t *ctx, subject_t *subject, const trp_envelope_t *message)
{
    switch (message->tag) {
    case TAG_TRAP:
        subject->asker = message->from;
        trp_trap_exit(ctx, true);
        return trp_reply(ctx, message, TAG_TRAP, NULL, 0);
    case TAG_TOTAL:
        return trp_reply(ctx, message, TAG_TOTAL, &subject->counted, sizeof(subject->counted));
    case TAG_MUTE:
        subject->kept = trp_reply_address(message);
        return TRP_OK;
    case TAG_LATE:
        return answer_late(ctx, subject, message);
    case TAG_ASK_MUTE:
    case TAG_ASK_ON:
        return ask_back(ctx, subject, message);
    case TAG_FORWARD:
        return trp_forward(ctx, message, pid_of(message));
    case TAG_KILL_SELF:
        return be_killed(ctx, message);
    case TAG_NAME:
    case TAG_NAME_CHILD:
        return name_itself(ctx, message);
    default:
        return child_receive(ctx, subject, message);
    }
}

static trp_status_t subject_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    subject_t *subject = state;
    const trp_reason_t late = trp_reason(TRP_REASON_NORMAL, 0, "in time");
    trp_reason_t reason;
    switch (message->tag) {
    case TAG_LINK:
    case TAG_LINK_BRIEFLY:
    case TAG_WATCH:
    case TAG_WATCH_BRIEFLY:
        return tie(ctx, subject, message);
    case TRP_TAG_EXIT:
    case TRP_TAG_DOWN:
        reason = reason_of(message);
        return tell(ctx, subject, &reason);
    case TRP_TAG_TIMEOUT:
        return tell(ctx, subject, &late);
    case TAG_COUNT:
        subject->counted++;
        return TRP_OK;
    case TAG_BLOCK:
        set_step(1);
        wait_for_step(2);
        return TRP_OK;
    default:
        return on_question(ctx, subject, message);
    }
}

static void subject_terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    (void)state;
    (void)reason;
    atomic_fetch_add(&page->terminations, 1);
}

static const trp_class_t subject_class = {.name = "subject",
                                          .state_size = sizeof(subject_t),
                                          .receive = subject_receive,
                                          .terminate = subject_terminate};

/* ---- what is asked of it; asker->child is its partner, an actor of the pool ---- */

static bool ask_of(trp_ctx_t *ctx, asker_t *asker, uint16_t tag, const void *data, size_t size)
{
    const trp_request_t request = {.to = asker->subject, .tag = tag, .data = data, .size = size};
    return trp_request(ctx, &request, &asker->request) == TRP_OK;
}

static bool spawn_partner(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_spawn_t spawn = {
        .class = &child_class, .monitor = true, .monitor_ref = &asker->child_ref};
    return trp_spawn(ctx, &spawn, &asker->child) == TRP_OK;
}

/* Begins with a partner that the subject is told of. */
static int with_partner(trp_ctx_t *ctx, asker_t *asker, uint16_t tag)
{
    return spawn_partner(ctx, asker) && ask_of(ctx, asker, tag, &asker->child, sizeof(asker->child))
               ? ON
               : NODE_FAILED;
}

static int go_on(bool well)
{
    return well ? ON : NODE_FAILED;
}

static bool send_to(trp_ctx_t *ctx, trp_pid_t pid, uint16_t tag)
{
    return trp_send(ctx, pid, tag, NULL, 0) == TRP_OK;
}

static bool is_partner_down(const trp_envelope_t *message, const asker_t *asker)
{
    return message->tag == TRP_TAG_DOWN && message->request_id == asker->child_ref;
}

static bool is_payload_error(const trp_envelope_t *message)
{
    const trp_reason_t reason = reason_of(message);
    return reason.kind == TRP_REASON_ERROR && reason.code == TRP_PAYLOAD;
}

/* ---- links ---- */

static int link_started(trp_ctx_t *ctx, asker_t *asker)
{
    return with_partner(ctx, asker, TAG_LINK);
}

static int partner_fails(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_LINK) {
        return go_on(send_to(ctx, asker->child, TAG_FAIL));
    }
    if (is_partner_down(message, asker)) {
        return ON;
    }
    return verdict(is_down(message, asker, TRP_REASON_ERROR) && is_payload_error(message) &&
                   atomic_load(&page->terminations) == 1);
}

static int partner_leaves(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_LINK) {
        return go_on(send_to(ctx, asker->child, TAG_LEAVE));
    }
    if (is_partner_down(message, asker)) {
        return go_on(ask(ctx, asker, TAG_ECHO));
    }
    return verdict(message->tag == TAG_ECHO);
}

static int briefly_started(trp_ctx_t *ctx, asker_t *asker)
{
    return with_partner(ctx, asker, TAG_LINK_BRIEFLY);
}

static int briefly_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_LINK_BRIEFLY) {
        return go_on(send_to(ctx, asker->child, TAG_FAIL));
    }
    if (is_partner_down(message, asker)) {
        return go_on(ask(ctx, asker, TAG_ECHO));
    }
    return verdict(message->tag == TAG_ECHO);
}

static int takes_partner(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_LINK) {
        return go_on(send_to(ctx, asker->subject, TAG_FAIL));
    }
    if (is_down(message, asker, TRP_REASON_ERROR)) {
        return ON;
    }
    return verdict(is_partner_down(message, asker) && is_payload_error(message));
}

/* The partner has ended when the subject hears of it. */
static int dead_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(spawn_partner(ctx, asker) && send_to(ctx, asker->child, TAG_LEAVE));
}

static int links_to_the_dead(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (is_partner_down(message, asker)) {
        return go_on(ask_of(ctx, asker, TAG_LINK, &asker->child, sizeof(asker->child)));
    }
    return message->tag == TAG_LINK ? ON : verdict(is_down(message, asker, TRP_REASON_NO_PROCESS));
}

static int trap_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(ask(ctx, asker, TAG_TRAP));
}

static int traps(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    switch (message->tag) {
    case TAG_TRAP:
        return with_partner(ctx, asker, TAG_LINK);
    case TAG_LINK:
        return go_on(send_to(ctx, asker->child, TAG_FAIL));
    case TAG_HEARD:
        return go_on(is_payload_error(message) && ask(ctx, asker, TAG_ECHO));
    case TAG_ECHO:
        return NODE_PASSED;
    default:
        return go_on(is_partner_down(message, asker));
    }
}

/* ---- monitors ---- */

static int watch_started(trp_ctx_t *ctx, asker_t *asker)
{
    return with_partner(ctx, asker, TAG_WATCH);
}

static int watches(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    switch (message->tag) {
    case TAG_WATCH:
        return go_on(send_to(ctx, asker->child, TAG_FAIL));
    case TAG_HEARD:
        return verdict(is_payload_error(message));
    default:
        return go_on(is_partner_down(message, asker));
    }
}

static int watches_the_dead(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (is_partner_down(message, asker)) {
        return go_on(ask_of(ctx, asker, TAG_WATCH, &asker->child, sizeof(asker->child)));
    }
    if (message->tag == TAG_WATCH) {
        return ON;
    }
    return verdict(message->tag == TAG_HEARD && reason_of(message).kind == TRP_REASON_NO_PROCESS);
}

static int watch_briefly_started(trp_ctx_t *ctx, asker_t *asker)
{
    return with_partner(ctx, asker, TAG_WATCH_BRIEFLY);
}

static int watch_briefly_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_WATCH_BRIEFLY) {
        return go_on(send_to(ctx, asker->child, TAG_FAIL));
    }
    if (is_partner_down(message, asker)) {
        return go_on(ask(ctx, asker, TAG_TOTAL));
    }
    return verdict(message->tag == TAG_TOTAL && number_of(message) == 0);
}

/* ---- names ---- */

static int name_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(ask_of(ctx, asker, TAG_NAME, "nick", 4));
}

static int named(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    trp_pid_t pid;
    const trp_spawn_t twin = {.class = &child_class, .name = "nick"};
    if (message->tag == TAG_NAME) {
        return go_on(number_of(message) == TRP_OK &&
                     trp_pid_equal(trp_whereis(ctx, "nick"), asker->subject) &&
                     trp_spawn(ctx, &twin, &pid) == TRP_EXISTS &&
                     send_to(ctx, asker->subject, TAG_LEAVE));
    }
    return verdict(is_down(message, asker, TRP_REASON_NORMAL) &&
                   trp_pid_is_none(trp_whereis(ctx, "nick")));
}

static int taken_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(ask_of(ctx, asker, TAG_NAME, "driver", 6)); /* it is the asker's */
}

/* It keeps none of it, and may have another. */
static int taken_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_NAME && asker->sent++ == 0) {
        return go_on(number_of(message) == TRP_EXISTS &&
                     trp_pid_equal(trp_whereis(ctx, "driver"), trp_self(ctx)) &&
                     ask_of(ctx, asker, TAG_NAME, "nick", 4));
    }
    return verdict(message->tag == TAG_NAME && number_of(message) == TRP_OK);
}

static int name_child_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(ask_of(ctx, asker, TAG_NAME_CHILD, "kid", 3));
}

static bool ask_kid(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_request_t request = {.to = asker->child, .tag = TAG_ECHO};
    asker->child = trp_whereis(ctx, "kid");
    return !trp_pid_is_none(asker->child) &&
           trp_request(ctx, &(trp_request_t){.to = asker->child, .tag = request.tag},
                       &asker->request) == TRP_OK &&
           trp_monitor(ctx, asker->child, &asker->child_ref) == TRP_OK;
}

static int child_named(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_NAME_CHILD && asker->sent++ == 0) {
        return go_on(number_of(message) == TRP_OK && ask_kid(ctx, asker));
    }
    if (message->tag == TAG_ECHO) {
        return go_on(send_to(ctx, asker->child, TAG_LEAVE));
    }
    if (is_partner_down(message, asker)) {
        return go_on(trp_pid_is_none(trp_whereis(ctx, "kid")) &&
                     ask_of(ctx, asker, TAG_NAME_CHILD, "driver", 6));
    }
    return verdict(message->tag == TAG_NAME_CHILD && number_of(message) == TRP_EXISTS);
}

/* ---- requests ---- */

static int mute_started(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_request_t request = {.to = asker->subject, .tag = TAG_MUTE, .timeout_ms = LIMIT_MS};
    return go_on(trp_request(ctx, &request, &asker->request) == TRP_OK);
}

static int late_answer(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TRP_TAG_TIMEOUT && message->request_id == asker->request) {
        return go_on(ask_of(ctx, asker, TAG_LATE, NULL, 0));
    }
    return verdict(message->tag == TAG_LATE && message->request_id == asker->request);
}

static int ask_mute_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(send_to(ctx, asker->subject, TAG_ASK_MUTE));
}

/* The answer that the subject has stopped to wait for is not seen by it. */
static int asked_mute(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    static trp_reply_address_t owed;
    zmq_msg_t nothing;
    switch (message->tag) {
    case TAG_ASK_MUTE:
        owed = trp_reply_address(message);
        return ON;
    case TAG_HEARD:
        zmq_msg_init(&nothing);
        return go_on(trp_reply_to(ctx, owed, TAG_COUNT, &nothing) == TRP_OK &&
                     ask(ctx, asker, TAG_TOTAL));
    default:
        return verdict(message->tag == TAG_TOTAL && number_of(message) == 1);
    }
}

static int cancel_started(trp_ctx_t *ctx, asker_t *asker)
{
    if (!ask_of(ctx, asker, TAG_ECHO, NULL, 0)) {
        return NODE_FAILED;
    }
    trp_request_cancel(ctx, asker->request);
    return go_on(ask_of(ctx, asker, TAG_TOTAL, NULL, 0));
}

static int cancel_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    return verdict(message->tag == TAG_TOTAL && message->request_id == asker->request);
}

static int owing_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(ask_of(ctx, asker, TAG_MUTE, NULL, 0) && send_to(ctx, asker->subject, TAG_FAIL));
}

static int owing_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    if (is_down(message, asker, TRP_REASON_ERROR)) {
        return ON; /* its monitor speaks as well */
    }
    return verdict(message->tag == TRP_TAG_DOWN && message->request_id == asker->request &&
                   is_payload_error(message));
}

static int forward_started(trp_ctx_t *ctx, asker_t *asker)
{
    return with_partner(ctx, asker, TAG_FORWARD);
}

static int forward_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    return verdict(message->tag == TAG_ECHO && message->request_id == asker->request &&
                   trp_pid_equal(message->from, asker->child));
}

/* ---- deadlines ---- */

static int ask_on_started(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_request_t request = {.to = asker->subject, .tag = TAG_ASK_ON, .timeout_ms = LONG_MS};
    return go_on(trp_request(ctx, &request, &asker->request) == TRP_OK);
}

static int asked_on(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)asker;
    const int64_t left_ns = trp_time_left_ns(ctx, message);
    return verdict(message->tag == TAG_ASK_ON && left_ns > 0 && left_ns < LONG_MS * 1000000LL);
}

static int expired_started(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_request_t request = {.to = asker->subject, .tag = TAG_COUNT, .timeout_ms = LIMIT_MS};
    if (!send_to(ctx, asker->subject, TAG_BLOCK)) {
        return NODE_FAILED;
    }
    wait_for_step(1);
    return go_on(trp_request(ctx, &request, &asker->request) == TRP_OK);
}

static int expired_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TRP_TAG_TIMEOUT) {
        set_step(2);
        return go_on(ask(ctx, asker, TAG_TOTAL));
    }
    return verdict(message->tag == TAG_TOTAL && number_of(message) == 0);
}

/* ---- force, and room ---- */

static int killed_started(trp_ctx_t *ctx, asker_t *asker)
{
    return go_on(send_to(ctx, asker->subject, TAG_KILL_SELF) &&
                 ask_of(ctx, asker, TAG_TOTAL, NULL, 0));
}

/* What it sent is not lost, what came behind is not handled. */
static int killed_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    if (message->tag == TAG_HEARD) {
        asker->sent++;
        return ON;
    }
    if (is_down(message, asker, TRP_REASON_KILLED)) {
        return verdict(asker->sent == 1 && atomic_load(&page->terminations) == 0);
    }
    return go_on(message->tag == TRP_TAG_DOWN && message->request_id == asker->request);
}

static int room_started(trp_ctx_t *ctx, asker_t *asker)
{
    trp_status_t status = TRP_OK;
    for (uint32_t i = 0; i < 4 * DEPTH && status == TRP_OK; i++) {
        status = trp_send(ctx, asker->subject, TAG_COUNT, NULL, 0);
        asker->sent += status == TRP_OK;
    }
    return go_on(status == TRP_FULL && trp_when_room(ctx, asker->subject, TAG_ROOM) == TRP_OK);
}

static int room_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_ROOM) {
        return go_on(trp_pid_equal(message->from, asker->subject) && ask(ctx, asker, TAG_TOTAL));
    }
    return verdict(message->tag == TAG_TOTAL && number_of(message) == asker->sent);
}

static const story_t stories[] = {
    {.text = "its partner's failure ends it", .started = link_started, .told = partner_fails},
    {.text = "its partner's normal end does not", .started = link_started, .told = partner_leaves},
    {.text = "a link that has ended does not", .started = briefly_started, .told = briefly_told},
    {.text = "its failure ends its partner", .started = link_started, .told = takes_partner},
    {.text = "a link to the dead ends it", .started = dead_started, .told = links_to_the_dead},
    {.text = "it traps its partner's failure", .started = trap_started, .told = traps},
    {.text = "its monitor hears why", .started = watch_started, .told = watches},
    {.text = "its monitor of the dead hears at once",
     .started = dead_started,
     .told = watches_the_dead},
    {.text = "its monitor that has ended hears nothing",
     .started = watch_briefly_started,
     .told = watch_briefly_told},
    {.text = "the name that it takes is the node's", .started = name_started, .told = named},
    {.text = "a name that is taken is refused to it", .started = taken_started, .told = taken_told},
    {.text = "names of what it spawns are the node's",
     .started = name_child_started,
     .told = child_named},
    {.text = "an answer after the limit is not seen", .started = mute_started, .told = late_answer},
    {.text = "nor by it", .started = ask_mute_started, .told = asked_mute},
    {.text = "a request that is cancelled is forgotten",
     .started = cancel_started,
     .told = cancel_told},
    {.text = "who waits for its answer hears of its end",
     .started = owing_started,
     .told = owing_told},
    {.text = "what it passes on is answered to the first asker",
     .started = forward_started,
     .told = forward_told},
    {.text = "it has no longer than it is given", .started = ask_on_started, .told = asked_on},
    {.text = "what has expired is not handled",
     .not_in_pool = true,
     .started = expired_started,
     .told = expired_told},
    {.text = "a kill in its handler waits for the handler",
     .started = killed_started,
     .told = killed_told},
    {.text = "who was refused hears of room",
     .spawn = {.depth_max = DEPTH},
     .started = room_started,
     .told = room_told},
};

static const book_t book = {
    .stories = stories, .count = sizeof(stories) / sizeof(stories[0]), .subject = &subject_class};

ParameterizedTestParameters(place_bonds, the_same_story_in_every_place)
{
    static size_t numbers[STORY_NUMBERS];
    const size_t count = story_numbers(&book, numbers);
    return cr_make_param_array(size_t, numbers, count);
}

ParameterizedTest(const size_t *number, place_bonds, the_same_story_in_every_place, .timeout = 20)
{
    story_tell(&book, *number);
}
