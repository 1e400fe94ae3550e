/* SPDX-License-Identifier: MIT */
#include "runtime/place/place_hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/guardian/black_box_file.h"
#include "runtime/log.h"

#define WORKERS_MAX   1024  /* processes: their indices are the first ... */
#define THREADS_MAX   16384 /* ... and those of threads come behind */
#define LINKS_MAX     (WORKERS_MAX + THREADS_MAX)
#define ENDPOINT_MAX  256
#define HUB_FRAME_MAX (1LL << 31) /* bytes: above any payload that a worker may send */

struct place_hub {
    hub_options_t options;
    edge_socket_t *socket;  /* of the processes ... */
    edge_socket_t *threads; /* ... and of the threads; NULL: there are none */
    uint32_t incarnation;   /* of the last worker */
    uint64_t strangers;     /* messages of nobody that we know */
    black_box_keeper_t *boxes;
    place_link_t *dirty;
    uint32_t last_thread;               /* its index: the next one is looked for behind it */
    place_link_t *links[LINKS_MAX + 1]; /* by index; 0 is never used */
    uint32_t link_count;
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
    request.box = link->box_fd;
    request.limits = link->limits;
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
    return index <= LINKS_MAX ? hub->links[index] : NULL;
}

static void on_report(place_hub_t *hub, const guardian_message_t *message)
{
    place_link_t *link = link_at(hub, message->index);
    if (link == NULL || link->incarnation != message->incarnation) {
        return; /* its proxy has ended before it */
    }
    place_link_box_passed(link);
    if (message->kind == GUARDIAN_SPAWNED) {
        link->os_pid = message->os_pid;
    } else if (message->kind == GUARDIAN_REFUSED) {
        link->refused = message->value;
    } else if (message->kind == GUARDIAN_EXITED) {
        link->exited = true;
        link->wait_status = message->value;
        link->memory = message->memory;
    }
    place_link_notice(link);
}

static void on_guardian(void *user, const guardian_message_t *message)
{
    place_hub_t *hub = user;
    if (message->kind == GUARDIAN_STOP) {
        hub->options.stop(hub->options.user, message->value);
    } else if (message->kind == GUARDIAN_RELOAD) {
        if (hub->options.reload != NULL) {
            hub->options.reload(hub->options.user);
        }
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

/* Its link is forgotten, since it was written off: it may go. */
static void dismiss(const place_hub_t *hub, const edge_peer_t *peer)
{
    const wire_report_t nothing = {0, 0};
    zmq_msg_t frame;
    if (place_link_index(peer) > WORKERS_MAX &&
        wire_frame(WIRE_BYE, &nothing, NULL, 0, &frame) == TRP_OK) {
        (void)!edge_send(hub->threads, peer, &frame, 1);
        (void)zmq_msg_close(&frame);
    }
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
        dismiss(hub, peer);
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

black_box_keeper_t *hub_box_keeper(const place_hub_t *hub)
{
    return hub->boxes;
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

static trp_status_t bind_threads(place_hub_t *hub, char error[256])
{
    char endpoint[64];
    if (!edge_has_threads(hub->options.edge)) {
        return TRP_OK;
    }
    snprintf(endpoint, sizeof(endpoint), "inproc://threads-%u-%u", hub->options.child.node,
             hub->options.child.incarnation);
    const edge_socket_options_t threads = {.name = "threads",
                                           .endpoint = endpoint,
                                           .queue_max = -1, /* the window bounds it */
                                           .on_message = on_message,
                                           .user = hub};
    return edge_bind(hub->options.edge, &threads, &hub->threads, error);
}

static trp_status_t open_keeper(place_hub_t *hub)
{
    char folder[BLACK_BOX_PATH_MAX];
    const hub_options_t *options = &hub->options;
    if (options->box_folder != NULL && options->box_folder[0] != '\0') {
        snprintf(folder, sizeof(folder), "%s", options->box_folder);
    } else {
        snprintf(folder, sizeof(folder), "%s/" BLACK_BOX_FOLDER, options->child.run_dir);
    }
    return black_box_keeper_open(runtime_host(options->runtime), folder, &hub->boxes);
}

const char *hub_thread_endpoint(const place_hub_t *hub)
{
    return edge_endpoint(hub->threads);
}

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
                                        .is_link = true,
                                        .mode = 0600,
                                        .message_max = HUB_FRAME_MAX,
                                        .queue_max = -1, /* the window bounds it */
                                        .on_message = on_message,
                                        .on_down = on_down,
                                        .user = hub};
    trp_status_t status = open_keeper(hub);
    if (status == TRP_OK) {
        status = edge_bind(options->edge, &link, &hub->socket, error);
    }
    if (status == TRP_OK) {
        status = bind_threads(hub, error);
    }
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
    for (uint32_t index = 1; index <= LINKS_MAX; index++) {
        place_link_t *link = hub->links[index];
        if (link != NULL && link->connected && !link->down) {
            (void)!channel_send(&link->channel, WIRE_BYE, NULL, 0);
        }
        hub_unlink(hub, &link);
    }
    edge_close(&hub->threads);
    edge_close(&hub->socket);
    black_box_keeper_close(&hub->boxes);
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

/* Only where there is a real guardian: a simulated worker dies with its node, as a thread does. */
static bool make_box(const place_hub_t *hub, place_link_t *link, trp_place_t place)
{
    const trp_limits_t *limits = &link->limits;
    const size_t size = limits->black_box > 0 ? (size_t)limits->black_box : BLACK_BOX_DEFAULT;
    return place != TRP_PLACE_PROCESS || hub->options.child.fd < 0 ||
           black_box_make(size, &link->box, &link->box_fd) == TRP_OK;
}

/* 0: none is free. */
static uint32_t free_process(const place_hub_t *hub)
{
    for (uint32_t index = 1; index <= WORKERS_MAX; index++) {
        if (hub->links[index] == NULL) {
            return index;
        }
    }
    return 0;
}

/* In turn, since there may be many: the next one is mostly free. */
static uint32_t free_thread(place_hub_t *hub)
{
    for (uint32_t tried = 0; tried < THREADS_MAX; tried++) {
        hub->last_thread = (hub->last_thread + 1) % THREADS_MAX;
        if (hub->links[WORKERS_MAX + 1 + hub->last_thread] == NULL) {
            return WORKERS_MAX + 1 + hub->last_thread;
        }
    }
    return 0;
}

trp_status_t hub_link(place_hub_t *hub, trp_place_t place, trp_pid_t proxy,
                      const trp_limits_t *limits, place_link_t **result)
{
    const bool is_thread = place == TRP_PLACE_THREAD;
    const uint32_t index = is_thread ? free_thread(hub) : free_process(hub);
    if (index == 0) {
        return TRP_FULL;
    }
    place_link_t *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        return TRP_NO_MEMORY;
    }
    make_token(hub, link->token);
    link->limits = *limits;
    if (!make_box(hub, link, place)) {
        log_event(LOG_ERROR, "black_box_not_made", LOG_INT("index", index),
                  LOG_TEXT("error", strerror(errno)));
        free(link);
        return TRP_SYSTEM;
    }
    link->runtime = hub->options.runtime;
    link->socket = is_thread ? hub->threads : hub->socket;
    link->proxy = proxy;
    link->index = index;
    link->incarnation = ++hub->incarnation;
    link->node = trp_node_worker(hub->options.child.node, index);
    trp_writer_init(&link->start);
    place_link_open(link);
    hub->links[index] = link;
    hub->link_count++;
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
    hub->link_count--;
    place_link_fini(link);
    free(link);
}

void hub_each(const place_hub_t *hub, void (*each)(void *user, const place_link_t *link),
              void *user)
{
    uint32_t left = hub->link_count;
    for (uint32_t index = 1; index <= LINKS_MAX && left > 0; index++) {
        if (hub->links[index] != NULL) {
            each(user, hub->links[index]);
            left--;
        }
    }
}
