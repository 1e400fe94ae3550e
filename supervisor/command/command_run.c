/* SPDX-License-Identifier: MIT */
/* run: checks the configuration whole, then becomes the guardian of a node. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/config/config.h"
#include "runtime/log.h"
#include "runtime/node/node.h"
#include "supervisor/command/command.h"
#include "supervisor/control/endpoints.h"
#include "supervisor/control/inquiry.h"
#include "supervisor/tree/environment.h"
#include "supervisor/tree/files.h"
#include "supervisor/tree/keeper.h"
#include "supervisor/tree/reload.h"

#define NODE_NUMBER 1 /* until nodes know each other */

/* What the processes of the node share, from before the first fork. */
typedef struct run {
    const command_call_t *call;
    config_t *config;
    tree_t *tree;
    keeper_args_t keeper;
    reload_t reload;
} run_t;

/* ---- in the node's process ---- */

static void print_ready_json(const run_t *run, const endpoint_t *endpoints, size_t count)
{
    trp_writer_t writer;
    size_t size = 0;
    char *json = NULL;
    trp_writer_init(&writer);
    trp_write_map(&writer, 4);
    trp_put_bool(&writer, "ready", true);
    trp_put_text(&writer, "node", run->config->node.name);
    trp_put_int(&writer, "os_pid", getpid());
    trp_write_key(&writer, "endpoints");
    trp_write_map(&writer, count);
    for (size_t i = 0; i < count; i++) {
        trp_put_text(&writer, endpoints[i].name, endpoints[i].text);
    }
    const void *data = trp_writer_data(&writer, &size);
    if (!writer.failed && trp_json_from_msgpack(data, size, &json, &size) == TRP_OK) {
        puts(json);
    }
    free(json);
    trp_writer_fini(&writer);
}

static void ready(void *user, trp_runtime_t *runtime)
{
    const run_t *run = user;
    char status[TRP_NAME_MAX + 16];
    size_t count = 0;
    const endpoint_t *endpoints = endpoint_list(runtime, &count);
    snprintf(status, sizeof(status), "node %s serves", run->config->node.name);
    node_ready(runtime, status);
    if (run->call->json) {
        print_ready_json(run, endpoints, count);
    } else {
        printf("ready");
        for (size_t i = 0; i < count; i++) {
            printf(" %s=%s", endpoints[i].name, endpoints[i].text);
        }
        putchar('\n');
    }
    fflush(stdout);
}

static void on_reload(void *user, trp_ctx_t *ctx)
{
    const run_t *run = user;
    reload_now(&run->reload, ctx);
}

static trp_status_t start(void *user, trp_runtime_t *runtime)
{
    run_t *run = user;
    trp_pid_t keeper;
    config_keep(runtime, run->config);
    run->keeper = (keeper_args_t){
        .config = run->config, .tree = run->tree, .ready = ready, .reload = on_reload, .user = run};
    run->reload = (reload_t){.path = run->call->arguments[0],
                             .overrides = run->call->overrides,
                             .classes = run->call->classes,
                             .config = run->config,
                             .tree = run->tree};
    trp_spawn_t spawn = {.class = &keeper_class,
                         .name = KEEPER_NAME,
                         .args = &run->keeper,
                         .args_size = sizeof(run->keeper)};
    return runtime_spawn(runtime, &spawn, &keeper);
}

/* False: the keeper can't be reached. */
static bool tell_keeper(trp_runtime_t *runtime, uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        return false;
    }
    envelope->to = runtime_whereis(runtime, KEEPER_NAME);
    envelope->tag = tag;
    if (runtime_send(runtime, envelope) != TRP_OK) {
        envelope_free(envelope);
        return false;
    }
    return true;
}

static void stop(void *user, trp_runtime_t *runtime)
{
    (void)user;
    if (!tell_keeper(runtime, TRP_TAG_STOP)) {
        node_end(runtime, EXIT_FAILED);
    }
}

static void reload(void *user, trp_runtime_t *runtime)
{
    (void)user;
    if (!tell_keeper(runtime, KEEPER_TAG_RELOAD)) {
        log_event(LOG_ERROR, "reload_refused", LOG_TEXT("cause", "the node starts or ends"));
        node_reloaded(runtime, "the file was not read: as before", 0);
    }
}

static uint32_t thread_count(const config_t *config)
{
    uint32_t cores = host_os.processors(host_os.user);
    if (config->node.threads > 0) {
        return (uint32_t)config->node.threads;
    }
    uint32_t threads = cores > 2 ? cores - 1 : 1;
    return threads < RUNTIME_THREADS_MAX ? threads : RUNTIME_THREADS_MAX;
}

/* ---- before any process ---- */

/* "FILE:LINE: OPTION: expected RULE" */
static int show_fault(const config_fault_t *fault)
{
    fprintf(stderr, "%s:", fault->path);
    if (fault->line > 0) {
        fprintf(stderr, "%d:", fault->line);
    }
    fprintf(stderr, " %s%sexpected %s\n", fault->option, fault->option[0] == '\0' ? "" : ": ",
            fault->rule);
    return EXIT_USAGE;
}

static int load(run_t *run)
{
    config_fault_t fault = {.path = ""};
    const command_call_t *call = run->call;
    trp_status_t status =
        config_load(call->arguments[0], call->overrides, call->classes, &run->config, &fault);
    if (status == TRP_CONFIG) {
        return show_fault(&fault);
    }
    if (status != TRP_OK) {
        return command_fail(call, EXIT_FAILED, "%s", trp_status_text(status));
    }

    config_node_t *node = &run->config->node;
    if (node->run_dir[0] == '\0' &&
        guardian_run_dir(node->name, node->run_dir, sizeof(node->run_dir)) != TRP_OK) {
        return command_fail(call, EXIT_FAILED, "the name of the user's run directory is too long");
    }
    log_level_set((int)(LOG_TRACE + 10 * node->log_level));
    status = tree_build(run->config, call->classes, &run->tree, &fault);
    if (status == TRP_CONFIG) {
        return show_fault(&fault);
    }
    return status == TRP_OK ? EXIT_OK
                            : command_fail(call, EXIT_FAILED, "%s", trp_status_text(status));
}

/* The hard limit counts: the node raises its own to that. */
static int check_files(const run_t *run)
{
    struct rlimit limit;
    const unsigned long long needed = files_needed(run->config);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max >= needed) {
        return EXIT_OK;
    }
    return command_fail(run->call, EXIT_FAILED,
                        "the node needs %llu open files and may have %llu: raise the limit with "
                        "`ulimit -n %llu`, or by LimitNOFILE= of its unit; or give its pools fewer "
                        "workers",
                        needed, (unsigned long long)limit.rlim_max, needed);
}

/* ---- the processes ---- */

/* The node died after it had taken over a changed file: it starts with what the file says now. One
 * that can't be read leaves it as it was before its first reload. */
static void read_again(run_t *run)
{
    run_t fresh = {.call = run->call};
    if (load(&fresh) != EXIT_OK) {
        log_event(LOG_ERROR, "reload_refused", LOG_TEXT("file", run->call->arguments[0]),
                  LOG_TEXT("effect", "the node starts with its first configuration"));
        tree_free(&fresh.tree);
        config_free(&fresh.config);
        return;
    }
    memcpy(fresh.config->node.run_dir, run->config->node.run_dir,
           sizeof(run->config->node.run_dir));
    tree_free(&run->tree);
    run->tree = fresh.tree;
    const config_t former = *run->config; /* in place: the guardian's options point into it */
    *run->config = *fresh.config;
    *fresh.config = former;
    config_free(&fresh.config);
}

/* Children that have brought former nodes down too often. */
static void quarantine(const run_t *run, const quarantine_t *quarantine)
{
    for (size_t i = 0; quarantine != NULL && i < quarantine->count; i++) {
        const quarantine_row_t *row = &quarantine->rows[i];
        const char *why = row->is_out ? tree_quarantine(run->tree, row->origin) : NULL;
        if (why != NULL) {
            log_event(LOG_ERROR, "child_not_quarantined", LOG_TEXT("child", row->origin),
                      LOG_TEXT("class", row->class_name), LOG_TEXT("why", why));
        }
    }
}

static int node_main(void *user, const guardian_child_t *child)
{
    run_t *run = user;
    if (child->reloaded) {
        read_again(run);
    }
    quarantine(run, child->quarantine);
    const config_node_t *node = &run->config->node;
    inquiry_box_folder(node->black_box_dir, child->run_dir);
    node_options_t options = {.classes = run->call->classes,
                              .threads = thread_count(run->config),
                              .watch = {.stuck_ms = node->stuck_ms,
                                        .edge_stuck_ms = node->edge_stuck_ms,
                                        .kill_grace_ms = node->kill_grace_ms,
                                        .stuck_max = (uint32_t)node->stuck_max},
                              .box_folder = node->black_box_dir,
                              .start = start,
                              .stop = stop,
                              .reload = reload,
                              .user = run};
    return node_run(&options, child);
}

static int worker_main(void *user, const guardian_child_t *child)
{
    const run_t *run = user;
    return worker_run(run->call->classes, child);
}

static int run_node(const command_call_t *call)
{
    run_t run = {.call = call};
    int status = load(&run);
    if (status == EXIT_OK) {
        status = check_files(&run);
    }
    if (status == EXIT_OK) {
        guardian_options_t options = {.name = run.config->node.name,
                                      .run_dir = run.config->node.run_dir,
                                      .node = NODE_NUMBER << 16,
                                      .stop_ms = run.config->node.stop_ms,
                                      .quarantine_after =
                                          (uint32_t)run.config->node.quarantine_after,
                                      .quarantine_window_s = run.config->node.quarantine_window_s,
                                      .node_main = node_main,
                                      .worker_main = worker_main,
                                      .user = &run};
        status = guardian_run(&options);
    }
    tree_free(&run.tree);
    config_free(&run.config);
    return status;
}

int command_run(const command_call_t *call)
{
    static environment_t environment; /* what it says is read again at a reload */
    environment_read(&environment, getenv);
    const char **overrides = environment_overrides(&environment, call->overrides);
    if (overrides == NULL) {
        return command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
    }
    command_call_t with_environment = *call;
    with_environment.overrides = overrides;
    const int status = run_node(&with_environment);
    free(overrides);
    return status;
}
