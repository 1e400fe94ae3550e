/* SPDX-License-Identifier: MIT */
#include "runtime/client/client_hub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/host.h"
#include "runtime/place/place_proxy.h"

#define OPEN_NS  5000000000LL
#define START_MS 5000 /* for a client to say hello */

struct client_hub {
    trp_runtime_t *runtime;
    edge_t *edge;
    place_hub_t *hub;
    place_proxies_t *proxies;
};

/* The node that clients of this process find; a process has one, but for tests. */
static struct {
    pthread_mutex_t lock; /* held over a spawn, whose locks are taken inside */
    client_hub_t *hub;
} here = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Between the thread that opens a client and the edge. The last of the two frees it. */
typedef struct opening {
    _Atomic uint32_t owners;
    host_word_t done; /* 1: the rest is filled in */
    trp_status_t status;
    client_way_t way;
} opening_t;

static void opening_free(opening_t *opening)
{
    /* Acquire-release: what the other has written comes before the end. */
    if (atomic_fetch_sub_explicit(&opening->owners, 1, memory_order_acq_rel) == 1) {
        free(opening);
    }
}

static void opening_end(opening_t *opening, trp_status_t status)
{
    opening->status = status;
    /* Release: what was filled in, to the thread that waits. */
    atomic_store_explicit(&opening->done, 1, memory_order_release);
    host_os.wake(host_os.user, &opening->done);
    opening_free(opening);
}

/* ---- the carrier ---- */

static opening_t *opening_of(const place_birth_t *birth)
{
    opening_t *opening = NULL;
    memcpy(&opening, birth->args, sizeof(opening));
    return opening;
}

static trp_status_t start(void *user, place_link_t *link, const place_birth_t *birth)
{
    const client_hub_t *clients = user;
    opening_t *opening = opening_of(birth);
    client_way_t *way = &opening->way;
    link->is_single = true;
    snprintf(way->endpoint, sizeof(way->endpoint), "%s", hub_thread_endpoint(clients->hub));
    way->self = link->peer;
    memcpy(way->token, link->token, sizeof(way->token));
    way->pid = link->proxy;
    way->node = link->node;
    way->incarnation = link->incarnation;
    opening_end(opening, TRP_OK);
    return TRP_OK;
}

static void failed(void *user, const place_birth_t *birth, trp_status_t status)
{
    (void)user;
    opening_end(opening_of(birth), status);
}

/* It is told, and nothing is heard of it after. */
static void end(void *user, place_link_t *link)
{
    (void)user;
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    (void)!channel_send(&link->channel, WIRE_BYE, &killed, sizeof(killed));
    link->bye = killed;
    link->said_bye = true;
    place_link_notice(link);
}

static bool reason_of(const place_link_t *link, trp_reason_t *reason)
{
    *reason = link->bye;
    return link->bye.kind == TRP_REASON_KILLED;
}

static const place_carrier_t client_carrier = {
    .name = "client",
    .place = TRP_PLACE_THREAD,
    .ends_with_bye = true,
    .start = start,
    .failed = failed,
    .end = end,
    .reason = reason_of,
};

/* What `ps` shows; it has no code here. */
static const trp_class_t client_class = {.name = "client", .version = 1};
static const trp_class_t *const classes[] = {&client_class, NULL};

/* ---- life ---- */

trp_status_t client_hub_open(trp_runtime_t *runtime, edge_t *edge, place_hub_t *hub,
                             client_hub_t **result)
{
    client_hub_t *clients = calloc(1, sizeof(*clients));
    if (clients == NULL) {
        return TRP_NO_MEMORY;
    }
    *clients = (client_hub_t){.runtime = runtime, .edge = edge, .hub = hub};
    const place_proxies_options_t options = {.hub = hub,
                                             .classes = classes,
                                             .start_ms = START_MS,
                                             .carrier = &client_carrier,
                                             .carrier_user = clients};
    const trp_status_t status = place_proxies_open(&options, &clients->proxies);
    if (status != TRP_OK) {
        free(clients);
        return status;
    }
    pthread_mutex_lock(&here.lock);
    if (here.hub == NULL) {
        here.hub = clients;
    }
    pthread_mutex_unlock(&here.lock);
    *result = clients;
    return TRP_OK;
}

void client_hub_stop(client_hub_t *clients)
{
    pthread_mutex_lock(&here.lock);
    if (clients != NULL && here.hub == clients) {
        here.hub = NULL;
    }
    pthread_mutex_unlock(&here.lock);
}

void client_hub_close(client_hub_t **pointer)
{
    client_hub_t *clients = *pointer;
    *pointer = NULL;
    if (clients != NULL) {
        place_proxies_close(&clients->proxies);
        free(clients);
    }
}

/* ---- by the client's thread ---- */

static trp_status_t order_proxy(client_hub_t *clients, opening_t *opening)
{
    trp_pid_t pid;
    client_way_t *way = &opening->way;
    const trp_spawn_t spawn = {
        .class = &client_class, .args = &opening, .args_size = sizeof(opening)};
    trp_status_t status = edge_join(clients->edge, &way->transport, &way->medium);
    if (status != TRP_OK) {
        return status;
    }
    status = place_proxies_spawn(clients->proxies, clients->runtime, &spawn, &pid);
    if (status != TRP_OK) {
        way->transport->shut(&way->medium);
    }
    return status;
}

static trp_status_t wait_for(opening_t *opening)
{
    const int64_t until_ns = host_os.now_ns(host_os.user) + OPEN_NS;
    /* Acquire: pairs with opening_end. */
    while (atomic_load_explicit(&opening->done, memory_order_acquire) == 0) {
        if (host_os.now_ns(host_os.user) >= until_ns) {
            return TRP_TIMEOUT;
        }
        host_os.sleep(host_os.user, &opening->done, 0, until_ns);
    }
    return opening->status;
}

trp_status_t client_hub_reach(client_way_t *way)
{
    opening_t *opening = calloc(1, sizeof(*opening));
    if (opening == NULL) {
        return TRP_NO_MEMORY;
    }
    atomic_init(&opening->owners, 2);
    pthread_mutex_lock(&here.lock);
    trp_status_t status = here.hub == NULL ? TRP_NOT_FOUND : order_proxy(here.hub, opening);
    pthread_mutex_unlock(&here.lock);
    if (status != TRP_OK) {
        free(opening); /* nobody else has it */
        return status;
    }
    const trp_transport_t *transport = opening->way.transport;
    void *medium = opening->way.medium;
    status = wait_for(opening);
    if (status == TRP_OK) {
        *way = opening->way;
    } else {
        transport->shut(&medium);
    }
    opening_free(opening);
    return status;
}
