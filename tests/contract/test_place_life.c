/* SPDX-License-Identifier: MIT */
/* What every place must do when it takes more than one word: order, bounds, requests both ways,
 * names, large payloads, late readiness, force. Each story is told in each place. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/offload.h"
#include "tests/contract/place_story.h"

enum {
    TAG_COUNT = 0x1000, /* counted, in order [u32] */
    TAG_TOTAL,          /* answers how many were counted in order */
    TAG_BLOCK,          /* does not return before the test says so */
    TAG_STUCK,          /* the same; then it tries to send */
    TAG_ASK,            /* asks the asker back and answers with its answer */
    TAG_ECHO,           /* answers with the same bytes */
    TAG_DEFER,          /* put off until TAG_OPEN, then counted [u32] */
    TAG_OPEN,
    TAG_CHILD, /* spawns an actor and answers with its pid */
    TAG_GO_ON, /* answers after it gave way 10 times */
    TAG_IDLE,  /* answers when nothing has come for a while */
    TAG_LEAVE, /* stops */
    TAG_JOIN,  /* joins "news.*" with a child, answers with what it sees of the node [sight_t] */
    TAG_NEWS,  /* published by the asker: answered by a publication of TAG_BACK */
    TAG_BACK,
    TAG_AWAY, /* has a blocking call made elsewhere and answers with its result */
    TAG_NEXT,
};

#define DEPTH 8
#define MANY  2000
#define LARGE (1u << 20)

/* ---- the subject ---- */

typedef struct subject {
    uint32_t counted;
    bool open;
    uint32_t pieces;
    trp_reply_address_t asker;
    uint64_t timer;
} subject_t;

static trp_status_t subject_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    subject_t *subject = state;
    if (args == NULL) {
        return TRP_OK;
    }
    const trp_status_t status = trp_timer_start(ctx, 5, 0, TAG_NEXT, &subject->timer);
    return status == TRP_OK ? TRP_PENDING : status;
}

static trp_status_t count(subject_t *subject, const trp_envelope_t *message)
{
    uint32_t number = 0;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&number, data, sizeof(number));
    if (number != subject->counted) {
        return TRP_STATE;
    }
    subject->counted++;
    return TRP_OK;
}

static trp_status_t answer(trp_ctx_t *ctx, const subject_t *subject, uint16_t tag)
{
    zmq_msg_t nothing;
    zmq_msg_init(&nothing);
    const trp_status_t status = trp_reply_to(ctx, subject->asker, tag, &nothing);
    zmq_msg_close(&nothing);
    return status;
}

static trp_status_t child_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

static const trp_class_t child_class = {.name = "child", .receive = child_receive};

static trp_status_t spawn_child(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_pid_t pid;
    const trp_spawn_t spawn = {.class = &child_class};
    const trp_status_t status = trp_spawn(ctx, &spawn, &pid);
    return status == TRP_OK ? trp_reply(ctx, message, TAG_CHILD, &pid, sizeof(pid)) : status;
}

static trp_status_t go_on(trp_ctx_t *ctx, subject_t *subject)
{
    return ++subject->pieces < 10 ? trp_continue(ctx, TAG_NEXT, NULL, 0)
                                  : answer(ctx, subject, TAG_GO_ON);
}

static trp_status_t ask_back(trp_ctx_t *ctx, subject_t *subject, const trp_envelope_t *message)
{
    uint64_t id;
    const trp_request_t request = {.to = message->from, .tag = TAG_ASK};
    subject->asker = trp_reply_address(message);
    return trp_request(ctx, &request, &id);
}

/* What the subject sees of the node's names and groups. */
typedef struct sight {
    trp_pid_t driver, member;
    uint32_t members;
} sight_t;

static trp_status_t reader_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    return trp_group_join(ctx, "news.a");
}

/* Each of the two behind the link gets one copy; the child publishes it again. */
static trp_status_t reader_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    const trp_publication_t back = {.topic = "news.a", .tag = TAG_BACK};
    return message->tag == TAG_NEWS ? trp_publish(ctx, &back, NULL) : TRP_OK;
}

static const trp_class_t reader_class = {
    .name = "reader", .init = reader_init, .receive = reader_receive};

static trp_status_t join_news(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_pid_t child;
    const trp_spawn_t spawn = {.class = &reader_class, .ack = true};
    const trp_status_t status = trp_group_join(ctx, "news.*");
    return status == TRP_OK && message->request_id != 0 ? trp_spawn(ctx, &spawn, &child) : status;
}

/* The child has joined. */
static trp_status_t tell_sight(trp_ctx_t *ctx, subject_t *subject)
{
    sight_t sight = {.driver = trp_whereis(ctx, "driver")};
    trp_pid_t pids[4];
    sight.members = (uint32_t)trp_members(ctx, "news.a", pids, 4);
    for (uint32_t i = 0; i < sight.members && i < 4; i++) {
        if (trp_pid_equal(pids[i], sight.driver)) {
            sight.member = pids[i];
        }
    }
    return trp_send(ctx, subject->asker.to, TAG_JOIN, &sight, sizeof(sight));
}

/* Blocks until the subject has gone on and says so: its thread is not held up. */
static trp_status_t block(void *argument, zmq_msg_t *result)
{
    const uint32_t answer = *(uint32_t *)argument;
    wait_for_step(1);
    zmq_msg_init_size(result, sizeof(answer));
    memcpy(zmq_msg_data(result), &answer, sizeof(answer));
    return TRP_OK;
}

static trp_status_t send_away(trp_ctx_t *ctx, subject_t *subject, const trp_envelope_t *message)
{
    static uint32_t answer = 42;
    uint64_t id;
    const trp_offload_t job = {.run = block, .argument = &answer, .tag = TAG_AWAY};
    subject->asker = trp_reply_address(message);
    const trp_status_t status = trp_offload(ctx, &job, &id);
    return status == TRP_OK ? trp_continue(ctx, TAG_BACK, NULL, 0) : status;
}

static trp_status_t on_away(trp_ctx_t *ctx, subject_t *subject, const trp_envelope_t *message)
{
    zmq_msg_t result;
    size_t size = 0;
    if ((message->flags & TRP_ENVELOPE_REPLY) == 0) {
        return send_away(ctx, subject, message);
    }
    const void *data = trp_message_data(message, &size);
    zmq_msg_init_size(&result, size);
    memcpy(zmq_msg_data(&result), data, size);
    return trp_reply_to(ctx, subject->asker, TAG_AWAY, &result);
}

static trp_status_t on_work(trp_ctx_t *ctx, subject_t *subject, const trp_envelope_t *message)
{
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    switch (message->tag) {
    case TAG_COUNT:
        return count(subject, message);
    case TAG_DEFER:
        return subject->open ? count(subject, message) : trp_defer(ctx, message, 100, 1000);
    case TAG_OPEN:
        subject->open = true;
        trp_recall(ctx);
        return TRP_OK;
    case TAG_TOTAL:
        return trp_reply(ctx, message, TAG_TOTAL, &subject->counted, sizeof(subject->counted));
    case TAG_ECHO:
        return trp_reply(ctx, message, TAG_ECHO, data, size);
    case TAG_CHILD:
        return spawn_child(ctx, message);
    case TAG_LEAVE:
        trp_stop(ctx, NULL);
        return TRP_OK;
    default:
        return TRP_OK;
    }
}

static trp_status_t subject_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    subject_t *subject = state;
    switch (message->tag) {
    case TAG_BLOCK:
        set_step(1);
        wait_for_step(2);
        return TRP_OK;
    case TAG_STUCK:
        set_step(1);
        wait_for_step(2);
        atomic_store(&page->sent, (int)trp_send(ctx, message->from, TAG_NEXT, NULL, 0));
        set_step(3);
        return TRP_OK;
    case TAG_ASK:
        return (message->flags & TRP_ENVELOPE_REPLY) != 0 ? answer(ctx, subject, TAG_ASK)
                                                          : ask_back(ctx, subject, message);
    case TAG_JOIN:
        subject->asker = trp_reply_address(message);
        return join_news(ctx, message);
    case TRP_TAG_STARTED:
        return tell_sight(ctx, subject);
    case TAG_NEWS:
        subject->counted++;
        return TRP_OK;
    case TAG_AWAY:
        return on_away(ctx, subject, message);
    case TAG_BACK:
        set_step(1);
        return TRP_OK;
    case TAG_GO_ON:
        subject->asker = trp_reply_address(message);
        return go_on(ctx, subject);
    case TAG_IDLE:
        subject->asker = trp_reply_address(message);
        return trp_idle_after(ctx, 8, TRP_TAG_USER + 0x100);
    case TRP_TAG_USER + 0x100:
        return answer(ctx, subject, TAG_IDLE);
    case TAG_NEXT:
        if (subject->pieces > 0) {
            return go_on(ctx, subject);
        }
        trp_ready(ctx);
        return TRP_OK;
    default:
        return on_work(ctx, subject, message);
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
                                          .init = subject_init,
                                          .receive = subject_receive,
                                          .terminate = subject_terminate};

/* ---- what is asked of it ---- */

static int send_many(trp_ctx_t *ctx, asker_t *asker, uint16_t tag, uint32_t many)
{
    for (; asker->sent < many; asker->sent++) {
        if (trp_send(ctx, asker->subject, tag, &asker->sent, sizeof(asker->sent)) != TRP_OK) {
            return NODE_FAILED;
        }
    }
    return ON;
}

/* ---- order ---- */

static int order_started(trp_ctx_t *ctx, asker_t *asker)
{
    const int sent = send_many(ctx, asker, TAG_COUNT, MANY);
    return sent == ON && ask(ctx, asker, TAG_TOTAL) ? ON : NODE_FAILED;
}

static int all_counted(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    return verdict(message->tag == TAG_TOTAL && number_of(message) == asker->sent);
}

/* ---- bounds ---- */

static int bounds_started(trp_ctx_t *ctx, asker_t *asker)
{
    uint32_t room = DEPTH;
    if (place != TRP_PLACE_POOL) { /* there it can't run before this callback returns */
        if (trp_send(ctx, asker->subject, TAG_BLOCK, NULL, 0) != TRP_OK) {
            return NODE_FAILED;
        }
        wait_for_step(1);
        room--; /* what is being handled counts */
    }
    if (send_many(ctx, asker, TAG_COUNT, room) != ON ||
        trp_send(ctx, asker->subject, TAG_COUNT, &room, sizeof(room)) != TRP_FULL) {
        return NODE_FAILED;
    }
    set_step(2);
    trp_status_t status = trp_continue(ctx, TAG_NEXT, NULL, 0);
    return status == TRP_OK ? ON : NODE_FAILED;
}

static int bounds_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag != TAG_NEXT) {
        return all_counted(ctx, asker, message);
    }
    /* It has room again some time; until then it says so. */
    uint64_t id;
    const trp_request_t request = {.to = asker->subject, .tag = TAG_TOTAL};
    trp_status_t status = trp_request(ctx, &request, &id);
    if (status == TRP_FULL) {
        status = trp_continue(ctx, TAG_NEXT, NULL, 0);
    }
    return status == TRP_OK ? ON : NODE_FAILED;
}

/* ---- requests, payloads ---- */

static int ask_started(trp_ctx_t *ctx, asker_t *asker)
{
    return ask(ctx, asker, TAG_ASK) ? ON : NODE_FAILED;
}

static int ask_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)asker;
    if ((message->flags & TRP_ENVELOPE_REPLY) == 0) {
        return trp_reply(ctx, message, TAG_ASK, NULL, 0) == TRP_OK ? ON : NODE_FAILED;
    }
    return verdict(message->tag == TAG_ASK);
}

static int large_started(trp_ctx_t *ctx, asker_t *asker)
{
    uint64_t id;
    unsigned char *bytes = malloc(LARGE);
    for (size_t i = 0; bytes != NULL && i < LARGE; i++) {
        bytes[i] = (unsigned char)(i * 7);
    }
    const trp_request_t request = {
        .to = asker->subject, .tag = TAG_ECHO, .data = bytes, .size = LARGE};
    const bool sent = bytes != NULL && trp_request(ctx, &request, &id) == TRP_OK;
    free(bytes);
    return sent ? ON : NODE_FAILED;
}

static int large_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    (void)asker;
    size_t size = 0;
    const unsigned char *bytes = trp_message_data(message, &size);
    bool same = message->tag == TAG_ECHO && size == LARGE;
    for (size_t i = 0; same && i < size; i++) {
        same = bytes[i] == (unsigned char)(i * 7);
    }
    return verdict(same);
}

/* ---- put off, given way, idle ---- */

static int defer_started(trp_ctx_t *ctx, asker_t *asker)
{
    const int sent = send_many(ctx, asker, TAG_DEFER, 20);
    const bool asked = sent == ON && trp_send(ctx, asker->subject, TAG_OPEN, NULL, 0) == TRP_OK &&
                       ask(ctx, asker, TAG_TOTAL);
    return asked ? ON : NODE_FAILED;
}

static int go_on_started(trp_ctx_t *ctx, asker_t *asker)
{
    return ask(ctx, asker, TAG_GO_ON) ? ON : NODE_FAILED;
}

static int go_on_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    (void)asker;
    return verdict(message->tag == TAG_GO_ON);
}

static int idle_started(trp_ctx_t *ctx, asker_t *asker)
{
    return ask(ctx, asker, TAG_IDLE) ? ON : NODE_FAILED;
}

static int idle_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    (void)asker;
    return verdict(message->tag == TAG_IDLE);
}

/* ---- elsewhere ---- */

static int away_started(trp_ctx_t *ctx, asker_t *asker)
{
    return ask(ctx, asker, TAG_AWAY) ? ON : NODE_FAILED;
}

static int away_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    (void)asker;
    return verdict(message->tag == TAG_AWAY && number_of(message) == 42);
}

/* ---- names ---- */

static int name_started(trp_ctx_t *ctx, asker_t *asker)
{
    trp_pid_t other;
    trp_spawn_t twin = story_now()->spawn;
    twin.class = &subject_class;
    twin.place = place;
    const bool known = trp_pid_equal(trp_whereis(ctx, "the subject"), asker->subject) &&
                       trp_spawn(ctx, &twin, &other) == TRP_EXISTS &&
                       trp_send(ctx, asker->subject, TAG_LEAVE, NULL, 0) == TRP_OK;
    return known ? ON : NODE_FAILED;
}

static int name_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)asker;
    return verdict(message->tag == TRP_TAG_DOWN && reason_of(message).kind == TRP_REASON_NORMAL &&
                   trp_pid_is_none(trp_whereis(ctx, "the subject")));
}

/* ---- groups ---- */

static int groups_started(trp_ctx_t *ctx, asker_t *asker)
{
    return trp_group_join(ctx, "news.a") == TRP_OK && ask(ctx, asker, TAG_JOIN) ? ON : NODE_FAILED;
}

static bool sees_all(trp_ctx_t *ctx, const asker_t *asker, const trp_envelope_t *message)
{
    sight_t sight = {.members = 0};
    trp_pid_t pid;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&sight, data, size < sizeof(sight) ? size : sizeof(sight));
    return trp_pid_equal(sight.driver, trp_self(ctx)) &&
           trp_pid_equal(sight.member, trp_self(ctx)) && sight.members == 2 &&
           trp_members(ctx, "news.a", &pid, 1) == 2 && trp_members(ctx, "news.*", &pid, 1) == 1 &&
           trp_pid_equal(pid, asker->subject);
}

static int groups_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    const trp_publication_t news = {.topic = "news.a", .tag = TAG_NEWS};
    trp_published_t counts;
    trp_pid_t pid;
    if (message->tag == TAG_JOIN) {
        return sees_all(ctx, asker, message) && trp_publish(ctx, &news, &counts) == TRP_OK &&
                       counts.sent == 3
                   ? ON
                   : NODE_FAILED;
    }
    if (message->tag == TAG_NEWS) { /* its own */
        return trp_pid_equal(message->from, trp_self(ctx)) ? ON : NODE_FAILED;
    }
    if (message->tag == TAG_BACK) { /* once: its child is one member */
        asker->sent = 1;
        return ask(ctx, asker, TAG_TOTAL) ? ON : NODE_FAILED;
    }
    if (message->tag == TAG_TOTAL) {
        return number_of(message) == asker->sent &&
                       trp_send(ctx, asker->subject, TAG_LEAVE, NULL, 0) == TRP_OK
                   ? ON
                   : NODE_FAILED;
    }
    /* Its membership has ended with it. */
    return verdict(message->tag == TRP_TAG_DOWN && trp_members(ctx, "news.*", &pid, 1) == 0);
}

/* ---- its own actors ---- */

static int child_started(trp_ctx_t *ctx, asker_t *asker)
{
    return ask(ctx, asker, TAG_CHILD) ? ON : NODE_FAILED;
}

/* In the pool it outlives who spawned it; elsewhere its carrier ends with the subject. */
static int child_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    if (message->tag == TAG_CHILD) {
        size_t size = 0;
        memcpy(&asker->child, trp_message_data(message, &size), sizeof(asker->child));
        const trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
        if (trp_monitor(ctx, asker->child, &asker->child_ref) != TRP_OK) {
            return NODE_FAILED;
        }
        trp_exit(ctx, asker->child, &reason);
        return ON;
    }
    return verdict(message->tag == TRP_TAG_DOWN && message->request_id == asker->child_ref &&
                   reason_of(message).kind == TRP_REASON_SHUTDOWN);
}

/* ---- ends ---- */

static int stop_started(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, asker->subject, &reason);
    return ON;
}

static int stop_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    (void)asker;
    return verdict(message->tag == TRP_TAG_DOWN && atomic_load(&page->terminations) == 1);
}

static int kill_started(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, asker->subject, &reason);
    return ON;
}

static int kill_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    (void)ctx;
    (void)asker;
    return verdict(message->tag == TRP_TAG_DOWN && reason_of(message).kind == TRP_REASON_KILLED &&
                   atomic_load(&page->terminations) == 0);
}

/* Its carrier may be on the way up: it ends like any other, and is not written off. */
static int at_once_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    return verdict(kill_told(ctx, asker, message) == NODE_PASSED &&
                   reason_of(message).text[0] == '\0');
}

static int blocked_started(trp_ctx_t *ctx, asker_t *asker)
{
    if (trp_send(ctx, asker->subject, TAG_STUCK, NULL, 0) != TRP_OK) {
        return NODE_FAILED;
    }
    wait_for_step(1);
    return kill_started(ctx, asker);
}

/* A thread can't be stopped: it is written off, can do nothing any more, and goes when its handler
 * returns. */
static int blocked_told(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message)
{
    const char *text = place == TRP_PLACE_THREAD ? "stuck" : "";
    const uint32_t written_off = runtime_stuck(runtime_of(ctx)).written_off;
    const bool passed = kill_told(ctx, asker, message) == NODE_PASSED &&
                        strcmp(reason_of(message).text, text) == 0 &&
                        written_off == (place == TRP_PLACE_THREAD);
    set_step(2);
    if (place == TRP_PLACE_THREAD) {
        wait_for_step(3);
        return verdict(passed && atomic_load(&page->sent) == TRP_GONE);
    }
    return verdict(passed);
}

static const story_t stories[] = {
    {.text = "order is kept", .started = order_started, .told = all_counted},
    {.text = "a full mailbox refuses and loses nothing",
     .spawn = {.depth_max = DEPTH},
     .started = bounds_started,
     .told = bounds_told},
    {.text = "it asks as it is asked", .started = ask_started, .told = ask_told},
    {.text = "large payloads pass", .started = large_started, .told = large_told},
    {.text = "what it put off comes in order", .started = defer_started, .told = all_counted},
    {.text = "it gives way and goes on", .started = go_on_started, .told = go_on_told},
    {.text = "it hears that it is idle", .started = idle_started, .told = idle_told},
    {.text = "a call that blocks is made elsewhere", .started = away_started, .told = away_told},
    {.text = "its name is the node's, once, while it lives",
     .spawn = {.name = "the subject"},
     .started = name_started,
     .told = name_told},
    {.text = "groups reach over, each member once", .started = groups_started, .told = groups_told},
    {.text = "readiness may come later",
     .spawn = {.args = "later", .args_size = 5},
     .started = stop_started,
     .told = stop_told},
    {.text = "what it spawns is reached, watched and ended",
     .started = child_started,
     .told = child_told},
    {.text = "it terminates once when it is stopped", .started = stop_started, .told = stop_told},
    {.text = "it does not terminate when it is killed", .started = kill_started, .told = kill_told},
    {.text = "a kill ends it before it has begun",
     .killed_at_once = true,
     .started = kill_started,
     .told = at_once_told},
    {.text = "a kill ends it while it blocks",
     .not_in_pool = true,
     .started = blocked_started,
     .told = blocked_told},
};

static const book_t book = {
    .stories = stories, .count = sizeof(stories) / sizeof(stories[0]), .subject = &subject_class};

ParameterizedTestParameters(place_life, the_same_story_in_every_place)
{
    static size_t numbers[STORY_NUMBERS];
    const size_t count = story_numbers(&book, numbers);
    return cr_make_param_array(size_t, numbers, count);
}

ParameterizedTest(const size_t *number, place_life, the_same_story_in_every_place, .timeout = 20)
{
    story_tell(&book, *number);
}
