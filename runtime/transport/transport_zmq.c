/* SPDX-License-Identifier: MIT */
#include "runtime/transport/transport_zmq.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/transport/transport_context.h"
#include "runtime/transport/transport_listen.h"
#include "runtime/transport/transport_peers.h"

#define ENDPOINT_MAX 256
#define ERROR_SIZE   256

#if defined(__SANITIZE_THREAD__)
#define RACE_DETECTOR 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACE_DETECTOR 1
#endif
#endif

/* What all media that were joined have in common. */
typedef struct shared {
    void *context;
    _Atomic uint32_t media;        /* the last one ends it */
    _Atomic uint64_t sockets_made; /* a monitor's inproc name must never come twice */
    _Atomic uint32_t handed;       /* for the race detector alone */
} shared_t;

typedef struct medium {
    shared_t *shared;
} medium_t;

typedef struct socket {
    medium_t *medium;
    void *data;
    void *monitor; /* NULL when nobody wants peer_down */
    int monitor_fd;
    bool is_router;
    bool in_pump, closing;
    bool link_down; /* DEALER: its one connection ended */
    trp_transport_events_t events;
    uint64_t dropped;
    transport_peers_t peers; /* ZMQ_SRCFD of a message, the monitor's value */
    char endpoint[ENDPOINT_MAX];
    zmq_msg_t frames[TRP_FRAMES_MAX]; /* of the message that is being received */
} socket_t;

/* libzmq hands bytes of messages from thread to thread, in order; the race detector, without which
 * it is built, can't see that. It is shown a word instead that every send writes and every receive
 * reads. */
static void before_send(shared_t *shared)
{
#ifdef RACE_DETECTOR
    atomic_fetch_add_explicit(&shared->handed, 1, memory_order_release);
#else
    (void)shared;
#endif
}

static void after_receive(shared_t *shared)
{
#ifdef RACE_DETECTOR
    /* Acquire: tells the race detector what libzmq's queues do. */
    (void)atomic_load_explicit(&shared->handed, memory_order_acquire);
#else
    (void)shared;
#endif
}

static trp_status_t zmq_medium_open(const void *how, void **medium)
{
    (void)how;
    medium_t *self = calloc(1, sizeof(*self));
    shared_t *shared = calloc(1, sizeof(*shared));
    void *context = self == NULL || shared == NULL ? NULL : transport_context_make();
    if (context == NULL) {
        free(shared);
        free(self);
        return shared == NULL || self == NULL ? TRP_NO_MEMORY : TRP_SYSTEM;
    }
    shared->context = context;
    atomic_init(&shared->media, 1);
    self->shared = shared;
    *medium = self;
    return TRP_OK;
}

static trp_status_t zmq_medium_join(void *medium, void **joined)
{
    medium_t *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return TRP_NO_MEMORY;
    }
    self->shared = ((medium_t *)medium)->shared;
    /* Relaxed: who joins has a medium, so it can't be the last one that is shut meanwhile. */
    atomic_fetch_add_explicit(&self->shared->media, 1, memory_order_relaxed);
    *joined = self;
    return TRP_OK;
}

static void zmq_medium_shut(void **medium)
{
    medium_t *self = *medium;
    *medium = NULL;
    if (self == NULL) {
        return;
    }
    shared_t *shared = self->shared;
    free(self);
    /* Acquire-release: all that the others did with the context comes before its end. */
    if (atomic_fetch_sub_explicit(&shared->media, 1, memory_order_acq_rel) == 1) {
        transport_context_end(shared->context);
        free(shared);
    }
}

static trp_status_t explain(const char *verb, const char *endpoint, char *error)
{
    const int code = errno;
    const char *advice = "";
    trp_status_t status = TRP_SYSTEM;
    if (code == EADDRINUSE) {
        status = TRP_EXISTS;
        advice = "; another program listens there: stop it or choose another endpoint";
    } else if (code == EINVAL || code == EPROTONOSUPPORT || code == ENODEV ||
               code == ENAMETOOLONG || code == ENOCOMPATPROTO) {
        status = TRP_INVALID;
        advice = "; an endpoint is tcp://ADDRESS:PORT or ipc://PATH of at most 107 bytes";
    }
    snprintf(error, ERROR_SIZE, "cannot %s %.120s: %s%s", verb, endpoint, zmq_strerror(code),
             advice);
    return status;
}

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

/* Keys are asked for by ZAP, in a domain of its own. */
static bool set_curve(void *socket, const char *secret)
{
    static const char domain[] = "troupe";
    return set_int(socket, ZMQ_CURVE_SERVER, 1) &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, strlen(secret) + 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, sizeof(domain) - 1) == 0;
}

static bool set_options(socket_t *self, const trp_transport_options_t *options)
{
    const int64_t message_max = options->message_max > 0 ? options->message_max : -1;
    return set_int(self->data, ZMQ_SNDHWM, options->queue_max) &&
           set_int(self->data, ZMQ_RCVHWM, options->queue_max) &&
           set_int(self->data, ZMQ_LINGER, options->linger_ms) &&
           zmq_setsockopt(self->data, ZMQ_MAXMSGSIZE, &message_max, sizeof(message_max)) == 0 &&
           (!self->is_router || set_int(self->data, ZMQ_ROUTER_MANDATORY, 1)) &&
           (self->is_router || set_int(self->data, ZMQ_RECONNECT_IVL, -1)) &&
           (options->curve_secret == NULL || set_curve(self->data, options->curve_secret)) &&
           (options->self == NULL || zmq_setsockopt(self->data, ZMQ_ROUTING_ID, options->self->id,
                                                    options->self->size) == 0);
}

static int descriptor_of(void *socket)
{
    int descriptor = -1;
    size_t size = sizeof(descriptor);
    (void)zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size);
    return descriptor;
}

static bool open_monitor(socket_t *self)
{
    char name[64];
    /* Relaxed: only that no two are the same. */
    const uint64_t number =
        atomic_fetch_add_explicit(&self->medium->shared->sockets_made, 1, memory_order_relaxed);
    const int events =
        ZMQ_EVENT_DISCONNECTED | (self->is_router ? ZMQ_EVENT_ACCEPTED : ZMQ_EVENT_CLOSED);
    snprintf(name, sizeof(name), "inproc://monitor-%llu", (unsigned long long)number);
    if (zmq_socket_monitor(self->data, name, events) != 0) {
        return false;
    }
    self->monitor = zmq_socket(self->medium->shared->context, ZMQ_PAIR);
    if (self->monitor == NULL || !set_int(self->monitor, ZMQ_RCVHWM, 0) ||
        !set_int(self->monitor, ZMQ_LINGER, 0) || zmq_connect(self->monitor, name) != 0) {
        return false;
    }
    self->monitor_fd = descriptor_of(self->monitor);
    char nothing[1]; /* a pipe that was never found empty gives no signal on the descriptor */
    return zmq_recv(self->monitor, nothing, sizeof(nothing), ZMQ_DONTWAIT) < 0;
}

static void socket_free(socket_t *self)
{
    if (self->monitor != NULL) {
        (void)zmq_socket_monitor(self->data, NULL, 0);
        (void)zmq_close(self->monitor);
    }
    if (self->data != NULL) {
        if (self->is_router && strncmp(self->endpoint, "ipc:///", 7) == 0) {
            (void)unlink(self->endpoint + 6); /* libzmq leaves it */
        }
        (void)zmq_close(self->data);
    }
    transport_peers_fini(&self->peers);
    free(self);
}

static trp_status_t socket_make(medium_t *medium, bool is_router,
                                const trp_transport_options_t *options, socket_t **socket)
{
    socket_t *self = malloc(sizeof(*self));
    if (self == NULL) {
        return TRP_NO_MEMORY;
    }
    memset(self, 0, offsetof(socket_t, frames)); /* the rest is large, and mostly never used */
    self->medium = medium;
    self->is_router = is_router;
    self->monitor_fd = -2; /* no descriptor, and not pump's -1 */
    self->events = options->events;
    self->data = zmq_socket(medium->shared->context, is_router ? ZMQ_ROUTER : ZMQ_DEALER);
    if (self->data == NULL || !set_options(self, options) ||
        (options->events.peer_down != NULL && !open_monitor(self))) {
        const int code = errno;
        socket_free(self);
        errno = code;
        return TRP_SYSTEM;
    }
    *socket = self;
    return TRP_OK;
}

static trp_status_t socket_bind(void *medium, const char *endpoint,
                                const trp_transport_options_t *options, void **socket, char *error)
{
    socket_t *self = NULL;
    trp_status_t status = socket_make(medium, true, options, &self);
    if (status != TRP_OK) {
        (void)explain("open a socket for", endpoint, error);
        return status;
    }
    size_t size = sizeof(self->endpoint);
    if (!transport_take_listener(self->data, options->listener) ||
        zmq_bind(self->data, endpoint) != 0 ||
        zmq_getsockopt(self->data, ZMQ_LAST_ENDPOINT, self->endpoint, &size) != 0) {
        status = explain("bind", endpoint, error);
        socket_free(self);
        return status;
    }
    if (options->mode != 0 && strncmp(self->endpoint, "ipc://", 6) == 0 &&
        chmod(self->endpoint + 6, (mode_t)options->mode) != 0) {
        (void)explain("set the mode of", endpoint, error);
        socket_free(self);
        return TRP_SYSTEM;
    }
    *socket = self;
    return TRP_OK;
}

static trp_status_t socket_connect(void *medium, const char *endpoint,
                                   const trp_transport_options_t *options, void **socket,
                                   char *error)
{
    socket_t *self = NULL;
    trp_status_t status = socket_make(medium, false, options, &self);
    if (status != TRP_OK) {
        (void)explain("open a socket for", endpoint, error);
        return status;
    }
    if (zmq_connect(self->data, endpoint) != 0) {
        status = explain("connect to", endpoint, error);
        socket_free(self);
        return status;
    }
    snprintf(self->endpoint, sizeof(self->endpoint), "%s", endpoint);
    *socket = self;
    return TRP_OK;
}

static void socket_close(void **socket)
{
    socket_t *self = *socket;
    *socket = NULL;
    if (self == NULL) {
        return;
    }
    self->closing = true;
    if (!self->in_pump) {
        socket_free(self);
    }
}

static const char *socket_endpoint(const void *socket)
{
    return ((const socket_t *)socket)->endpoint;
}

static void close_frames(zmq_msg_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)zmq_msg_close(&frames[i]);
    }
}

static trp_status_t socket_send(void *socket, const trp_peer_t *peer, zmq_msg_t *frames,
                                size_t count)
{
    socket_t *self = socket;
    assert(count > 0);
    before_send(self->medium->shared);
    if (self->is_router &&
        zmq_send(self->data, peer->id, peer->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return errno == EAGAIN ? TRP_BUSY : TRP_GONE;
    }
    for (size_t i = 0; i < count; i++) {
        const int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        if (zmq_msg_send(&frames[i], self->data, flags) < 0) {
            if (i == 0 && !self->is_router) {
                return errno == EAGAIN ? TRP_BUSY : TRP_GONE;
            }
            /* Its connection ended in the middle: the message is lost with it, as one before. */
            close_frames(frames + i, count - i);
            return TRP_OK;
        }
    }
    return TRP_OK;
}

/* ---- connections ---- */

static void on_monitor(socket_t *self, uint16_t event, uint32_t value)
{
    if (!self->is_router) {
        self->link_down = true;
    } else if (event == ZMQ_EVENT_ACCEPTED) {
        transport_peers_accepted(&self->peers, (int)value);
    } else {
        transport_peers_ended(&self->peers, (int)value);
    }
}

static void monitor_read(socket_t *self)
{
    if (self->monitor == NULL) {
        return;
    }
    for (;;) {
        unsigned char event[6]; /* u16 event, u32 value, in the machine's byte order */
        if (zmq_recv(self->monitor, event, sizeof(event), ZMQ_DONTWAIT) < 0) {
            return;
        }
        uint16_t number;
        uint32_t value;
        memcpy(&number, event, sizeof(number));
        memcpy(&value, event + 2, sizeof(value));
        char address[4];
        (void)zmq_recv(self->monitor, address, sizeof(address), ZMQ_DONTWAIT);
        on_monitor(self, number, value);
    }
}

static trp_status_t socket_track(void *socket, const trp_peer_t *peer, zmq_msg_t *frame)
{
    socket_t *self = socket;
    if (self->monitor == NULL || !self->is_router) {
        return TRP_UNSUPPORTED;
    }
    monitor_read(self);
    return transport_peers_track(&self->peers, zmq_msg_get(frame, ZMQ_SRCFD), peer);
}

/* ---- receiving ---- */

/* Reads one message; `count` 0: it was dropped. False: there is none. */
static bool receive(socket_t *self, size_t *count)
{
    zmq_msg_t *frames = self->frames;
    size_t used = 0;
    bool too_many = false;
    int more;
    do {
        if (used == TRP_FRAMES_MAX) {
            too_many = true;
            (void)zmq_msg_close(&frames[--used]);
        }
        (void)zmq_msg_init(&frames[used]);
        while (zmq_msg_recv(&frames[used], self->data, ZMQ_DONTWAIT) < 0) {
            if (errno != EINTR) {
                close_frames(frames, used);
                return false;
            }
        }
        more = zmq_msg_more(&frames[used++]);
    } while (more);
    after_receive(self->medium->shared);
    *count = used;
    if (too_many || used == (self->is_router ? 1u : 0u)) {
        close_frames(frames, used);
        self->dropped++;
        *count = 0;
    }
    return true;
}

static void report_frames(socket_t *self, size_t count)
{
    zmq_msg_t *frames = self->frames;
    trp_peer_t peer = {.size = 0};
    const size_t first = self->is_router ? 1 : 0;
    if (self->is_router) {
        peer.size = (uint8_t)zmq_msg_size(&frames[0]);
        memcpy(peer.id, zmq_msg_data(&frames[0]), peer.size);
    }
    self->events.frames(self->events.user, &peer, frames + first, count - first);
    close_frames(frames, count);
}

static unsigned report_ended(socket_t *self)
{
    static const trp_peer_t the_peer = {.size = 0};
    unsigned reports = 0;
    for (trp_peer_t *peer; !self->closing && (peer = transport_peers_next(&self->peers)) != NULL;) {
        self->events.peer_down(self->events.user, peer);
        free(peer);
        reports++;
    }
    if (self->link_down && !self->closing) {
        self->link_down = false;
        self->events.peer_down(self->events.user, &the_peer);
        reports++;
    }
    return reports;
}

static unsigned socket_pump(void *socket, unsigned budget, int descriptor)
{
    socket_t *self = socket;
    unsigned reports = 0;
    bool more = true;
    self->in_pump = true;
    if (descriptor == self->monitor_fd) {
        monitor_read(self); /* told below, after a receive has found nothing */
    }
    while (reports < budget && !self->closing) {
        size_t count = 0;
        more = receive(self, &count);
        if (!more) {
            break;
        }
        reports++;
        if (count > 0) {
            report_frames(self, count);
        }
    }
    reports += more ? 0 : report_ended(self);
    self->in_pump = false;
    if (self->closing) {
        socket_free(self);
        return 0;
    }
    return reports;
}

static unsigned socket_descriptors(const void *socket, int descriptors[2])
{
    const socket_t *self = socket;
    descriptors[0] = descriptor_of(self->data);
    descriptors[1] = self->monitor_fd;
    return self->monitor == NULL ? 1 : 2;
}

static uint64_t socket_dropped(const void *socket)
{
    return ((const socket_t *)socket)->dropped;
}

const trp_transport_t transport_zmq = {
    .name = "zmq",
    .open = zmq_medium_open,
    .join = zmq_medium_join,
    .shut = zmq_medium_shut,
    .bind = socket_bind,
    .connect = socket_connect,
    .close = socket_close,
    .endpoint = socket_endpoint,
    .send = socket_send,
    .track = socket_track,
    .pump = socket_pump,
    .descriptors = socket_descriptors,
    .dropped = socket_dropped,
};
