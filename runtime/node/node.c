/* SPDX-License-Identifier: MIT */
#include "runtime/node/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "runtime/client/client_hub.h"
#include "runtime/guardian/culprit.h"
#include "runtime/log.h"
#include "runtime/place/place_hub.h"
#include "runtime/place/place_process.h"
#include "runtime/place/place_thread.h"

#define START_MS    10000
#define GRACE_MS    1000 /* for a thread that is to end, where nothing is said */
#define SILENT_MS   5000 /* for the guardian to end a process and to tell of it */
#define EXIT_FAILED 1
#define KEEP_NAME   "node" /* where node_ready finds it */
#define THREADS_MS  1000   /* for handlers to return, when all else has ended */

struct node {
    node_options_t options;
    guardian_child_t child;
    guardian_port_t *guardian, *own_guardian; /* own: we opened it */
    edge_t *edge;
    trp_runtime_t *runtime;
    place_hub_t *hub;
    place_threads_t *threads;
    client_hub_t *clients;
    place_proxies_t *places[2]; /* of processes, of threads */
    bool told_to_stop;
};

static void on_stop(void *user, int signal)
{
    node_t *node = user;
    if (!node->told_to_stop) {
        node->told_to_stop = true;
        log_event(LOG_DEBUG, "node_stopping", LOG_INT("signal", signal));
        node->options.stop(node->options.user, node->runtime);
    }
}

static void on_reload(void *user)
{
    node_t *node = user;
    if (node->options.reload != NULL && !node->told_to_stop) {
        node->options.reload(node->options.user, node->runtime);
    }
}

static trp_status_t open_places(node_t *node, char error[256])
{
    const hub_options_t hub = {.runtime = node->runtime,
                               .edge = node->edge,
                               .child = node->child,
                               .guardian = node->guardian,
                               .box_folder = node->options.box_folder,
                               .stop = on_stop,
                               .reload = on_reload,
                               .user = node};
    trp_status_t status = hub_open(&hub, &node->hub, error);
    if (status != TRP_OK) {
        return status;
    }
    const uint32_t start_ms =
        node->options.start_ms > 0 ? (uint32_t)node->options.start_ms : START_MS;
    const place_proxies_options_t processes = {.hub = node->hub,
                                               .classes = node->options.classes,
                                               .start_ms = start_ms,
                                               .grace_ms = SILENT_MS,
                                               .carrier = &place_process,
                                               .carrier_user = node->hub};
    status = place_proxies_open(&processes, &node->places[0]);
    if (status != TRP_OK) {
        return status;
    }
    place_proxies_install(node->places[0], node->runtime);
    if (!edge_has_threads(node->edge)) {
        place_threads_in_pool(node->runtime);
        return TRP_OK;
    }
    status = place_threads_open(node->runtime, node->edge, node->hub, &node->threads);
    if (status != TRP_OK) {
        return status;
    }
    place_proxies_options_t threads = processes;
    threads.carrier = &place_thread;
    threads.carrier_user = node->threads;
    threads.grace_ms =
        node->options.watch.kill_grace_ms > 0 ? node->options.watch.kill_grace_ms : GRACE_MS;
    status = place_proxies_open(&threads, &node->places[1]);
    if (status != TRP_OK) {
        return status;
    }
    place_proxies_install(node->places[1], node->runtime);
    return client_hub_open(node->runtime, node->edge, node->hub, &node->clients);
}

/* Each thread of an actor has a descriptor. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* By a signal, so that the guardian starts the node again. */
static void give_up(void *user, const char *why, const runtime_at_work_t *who)
{
    const node_t *node = user;
    log_event(LOG_FATAL, "node_aborts", LOG_TEXT("why", why));
    culprit_note(node->child.culprit, who);
    abort();
}

static trp_status_t open_parts(node_t *node, const node_ground_t *ground, char error[256])
{
    trp_status_t status = edge_create_with(&ground->edge, &node->edge);
    if (status != TRP_OK) {
        return status;
    }
    runtime_watch_t watch = node->options.watch;
    watch.fatal = give_up;
    watch.user = node;
    const runtime_options_t options = {.node = node->child.node,
                                       .incarnation = node->child.incarnation,
                                       .threads = node->options.threads,
                                       .edge = edge_park(node->edge),
                                       .host = ground->edge.host,
                                       .watch = watch};
    status = runtime_create(&options, &node->runtime);
    if (status != TRP_OK) {
        return status;
    }
    edge_attach(node->edge, node->runtime);
    node->guardian = ground->guardian;
    if (node->guardian == NULL) {
        status = guardian_port_open(node->edge, node->child.fd, &node->own_guardian);
        node->guardian = node->own_guardian;
    }
    if (status == TRP_OK) {
        status = open_places(node, error);
    }
    if (status == TRP_OK) {
        status = runtime_start(node->runtime);
    }
    return status == TRP_OK ? node->options.start(node->options.user, node->runtime) : status;
}

static void *same(void *node)
{
    return node;
}

trp_status_t node_create(const node_options_t *options, const guardian_child_t *child,
                         const node_ground_t *ground, node_t **result, char error[256])
{
    snprintf(error, 256, "no memory or no descriptors");
    node_t *node = calloc(1, sizeof(*node));
    if (node == NULL) {
        return TRP_NO_MEMORY;
    }
    node->options = *options;
    node->child = *child;
    const trp_status_t status = open_parts(node, ground, error);
    if (status != TRP_OK) {
        node_destroy(&node);
        return status;
    }
    (void)runtime_keep(node->runtime, KEEP_NAME, same, NULL, node);
    *result = node;
    return TRP_OK;
}

void node_destroy(node_t **pointer)
{
    node_t *node = *pointer;
    *pointer = NULL;
    client_hub_stop(node->clients);
    (void)place_threads_stop(node->threads);
    runtime_destroy(&node->runtime);
    place_threads_close(&node->threads);
    client_hub_close(&node->clients);
    place_proxies_close(&node->places[0]);
    place_proxies_close(&node->places[1]);
    hub_close(&node->hub);
    guardian_port_close(&node->own_guardian);
    edge_destroy(&node->edge);
    free(node);
}

trp_runtime_t *node_runtime(const node_t *node)
{
    return node->runtime;
}

edge_t *node_edge(const node_t *node)
{
    return node->edge;
}

/* Handlers that do not return keep what they use: the process ends with them in it. What was sent
 * leaves as ever, unless a thread has sockets of its own. */
static void leave_behind(node_t *node)
{
    log_event(LOG_WARN, "handlers_left_behind",
              LOG_INT("handlers", runtime_stuck(node->runtime).handlers));
    if (place_threads_stop(node->threads) == 0) {
        edge_destroy(&node->edge);
    }
}

const place_hub_t *node_hub(const node_t *node)
{
    return node->hub;
}

int node_run(const node_options_t *options, const guardian_child_t *child)
{
    char error[256];
    node_t *node = NULL;
    culprit_catch(child->culprit);
    allow_descriptors();
    log_ignore_signals();
    const trp_status_t status =
        node_create(options, child, &(node_ground_t){.guardian = NULL}, &node, error);
    if (status != TRP_OK) {
        log_event(LOG_FATAL, "node_not_started", LOG_TEXT("status", trp_status_name(status)),
                  LOG_TEXT("error", error));
        return EXIT_FAILED;
    }
    runtime_run_edge(node->runtime);
    const int exit_status = runtime_exit_status(node->runtime);
    if (runtime_await_threads(node->runtime, THREADS_MS)) {
        node_destroy(&node);
    } else {
        leave_behind(node);
    }
    return exit_status;
}

int node_listener(trp_runtime_t *runtime)
{
    const node_t *node = runtime_keep(runtime, KEEP_NAME, same, NULL, NULL);
    return node == NULL ? 0 : node->child.listener;
}

static void tell(trp_runtime_t *runtime, guardian_kind_t kind, const char *status, int value)
{
    const node_t *node = runtime_keep(runtime, KEEP_NAME, same, NULL, NULL);
    guardian_message_t message = {.kind = kind, .value = value};
    if (node != NULL) {
        snprintf(message.program, sizeof(message.program), "%s", status);
        (void)!node->guardian->ask(node->guardian->user, &message);
    }
}

void node_ready(trp_runtime_t *runtime, const char *status)
{
    tell(runtime, GUARDIAN_READY, status, 0);
}

void node_reloaded(trp_runtime_t *runtime, const char *status, int log_level)
{
    tell(runtime, GUARDIAN_RELOADED, status, log_level);
}

void node_end(trp_runtime_t *runtime, int status)
{
    runtime_stop_with(runtime, status);
}
