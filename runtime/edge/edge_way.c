/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge_way.h"

#include <stdio.h>

#include "runtime/transport/transport_zmq.h"
#include "runtime/transport/transport_zmtp.h"

#define LINGER_MS 1000
#define QUEUE_MAX 1000

void edge_ways_init(edge_ways_t *ways, const edge_options_t *options)
{
    *ways = (edge_ways_t){.common = {options->transport, options->transport_how, NULL}};
    if (options->transport == NULL) {
        ways->common.transport = &transport_zmq;
        ways->links.transport = &transport_zmtp;
    }
}

static void shut(edge_way_t *way)
{
    if (way->medium != NULL) {
        way->transport->shut(&way->medium);
    }
}

void edge_ways_fini(edge_ways_t *ways)
{
    shut(&ways->links);
    shut(&ways->common);
}

static trp_status_t open_medium(edge_way_t *way)
{
    return way->medium != NULL ? TRP_OK : way->transport->open(way->how, &way->medium);
}

static trp_transport_options_t transport_options(const edge_socket_options_t *options)
{
    const int queue_max = options->queue_max == 0 ? QUEUE_MAX : options->queue_max;
    return (trp_transport_options_t){
        .mode = options->mode,
        .message_max = options->message_max,
        .queue_max = queue_max < 0 ? 0 : queue_max,
        .linger_ms = LINGER_MS,
        .curve_secret = options->curve_secret,
        .listener = options->listener,
        .events = {.frames = options->on_message,
                   .peer_down = options->on_down,
                   .user = options->user},
    };
}

trp_status_t edge_way_open(edge_ways_t *ways, const edge_socket_options_t *options,
                           const edge_peer_t *self, edge_end_t *end, char error[256])
{
    const bool has_own = options->is_link && ways->links.transport != NULL;
    edge_way_t *way = has_own ? &ways->links : &ways->common;
    trp_transport_options_t how = transport_options(options);
    how.self = self;
    const trp_status_t status = open_medium(way);
    if (status != TRP_OK) {
        snprintf(error, 256, "cannot open %.120s: %s", options->endpoint, trp_status_name(status));
        return status;
    }
    end->transport = way->transport;
    return self == NULL
               ? way->transport->bind(way->medium, options->endpoint, &how, &end->socket, error)
               : way->transport->connect(way->medium, options->endpoint, &how, &end->socket, error);
}

trp_status_t edge_way_join(edge_ways_t *ways, void **medium)
{
    edge_way_t *way = &ways->common;
    if (way->transport->join == NULL) {
        return TRP_UNSUPPORTED;
    }
    const trp_status_t status = open_medium(way);
    return status == TRP_OK ? way->transport->join(way->medium, medium) : status;
}
