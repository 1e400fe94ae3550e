/* SPDX-License-Identifier: MIT */
#include "runtime/transport/transport_zmtp.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "runtime/transport/zmtp_linger.h"
#include "runtime/transport/zmtp_peers.h"
#include "runtime/transport/zmtp_unix.h"

#define ERROR_SIZE    256
#define EVENTS_MAX    64
#define BUFFER_SIZE   65536
#define STRANGERS_MAX 128 /* connections that have not said who they are */

typedef struct medium {
    zmtp_linger_t linger;
} medium_t;

typedef struct socket {
    medium_t *medium;
    bool is_router;
    bool in_pump, closing;
    int listener, spare, poll_descriptor;
    int64_t frame_max;
    int queue_max, linger_ms;
    trp_transport_events_t events;
    zmtp_link_t *links; /* newest first */
    zmtp_peers_t peers;
    unsigned strangers; /* links without a name */
    uint64_t dropped;
    uint32_t names_given;
    zmtp_link_t *rest_of; /* whose bytes in the buffer are still to be taken */
    size_t rest_at, rest_end;
    char endpoint[ZMTP_ENDPOINT_MAX];
    uint8_t buffer[BUFFER_SIZE];
} socket_t;

static trp_status_t medium_open(const void *how, void **medium)
{
    (void)how;
    *medium = calloc(1, sizeof(medium_t));
    return *medium == NULL ? TRP_NO_MEMORY : TRP_OK;
}

static void medium_shut(void **pointer)
{
    medium_t *medium = *pointer;
    *pointer = NULL;
    if (medium != NULL) {
        zmtp_linger_end(&medium->linger);
        free(medium);
    }
}

/* ---- links ---- */

static void unlist(socket_t *self, const zmtp_link_t *link)
{
    for (zmtp_link_t **at = &self->links; *at != NULL; at = &(*at)->next) {
        if (*at == link) {
            *at = link->next;
            return;
        }
    }
}

/* It has reported all that it had. */
static void end_link(socket_t *self, zmtp_link_t *link)
{
    const bool is_told = link->is_tracked && self->events.peer_down != NULL && !self->closing;
    unlist(self, link);
    self->dropped += link->in.dropped;
    if (link->is_named) {
        zmtp_peers_remove(&self->peers, link);
    } else {
        self->strangers--;
    }
    const trp_peer_t peer = self->is_router ? link->in.peer : (trp_peer_t){.size = 0};
    if (self->rest_of == link) {
        self->rest_of = NULL;
    }
    zmtp_link_free(link);
    if (is_told) {
        self->events.peer_down(self->events.user, &peer);
    }
}

/* Keeps those out that connect and say nothing: the one that has been silent longest goes. */
static void make_way(socket_t *self)
{
    zmtp_link_t *oldest = NULL;
    for (zmtp_link_t *link = self->links; link != NULL; link = link->next) {
        oldest = link->is_named ? oldest : link;
    }
    if (self->strangers > STRANGERS_MAX && oldest != NULL) {
        self->dropped++;
        end_link(self, oldest);
    }
}

static zmtp_link_t *add_link(socket_t *self, int descriptor, const trp_peer_t *peer)
{
    zmtp_link_t *link =
        zmtp_link_new(descriptor, self->poll_descriptor, self->is_router, peer, self->frame_max);
    if (link != NULL) {
        link->next = self->links;
        self->links = link;
        self->strangers++;
    }
    return link;
}

/* False: somebody else has its name. */
static bool name_link(socket_t *self, zmtp_link_t *link)
{
    trp_peer_t *peer = &link->in.peer;
    if (peer->size == 0) {
        const uint32_t number = ++self->names_given;
        peer->size = 1 + sizeof(number);
        peer->id[0] = 0;
        memcpy(peer->id + 1, &number, sizeof(number));
    }
    if (self->is_router && zmtp_peers_find(&self->peers, peer) != NULL) {
        return false;
    }
    link->is_named = true;
    self->strangers--;
    zmtp_peers_add(&self->peers, link);
    return true;
}

/* ---- opening and closing ---- */

static void close_descriptor(int descriptor)
{
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
}

static void socket_free(socket_t *self)
{
    while (self->links != NULL) {
        zmtp_link_t *link = self->links;
        self->links = link->next;
        zmtp_linger_add(&self->medium->linger, link, self->linger_ms);
    }
    if (self->listener >= 0) {
        (void)unlink(self->endpoint + ZMTP_SCHEME_SIZE);
    }
    close_descriptor(self->listener);
    close_descriptor(self->spare);
    close_descriptor(self->poll_descriptor);
    zmtp_peers_fini(&self->peers);
    free(self);
}

static socket_t *socket_new(medium_t *medium, bool is_router,
                            const trp_transport_options_t *options)
{
    socket_t *self = malloc(sizeof(*self));
    if (self == NULL) {
        return NULL;
    }
    memset(self, 0, offsetof(socket_t, buffer)); /* the rest is large */
    self->medium = medium;
    self->is_router = is_router;
    self->listener = self->spare = -1;
    self->frame_max = options->message_max;
    self->queue_max = options->queue_max;
    self->linger_ms = options->linger_ms;
    self->events = options->events;
    self->poll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (self->poll_descriptor < 0) {
        free(self);
        return NULL;
    }
    return self;
}

static trp_status_t socket_bind(void *medium, const char *endpoint,
                                const trp_transport_options_t *options, void **socket, char *error)
{
    assert(options->curve_secret == NULL && options->listener == 0);
    socket_t *self = socket_new(medium, true, options);
    if (self == NULL) {
        snprintf(error, ERROR_SIZE, "cannot bind %.120s: %s", endpoint, strerror(errno));
        return TRP_SYSTEM;
    }
    const trp_status_t status = zmtp_unix_listen(endpoint, options->mode, &self->listener, error);
    if (status != TRP_OK) {
        socket_free(self);
        return status;
    }
    snprintf(self->endpoint, sizeof(self->endpoint), "%s", endpoint);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(self->poll_descriptor, EPOLL_CTL_ADD, self->listener, &event) != 0) {
        snprintf(error, ERROR_SIZE, "cannot wait for %.120s: %s", endpoint, strerror(errno));
        socket_free(self);
        return TRP_SYSTEM;
    }
    self->spare = zmtp_unix_spare(self->listener);
    *socket = self;
    return TRP_OK;
}

/* Nobody who listens is no error here but a connection that has ended, as it would be one moment
 * later: told by the first pump. */
static trp_status_t socket_connect(void *medium, const char *endpoint,
                                   const trp_transport_options_t *options, void **socket,
                                   char *error)
{
    socket_t *self = socket_new(medium, false, options);
    if (self == NULL) {
        snprintf(error, ERROR_SIZE, "cannot connect to %.120s: %s", endpoint, strerror(errno));
        return TRP_SYSTEM;
    }
    int descriptor = -1;
    const trp_status_t status = zmtp_unix_connect(endpoint, &descriptor, error);
    zmtp_link_t *link = descriptor < 0 ? NULL : add_link(self, descriptor, options->self);
    if (status == TRP_OK && descriptor >= 0 && link == NULL) {
        snprintf(error, ERROR_SIZE, "cannot connect to %.120s: out of memory or of descriptors",
                 endpoint);
    }
    if (status != TRP_OK || (descriptor >= 0 && link == NULL)) {
        socket_free(self);
        return status != TRP_OK ? status : TRP_NO_MEMORY;
    }
    if (link != NULL) {
        link->is_tracked = true;
    } else {
        zmtp_peers_late(&self->peers, &(trp_peer_t){.size = 0});
    }
    snprintf(self->endpoint, sizeof(self->endpoint), "%s", endpoint);
    *socket = self;
    return TRP_OK;
}

static void socket_close(void **pointer)
{
    socket_t *self = *pointer;
    *pointer = NULL;
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

/* ---- sending ---- */

static zmtp_link_t *link_to(const socket_t *self, const trp_peer_t *peer)
{
    return self->is_router ? zmtp_peers_find(&self->peers, peer) : self->links;
}

static trp_status_t socket_send(void *socket, const trp_peer_t *peer, zmq_msg_t *frames,
                                size_t count)
{
    socket_t *self = socket;
    zmtp_link_t *link = link_to(self, peer);
    return link == NULL ? TRP_GONE : zmtp_link_send(link, frames, count, self->queue_max);
}

static trp_status_t socket_track(void *socket, const trp_peer_t *peer, zmq_msg_t *frame)
{
    socket_t *self = socket;
    (void)frame;
    if (self->events.peer_down == NULL || !self->is_router) {
        return TRP_UNSUPPORTED;
    }
    zmtp_link_t *link = zmtp_peers_find(&self->peers, peer);
    if (link == NULL) {
        return zmtp_peers_late(&self->peers, peer);
    }
    link->is_tracked = true;
    return TRP_OK;
}

/* ---- receiving ---- */

static void report(socket_t *self, zmtp_link_t *link)
{
    static const trp_peer_t the_peer = {.size = 0};
    self->events.frames(self->events.user, self->is_router ? &link->in.peer : &the_peer,
                        link->in.frames, link->in.count);
    zmtp_in_clear(&link->in);
}

/* Returns reports. */
static unsigned handle(socket_t *self, zmtp_link_t *link, zmtp_event_t event)
{
    if (event == ZMTP_IN_MESSAGE) {
        report(self, link);
        return 1;
    }
    if (event == ZMTP_IN_PING) {
        (void)!zmtp_out_bytes(&link->out, link->in.pong, link->in.pong_size);
        zmtp_link_flush(link);
    } else if (event == ZMTP_IN_BROKEN || (event == ZMTP_IN_OPEN && !name_link(self, link))) {
        self->dropped++;
        link->has_ended = true;
    }
    return 0;
}

/* Takes what is in the buffer, up to the budget; the rest stays there. */
static unsigned take_buffer(socket_t *self, zmtp_link_t *link, unsigned budget)
{
    unsigned reports = 0;
    while (self->rest_at < self->rest_end && !link->has_ended && !self->closing) {
        if (reports == budget) {
            self->rest_of = link;
            return reports;
        }
        size_t used = 0;
        const zmtp_event_t event = zmtp_in_take(&link->in, self->buffer + self->rest_at,
                                                self->rest_end - self->rest_at, &used);
        self->rest_at += used;
        reports += handle(self, link, event);
    }
    self->rest_of = NULL;
    return reports;
}

static unsigned end_if_over(socket_t *self, zmtp_link_t *link)
{
    if (!link->has_ended || self->closing) {
        return 0;
    }
    const bool is_told = link->is_tracked;
    end_link(self, link);
    return is_told ? 1 : 0;
}

static unsigned read_link(socket_t *self, zmtp_link_t *link, unsigned budget)
{
    zmtp_event_t event;
    self->rest_at = 0;
    self->rest_end = zmtp_link_receive(link, self->buffer, sizeof(self->buffer), &event);
    unsigned reports = handle(self, link, event);
    reports += take_buffer(self, link, budget > reports ? budget - reports : 1);
    return self->rest_of == link ? reports : reports + end_if_over(self, link);
}

static void accept_links(socket_t *self)
{
    int descriptor;
    while ((descriptor = zmtp_unix_accept(self->listener, &self->spare)) >= 0) {
        (void)add_link(self, descriptor, NULL);
        make_way(self);
    }
}

static unsigned report_late(socket_t *self)
{
    unsigned reports = 0;
    trp_peer_t peer;
    while (!self->closing && zmtp_peers_next_late(&self->peers, &peer)) {
        if (self->events.peer_down != NULL) {
            self->events.peer_down(self->events.user, &peer);
            reports++;
        }
    }
    return reports;
}

static unsigned handle_event(socket_t *self, const struct epoll_event *event, unsigned budget)
{
    zmtp_link_t *link = event->data.ptr;
    if ((event->events & EPOLLOUT) != 0) {
        zmtp_link_flush(link);
    }
    return (event->events & ~(uint32_t)EPOLLOUT) != 0 ? read_link(self, link, budget) : 0;
}

/* One link needs not be asked for in the epoll. */
static unsigned handle_only(socket_t *self, unsigned budget)
{
    zmtp_link_t *link = self->links;
    if (link == NULL) {
        return 0;
    }
    const uint32_t events = EPOLLIN | (link->is_armed ? (uint32_t)EPOLLOUT : 0u);
    return handle_event(self, &(struct epoll_event){.events = events, .data.ptr = link}, budget);
}

/* Those that connect come last: one of them may push out a link that has an event here. */
static unsigned handle_events(socket_t *self, unsigned budget)
{
    struct epoll_event events[EVENTS_MAX];
    const int count = epoll_wait(self->poll_descriptor, events, EVENTS_MAX, 0);
    unsigned reports = 0;
    bool is_called = false;
    for (int i = 0; i < count && reports < budget && self->rest_of == NULL && !self->closing; i++) {
        if (events[i].data.ptr == NULL) {
            is_called = true;
        } else {
            reports += handle_event(self, &events[i], budget - reports);
        }
    }
    if (is_called && !self->closing) {
        accept_links(self);
    }
    return reports;
}

static unsigned socket_pump(void *socket, unsigned budget, int descriptor)
{
    socket_t *self = socket;
    unsigned reports = 0;
    self->in_pump = true;
    zmtp_linger_look(&self->medium->linger);
    if (self->rest_of != NULL) {
        zmtp_link_t *link = self->rest_of;
        reports = take_buffer(self, link, budget);
        reports += self->rest_of == NULL ? end_if_over(self, link) : 0;
    }
    if (descriptor == self->poll_descriptor && reports < budget && !self->closing) {
        reports += self->is_router ? handle_events(self, budget - reports)
                                   : handle_only(self, budget - reports);
    }
    reports += report_late(self);
    self->in_pump = false;
    if (self->closing) {
        socket_free(self);
        return 0;
    }
    return reports;
}

static unsigned socket_descriptors(const void *socket, int descriptors[2])
{
    descriptors[0] = ((const socket_t *)socket)->poll_descriptor;
    return 1;
}

static uint64_t socket_dropped(const void *socket)
{
    const socket_t *self = socket;
    uint64_t dropped = self->dropped;
    for (const zmtp_link_t *link = self->links; link != NULL; link = link->next) {
        dropped += link->in.dropped;
    }
    return dropped;
}

const trp_transport_t transport_zmtp = {
    .name = "zmtp",
    .open = medium_open,
    .shut = medium_shut,
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
