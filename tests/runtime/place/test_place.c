/* SPDX-License-Identifier: MIT */
/* The place `process` with real processes: the test process is the guardian, its node runs a driver
 * actor that says by the node's exit status whether it saw what it should. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/runtime/node/node_fixture.h"

/* What an echo worker does by tag; any other tag is sent back as it came. */
enum {
    TAG_ECHO = 0x1000,
    TAG_EXIT,   /* exit(3) */
    TAG_ABORT,  /* abort() */
    TAG_FAIL,   /* its handler fails */
    TAG_DONE,   /* stops by itself */
    TAG_OS_PID, /* answers with getpid() */
    TAG_CHILD,  /* spawns an echo beside it and answers with its pid */
    TAG_FLOOD,  /* sends numbers to the sender for ever */
    TAG_LINK,   /* links to the sender */
    TAG_COUNT,  /* counted; after 100 the sender is told */
    TAG_NUMBER,
    TAG_TICK,
};

/* ---- the actor in the worker process ---- */

typedef struct echo {
    trp_pid_t flooded;
    uint64_t number, counted;
} echo_t;

static trp_status_t echo_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    size_t size = 0;
    (void)ctx;
    (void)state;
    const char *what = args == NULL ? "" : trp_message_data(args, &size);
    if (size == 4 && memcmp(what, "fail", 4) == 0) {
        return TRP_DENIED;
    }
    return size == 4 && memcmp(what, "hang", 4) == 0 ? TRP_PENDING : TRP_OK;
}

static trp_status_t flood(trp_ctx_t *ctx, echo_t *echo)
{
    trp_status_t status = TRP_OK;
    while (status == TRP_OK) {
        status = trp_send(ctx, echo->flooded, TAG_NUMBER, &echo->number, sizeof(echo->number));
        echo->number += status == TRP_OK;
    }
    if (status != TRP_BUSY) {
        return status; /* it is the link that has no credit, not the receiver */
    }
    return trp_send(ctx, trp_self(ctx), TAG_FLOOD, NULL, 0);
}

static trp_status_t spawn_child(trp_ctx_t *ctx, const trp_envelope_t *message);

static trp_status_t echo_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    echo_t *echo = state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    const pid_t os_pid = getpid();
    switch (message->tag) {
    case TAG_EXIT:
        _exit(3);
    case TAG_ABORT:
        abort();
    case TAG_FAIL:
        return TRP_PAYLOAD;
    case TAG_DONE:
        trp_stop(ctx, NULL);
        return TRP_OK;
    case TAG_OS_PID:
        return trp_reply(ctx, message, TAG_OS_PID, &os_pid, sizeof(os_pid));
    case TAG_CHILD:
        return spawn_child(ctx, message);
    case TAG_FLOOD:
        if (!trp_pid_equal(message->from, trp_self(ctx))) {
            echo->flooded = message->from;
        }
        return flood(ctx, echo);
    case TAG_LINK:
        return trp_link(ctx, message->from);
    case TAG_COUNT:
        return ++echo->counted == 100 ? trp_send(ctx, message->from, TAG_COUNT, NULL, 0) : TRP_OK;
    default:
        return message->request_id != 0 ? trp_reply(ctx, message, message->tag, data, size)
                                        : trp_send(ctx, message->from, message->tag, data, size);
    }
}

static const trp_class_t echo_class = {
    .name = "echo",
    .version = 1,
    .state_size = sizeof(echo_t),
    .init = echo_init,
    .receive = echo_receive,
};

static trp_status_t spawn_child(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_pid_t child;
    const trp_spawn_t spawn = {.class = &echo_class};
    const trp_status_t status = trp_spawn(ctx, &spawn, &child);
    return status == TRP_OK ? trp_reply(ctx, message, TAG_CHILD, &child, sizeof(child)) : status;
}

/* ---- the driver ---- */

typedef struct driver {
    trp_pid_t worker, child;
    uint64_t ref, child_ref, timer;
    uint64_t number, count;
    pid_t os_pid;
    unsigned step, kills;
    size_t descriptors;
    bool seen;
} driver_t;

static void end(trp_ctx_t *ctx, bool passed, int line)
{
    if (!passed) {
        fprintf(stderr, "driver: not so in line %d\n", line);
    }
    node_end(runtime_of(ctx), passed ? NODE_PASSED : NODE_FAILED);
}

#define END(ctx, passed) end((ctx), (passed), __LINE__)

static trp_status_t spawn_echo(trp_ctx_t *ctx, driver_t *driver, const char *args)
{
    const trp_spawn_t spawn = {.class = &echo_class,
                               .place = TRP_PLACE_PROCESS,
                               .args = args,
                               .args_size = args == NULL ? 0 : strlen(args),
                               .args_tag = 0x1000,
                               .monitor = true,
                               .monitor_ref = &driver->ref,
                               .ack = true};
    return trp_spawn(ctx, &spawn, &driver->worker);
}

static trp_status_t ask(trp_ctx_t *ctx, driver_t *driver, uint16_t tag)
{
    uint64_t id;
    const trp_request_t request = {.to = driver->worker, .tag = tag};
    return trp_request(ctx, &request, &id);
}

static bool reason_is(const trp_envelope_t *message, trp_reason_kind_t kind, int32_t code)
{
    trp_reason_t reason;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (size != sizeof(reason)) {
        return false;
    }
    memcpy(&reason, data, sizeof(reason));
    if (reason.kind != kind || reason.code != code) {
        char line[TRP_REASON_LINE_MAX];
        fprintf(stderr, "driver: reason is %s\n", trp_reason_format(&reason, line));
        return false;
    }
    return true;
}

static trp_status_t driver_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    return spawn_echo(ctx, state, NULL);
}

static const trp_class_t *const worker_classes[] = {&echo_class, NULL};

static int drive(trp_status_t (*init)(trp_ctx_t *, void *, const trp_envelope_t *),
                 trp_status_t (*receive)(trp_ctx_t *, void *, const trp_envelope_t *))
{
    const trp_class_t class = {.name = "driver",
                               .version = 1,
                               .state_size = sizeof(driver_t),
                               .init = init == NULL ? driver_init : init,
                               .receive = receive};
    return node_fixture_drive(&class, worker_classes);
}

TestSuite(place, .timeout = 30);

/* ---- messages ---- */

static trp_status_t receive_answer(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    size_t size = 0;
    const char *data = trp_message_data(message, &size);
    if (message->tag == TRP_TAG_STARTED) {
        uint64_t id;
        const trp_request_t request = {
            .to = driver->worker, .tag = TAG_ECHO, .data = "hello", .size = 5};
        return trp_request(ctx, &request, &id);
    }
    END(ctx, message->tag == TAG_ECHO && (message->flags & TRP_ENVELOPE_REPLY) != 0 &&
                 trp_pid_equal(message->from, driver->worker) && size == 5 &&
                 memcmp(data, "hello", 5) == 0);
    return TRP_OK;
}

Test(place, a_request_is_answered_by_an_actor_in_another_process)
{
    cr_expect_eq(drive(NULL, receive_answer), NODE_PASSED);
}

static trp_status_t receive_in_order(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static unsigned char bytes[20000];
    driver_t *driver = state;
    if (message->tag == TRP_TAG_STARTED) {
        for (uint64_t i = 0; i < 2000; i++) {
            /* inline, copied and large payloads by turns */
            const size_t size = i % 100 == 0 ? sizeof(bytes) : i % 3 == 0 ? 300 : sizeof(i);
            memcpy(bytes, &i, sizeof(i));
            if (trp_send(ctx, driver->worker, TAG_ECHO, bytes, size) != TRP_OK) {
                END(ctx, false);
            }
        }
        return TRP_OK;
    }
    uint64_t number;
    size_t size = 0;
    memcpy(&number, trp_message_data(message, &size), sizeof(number));
    if (message->tag != TAG_ECHO || number != driver->count) {
        END(ctx, false);
    } else if (++driver->count == 2000) {
        END(ctx, true);
    }
    return TRP_OK;
}

Test(place, two_thousand_messages_come_back_in_order)
{
    cr_expect_eq(drive(NULL, receive_in_order), NODE_PASSED);
}

static trp_status_t init_small(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    (void)args;
    const trp_spawn_t spawn = {
        .class = &echo_class, .place = TRP_PLACE_PROCESS, .ack = true, .depth_max = 3};
    return trp_spawn(ctx, &spawn, &driver->worker);
}

static trp_status_t receive_small(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    if (message->tag == TAG_COUNT) {
        END(ctx, driver->seen);
        return TRP_OK;
    }
    while (driver->count < 100) {
        const trp_status_t status = trp_send(ctx, driver->worker, TAG_COUNT, NULL, 0);
        if (status == TRP_FULL) {
            driver->seen = true;
            return trp_timer_start(ctx, 1, 0, TAG_TICK, &driver->timer);
        }
        driver->count++;
    }
    return TRP_OK;
}

Test(place, a_small_mailbox_refuses_and_goes_on_when_messages_were_handled)
{
    cr_expect_eq(drive(init_small, receive_small), NODE_PASSED);
}

/* ---- ends ---- */

static uint16_t last_words;
static trp_reason_kind_t wanted_kind;
static int32_t wanted_code;

static trp_status_t receive_end(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    if (message->tag == TRP_TAG_STARTED) {
        return trp_send(ctx, driver->worker, last_words, NULL, 0);
    }
    END(ctx, message->tag == TRP_TAG_DOWN && message->request_id == driver->ref &&
                 trp_pid_equal(message->from, driver->worker) &&
                 reason_is(message, wanted_kind, wanted_code));
    return TRP_OK;
}

static int last_word(uint16_t tag, trp_reason_kind_t kind, int32_t code)
{
    last_words = tag;
    wanted_kind = kind;
    wanted_code = code;
    return drive(NULL, receive_end);
}

Test(place, an_exit_code_is_the_reason)
{
    cr_expect_eq(last_word(TAG_EXIT, TRP_REASON_EXIT_CODE, 3), NODE_PASSED);
}

Test(place, a_signal_is_the_reason)
{
    cr_expect_eq(last_word(TAG_ABORT, TRP_REASON_SIGNAL, SIGABRT), NODE_PASSED);
}

Test(place, a_handler_that_failed_is_the_reason)
{
    cr_expect_eq(last_word(TAG_FAIL, TRP_REASON_ERROR, TRP_PAYLOAD), NODE_PASSED);
}

Test(place, an_actor_that_is_done_ends_normally)
{
    cr_expect_eq(last_word(TAG_DONE, TRP_REASON_NORMAL, 0), NODE_PASSED);
}

static trp_status_t receive_shutdown(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    if (message->tag == TRP_TAG_STARTED) {
        const trp_reason_t reason = trp_reason(wanted_kind, 0, NULL);
        trp_exit(ctx, driver->worker, &reason);
        return TRP_OK;
    }
    END(ctx, message->tag == TRP_TAG_DOWN && reason_is(message, wanted_kind, 0));
    return TRP_OK;
}

Test(place, a_shutdown_ends_the_actor_with_it)
{
    wanted_kind = TRP_REASON_SHUTDOWN;

    cr_expect_eq(drive(NULL, receive_shutdown), NODE_PASSED);
}

Test(place, a_kill_ends_the_process)
{
    wanted_kind = TRP_REASON_KILLED;

    cr_expect_eq(drive(NULL, receive_shutdown), NODE_PASSED);
}

static trp_status_t receive_kill(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    size_t size = 0;
    if (message->tag == TRP_TAG_STARTED) {
        return ask(ctx, driver, TAG_OS_PID);
    }
    if (message->tag == TAG_OS_PID) {
        memcpy(&driver->os_pid, trp_message_data(message, &size), sizeof(driver->os_pid));
        (void)kill(driver->os_pid, SIGKILL);
        return TRP_OK;
    }
    END(ctx, message->tag == TRP_TAG_DOWN && reason_is(message, TRP_REASON_SIGNAL, SIGKILL));
    return TRP_OK;
}

Test(place, kill_9_on_an_idle_worker_is_seen)
{
    cr_expect_eq(drive(NULL, receive_kill), NODE_PASSED);
}

static trp_status_t init_failing(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    return spawn_echo(ctx, state, "fail");
}

static trp_status_t receive_failed_start(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    END(ctx,
        message->tag == TRP_TAG_DOWN && reason_is(message, TRP_REASON_START_FAILED, wanted_code));
    return TRP_OK;
}

Test(place, an_init_that_fails_in_the_worker_is_a_failed_start)
{
    wanted_code = TRP_DENIED;

    cr_expect_eq(drive(init_failing, receive_failed_start), NODE_PASSED);
}

static trp_status_t init_hanging(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    return spawn_echo(ctx, state, "hang");
}

Test(place, a_worker_that_is_never_ready_is_ended_at_the_limit)
{
    wanted_code = TRP_TIMEOUT;

    cr_expect_eq(drive(init_hanging, receive_failed_start), NODE_PASSED);
}

static const char *program;

static trp_status_t init_program(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    (void)args;
    const trp_spawn_t spawn = {.class = &echo_class,
                               .place = TRP_PLACE_PROCESS,
                               .monitor = true,
                               .monitor_ref = &driver->ref,
                               .program = program};
    return trp_spawn(ctx, &spawn, &driver->worker);
}

Test(place, a_missing_program_is_a_failed_start)
{
    program = "/nowhere/program";
    wanted_code = TRP_NOT_FOUND;

    cr_expect_eq(drive(init_program, receive_failed_start), NODE_PASSED);
}

static trp_status_t receive_exit_1(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    END(ctx, message->tag == TRP_TAG_DOWN && reason_is(message, TRP_REASON_EXIT_CODE, 1));
    return TRP_OK;
}

Test(place, a_program_that_is_no_worker_ends_with_its_exit_code)
{
    program = "/bin/false";

    cr_expect_eq(drive(init_program, receive_exit_1), NODE_PASSED);
}

/* ---- under load ---- */

static trp_status_t receive_flood(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    uint64_t number;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    switch (message->tag) {
    case TRP_TAG_STARTED:
        return ask(ctx, driver, TAG_OS_PID);
    case TAG_OS_PID:
        memcpy(&driver->os_pid, data, sizeof(driver->os_pid));
        return trp_send(ctx, driver->worker, TAG_FLOOD, NULL, 0);
    case TAG_NUMBER:
        memcpy(&number, data, sizeof(number));
        if (number != driver->number++ || driver->seen) {
            END(ctx, false);
        } else if (number == 3000) {
            (void)kill(driver->os_pid, SIGKILL);
        }
        return TRP_OK;
    case TRP_TAG_DOWN:
        /* all that it sent came before; the timer shows that nothing comes after */
        driver->seen = true;
        if (!reason_is(message, TRP_REASON_SIGNAL, SIGKILL)) {
            END(ctx, false);
        }
        return trp_timer_start(ctx, 50, 0, TAG_TICK, &driver->timer);
    default:
        END(ctx, message->tag == TAG_TICK && driver->number > 3000);
        return TRP_OK;
    }
}

Test(place, what_a_killed_worker_sent_comes_without_a_gap_and_before_its_end)
{
    cr_expect_eq(drive(NULL, receive_flood), NODE_PASSED);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL) {
        count++;
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return count;
}

static trp_status_t receive_many_kills(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    size_t size = 0;
    if (message->tag == TRP_TAG_STARTED) {
        return ask(ctx, driver, TAG_OS_PID);
    }
    if (message->tag == TAG_OS_PID) {
        memcpy(&driver->os_pid, trp_message_data(message, &size), sizeof(driver->os_pid));
        (void)kill(driver->os_pid, SIGKILL);
        return TRP_OK;
    }
    if (message->tag != TRP_TAG_DOWN) {
        END(ctx, false);
        return TRP_OK;
    }
    if (++driver->kills == 5) {
        driver->descriptors = open_descriptors();
    }
    if (driver->kills == 100) {
        END(ctx, open_descriptors() <= driver->descriptors + 2);
        return TRP_OK;
    }
    return spawn_echo(ctx, driver, NULL);
}

Test(place, a_hundred_kills_leak_no_descriptor)
{
    cr_expect_eq(drive(NULL, receive_many_kills), NODE_PASSED);
}

static trp_status_t receive_stopped(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    size_t size = 0;
    switch (message->tag) {
    case TRP_TAG_STARTED:
        return ask(ctx, driver, TAG_OS_PID);
    case TAG_OS_PID:
        memcpy(&driver->os_pid, trp_message_data(message, &size), sizeof(driver->os_pid));
        (void)kill(driver->os_pid, SIGSTOP);
        return trp_timer_start(ctx, 300, 0, TAG_TICK, &driver->timer);
    case TAG_TICK:
        (void)kill(driver->os_pid, SIGCONT);
        return ask(ctx, driver, TAG_ECHO);
    default:
        END(ctx, message->tag == TAG_ECHO);
        return TRP_OK;
    }
}

Test(place, a_stopped_worker_is_not_dead)
{
    cr_expect_eq(drive(NULL, receive_stopped), NODE_PASSED);
}

/* ---- actors inside of a worker ---- */

static trp_status_t receive_child(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    size_t size = 0;
    switch (message->tag) {
    case TRP_TAG_STARTED:
        return ask(ctx, driver, TAG_CHILD);
    case TAG_CHILD:
        memcpy(&driver->child, trp_message_data(message, &size), sizeof(driver->child));
        if (trp_monitor(ctx, driver->child, &driver->child_ref) != TRP_OK) {
            END(ctx, false);
        }
        return trp_send(ctx, driver->child, TAG_ECHO, "child", 5);
    case TAG_ECHO:
        if (!trp_pid_equal(message->from, driver->child)) {
            END(ctx, false);
        }
        return trp_send(ctx, driver->worker, TAG_EXIT, NULL, 0);
    default:
        driver->count++;
        driver->seen |= message->request_id == driver->child_ref;
        if (message->tag != TRP_TAG_DOWN || !reason_is(message, TRP_REASON_EXIT_CODE, 3)) {
            END(ctx, false);
        } else if (driver->count == 2) {
            END(ctx, driver->seen);
        }
        return TRP_OK;
    }
}

Test(place, an_actor_that_a_worker_spawned_is_reached_and_watched_like_any_other)
{
    cr_expect_eq(drive(NULL, receive_child), NODE_PASSED);
}

static trp_status_t receive_link(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    switch (message->tag) {
    case TRP_TAG_STARTED:
        trp_trap_exit(ctx, true);
        (void)!trp_send(ctx, driver->worker, TAG_LINK, NULL, 0);
        return trp_send(ctx, driver->worker, TAG_ECHO, NULL, 0);
    case TAG_ECHO: /* the link was made before it */
        return trp_send(ctx, driver->worker, TAG_ABORT, NULL, 0);
    case TRP_TAG_EXIT:
        driver->seen |= reason_is(message, TRP_REASON_SIGNAL, SIGABRT);
        break;
    default:
        driver->count++;
    }
    if (driver->seen && driver->count == 1) {
        END(ctx, true);
    }
    return TRP_OK;
}

Test(place, a_link_that_a_worker_made_ends_with_it)
{
    cr_expect_eq(drive(NULL, receive_link), NODE_PASSED);
}

/* ---- strangers ---- */

static void *stranger_context, *stranger;

static trp_status_t receive_with_stranger(trp_ctx_t *ctx, void *state,
                                          const trp_envelope_t *message)
{
    driver_t *driver = state;
    char endpoint[128];
    if (message->tag == TRP_TAG_STARTED) {
        snprintf(endpoint, sizeof(endpoint), "ipc://%s/link", node_fixture_run_dir());
        stranger_context = zmq_ctx_new();
        stranger = zmq_socket(stranger_context, ZMQ_DEALER);
        (void)zmq_setsockopt(stranger, ZMQ_ROUTING_ID, "W\0\1\0\0\0\2 0123456789abcde", 23);
        if (zmq_connect(stranger, endpoint) != 0) {
            END(ctx, false);
        }
        for (int i = 0; i < 100; i++) {
            (void)zmq_send(stranger, "garbage of no protocol", 22, 0);
        }
        return trp_timer_start(ctx, 50, 0, TAG_TICK, &driver->timer);
    }
    if (message->tag == TAG_TICK) {
        return ask(ctx, driver, TAG_ECHO);
    }
    (void)zmq_close(stranger);
    (void)zmq_ctx_term(stranger_context);
    END(ctx, message->tag == TAG_ECHO);
    return TRP_OK;
}

Test(place, garbage_from_a_stranger_on_the_link_socket_disturbs_nobody)
{
    cr_expect_eq(drive(NULL, receive_with_stranger), NODE_PASSED);
}
