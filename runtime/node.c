/* SPDX-License-Identifier: MIT */
#include "runtime/node.h"

#include <stdatomic.h>

#include "runtime/edge.h"
#include "runtime/log.h"
#include "runtime/place_hub.h"
#include "runtime/place_process.h"

#define START_MS    10000
#define EXIT_FAILED 1

typedef struct node {
    const node_options_t *options;
    const guardian_child_t *child;
    edge_t *edge;
    trp_runtime_t *runtime;
    place_hub_t *hub;
    place_process_t *place;
    bool told_to_stop;
} node_t;

/* A process is one node. Set by any thread before it stops the runtime, read after that. */
static atomic_int exit_status;

static void on_stop(void *user, int signal)
{
    node_t *node = user;
    if (!node->told_to_stop) {
        node->told_to_stop = true;
        log_event(LOG_DEBUG, "node_stopping", LOG_INT("signal", signal));
        node->options->stop(node->options->user, node->runtime);
    }
}

static trp_status_t open_places(node_t *node, char error[256])
{
    const hub_options_t hub = {.runtime = node->runtime,
                               .edge = node->edge,
                               .child = *node->child,
                               .stop = on_stop,
                               .user = node};
    const trp_status_t status = hub_open(&hub, &node->hub, error);
    if (status != TRP_OK) {
        return status;
    }
    const uint32_t start_ms =
        node->options->start_ms > 0 ? (uint32_t)node->options->start_ms : START_MS;
    return place_process_open(node->runtime, node->hub, node->options->classes, start_ms,
                              &node->place);
}

static trp_status_t open_node(node_t *node, char error[256])
{
    trp_status_t status = edge_create(&node->edge);
    if (status != TRP_OK) {
        return status;
    }
    const runtime_options_t options = {.node = node->child->node,
                                       .incarnation = node->child->incarnation,
                                       .threads = node->options->threads,
                                       .edge = edge_park(node->edge)};
    status = runtime_create(&options, &node->runtime);
    if (status != TRP_OK) {
        return status;
    }
    edge_attach(node->edge, node->runtime);
    status = open_places(node, error);
    return status == TRP_OK ? runtime_start(node->runtime) : status;
}

static void close_node(node_t *node)
{
    if (node->runtime != NULL) {
        runtime_destroy(&node->runtime);
    }
    place_process_close(&node->place);
    hub_close(&node->hub);
    edge_destroy(&node->edge);
}

int node_run(const node_options_t *options, const guardian_child_t *child)
{
    char error[256] = "no memory or no descriptors";
    node_t node = {.options = options, .child = child};
    atomic_store_explicit(&exit_status, 0, memory_order_relaxed);
    const trp_status_t status = open_node(&node, error);
    if (status != TRP_OK) {
        log_event(LOG_FATAL, "node_not_started", LOG_TEXT("status", trp_status_name(status)),
                  LOG_TEXT("error", error));
        close_node(&node);
        return EXIT_FAILED;
    }
    if (options->start(options->user, node.runtime) == TRP_OK) {
        runtime_run_edge(node.runtime);
    } else {
        atomic_store_explicit(&exit_status, EXIT_FAILED, memory_order_relaxed);
    }
    close_node(&node);
    return atomic_load_explicit(&exit_status, memory_order_acquire);
}

void node_end(trp_runtime_t *runtime, int status)
{
    atomic_store_explicit(&exit_status, status, memory_order_release);
    runtime_stop(runtime);
}
