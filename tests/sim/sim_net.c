/* SPDX-License-Identifier: MIT */
#include "tests/sim/sim_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINT_MAX 256
#define ERROR_SIZE   256
#define FIRST_PORT   40000

enum { TO_SERVER, TO_CLIENT, WAYS };

typedef struct socket socket_t;

/* One connection: of a client's only socket to a listener's. Freed when both ends are done. */
typedef struct link {
    struct link *next;   /* of the net */
    socket_t *end[WAYS]; /* the receiver of each way; NULL: closed */
    trp_peer_t peer;     /* the client, as the listener knows it */
    bool tracked;        /* the listener wants to hear of its end */
    bool broken;         /* both ends hear of its end */
    bool told[WAYS];     /* that end was told of the other's end, or never will be */
    int64_t last_leaves_ns[WAYS], last_due_ns[WAYS];
    unsigned queued[WAYS];
} link_t;

typedef enum item_kind { ITEM_FRAMES, ITEM_DOWN } item_kind_t;

/* Something on its way, in its receiver's inbox. */
typedef struct item {
    struct item *next;
    item_kind_t kind;
    link_t *link;
    int way;
    int64_t leaves_ns, due_ns;
    const sim_place_t *from;
    size_t count, bytes;
    zmq_msg_t frames[];
} item_t;

struct socket {
    socket_t *next; /* of the net */
    const sim_place_t *place;
    sim_net_t *net;
    bool is_router, in_pump, closing, crashed;
    bool met; /* a client that had its connection: it makes no second one */
    trp_transport_options_t options;
    item_t *inbox;   /* in order of due_ns */
    item_t *waiting; /* a client's, until somebody listens; oldest first */
    trp_peer_t self; /* a client's name */
    uint64_t dropped;
    char endpoint[ENDPOINT_MAX];
};

struct sim_net {
    sim_net_options_t options;
    socket_t *sockets; /* newest first */
    link_t *links;
    uint32_t ports, names;
    size_t count;
};

typedef struct medium {
    const sim_place_t *place;
} medium_t;

static int64_t now_ns(const sim_net_t *net)
{
    return net->options.now_ns(net->options.user);
}

static void tell(const sim_net_t *net, sim_net_event_t event, const item_t *item)
{
    const socket_t *to = item->link == NULL ? NULL : item->link->end[item->way];
    const sim_way_t way = {.from = item->from->name,
                           .to = to == NULL ? "" : to->place->name,
                           .endpoint = to == NULL ? "" : to->endpoint,
                           .frames = item->count,
                           .bytes = item->bytes};
    if (net->options.told != NULL) {
        net->options.told(net->options.user, event, &way);
    }
}

/* ---- items ---- */

static item_t *item_make(const sim_place_t *from, item_kind_t kind, zmq_msg_t *frames, size_t count)
{
    item_t *item = calloc(1, sizeof(*item) + count * sizeof(zmq_msg_t));
    if (item == NULL) {
        return NULL;
    }
    item->kind = kind;
    item->from = from;
    item->count = count;
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&item->frames[i]);
        item->bytes += zmq_msg_size(&frames[i]);
        (void)zmq_msg_move(&item->frames[i], &frames[i]);
    }
    return item;
}

static item_t *item_copy(item_t *item)
{
    item_t *copy = calloc(1, sizeof(*copy) + item->count * sizeof(zmq_msg_t));
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, item, sizeof(*copy));
    for (size_t i = 0; i < item->count; i++) {
        zmq_msg_init(&copy->frames[i]);
        (void)zmq_msg_copy(&copy->frames[i], &item->frames[i]);
    }
    return copy;
}

static void item_free(item_t *item)
{
    for (size_t i = 0; i < item->count; i++) {
        (void)zmq_msg_close(&item->frames[i]);
    }
    free(item);
}

/* The item leaves its inbox or the wire. */
static void item_end(sim_net_t *net, item_t *item)
{
    if (item->kind == ITEM_FRAMES) {
        item->link->queued[item->way]--;
        net->count--;
    }
    item_free(item);
}

/* Puts it into its receiver's inbox, behind all that is due at the same time. */
static void deliver(sim_net_t *net, item_t *item, sim_fate_t fate)
{
    link_t *link = item->link;
    const int way = item->way;
    item->leaves_ns = now_ns(net) + fate.leaves_ns;
    if (item->leaves_ns < link->last_leaves_ns[way]) {
        item->leaves_ns = link->last_leaves_ns[way]; /* a process writes in order */
    }
    link->last_leaves_ns[way] = item->leaves_ns;
    item->due_ns = item->leaves_ns + fate.delay_ns;
    if (!fate.passes && item->due_ns < link->last_due_ns[way]) {
        item->due_ns = link->last_due_ns[way];
    }
    if (item->due_ns > link->last_due_ns[way]) {
        link->last_due_ns[way] = item->due_ns;
    }
    if (item->kind == ITEM_FRAMES) {
        link->queued[way]++;
        net->count++;
    }
    item_t **at = &link->end[way]->inbox;
    while (*at != NULL && (*at)->due_ns <= item->due_ns) {
        at = &(*at)->next;
    }
    item->next = *at;
    *at = item;
}

static sim_fate_t fate_of(const sim_net_t *net, const item_t *item)
{
    const socket_t *to = item->link->end[item->way];
    const sim_way_t way = {.from = item->from->name,
                           .to = to->place->name,
                           .endpoint = to->endpoint,
                           .frames = item->count,
                           .bytes = item->bytes};
    return net->options.fate == NULL || item->kind == ITEM_DOWN
               ? (sim_fate_t){.lost = false}
               : net->options.fate(net->options.user, &way);
}

static void send_item(sim_net_t *net, item_t *item)
{
    const sim_fate_t fate = fate_of(net, item);
    if (fate.lost) {
        tell(net, SIM_NET_LOST, item);
        item_free(item);
        return;
    }
    tell(net, SIM_NET_SENT, item);
    item_t *copy = fate.twice ? item_copy(item) : NULL;
    deliver(net, item, fate);
    if (copy != NULL) {
        deliver(net, copy, fate);
    }
}

/* ---- links ---- */

static socket_t *listener_at(const sim_net_t *net, const char *endpoint)
{
    for (socket_t *socket = net->sockets; socket != NULL; socket = socket->next) {
        if (socket->is_router && !socket->closing && !socket->crashed &&
            strcmp(socket->endpoint, endpoint) == 0) {
            return socket;
        }
    }
    return NULL;
}

static bool same_peer(const trp_peer_t *a, const trp_peer_t *b)
{
    return a->size == b->size && memcmp(a->id, b->id, a->size) == 0;
}

static link_t *link_of(const socket_t *socket, const trp_peer_t *peer)
{
    for (link_t *link = socket->net->links; link != NULL; link = link->next) {
        const bool ours = socket->is_router
                              ? link->end[TO_SERVER] == socket && link->end[TO_CLIENT] != NULL &&
                                    same_peer(&link->peer, peer)
                              : link->end[TO_CLIENT] == socket;
        if (ours && !link->broken) {
            return link;
        }
    }
    return NULL;
}

/* Connects a client to the listener of its endpoint, if there is one that has room for its name. */
static void attach(socket_t *client)
{
    sim_net_t *net = client->net;
    socket_t *server = listener_at(net, client->endpoint);
    if (server == NULL || link_of(server, &client->self) != NULL) {
        return;
    }
    link_t *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        return;
    }
    link->end[TO_SERVER] = server;
    link->end[TO_CLIENT] = client;
    link->peer = client->self;
    client->met = true;
    link->next = net->links;
    net->links = link;
    while (client->waiting != NULL) {
        item_t *item = client->waiting;
        client->waiting = item->next;
        item->link = link;
        item->way = TO_SERVER;
        send_item(net, item);
    }
}

static bool is_pending(const link_t *link, const item_t *inbox)
{
    for (const item_t *item = inbox; item != NULL; item = item->next) {
        if (item->link == link) {
            return true;
        }
    }
    return false;
}

/* Frees the links that nobody is at any more, or of which all has been told. */
static void sweep(sim_net_t *net)
{
    for (link_t **at = &net->links; *at != NULL;) {
        link_t *link = *at;
        bool used = !link->broken && link->end[TO_SERVER] != NULL && link->end[TO_CLIENT] != NULL;
        for (int way = 0; way < WAYS; way++) {
            used |= link->end[way] != NULL &&
                    (!link->told[way] || is_pending(link, link->end[way]->inbox));
        }
        if (used) {
            at = &link->next;
        } else {
            *at = link->next;
            free(link);
        }
    }
}

/* The end of this way hears that the other is gone, behind all that was sent. */
static void send_down(link_t *link, int way, const sim_place_t *from)
{
    item_t *item = item_make(from, ITEM_DOWN, NULL, 0);
    if (item != NULL) {
        item->link = link;
        item->way = way;
        send_item(link->end[way]->net, item);
    }
}

static void hang_up(socket_t *socket, link_t *link)
{
    const int own = link->end[TO_SERVER] == socket ? TO_SERVER : TO_CLIENT;
    const int way = own == TO_SERVER ? TO_CLIENT : TO_SERVER;
    link->end[own] = NULL;
    if (link->end[way] != NULL && !link->broken) {
        send_down(link, way, socket->place);
    }
}

/* The connection ends, both ends stay. */
static void break_link(link_t *link)
{
    link->broken = true;
    send_down(link, TO_SERVER, link->end[TO_CLIENT]->place);
    send_down(link, TO_CLIENT, link->end[TO_SERVER]->place);
}

static void hang_up_all(socket_t *socket)
{
    for (link_t *link = socket->net->links; link != NULL; link = link->next) {
        if (link->end[TO_SERVER] == socket || link->end[TO_CLIENT] == socket) {
            hang_up(socket, link);
        }
    }
}

static void drop_inbox(socket_t *socket)
{
    while (socket->inbox != NULL) {
        item_t *item = socket->inbox;
        socket->inbox = item->next;
        item_end(socket->net, item);
    }
    while (socket->waiting != NULL) {
        item_t *item = socket->waiting;
        socket->waiting = item->next;
        item_free(item);
    }
}

/* ---- the net ---- */

sim_net_t *sim_net_create(const sim_net_options_t *options)
{
    sim_net_t *net = calloc(1, sizeof(*net));
    if (net != NULL) {
        net->options = *options;
        net->ports = FIRST_PORT;
    }
    return net;
}

void sim_net_destroy(sim_net_t **net)
{
    if (*net != NULL) {
        assert((*net)->sockets == NULL);
        sweep(*net);
        free(*net);
        *net = NULL;
    }
}

/* What had not left the place when it crashed. */
static void lose_unsent(sim_net_t *net, const sim_place_t *place)
{
    const int64_t now = now_ns(net);
    for (socket_t *socket = net->sockets; socket != NULL; socket = socket->next) {
        for (item_t **at = &socket->inbox; *at != NULL;) {
            item_t *item = *at;
            if (item->from == place && item->leaves_ns > now) {
                *at = item->next;
                tell(net, SIM_NET_LOST, item);
                item_end(net, item);
            } else {
                at = &item->next;
            }
        }
    }
}

void sim_net_crash(sim_net_t *net, const sim_place_t *place)
{
    lose_unsent(net, place);
    for (socket_t *socket = net->sockets; socket != NULL; socket = socket->next) {
        if (socket->place == place && !socket->crashed) {
            socket->crashed = true;
            drop_inbox(socket);
            hang_up_all(socket);
        }
    }
    sweep(net);
}

static bool is_blocked(const sim_net_t *net, const item_t *item, const socket_t *to)
{
    return net->options.blocked != NULL && item->from != to->place &&
           net->options.blocked(net->options.user, item->from->name, to->place->name);
}

/* Where the next item stands that may be reported now; NULL: none. */
static item_t **due_item(socket_t *socket)
{
    const int64_t now = now_ns(socket->net);
    for (item_t **at = &socket->inbox; *at != NULL && (*at)->due_ns <= now; at = &(*at)->next) {
        if (!is_blocked(socket->net, *at, socket)) {
            return at;
        }
    }
    return NULL;
}

bool sim_net_ready(const sim_net_t *net, const sim_place_t *place)
{
    for (socket_t *socket = net->sockets; socket != NULL; socket = socket->next) {
        if (socket->place == place && !socket->closing && due_item(socket) != NULL) {
            return true;
        }
    }
    return false;
}

int64_t sim_net_next_ns(const sim_net_t *net)
{
    const int64_t now = now_ns(net);
    int64_t next = SIM_NEVER;
    for (const socket_t *socket = net->sockets; socket != NULL; socket = socket->next) {
        for (const item_t *item = socket->inbox; item != NULL; item = item->next) {
            if (item->due_ns > now && item->due_ns < next && !is_blocked(net, item, socket)) {
                next = item->due_ns;
            }
        }
    }
    return next;
}

size_t sim_net_count(const sim_net_t *net)
{
    return net->count;
}

/* ---- the transport ---- */

static trp_status_t medium_open(const void *how, void **medium)
{
    medium_t *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return TRP_NO_MEMORY;
    }
    self->place = how;
    *medium = self;
    return TRP_OK;
}

static void medium_shut(void **medium)
{
    free(*medium);
    *medium = NULL;
}

static socket_t *socket_make(const medium_t *medium, const trp_transport_options_t *options)
{
    socket_t *socket = calloc(1, sizeof(*socket));
    if (socket != NULL) {
        socket->place = medium->place;
        socket->net = medium->place->net;
        socket->options = *options;
        socket->next = socket->net->sockets;
        socket->net->sockets = socket;
    }
    return socket;
}

static bool is_endpoint(const char *endpoint)
{
    return strncmp(endpoint, "ipc://", 6) == 0 || strncmp(endpoint, "tcp://", 6) == 0;
}

static void choose_endpoint(sim_net_t *net, const char *asked, char endpoint[ENDPOINT_MAX])
{
    const char *colon = strrchr(asked, ':');
    const bool picks =
        strncmp(asked, "tcp://", 6) == 0 && (strcmp(colon, ":*") == 0 || strcmp(colon, ":0") == 0);
    if (picks) {
        snprintf(endpoint, ENDPOINT_MAX, "%.*s:%u", (int)(colon - asked), asked, net->ports++);
    } else {
        snprintf(endpoint, ENDPOINT_MAX, "%s", asked);
    }
}

static trp_status_t socket_bind(void *medium, const char *endpoint,
                                const trp_transport_options_t *options, void **result, char *error)
{
    sim_net_t *net = ((medium_t *)medium)->place->net;
    char chosen[ENDPOINT_MAX];
    if (!is_endpoint(endpoint)) {
        snprintf(error, ERROR_SIZE, "cannot bind %.120s: no endpoint", endpoint);
        return TRP_INVALID;
    }
    choose_endpoint(net, endpoint, chosen);
    if (listener_at(net, chosen) != NULL) {
        snprintf(error, ERROR_SIZE, "cannot bind %.120s: another program listens there", chosen);
        return TRP_EXISTS;
    }
    socket_t *socket = socket_make(medium, options);
    if (socket == NULL) {
        return TRP_NO_MEMORY;
    }
    socket->is_router = true;
    memcpy(socket->endpoint, chosen, sizeof(chosen));
    for (socket_t *client = net->sockets; client != NULL; client = client->next) {
        if (!client->is_router && !client->crashed && !client->met &&
            strcmp(client->endpoint, chosen) == 0) {
            attach(client);
        }
    }
    *result = socket;
    return TRP_OK;
}

static trp_status_t socket_connect(void *medium, const char *endpoint,
                                   const trp_transport_options_t *options, void **result,
                                   char *error)
{
    if (!is_endpoint(endpoint)) {
        snprintf(error, ERROR_SIZE, "cannot connect to %.120s: no endpoint", endpoint);
        return TRP_INVALID;
    }
    socket_t *socket = socket_make(medium, options);
    if (socket == NULL) {
        return TRP_NO_MEMORY;
    }
    snprintf(socket->endpoint, sizeof(socket->endpoint), "%s", endpoint);
    if (options->self != NULL) {
        socket->self = *options->self;
    } else {
        const int size = snprintf((char *)socket->self.id, sizeof(socket->self.id), "client-%u",
                                  ++socket->net->names);
        socket->self.size = (uint8_t)size;
    }
    attach(socket);
    *result = socket;
    return TRP_OK;
}

static void socket_free(socket_t *socket)
{
    sim_net_t *net = socket->net;
    drop_inbox(socket);
    hang_up_all(socket);
    for (socket_t **at = &net->sockets; *at != NULL; at = &(*at)->next) {
        if (*at == socket) {
            *at = socket->next;
            break;
        }
    }
    sweep(net);
    free(socket);
}

static void socket_close(void **pointer)
{
    socket_t *socket = *pointer;
    *pointer = NULL;
    if (socket != NULL) {
        socket->closing = true;
        if (!socket->in_pump) {
            socket_free(socket);
        }
    }
}

static const char *socket_endpoint(const void *socket)
{
    return ((const socket_t *)socket)->endpoint;
}

/* A frame over the receiver's limit ends the connection, on both sides. */
static bool breaks(const socket_t *to, const zmq_msg_t *frames, size_t count)
{
    for (size_t i = 0; i < count && to->options.message_max > 0; i++) {
        if (zmq_msg_size(&frames[i]) > (size_t)to->options.message_max) {
            return true;
        }
    }
    return false;
}

static trp_status_t socket_send(void *socket, const trp_peer_t *peer, zmq_msg_t *frames,
                                size_t count)
{
    socket_t *self = socket;
    link_t *link = self->crashed ? NULL : link_of(self, peer);
    const int way = self->is_router ? TO_CLIENT : TO_SERVER;
    const bool waits = link == NULL && !self->is_router && !self->crashed && !self->met;
    assert(count > 0);
    if (!waits && (link == NULL || link->end[way] == NULL)) {
        return TRP_GONE;
    }
    if (link != NULL && self->options.queue_max > 0 &&
        link->queued[way] >= (unsigned)self->options.queue_max) {
        return TRP_BUSY;
    }
    item_t *item = item_make(self->place, ITEM_FRAMES, frames, count);
    if (item == NULL) {
        return TRP_BUSY;
    }
    item->link = link;
    item->way = way;
    if (waits) {
        item_t **at = &self->waiting;
        while (*at != NULL) {
            at = &(*at)->next;
        }
        *at = item;
    } else if (breaks(link->end[way], item->frames, count)) {
        item_free(item);
        break_link(link);
    } else {
        send_item(self->net, item);
    }
    return TRP_OK;
}

static trp_status_t socket_track(void *socket, const trp_peer_t *peer, zmq_msg_t *frame)
{
    (void)frame;
    socket_t *self = socket;
    if (!self->is_router || self->options.events.peer_down == NULL) {
        return TRP_UNSUPPORTED;
    }
    for (link_t *link = self->net->links; link != NULL; link = link->next) {
        if (link->end[TO_SERVER] == self && same_peer(&link->peer, peer)) {
            link->tracked = true;
        }
    }
    return TRP_OK;
}

static void report(socket_t *self, item_t *item)
{
    static const trp_peer_t the_peer = {.size = 0};
    const trp_transport_events_t *events = &self->options.events;
    const link_t *link = item->link;
    const trp_peer_t peer = self->is_router ? link->peer : the_peer;
    if (item->kind == ITEM_DOWN) {
        if (events->peer_down != NULL && (!self->is_router || link->tracked)) {
            events->peer_down(events->user, &peer);
        }
        return;
    }
    if (item->count > TRP_FRAMES_MAX) {
        self->dropped++;
        return;
    }
    events->frames(events->user, &peer, item->frames, item->count);
}

static unsigned socket_pump(void *socket, unsigned budget, int descriptor)
{
    (void)budget; /* one at a time: what happens between two is for the schedule to choose */
    (void)descriptor;
    socket_t *self = socket;
    item_t **at = self->closing || self->crashed ? NULL : due_item(self);
    if (at == NULL) {
        return 0;
    }
    item_t *item = *at;
    *at = item->next;
    item->next = NULL;
    self->in_pump = true;
    tell(self->net, item->kind == ITEM_DOWN ? SIM_NET_DOWN : SIM_NET_CAME, item);
    if (item->kind == ITEM_DOWN) {
        item->link->told[item->way] = true;
    }
    report(self, item);
    item_end(self->net, item);
    self->in_pump = false;
    if (self->closing) {
        socket_free(self);
        return 0;
    }
    sweep(self->net);
    return 1;
}

static uint64_t socket_dropped(const void *socket)
{
    return ((const socket_t *)socket)->dropped;
}

const trp_transport_t transport_sim = {
    .name = "sim",
    .open = medium_open,
    .shut = medium_shut,
    .bind = socket_bind,
    .connect = socket_connect,
    .close = socket_close,
    .endpoint = socket_endpoint,
    .send = socket_send,
    .track = socket_track,
    .pump = socket_pump,
    .descriptors = NULL,
    .dropped = socket_dropped,
};
