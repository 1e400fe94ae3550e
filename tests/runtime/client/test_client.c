/* SPDX-License-Identifier: MIT */
/* Clients: threads of the node's process that are no actors. Each story runs in such a thread,
 * against an actor named "driver", and ends the node with its verdict. */
#include "runtime/client.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/client/client_pending.h"
#include "runtime/typed.h"
#include "tests/runtime/node/node_fixture.h"

enum {
    TAG_ECHO = 0x1000, /* answered with the same bytes */
    TAG_MUTE,          /* never answered */
    TAG_LATE,          /* answered after 30 ms */
    TAG_TICK,
    TAG_ASK_ME,  /* asks the sender TAG_ECHO and tells it TAG_THANKS when it is answered */
    TAG_THANKS,  /* [the answer's bytes] */
    TAG_FLOOD,   /* sends so many TAG_DROP back [u32] */
    TAG_DROP,    /* [u32] */
    TAG_NEWS,    /* joined "news.*": published again as "back" */
    TAG_BACK,    /* ... with this */
    TAG_WATCH,   /* monitors the sender; answered */
    TAG_WATCHED, /* asks whether that one has ended, and how; answered when it has */
    TAG_KILL,    /* kills the sender */
    TAG_SPAWN,   /* spawns an actor that ends at its first message; answered with its pid */
    TAG_FULL,    /* spawns one that takes one message and is busy; answered with its pid */
    TAG_MARK,    /* sends a mark back */
};

#define MARK_FIELDS(F)                   \
    F(INT, number, _, 0, 9, "some mark") \
    F(BOOL, good, _, 0, 1, "whether it will do")
TRP_SCHEMA_DECLARE(mark, MARK_FIELDS)
TRP_SCHEMA_DEFINE(mark, TAG_MARK, TRP_SCHEMA_FIXED, MARK_FIELDS, "a mark")

#define FLOOD 5000

/* ---- the driver ---- */

typedef struct driver {
    trp_reply_address_t late, watched;
    uint64_t timer;
    trp_pid_t thanks;
    uint32_t to_send, sent;
    trp_pid_t flooded;
    bool down;
    trp_reason_t reason;
} driver_t;

static trp_status_t short_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    trp_stop(ctx, NULL);
    return TRP_OK;
}

/* Puts off all that it gets: its mailbox stays as full as it is. */
static trp_status_t full_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    return trp_defer(ctx, message, 100, 1000);
}

static const trp_class_t short_class = {.name = "short", .receive = short_receive};
static const trp_class_t full_class = {.name = "full", .receive = full_receive};

static trp_status_t flood(trp_ctx_t *ctx, driver_t *driver)
{
    while (driver->sent < driver->to_send) {
        const trp_status_t status =
            trp_send(ctx, driver->flooded, TAG_DROP, &driver->sent, sizeof(driver->sent));
        if (status != TRP_OK) {
            return status == TRP_FULL ? trp_timer_start(ctx, 1, 0, TAG_FLOOD, &driver->timer)
                                      : status;
        }
        driver->sent++;
    }
    return TRP_OK;
}

static trp_status_t tell_watched(trp_ctx_t *ctx, driver_t *driver)
{
    zmq_msg_t reason;
    if (!driver->down || driver->watched.request_id == 0) {
        return TRP_OK;
    }
    zmq_msg_init_size(&reason, sizeof(driver->reason));
    memcpy(zmq_msg_data(&reason), &driver->reason, sizeof(driver->reason));
    return trp_reply_to(ctx, driver->watched, TAG_WATCHED, &reason);
}

static trp_status_t answer_late(trp_ctx_t *ctx, const driver_t *driver)
{
    zmq_msg_t nothing;
    zmq_msg_init(&nothing);
    return trp_reply_to(ctx, driver->late, TAG_LATE, &nothing);
}

static trp_status_t spawn_for(trp_ctx_t *ctx, const trp_envelope_t *message,
                              const trp_class_t *class, uint32_t depth_max)
{
    trp_pid_t pid;
    const trp_spawn_t spawn = {.class = class, .depth_max = depth_max};
    const trp_status_t status = trp_spawn(ctx, &spawn, &pid);
    return status == TRP_OK ? trp_reply(ctx, message, message->tag, &pid, sizeof(pid)) : status;
}

static trp_status_t on_words(trp_ctx_t *ctx, driver_t *driver, const trp_envelope_t *message)
{
    uint64_t ref;
    const trp_publication_t back = {.topic = "back", .tag = TAG_BACK};
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    const mark_t mark = {.number = 7, .good = true};
    switch (message->tag) {
    case TAG_LATE:
        driver->late = trp_reply_address(message);
        return trp_timer_start(ctx, 30, 0, TAG_TICK, &driver->timer);
    case TAG_TICK:
        return answer_late(ctx, driver);
    case TAG_NEWS:
        return trp_publish(ctx, &back, NULL);
    case TAG_WATCH:
        return trp_monitor(ctx, message->from, &ref) == TRP_OK
                   ? trp_reply(ctx, message, TAG_WATCH, NULL, 0)
                   : TRP_FAILED;
    case TAG_WATCHED:
        driver->watched = trp_reply_address(message);
        return tell_watched(ctx, driver);
    case TAG_KILL:
        trp_exit(ctx, message->from, &killed);
        return TRP_OK;
    case TAG_SPAWN:
        return spawn_for(ctx, message, &short_class, 0);
    case TAG_FULL:
        return spawn_for(ctx, message, &full_class, 1);
    case TAG_MARK:
        return trp_send_as(ctx, message->from, mark, &mark);
    default:
        return TRP_OK;
    }
}

static trp_status_t driver_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    uint64_t id;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    const trp_request_t question = {.to = message->from, .tag = TAG_ECHO};
    switch (message->tag) {
    case TAG_ECHO:
        return (message->flags & TRP_ENVELOPE_REPLY) != 0
                   ? trp_send(ctx, message->from, TAG_THANKS, data, size)
                   : trp_reply(ctx, message, TAG_ECHO, data, size);
    case TAG_ASK_ME:
        return trp_request(ctx, &question, &id);
    case TAG_FLOOD:
        if (size == sizeof(driver->to_send)) {
            memcpy(&driver->to_send, data, size);
            driver->flooded = message->from;
        }
        return flood(ctx, driver);
    case TRP_TAG_DOWN:
        memcpy(&driver->reason, data, sizeof(driver->reason));
        driver->down = true;
        return tell_watched(ctx, driver);
    default:
        return on_words(ctx, driver, message);
    }
}

/* ---- the stories ---- */

typedef struct story {
    const char *text;
    bool (*tell)(trp_client_t *client, trp_pid_t driver);
} story_t;

static trp_status_t call(trp_client_t *client, trp_pid_t to, uint16_t tag,
                         const trp_envelope_t **reply)
{
    const trp_request_t request = {.to = to, .tag = tag};
    return trp_client_call(client, &request, reply);
}

static bool echoes(trp_client_t *client, trp_pid_t driver, const void *data, size_t size)
{
    const trp_envelope_t *reply;
    const trp_request_t request = {.to = driver, .tag = TAG_ECHO, .data = data, .size = size};
    size_t came = 0;
    return trp_client_call(client, &request, &reply) == TRP_OK && reply->tag == TAG_ECHO &&
           memcmp(trp_message_data(reply, &came), data, size) == 0 && came == size;
}

static bool asks(trp_client_t *client, trp_pid_t driver)
{
    static unsigned char large[100000];
    memset(large, 7, sizeof(large));
    return echoes(client, driver, "hello", 5) && echoes(client, driver, large, sizeof(large));
}

static bool is_asked(trp_client_t *client, trp_pid_t driver)
{
    const trp_envelope_t *message;
    size_t size = 0;
    return trp_client_send(client, driver, TAG_ASK_ME, NULL, 0) == TRP_OK &&
           trp_client_receive(client, 5000, &message) == TRP_OK && message->tag == TAG_ECHO &&
           message->request_id != 0 &&
           trp_client_reply(client, message, TAG_ECHO, "I", 1) == TRP_OK &&
           trp_client_receive(client, 5000, &message) == TRP_OK && message->tag == TAG_THANKS &&
           memcmp(trp_message_data(message, &size), "I", 1) == 0;
}

static bool times_out(trp_client_t *client, trp_pid_t driver)
{
    const trp_envelope_t *reply;
    const trp_request_t late = {.to = driver, .tag = TAG_LATE, .timeout_ms = 5};
    return trp_client_call(client, &late, &reply) == TRP_TIMEOUT &&
           trp_client_receive(client, 100, &reply) == TRP_TIMEOUT; /* nor does it come late */
}

static bool asks_many(trp_client_t *client, trp_pid_t driver)
{
    uint64_t ids[50];
    const trp_envelope_t *message;
    for (uint32_t i = 0; i < 50; i++) {
        const trp_request_t request = {
            .to = driver, .tag = TAG_ECHO, .data = &i, .size = sizeof(i)};
        if (trp_client_request(client, &request, &ids[i]) != TRP_OK) {
            return false;
        }
    }
    for (uint32_t i = 0; i < 50; i++) {
        size_t size = 0;
        if (trp_client_receive(client, 5000, &message) != TRP_OK ||
            (message->flags & TRP_ENVELOPE_REPLY) == 0 || message->request_id != ids[i] ||
            memcmp(trp_message_data(message, &size), &i, sizeof(i)) != 0) {
            return false;
        }
    }
    const trp_request_t mute = {.to = driver, .tag = TAG_MUTE, .timeout_ms = 5};
    return trp_client_request(client, &mute, &ids[0]) == TRP_OK &&
           trp_client_receive(client, 5000, &message) == TRP_OK &&
           message->tag == TRP_TAG_TIMEOUT && message->request_id == ids[0];
}

static bool keeps_order_and_what_comes_in_a_call(trp_client_t *client, trp_pid_t driver)
{
    const uint32_t many = FLOOD;
    const trp_envelope_t *message;
    if (trp_client_send(client, driver, TAG_FLOOD, &many, sizeof(many)) != TRP_OK ||
        !echoes(client, driver, "x", 1)) {
        return false;
    }
    for (uint32_t i = 0; i < many; i++) {
        size_t size = 0;
        if (trp_client_receive(client, 5000, &message) != TRP_OK || message->tag != TAG_DROP ||
            memcmp(trp_message_data(message, &size), &i, sizeof(i)) != 0) {
            return false;
        }
    }
    return trp_client_receive(client, 0, &message) == TRP_TIMEOUT;
}

static bool hears_of_the_dead(trp_client_t *client, trp_pid_t driver)
{
    const trp_envelope_t *message;
    trp_pid_t pid;
    uint64_t ref;
    size_t size = 0;
    if (call(client, driver, TAG_SPAWN, &message) != TRP_OK) {
        return false;
    }
    memcpy(&pid, trp_message_data(message, &size), sizeof(pid));
    return trp_client_monitor(client, pid, &ref) == TRP_OK &&
           trp_client_send(client, pid, TAG_MUTE, NULL, 0) == TRP_OK &&
           trp_client_receive(client, 5000, &message) == TRP_OK && message->tag == TRP_TAG_DOWN &&
           message->request_id == ref && trp_pid_equal(message->from, pid) &&
           call(client, pid, TAG_ECHO, &message) == TRP_NOT_FOUND;
}

static bool hears_that_there_is_no_room(trp_client_t *client, trp_pid_t driver)
{
    const trp_envelope_t *message;
    trp_pid_t pid;
    size_t size = 0;
    if (call(client, driver, TAG_FULL, &message) != TRP_OK) {
        return false;
    }
    memcpy(&pid, trp_message_data(message, &size), sizeof(pid));
    return trp_client_send(client, pid, TAG_MUTE, NULL, 0) == TRP_OK &&
           call(client, pid, TAG_MUTE, &message) == TRP_FULL;
}

/* Receives so many; the sum of their tags, since two senders have no order. */
static uint32_t sum_of_tags(trp_client_t *client, int count)
{
    const trp_envelope_t *message;
    uint32_t sum = 0;
    for (int i = 0; i < count; i++) {
        sum += trp_client_receive(client, 5000, &message) == TRP_OK ? message->tag : 0;
    }
    return sum;
}

static bool publishes_and_reads(trp_client_t *client, trp_pid_t driver)
{
    const trp_publication_t news = {.topic = "news.a", .tag = TAG_NEWS, .data = "n", .size = 1};
    (void)driver;
    return trp_client_join(client, "back") == TRP_OK && trp_client_join(client, "ne*") == TRP_OK &&
           trp_client_publish(client, &news) == TRP_OK &&
           sum_of_tags(client, 2) == TAG_NEWS + TAG_BACK && /* its own, and the driver's */
           trp_client_leave(client, "ne*") == TRP_OK &&
           trp_client_publish(client, &news) == TRP_OK && sum_of_tags(client, 1) == TAG_BACK;
}

static bool is_watched(trp_client_t *client, trp_pid_t driver)
{
    trp_client_t *other = NULL;
    const trp_envelope_t *message;
    trp_reason_t reason;
    size_t size = 0;
    if (trp_client_open("inproc://node", &other) != TRP_OK ||
        call(other, driver, TAG_WATCH, &message) != TRP_OK) {
        return false;
    }
    trp_client_close(&other);
    if (call(client, driver, TAG_WATCHED, &message) != TRP_OK) {
        return false;
    }
    memcpy(&reason, trp_message_data(message, &size), sizeof(reason));
    return reason.kind == TRP_REASON_NORMAL;
}

static bool is_killed(trp_client_t *client, trp_pid_t driver)
{
    const trp_envelope_t *message;
    return trp_client_send(client, driver, TAG_KILL, NULL, 0) == TRP_OK &&
           trp_client_receive(client, 5000, &message) == TRP_GONE &&
           trp_client_send(client, driver, TAG_ECHO, NULL, 0) == TRP_GONE;
}

static bool refuses_bad_use(trp_client_t *client, trp_pid_t driver)
{
    char longest[TRP_NAME_MAX + 1];
    trp_client_t *none = NULL;
    trp_pid_t pid;
    const trp_publication_t star = {.topic = "a*"};
    (void)driver;
    memset(longest, 'x', sizeof(longest));
    longest[TRP_NAME_MAX] = '\0';
    return trp_client_open("tcp://127.0.0.1:1", &none) == TRP_UNSUPPORTED && none == NULL &&
           trp_client_whereis(client, "nobody", &pid) == TRP_NOT_FOUND &&
           trp_client_whereis(client, longest, &pid) == TRP_INVALID &&
           trp_client_join(client, "a*b") == TRP_INVALID &&
           trp_client_join(client, "") == TRP_INVALID &&
           trp_client_leave(client, "") == TRP_INVALID &&
           trp_client_publish(client, &star) == TRP_INVALID && trp_pid_is_none(pid);
}

static bool waits_in_its_descriptor(trp_client_t *client, trp_pid_t driver)
{
    const trp_envelope_t *message;
    uint64_t id;
    const trp_request_t late = {.to = driver, .tag = TAG_LATE};
    struct pollfd polled = {.fd = trp_client_fd(client), .events = POLLIN};
    if (trp_client_request(client, &late, &id) != TRP_OK) {
        return false;
    }
    trp_status_t status = trp_client_receive(client, 0, &message);
    while (status == TRP_TIMEOUT && poll(&polled, 1, 5000) == 1) {
        status = trp_client_receive(client, 0, &message);
    }
    return status == TRP_OK && message->request_id == id;
}

static void *many_calls(void *arg)
{
    atomic_int *failed = arg;
    trp_client_t *client = NULL;
    trp_pid_t driver;
    bool passed = trp_client_open("inproc://node", &client) == TRP_OK &&
                  trp_client_whereis(client, "driver", &driver) == TRP_OK;
    for (uint32_t i = 0; passed && i < 200; i++) {
        passed = echoes(client, driver, &i, sizeof(i));
    }
    trp_client_close(&client);
    atomic_fetch_add(failed, passed ? 0 : 1);
    return NULL;
}

static bool many_threads_at_once(trp_client_t *client, trp_pid_t driver)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    atomic_int failed = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, many_calls, &failed);
    }
    const bool passed = echoes(client, driver, "me", 2);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    return passed && atomic_load(&failed) == 0;
}

/* Packed, since it comes over a link: a client has no schema but its own. */
static bool is_sent_a_struct(trp_client_t *client, trp_pid_t driver)
{
    const trp_envelope_t *message;
    trp_document_t document;
    trp_fault_t fault;
    mark_t mark;
    if (trp_client_send(client, driver, TAG_MARK, NULL, 0) != TRP_OK ||
        trp_client_receive(client, 5000, &message) != TRP_OK ||
        (message->flags & TRP_ENVELOPE_STRUCT) != 0 || message->tag != mark_schema.tag ||
        trp_message_unpack(&mark_schema, message, &document, &mark, &fault) != TRP_OK) {
        return false;
    }
    trp_document_fini(&document);
    return mark.number == 7 && mark.good;
}

static const story_t stories[] = {
    {"is sent a struct", is_sent_a_struct},
    {"asks and is answered", asks},
    {"is asked and answers", is_asked},
    {"an answer that is late is never seen", times_out},
    {"asks many at once, answered by their ids", asks_many},
    {"what comes in a call is kept in order", keeps_order_and_what_comes_in_a_call},
    {"hears of the dead", hears_of_the_dead},
    {"hears that there is no room", hears_that_there_is_no_room},
    {"publishes and reads", publishes_and_reads},
    {"is watched like an actor", is_watched},
    {"a kill ends it", is_killed},
    {"bad use is refused", refuses_bad_use},
    {"waits in its descriptor", waits_in_its_descriptor},
    {"many threads at once", many_threads_at_once},
};

#define STORIES (sizeof(stories) / sizeof(stories[0]))

static const story_t *story;
static trp_runtime_t *the_runtime;
static pthread_t teller;
static bool is_telling;

static void *tell_story(void *unused)
{
    (void)unused;
    trp_client_t *client = NULL;
    trp_pid_t driver;
    const bool passed = trp_client_open("inproc://node", &client) == TRP_OK &&
                        trp_client_whereis(client, "driver", &driver) == TRP_OK &&
                        story->tell(client, driver);
    trp_client_close(&client);
    node_end(the_runtime, passed ? NODE_PASSED : NODE_FAILED);
    return NULL;
}

static trp_status_t driver_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    the_runtime = runtime_of(ctx);
    if (trp_group_join(ctx, "news.*") != TRP_OK) {
        return TRP_FAILED;
    }
    is_telling = pthread_create(&teller, NULL, tell_story, NULL) == 0;
    return is_telling ? TRP_OK : TRP_FAILED;
}

/* The runtime is there until node_end has returned. */
static void driver_release(void *state)
{
    (void)state;
    if (is_telling) {
        pthread_join(teller, NULL);
    }
}

static const trp_class_t driver_class = {.name = "driver",
                                         .state_size = sizeof(driver_t),
                                         .init = driver_init,
                                         .receive = driver_receive,
                                         .release = driver_release};
static const trp_class_t *const no_classes[] = {NULL};

ParameterizedTestParameters(client, a_thread_that_is_no_actor)
{
    static size_t numbers[STORIES];
    for (size_t i = 0; i < STORIES; i++) {
        numbers[i] = i;
    }
    return cr_make_param_array(size_t, numbers, STORIES);
}

ParameterizedTest(const size_t *number, client, a_thread_that_is_no_actor, .timeout = 20)
{
    story = &stories[*number];

    cr_expect_eq(node_fixture_drive(&driver_class, no_classes), NODE_PASSED, "%s", story->text);
}

Test(client, without_a_node_there_is_nobody_to_reach)
{
    trp_client_t *client = NULL;

    cr_expect_eq(trp_client_open("inproc://node", &client), TRP_NOT_FOUND);

    cr_expect_null(client);
}

Test(client, waits_are_found_by_id_and_by_time)
{
    client_pending_t pending = {.waits = NULL};
    const trp_pid_t to = {1, 2, 3, 4};
    trp_pid_t whom = TRP_PID_NONE;
    for (uint64_t id = 1; id <= 40; id++) {
        cr_assert_eq(client_pending_add(&pending, id, (int64_t)(1000 - id), to), TRP_OK);
    }

    cr_expect(client_pending_take(&pending, 40));
    cr_expect_not(client_pending_take(&pending, 40));
    cr_expect_eq(client_pending_next_ns(&pending), 961);
    cr_expect_eq(client_pending_overdue(&pending, 960, &whom), 0);
    cr_expect_eq(client_pending_overdue(&pending, 961, &whom), 39);

    cr_expect(trp_pid_equal(whom, to));
    client_pending_fini(&pending);
}
