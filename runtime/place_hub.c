/* SPDX-License-Identifier: MIT */
#include "runtime/place_hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"

#define WORKERS_MAX   1024
#define ENDPOINT_MAX  256
#define HUB_FRAME_MAX (1LL << 31) /* bytes: above any payload that a worker may send */

struct place_hub {
    hub_options_t options;
    edge_socket_t *socket;
    uint32_t incarnation; /* of the last worker */
    uint64_t strangers;   /* messages of nobody that we know */
    place_link_t *dirty;
    place_link_t *links[WORKERS_MAX + 1]; /* by index; 0 is never used */
};

/* ---- the guardian ---- */

static trp_status_t ask(place_hub_t *hub, const guardian_message_t *request)
{
    return hub->options.guardian->ask(hub->options.guardian->user, request);
}

trp_status_t hub_spawn(place_hub_t *hub, const place_link_t *link, const char *program)
{
    guardian_message_t request = {
        .kind = GUARDIAN_SPAWN, .index = link->index, .incarnation = link->incarnation};
    memcpy(request.token, link->token, sizeof(request.token));
    snprintf(request.program, sizeof(request.program), "%s", program);
    return ask(hub, &request);
}

void hub_kill(place_hub_t *hub, const place_link_t *link, int signal)
{
    const guardian_message_t request = {.kind = GUARDIAN_KILL,
                                        .index = link->index,
                                        .incarnation = link->incarnation,
                                        .value = signal};
    if (ask(hub, &request) != TRP_OK) {
        log_event(LOG_ERROR, "guardian_does_not_read", LOG_INT("index", link->index));
    }
}

static place_link_t *link_at(const place_hub_t *hub, uint32_t index)
{
    return index <= WORKERS_MAX ? hub->links[index] : NULL;
}

static void on_report(place_hub_t *hub, const guardian_message_t *message)
{
    place_link_t *link = link_at(hub, message->index);
    if (link == NULL || link->incarnation != message->incarnation) {
        return; /* its proxy has ended before it */
    }
    if (message->kind == GUARDIAN_SPAWNED) {
        link->os_pid = message->os_pid;
    } else if (message->kind == GUARDIAN_REFUSED) {
        link->refused = message->value;
    } else if (message->kind == GUARDIAN_EXITED) {
        link->exited = true;
        link->wait_status = message->value;
    }
    place_link_notice(link);
}

static void on_guardian(void *user, const guardian_message_t *message)
{
    place_hub_t *hub = user;
    if (message->kind == GUARDIAN_STOP) {
        hub->options.stop(hub->options.user, message->value);
    } else {
        on_report(hub, message);
    }
}

/* ---- the link socket ---- */

/* The link that a routing id belongs to, exactly. */
static place_link_t *link_of(const place_hub_t *hub, const edge_peer_t *peer)
{
    place_link_t *link = link_at(hub, place_link_index(peer));
    return link != NULL && memcmp(peer->id, link->peer.id, link->peer.size) == 0 ? link : NULL;
}

static void on_message(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    place_hub_t *hub = user;
    place_link_t *link = link_of(hub, peer);
    if (link == NULL) {
        hub->strangers++;
        if ((hub->strangers & (hub->strangers - 1)) == 0) {
            log_event(LOG_WARN, "link_stranger", LOG_INT("messages", hub->strangers));
        }
        return;
    }
    place_link_receive(link, frames, count);
    hub_touch(hub, link); /* credit may have come, a report may be due */
}

static void on_down(void *user, const edge_peer_t *peer)
{
    place_link_t *link = link_of(user, peer);
    if (link != NULL) {
        link->down = true;
        place_link_notice(link);
    }
}

void hub_touch(place_hub_t *hub, place_link_t *link)
{
    if (!link->is_dirty) {
        link->is_dirty = true;
        link->dirty_next = hub->dirty;
        hub->dirty = link;
    }
}

static void flush(void *user)
{
    place_hub_t *hub = user;
    while (hub->dirty != NULL) {
        place_link_t *link = hub->dirty;
        hub->dirty = link->dirty_next;
        link->is_dirty = false;
        channel_flush(&link->channel);
    }
    hub->options.guardian->flush(hub->options.guardian->user);
}

/* ---- life ---- */

trp_status_t hub_open(const hub_options_t *options, place_hub_t **result, char error[256])
{
    char endpoint[ENDPOINT_MAX];
    place_hub_t *hub = calloc(1, sizeof(*hub));
    if (hub == NULL) {
        snprintf(error, 256, "out of memory");
        return TRP_NO_MEMORY;
    }
    hub->options = *options;
    hub->incarnation = options->child.incarnation;
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/" HUB_LINK_NAME, options->child.run_dir);
    const edge_socket_options_t link = {.name = "link",
                                        .endpoint = endpoint,
                                        .mode = 0600,
                                        .message_max = HUB_FRAME_MAX,
                                        .queue_max = -1, /* the window bounds it */
                                        .on_message = on_message,
                                        .on_down = on_down,
                                        .user = hub};
    trp_status_t status = edge_bind(options->edge, &link, &hub->socket, error);
    if (status == TRP_OK) {
        status = options->guardian->hear(options->guardian->user, on_guardian, hub);
    }
    if (status != TRP_OK) {
        hub_close(&hub);
        return status;
    }
    edge_flush(options->edge, flush, hub);
    *result = hub;
    return TRP_OK;
}

void hub_close(place_hub_t **pointer)
{
    place_hub_t *hub = *pointer;
    *pointer = NULL;
    if (hub == NULL) {
        return;
    }
    edge_flush(hub->options.edge, NULL, NULL);
    (void)!hub->options.guardian->hear(hub->options.guardian->user, NULL, NULL);
    for (uint32_t index = 1; index <= WORKERS_MAX; index++) {
        place_link_t *link = hub->links[index];
        if (link != NULL && link->connected && !link->down) {
            (void)!channel_send(&link->channel, WIRE_BYE, NULL, 0);
        }
        hub_unlink(hub, &link);
    }
    edge_close(&hub->socket);
    free(hub);
}

static void make_token(const place_hub_t *hub, unsigned char token[GUARDIAN_TOKEN_SIZE])
{
    const trp_host_t *host = runtime_host(hub->options.runtime);
    for (size_t at = 0; at < GUARDIAN_TOKEN_SIZE; at += sizeof(uint64_t)) {
        const uint64_t chance = host->chance(host->user);
        memcpy(token + at, &chance, sizeof(chance));
    }
}

trp_status_t hub_link(place_hub_t *hub, trp_pid_t proxy, place_link_t **result)
{
    uint32_t index = 1;
    while (index <= WORKERS_MAX && hub->links[index] != NULL) {
        index++;
    }
    if (index > WORKERS_MAX) {
        return TRP_FULL;
    }
    place_link_t *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        return TRP_NO_MEMORY;
    }
    make_token(hub, link->token);
    link->runtime = hub->options.runtime;
    link->socket = hub->socket;
    link->proxy = proxy;
    link->index = index;
    link->incarnation = ++hub->incarnation;
    link->node = trp_node_worker(hub->options.child.node, index);
    trp_writer_init(&link->start);
    place_link_open(link);
    hub->links[index] = link;
    *result = link;
    return TRP_OK;
}

void hub_unlink(place_hub_t *hub, place_link_t **pointer)
{
    place_link_t *link = *pointer;
    *pointer = NULL;
    if (link == NULL) {
        return;
    }
    for (place_link_t **at = &hub->dirty; *at != NULL; at = &(*at)->dirty_next) {
        if (*at == link) {
            *at = link->dirty_next;
            break;
        }
    }
    hub->links[link->index] = NULL;
    place_link_fini(link);
    free(link);
}
