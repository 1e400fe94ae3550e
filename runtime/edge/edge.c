/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/edge/edge_poll.h"
#include "runtime/edge/edge_post.h"
#include "runtime/edge/edge_spin.h"
#include "runtime/edge/edge_way.h"

#define PUMP_BUDGET 128 /* messages of one socket in one turn */

/* Where the edge thread is; `wake` writes the eventfd only for one that waits. */
enum { EDGE_RUNNING, EDGE_WAITING, EDGE_WOKEN };

typedef enum source_kind { SOURCE_WAKE, SOURCE_SOCKET, SOURCE_SECOND, SOURCE_WATCH } source_kind_t;

/* What an epoll event points to. Freed at the end of a turn, since events of the turn may name
 * it. */
typedef struct source {
    struct source *next;
    source_kind_t kind;
    bool dead;
} source_t;

struct edge_socket {
    source_t source; /* its first descriptor */
    source_t second; /* ... and the other one, in no list of its own */
    edge_t *edge;
    edge_end_t end;
    int descriptors[2];
    unsigned descriptor_count;
    /* libzmq's descriptor says only once that something came, and a send may eat that: after each
     * send, and while there may be more, the socket is looked at before the edge waits. */
    bool look;
    edge_posts_t posts;
};

typedef struct watch {
    source_t source;
    int fd;
    void (*ready)(void *user, int fd);
    void *user;
} watch_t;

struct edge {
    edge_ways_t ways;
    const trp_host_t *host;
    int poll_fd, wake_fd; /* -1: the transport has no descriptors, the edge is stepped */
    /* Wake's exchange makes what its thread did before visible to the exchange that ends a wait. */
    atomic_int state;
    source_t wake_source;
    source_t *sources; /* sockets and watches */
    bool any_dead;
    unsigned looks; /* sockets with `look` set */
    bool any_posts;
    edge_spin_t spin;
    void (*flush)(void *user);
    void *flush_user;
};

static void set_look(edge_socket_t *socket, bool look)
{
    if (socket->look != look) {
        socket->look = look;
        socket->edge->looks = look ? socket->edge->looks + 1 : socket->edge->looks - 1;
    }
}

static bool poll_add(edge_t *edge, int fd, source_t *source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return epoll_ctl(edge->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool is_stepped(const edge_t *edge)
{
    return edge->ways.common.transport->descriptors == NULL;
}

static trp_status_t open_poll(edge_t *edge)
{
    edge->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    edge->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return edge->poll_fd >= 0 && edge->wake_fd >= 0 &&
                   poll_add(edge, edge->wake_fd, &edge->wake_source)
               ? TRP_OK
               : TRP_SYSTEM;
}

static void close_poll(edge_t *edge)
{
    if (edge->poll_fd >= 0) {
        (void)close(edge->poll_fd);
    }
    if (edge->wake_fd >= 0) {
        (void)close(edge->wake_fd);
    }
}

trp_status_t edge_create_with(const edge_options_t *options, edge_t **result)
{
    edge_t *edge = calloc(1, sizeof(*edge));
    if (edge == NULL) {
        return TRP_NO_MEMORY;
    }
    edge_ways_init(&edge->ways, options);
    edge->host = options->host == NULL ? &host_os : options->host;
    edge->spin.is_allowed = !is_stepped(edge) && edge->host->processors(edge->host->user) > 1;
    edge->wake_source.kind = SOURCE_WAKE;
    edge->poll_fd = edge->wake_fd = -1;
    const trp_status_t status = is_stepped(edge) ? TRP_OK : open_poll(edge);
    if (status != TRP_OK) {
        close_poll(edge);
        free(edge);
        return status;
    }
    *result = edge;
    return TRP_OK;
}

trp_status_t edge_create(edge_t **edge)
{
    return edge_create_with(&(edge_options_t){.transport = NULL}, edge);
}

static void source_end(edge_t *edge, source_t *source)
{
    source->dead = true;
    edge->any_dead = true;
    if (source->kind == SOURCE_SOCKET) {
        edge_socket_t *socket = (edge_socket_t *)source;
        (void)edge_posts_send(&socket->posts);
        edge_posts_fini(&socket->posts);
        socket->second.dead = true;
        set_look(socket, false);
        for (unsigned i = 0; i < socket->descriptor_count; i++) {
            (void)epoll_ctl(edge->poll_fd, EPOLL_CTL_DEL, socket->descriptors[i], NULL);
        }
        socket->end.transport->close(&socket->end.socket);
    } else {
        (void)epoll_ctl(edge->poll_fd, EPOLL_CTL_DEL, ((watch_t *)source)->fd, NULL);
    }
}

static void free_dead(edge_t *edge)
{
    edge->any_dead = false;
    for (source_t **link = &edge->sources; *link != NULL;) {
        source_t *source = *link;
        if (source->dead) {
            *link = source->next;
            free(source);
        } else {
            link = &source->next;
        }
    }
}

void edge_destroy(edge_t **pointer)
{
    edge_t *edge = *pointer;
    *pointer = NULL;
    if (edge == NULL) {
        return;
    }
    for (source_t *source = edge->sources; source != NULL; source = source->next) {
        if (!source->dead) {
            source_end(edge, source);
        }
    }
    free_dead(edge);
    edge_ways_fini(&edge->ways);
    close_poll(edge);
    free(edge);
}

void edge_flush(edge_t *edge, void (*flush)(void *user), void *user)
{
    edge->flush = flush;
    edge->flush_user = user;
}

/* ---- sockets ---- */

/* Binds; or, for `self`, connects. */
static trp_status_t socket_add(edge_t *edge, const edge_socket_options_t *options,
                               const edge_peer_t *self, edge_socket_t **result, char error[256])
{
    edge_end_t end = {.socket = NULL};
    const trp_status_t status = edge_way_open(&edge->ways, options, self, &end, error);
    if (status != TRP_OK) {
        return status;
    }
    edge_socket_t *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        end.transport->close(&end.socket);
        snprintf(error, 256, "cannot open %.120s: out of memory", options->endpoint);
        return TRP_NO_MEMORY;
    }
    socket->source.kind = SOURCE_SOCKET;
    socket->edge = edge;
    socket->end = end;
    edge_posts_init(&socket->posts, end.transport, end.socket, options);
    socket->descriptor_count =
        is_stepped(edge) ? 0 : end.transport->descriptors(end.socket, socket->descriptors);
    socket->source.next = edge->sources;
    edge->sources = &socket->source;
    socket->second.kind = SOURCE_SECOND;
    for (unsigned i = 0; i < socket->descriptor_count; i++) {
        source_t *source = i == 0 ? &socket->source : &socket->second;
        if (!poll_add(edge, socket->descriptors[i], source)) {
            source_end(edge, &socket->source);
            return TRP_SYSTEM;
        }
    }
    set_look(socket, true);
    *result = socket;
    return TRP_OK;
}

trp_status_t edge_bind(edge_t *edge, const edge_socket_options_t *options, edge_socket_t **socket,
                       char error[256])
{
    return socket_add(edge, options, NULL, socket, error);
}

trp_status_t edge_connect(edge_t *edge, const edge_socket_options_t *options,
                          const edge_peer_t *self, edge_socket_t **socket, char error[256])
{
    return socket_add(edge, options, self, socket, error);
}

const char *edge_endpoint(const edge_socket_t *socket)
{
    return socket->end.transport->endpoint(socket->end.socket);
}

trp_status_t edge_send(edge_socket_t *socket, const edge_peer_t *peer, zmq_msg_t *frames,
                       size_t count)
{
    (void)edge_posts_send(&socket->posts); /* in order */
    set_look(socket, true);
    return socket->end.transport->send(socket->end.socket, peer, frames, count);
}

void edge_post(edge_socket_t *socket, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    socket->edge->any_posts = true;
    edge_posts_add(&socket->posts, peer, frames, count);
}

trp_status_t edge_track(edge_socket_t *socket, const edge_peer_t *peer, zmq_msg_t *frame)
{
    set_look(socket, true);
    return socket->end.transport->track(socket->end.socket, peer, frame);
}

size_t edge_unread(edge_socket_t *socket, const edge_peer_t *peer)
{
    return edge_posts_unread(&socket->posts, peer);
}

uint64_t edge_dropped(const edge_socket_t *socket)
{
    return socket->end.transport->dropped(socket->end.socket);
}

void edge_close(edge_socket_t **socket)
{
    if (*socket != NULL) {
        source_end((*socket)->edge, &(*socket)->source);
        *socket = NULL;
    }
}

bool edge_has_threads(const edge_t *edge)
{
    return edge->ways.common.transport->join != NULL;
}

trp_status_t edge_join(edge_t *edge, const trp_transport_t **transport, void **medium)
{
    *transport = edge->ways.common.transport;
    return edge_way_join(&edge->ways, medium);
}

/* ---- watched descriptors ---- */

trp_status_t edge_watch(edge_t *edge, int fd, void (*ready)(void *user, int fd), void *user)
{
    for (source_t *source = edge->sources; source != NULL; source = source->next) {
        if (source->kind == SOURCE_WATCH && !source->dead && ((watch_t *)source)->fd == fd) {
            source_end(edge, source);
            break;
        }
    }
    if (ready == NULL) {
        return TRP_OK;
    }
    watch_t *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return TRP_NO_MEMORY;
    }
    *watch = (watch_t){.source = {.kind = SOURCE_WATCH}, .fd = fd, .ready = ready, .user = user};
    if (!poll_add(edge, fd, &watch->source)) {
        free(watch);
        return TRP_SYSTEM;
    }
    watch->source.next = edge->sources;
    edge->sources = &watch->source;
    return TRP_OK;
}

/* ---- the turn ---- */

/* True: there was something. */
static bool pump(edge_t *edge, edge_socket_t *socket, int descriptor)
{
    set_look(socket, false);
    const unsigned reports =
        socket->end.transport->pump(socket->end.socket, PUMP_BUDGET, descriptor);
    if ((reports >= PUMP_BUDGET || is_stepped(edge)) && !socket->source.dead) {
        set_look(socket, true);
    }
    return reports > 0;
}

static void dispatch(edge_t *edge, source_t *source)
{
    if (source->dead) {
        return;
    }
    if (source->kind == SOURCE_SOCKET) {
        edge_socket_t *socket = (edge_socket_t *)source;
        (void)pump(edge, socket, socket->descriptors[0]);
    } else if (source->kind == SOURCE_SECOND) {
        edge_socket_t *socket =
            (edge_socket_t *)(void *)((char *)source - offsetof(edge_socket_t, second));
        (void)pump(edge, socket, socket->descriptors[1]);
    } else if (source->kind == SOURCE_WATCH) {
        watch_t *watch = (watch_t *)source;
        watch->ready(watch->user, watch->fd);
    } else {
        uint64_t count;
        (void)!read(edge->wake_fd, &count, sizeof(count));
    }
}

/* Looks at the sockets of which the descriptor may be silent. True: one of them had something. */
static bool look(edge_t *edge)
{
    bool found = false;
    if (edge->looks == 0) {
        return false;
    }
    for (source_t *source = edge->sources; source != NULL; source = source->next) {
        if (source->kind == SOURCE_SOCKET && ((edge_socket_t *)source)->look) {
            found |= pump(edge, (edge_socket_t *)source, -1);
        }
    }
    return found;
}

static void handle_events(edge_t *edge, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        dispatch(edge, events[i].data.ptr);
    }
    if (edge->any_dead) {
        free_dead(edge);
    }
}

static void flush_turn(edge_t *edge)
{
    if (edge->flush != NULL) {
        edge->flush(edge->flush_user);
    }
    for (source_t *source = edge->any_posts ? edge->sources : NULL; source != NULL;
         source = source->next) {
        edge_socket_t *socket = (edge_socket_t *)source;
        if (source->kind == SOURCE_SOCKET && !source->dead && edge_posts_send(&socket->posts)) {
            set_look(socket, true);
        }
    }
    edge->any_posts = false;
}

static void edge_poll(void *user)
{
    edge_t *edge = user;
    struct epoll_event events[EDGE_EVENTS_MAX];
    flush_turn(edge);
    (void)look(edge);
    handle_events(edge, events, is_stepped(edge) ? 0 : edge_poll_wait(edge->poll_fd, events, 0));
}

bool edge_is_waiting(const edge_t *edge)
{
    /* Acquire, release, here and below: what was queued before the wake is seen after the wait. */
    return atomic_load_explicit(&edge->state, memory_order_acquire) == EDGE_WAITING;
}

void edge_resume(edge_t *edge)
{
    /* As in edge_is_waiting. */
    (void)atomic_exchange_explicit(&edge->state, EDGE_RUNNING, memory_order_acq_rel);
}

static int64_t edge_now_ns(const edge_t *edge)
{
    return edge->host->now_ns(edge->host->user);
}

/* Looks on for a moment. True: something came and was handled. */
static bool spin(edge_t *edge, int64_t until_ns)
{
    struct epoll_event events[EDGE_EVENTS_MAX];
    const int64_t latest_ns = edge_now_ns(edge) + EDGE_SPIN_NS;
    const int64_t end_ns = until_ns < latest_ns ? until_ns : latest_ns;
    do {
        const int count = edge_poll_wait(edge->poll_fd, events, 0);
        /* Relaxed: the exchange that ends the wait comes after. */
        if (count > 0 || atomic_load_explicit(&edge->state, memory_order_relaxed) == EDGE_WOKEN) {
            edge_spin_tried(&edge->spin, true);
            handle_events(edge, events, count);
            return count > 0;
        }
    } while (edge_now_ns(edge) < end_ns);
    edge_spin_tried(&edge->spin, false);
    return false;
}

static void edge_wait(void *user, int64_t until_ns)
{
    edge_t *edge = user;
    flush_turn(edge);
    if (look(edge)) {
        return; /* an actor may have work now */
    }
    if (edge_spin_pays(&edge->spin) && spin(edge, until_ns)) {
        return;
    }
    int expected = EDGE_RUNNING;
    if (!atomic_compare_exchange_strong_explicit(&edge->state, &expected, EDGE_WAITING,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        edge_resume(edge);
        return;
    }
    if (is_stepped(edge)) {
        return; /* it waits; who steps it says until when */
    }
    struct epoll_event events[EDGE_EVENTS_MAX];
    const int64_t begin_ns = edge_now_ns(edge);
    const bool has_limit = until_ns != INT64_MAX;
    const int64_t left_ns = until_ns < begin_ns ? 0 : until_ns - begin_ns;
    const int count = edge_poll_wait(edge->poll_fd, events, has_limit ? left_ns : -1);
    edge_spin_slept(&edge->spin, edge_now_ns(edge) - begin_ns, count > 0);
    edge_resume(edge);
    handle_events(edge, events, count);
}

static void edge_wake(void *user)
{
    edge_t *edge = user;
    /* Release: what was queued before, to the edge when it has waited. */
    if (atomic_exchange_explicit(&edge->state, EDGE_WOKEN, memory_order_acq_rel) == EDGE_WAITING &&
        !is_stepped(edge)) {
        const uint64_t one = 1;
        (void)!write(edge->wake_fd, &one, sizeof(one));
    }
}

scheduler_park_t edge_park(edge_t *edge)
{
    return (scheduler_park_t){
        .user = edge, .poll = edge_poll, .park = edge_wait, .wake = edge_wake};
}
