/* SPDX-License-Identifier: MIT */
/* A worker process: one thread, a runtime whose only worker is the edge, and in it the root actor
 * that the node asked for (worker_root.h). It ends when its root actor does, with a goodbye; or at
 * once when its link is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/edge/edge.h"
#include "runtime/guardian/guardian_fork.h"
#include "runtime/log.h"
#include "runtime/node/node.h"
#include "runtime/node/worker_box.h"
#include "runtime/place/place_hub.h"
#include "runtime/place/worker_root.h"

#define ENDPOINT_MAX 256
#define CELLS_MAX    (1u << 16) /* actors: their table counts as memory of the process */

struct worker_process {
    const guardian_child_t *child;
    const trp_host_t *host;
    edge_t *edge;
    edge_socket_t *socket;
    trp_runtime_t *runtime;
    worker_root_t root;
};

/* ---- what the root asks for ---- */

static trp_status_t send_frames(void *user, zmq_msg_t *frames, size_t count)
{
    const worker_process_t *process = user;
    return edge_send(process->socket, NULL, frames, count);
}

static void give_up(void *user, int status, const char *event)
{
    const worker_process_t *process = user;
    log_event(status == WORKER_LINK_LOST ? LOG_INFO : LOG_ERROR, event,
              LOG_INT("node", process->child->node),
              LOG_INT("incarnation", process->child->incarnation));
    process->host->process_exit(process->host->user, status);
}

static void wait_for(void *user, int64_t until_ns)
{
    const scheduler_park_t park = edge_park(((worker_process_t *)user)->edge);
    park.park(park.user, until_ns);
}

static void flush(void *user)
{
    worker_root_t *root = &((worker_process_t *)user)->root;
    worker_root_flush(root);
    if (root->is_ready) {
        worker_box_ready();
    }
}

/* ---- the socket ---- */

static void on_message(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)peer;
    worker_root_receive(&((worker_process_t *)user)->root, frames, count);
}

static void on_down(void *user, const edge_peer_t *peer)
{
    const worker_process_t *process = user;
    (void)peer;
    if (!process->root.leaving) {
        give_up(user, WORKER_LINK_LOST, "link_lost");
    }
}

static trp_status_t connect_link(worker_process_t *process, char error[256])
{
    const guardian_child_t *child = process->child;
    char endpoint[ENDPOINT_MAX];
    edge_peer_t self;
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/" HUB_LINK_NAME, child->run_dir);
    place_link_identity(&self, child->node & GUARDIAN_INDEX_MAX, child->incarnation, child->token);
    const edge_socket_options_t options = {.name = "link",
                                           .endpoint = endpoint,
                                           .is_link = true,
                                           .queue_max = -1,
                                           .on_message = on_message,
                                           .on_down = on_down,
                                           .user = process};
    return edge_connect(process->edge, &options, &self, &process->socket, error);
}

/* ---- life ---- */

static trp_status_t open_root(worker_process_t *process, const trp_class_t *const *classes)
{
    worker_root_options_t options = {.classes = classes,
                                     .runtime = process->runtime,
                                     .node = process->child->node,
                                     .incarnation = process->child->incarnation,
                                     .send = send_frames,
                                     .fail = give_up,
                                     .wait = edge_has_threads(process->edge) ? wait_for : NULL,
                                     .user = process};
    memcpy(options.token, process->child->token, sizeof(options.token));
    return worker_root_open(&process->root, &options);
}

static trp_status_t open_process(worker_process_t *process, const trp_class_t *const *classes,
                                 const node_ground_t *ground, char error[256])
{
    snprintf(error, 256, "the runtime could not be made");
    trp_status_t status = edge_create_with(&ground->edge, &process->edge);
    if (status != TRP_OK) {
        return status;
    }
    const runtime_options_t options = {.node = process->child->node,
                                       .incarnation = process->child->incarnation,
                                       .threads = 0,
                                       .cells_max = CELLS_MAX,
                                       .edge = edge_park(process->edge),
                                       .host = ground->edge.host,
                                       .observer = worker_box_observer()};
    status = runtime_create(&options, &process->runtime);
    if (status != TRP_OK) {
        return status;
    }
    edge_attach(process->edge, process->runtime);
    status = open_root(process, classes);
    if (status == TRP_OK) {
        status = connect_link(process, error);
    }
    if (status == TRP_OK) {
        worker_root_begin(&process->root);
        edge_flush(process->edge, flush, process);
        status = runtime_start(process->runtime);
    }
    return status == TRP_OK
               ? worker_root_hello(&process->root, process->host->process_id(process->host->user))
               : status;
}

trp_status_t worker_create(const trp_class_t *const *classes, const guardian_child_t *child,
                           const node_ground_t *ground, worker_process_t **worker, char error[256])
{
    worker_process_t *process = calloc(1, sizeof(*process));
    if (process == NULL) {
        snprintf(error, 256, "out of memory");
        return TRP_NO_MEMORY;
    }
    process->child = child;
    process->host = ground->edge.host == NULL ? &host_os : ground->edge.host;
    const trp_status_t status = open_process(process, classes, ground, error);
    if (status != TRP_OK) {
        worker_destroy(&process);
        return status;
    }
    *worker = process;
    return TRP_OK;
}

void worker_destroy(worker_process_t **worker)
{
    worker_process_t *process = *worker;
    *worker = NULL;
    if (process == NULL) {
        return;
    }
    if (process->edge != NULL) {
        edge_flush(process->edge, NULL, NULL);
    }
    runtime_destroy(&process->runtime);
    worker_root_fini(&process->root);
    edge_destroy(&process->edge);
    free(process);
}

trp_runtime_t *worker_runtime(const worker_process_t *worker)
{
    return worker->runtime;
}

edge_t *worker_edge(const worker_process_t *worker)
{
    return worker->edge;
}

const channel_t *worker_channel(const worker_process_t *worker)
{
    return &worker->root.channel;
}

int worker_run(const trp_class_t *const *classes, const guardian_child_t *child)
{
    char error[256];
    worker_process_t *process = NULL;
    log_ignore_signals();
    worker_box_open(child);
    const node_ground_t ground = {.edge = {.transport = NULL}};
    const trp_status_t status = worker_create(classes, child, &ground, &process, error);
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "worker_not_started", LOG_TEXT("status", trp_status_name(status)),
                  LOG_TEXT("error", error));
        return WORKER_FAILED;
    }
    runtime_run_edge(process->runtime);
    worker_destroy(&process);
    return 0;
}

int worker_exec(const trp_class_t *const *classes)
{
    guardian_child_t child;
    const char *text = getenv(GUARDIAN_ENVIRONMENT);
    if (text == NULL || guardian_child_parse(text, &child) != TRP_OK) {
        fprintf(stderr, "--worker is for a node to start, not for people\n");
        return WORKER_FAILED;
    }
    return worker_run(classes, &child);
}
