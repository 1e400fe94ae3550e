/* SPDX-License-Identifier: MIT */
/* The connection of a client of tools. libzmq makes it and makes it again; its monitor tells here:
 *
 *     handshake succeeded    what waits is sent
 *     key refused            all calls end: libzmq does not try again
 *     disconnected           calls that were sent and may be done once only end; the socket is
 *                            opened anew, so that nothing old is left in it; the others are sent
 *                            again when there is a connection
 *
 * Nothing is sent before there is a connection, so a call that ends without one was never sent. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/tools/tools_state.h"

#define HEARTBEAT_MS     5000 /* a node that is silent for three of them is gone */
#define RECONNECT_MS     100
#define RECONNECT_MAX_MS 2000
#define GRACE_NS         (INT64_C(1000) * TOOLS_MS) /* the node says itself that time is up */

int64_t tools_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ---- sockets ---- */

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

static bool set_keys(const trp_tools_t *tools, void *socket)
{
    return tools->server_key[0] == '\0' ||
           (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, tools->server_key, TRP_TOOLS_KEY_SIZE) ==
                0 &&
            zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, tools->public_key, TRP_TOOLS_KEY_SIZE) ==
                0 &&
            zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, tools->secret_key, TRP_TOOLS_KEY_SIZE) ==
                0);
}

static bool set_options(void *socket)
{
    return set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_SNDHWM, 0) &&
           set_int(socket, ZMQ_RCVHWM, 0) && set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
           set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, 3 * HEARTBEAT_MS);
}

/* Before the socket connects, so that no event is missed. */
static bool open_monitor(trp_tools_t *tools)
{
    char name[64];
    snprintf(name, sizeof(name), "inproc://trp-tools-%p-%llu", (void *)tools,
             (unsigned long long)++tools->opened);
    if (zmq_socket_monitor(tools->socket, name,
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                               ZMQ_EVENT_DISCONNECTED) != 0) {
        return false;
    }
    tools->monitor = zmq_socket(tools->context, ZMQ_PAIR);
    return tools->monitor != NULL && set_int(tools->monitor, ZMQ_LINGER, 0) &&
           zmq_connect(tools->monitor, name) == 0;
}

/* The descriptor of a socket joins those that trp_tools_fd stands for. */
static bool watch(const trp_tools_t *tools, void *socket)
{
    int fd = -1;
    size_t size = sizeof(fd);
    struct epoll_event event = {.events = EPOLLIN};
    return tools->wake < 0 || (zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0 &&
                               epoll_ctl(tools->wake, EPOLL_CTL_ADD, fd, &event) == 0);
}

static trp_status_t give_up(trp_tools_t *tools, trp_status_t status)
{
    tools_close_link(tools, 0);
    return status;
}

trp_status_t tools_open_link(trp_tools_t *tools)
{
    tools->joined = false;
    tools->socket = zmq_socket(tools->context, ZMQ_DEALER);
    if (tools->socket == NULL || !set_options(tools->socket)) {
        return give_up(tools, errno == EMFILE ? TRP_SYSTEM : TRP_NO_MEMORY);
    }
    if (!set_keys(tools, tools->socket)) {
        return give_up(tools, TRP_INVALID);
    }
    if (!open_monitor(tools)) {
        return give_up(tools, TRP_SYSTEM);
    }
    if (zmq_connect(tools->socket, tools->endpoint) != 0) {
        return give_up(tools, TRP_INVALID);
    }
    return watch(tools, tools->socket) && watch(tools, tools->monitor) ? TRP_OK
                                                                       : give_up(tools, TRP_SYSTEM);
}

void tools_close_link(trp_tools_t *tools, int linger_ms)
{
    if (tools->socket != NULL) {
        zmq_socket_monitor(tools->socket, NULL, 0);
        set_int(tools->socket, ZMQ_LINGER, linger_ms);
        zmq_close(tools->socket);
    }
    if (tools->monitor != NULL) {
        zmq_close(tools->monitor);
    }
    tools->socket = NULL;
    tools->monitor = NULL;
    tools->joined = false;
}

/* ---- coming in ---- */

/* One frame into `frame`, which is made. False: there is none. */
static bool receive_frame(void *socket, zmq_msg_t *frame, bool *more)
{
    zmq_msg_init(frame);
    if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(frame);
        return false;
    }
    *more = zmq_msg_more(frame) != 0;
    return true;
}

/* One message. False: there is none. */
static bool receive(trp_tools_t *tools)
{
    zmq_msg_t frames[TOOLS_FRAMES_MAX + 1];
    size_t count = 0;
    bool more = true, is_whole = true;
    while (more && receive_frame(tools->socket, &frames[count], &more)) {
        if (count < TOOLS_FRAMES_MAX) {
            count++;
        } else {
            zmq_msg_close(&frames[count]);
            is_whole = false;
        }
    }
    if (count > 0 && is_whole) {
        tools_take(tools, frames, count);
    }
    tools->unexpected += !is_whole;
    for (size_t i = 0; i < count; i++) {
        zmq_msg_close(&frames[i]);
    }
    return count > 0;
}

static void drain(trp_tools_t *tools)
{
    while (tools->socket != NULL && receive(tools)) {
    }
}

/* ---- events ---- */

static int next_event(trp_tools_t *tools)
{
    uint16_t event = 0;
    zmq_msg_t frame;
    bool more = true;
    for (int part = 0; more && receive_frame(tools->monitor, &frame, &more); part++) {
        if (part == 0 && zmq_msg_size(&frame) >= sizeof(event)) {
            memcpy(&event, zmq_msg_data(&frame), sizeof(event));
        }
        zmq_msg_close(&frame);
    }
    return event;
}

static void on_refused(trp_tools_t *tools)
{
    tools->refused = true;
    for (tools_call_t *call = tools->calls; call != NULL; call = call->hh.next) {
        tools_end(tools, call, "E_KEY", "%s refused the key", tools->endpoint);
    }
}

/* False: the socket could not be opened anew, and all calls have ended. */
static bool open_anew(trp_tools_t *tools)
{
    tools_close_link(tools, 0);
    const trp_status_t status = tools_open_link(tools);
    for (tools_call_t *call = tools->calls; status != TRP_OK && call != NULL;
         call = call->hh.next) {
        tools_end(tools, call, "E_CONNECTION", "%s: no new socket: %s", tools->endpoint,
                  trp_status_text(status));
    }
    return status == TRP_OK;
}

static void on_disconnected(trp_tools_t *tools)
{
    drain(tools); /* what came before */
    if (!tools->joined) {
        return; /* libzmq tries again by itself */
    }
    for (tools_call_t *call = tools->calls; call != NULL; call = call->hh.next) {
        if (call->is_sent && !call->ended && !call->retry) {
            tools_end(tools, call, "E_CONNECTION",
                      "the connection to %s ended: it may have been done or not", tools->endpoint);
        }
        call->is_sent = false;
    }
    tools->is_unsent = true;
    (void)open_anew(tools);
}

void tools_look(trp_tools_t *tools)
{
    for (int event; tools->monitor != NULL && (event = next_event(tools)) != 0;) {
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            tools->joined = true;
            tools->is_unsent = true;
        } else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
            on_refused(tools);
        } else {
            on_disconnected(tools);
        }
    }
}

/* ---- time ---- */

static int64_t end_of(const tools_call_t *call)
{
    return call->deadline_ns + (call->is_sent ? GRACE_NS : 0);
}

void tools_end_now(trp_tools_t *tools, tools_call_t *call, const char *code, const char *message)
{
    const bool is_plain = call->plain && call->is_sent;
    if (!is_plain) {
        tools_send_cancel(tools, call);
    }
    tools_end(tools, call, code, "%s", message);
    if (is_plain) {
        (void)open_anew(tools); /* its answer may still come, and names no call */
    }
}

static void end_in_time(trp_tools_t *tools, tools_call_t *call)
{
    char message[TOOLS_MESSAGE_SIZE];
    const char *what = call->is_sent   ? "no answer"
                       : tools->joined ? "still busy"
                                       : "it was not sent: no connection";
    snprintf(message, sizeof(message), "%s after %lld ms: %s, %s", call->tool,
             (long long)call->timeout_ms, tools->endpoint, what);
    tools_end_now(tools, call,
                  call->is_sent   ? "E_NO_ANSWER"
                  : tools->joined ? "E_BUSY"
                                  : "E_NO_NODE",
                  message);
}

static void send_due(trp_tools_t *tools, int64_t now)
{
    tools->is_unsent = false;
    for (tools_call_t *call = tools->calls; call != NULL; call = call->hh.next) {
        if (!call->ended && !call->is_sent) {
            if (call->send_ns <= now) {
                tools_call_send(tools, call);
            }
            tools->is_unsent |= !call->is_sent;
        }
    }
}

void tools_turn(trp_tools_t *tools)
{
    tools_look(tools);
    drain(tools);
    const int64_t now = tools_now_ns();
    if (tools->joined && tools->is_unsent) {
        send_due(tools, now);
    }
    for (tools_call_t *call = tools->calls; call != NULL; call = call->hh.next) {
        if (!call->ended && end_of(call) <= now) {
            end_in_time(tools, call);
        }
    }
}

int64_t tools_due_ns(const trp_tools_t *tools)
{
    int64_t due = TOOLS_NEVER;
    for (const tools_call_t *call = tools->calls; call != NULL; call = call->hh.next) {
        if (!call->ended) {
            const bool is_waiting = tools->joined && !call->is_sent;
            const int64_t at =
                is_waiting && call->send_ns < end_of(call) ? call->send_ns : end_of(call);
            due = at < due ? at : due;
        }
    }
    return due;
}

bool tools_wait(trp_tools_t *tools, int64_t until_ns)
{
    const int64_t left = until_ns == TOOLS_NEVER ? -1 : until_ns - tools_now_ns();
    long wait_ms = until_ns == TOOLS_NEVER ? -1 : left <= 0 ? 0 : (long)(left / TOOLS_MS) + 1;
    zmq_pollitem_t items[] = {{.socket = tools->socket, .events = ZMQ_POLLIN},
                              {.socket = tools->monitor, .events = ZMQ_POLLIN}};
    return zmq_poll(items, tools->socket != NULL ? 2 : 0, wait_ms) >= 0 || errno != EINTR;
}

/* ---- one descriptor for all ---- */

static bool is_readable(void *socket)
{
    int events = 0;
    size_t size = sizeof(events);
    return socket != NULL && zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}

/* Sockets tell of what is new only, so what is there already is told by the timer. */
void tools_arm(trp_tools_t *tools)
{
    if (tools->wake < 0) {
        return;
    }
    const bool is_now =
        tools->answers != NULL || is_readable(tools->socket) || is_readable(tools->monitor);
    const int64_t due = is_now ? 1 : tools_due_ns(tools);
    struct itimerspec when = {.it_value = {0}};
    if (due != TOOLS_NEVER) {
        when.it_value.tv_sec = due / INT64_C(1000000000);
        when.it_value.tv_nsec = due % INT64_C(1000000000);
    }
    timerfd_settime(tools->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

int trp_tools_fd(trp_tools_t *tools)
{
    if (tools->wake >= 0) {
        return tools->wake;
    }
    struct epoll_event event = {.events = EPOLLIN};
    tools->wake = epoll_create1(EPOLL_CLOEXEC);
    tools->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (tools->wake < 0 || tools->timer < 0 ||
        epoll_ctl(tools->wake, EPOLL_CTL_ADD, tools->timer, &event) != 0 ||
        !watch(tools, tools->socket) || !watch(tools, tools->monitor)) {
        close(tools->wake);
        close(tools->timer);
        tools->wake = -1;
        tools->timer = -1;
        return -1;
    }
    tools_arm(tools);
    return tools->wake;
}
