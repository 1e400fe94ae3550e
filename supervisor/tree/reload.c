/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/reload.h"

#include <stdio.h>
#include <string.h>

#include "messages/control.h"
#include "runtime/config/config_change.h"
#include "runtime/log.h"
#include "runtime/node/node.h"

/* One reload under way. */
typedef struct pass {
    const reload_t *reload;
    trp_ctx_t *ctx;
    int taken, left;
    bool has_keys; /* the file of keys says something else */
} pass_t;

/* One that has not started yet finds the option in the configuration. */
static void tell_router(const pass_t *pass, const config_change_t *change, const char *value)
{
    const trp_pid_t router = trp_whereis(pass->ctx, TREE_ROUTER);
    const router_order_t order = {
        .action = {"set", strlen("set")},
        .pool = {change->pool->name, strlen(change->pool->name)},
        .has_pool = true,
        .option = {change->row->name, strlen(change->row->name)},
        .has_option = true,
        .value = {value, strlen(value)},
        .has_value = true,
    };
    zmq_msg_t message;
    if (trp_pid_is_none(router)) {
        return;
    }
    trp_status_t status = trp_schema_pack(&router_order_schema, &order, &message);
    if (status == TRP_OK) {
        status = trp_send_move(pass->ctx, router, TRP_TAG_ROUTER_ORDER, &message);
        zmq_msg_close(&message);
    }
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "option_not_told", LOG_TEXT("option", change->option),
                  LOG_TEXT("status", trp_status_name(status)));
    }
}

static void take(pass_t *pass, const config_change_t *change)
{
    char value[OPTION_TEXT_MAX];
    config_change_value(change, value);
    config_change_apply(change);
    pass->taken++;
    log_event(LOG_INFO, "option_changed", LOG_TEXT("option", change->option),
              LOG_TEXT("value", value));
    if (change->effect == CONFIG_POOL_RULE) {
        tell_router(pass, change, value);
    }
}

static void on_change(void *user, const config_change_t *change)
{
    pass_t *pass = user;
    if (change->effect == CONFIG_KEYS) {
        pass->has_keys = true;
        pass->taken++;
        return;
    }
    if (change->effect != CONFIG_AT_START) {
        take(pass, change);
        return;
    }
    pass->left++;
    log_event(LOG_WARN, "option_needs_a_start", LOG_TEXT("option", change->option),
              LOG_TEXT("effect", "it holds when the node is started again"));
}

static void refuse(const pass_t *pass, const config_fault_t *fault, trp_status_t status)
{
    log_event(LOG_ERROR, "reload_refused", LOG_TEXT("file", fault->path),
              LOG_INT("line", fault->line), LOG_TEXT("option", fault->option),
              LOG_TEXT("expected", status == TRP_CONFIG ? fault->rule : trp_status_text(status)));
    node_reloaded(runtime_of(pass->ctx), "the changed file was refused: as before", 0);
}

static int log_level_of(const config_t *config)
{
    return (int)(LOG_TRACE + 10 * config->node.log_level);
}

static void finish(const pass_t *pass)
{
    const config_t *config = pass->reload->config;
    char line[128];
    log_event(LOG_INFO, "reloaded", LOG_INT("changed", pass->taken),
              LOG_INT("needs_start", pass->left));
    log_level_set(log_level_of(config));
    snprintf(line, sizeof(line), "node %s serves; %d options changed, %d need a start",
             config->node.name, pass->taken, pass->left);
    node_reloaded(runtime_of(pass->ctx), line, log_level_of(config));
}

void reload_now(const reload_t *reload, trp_ctx_t *ctx)
{
    pass_t pass = {.reload = reload, .ctx = ctx};
    config_fault_t fault = {.path = ""};
    config_t *wanted = NULL;
    tree_t *tree = NULL;
    trp_status_t status =
        config_load(reload->path, reload->overrides, reload->classes, &wanted, &fault);
    if (status == TRP_OK) {
        status = tree_build(wanted, reload->classes, &tree, &fault);
    }
    if (status == TRP_OK && wanted->node.run_dir[0] == '\0') {
        memcpy(wanted->node.run_dir, reload->config->node.run_dir, sizeof(wanted->node.run_dir));
    }
    if (status == TRP_OK) {
        const int before = log_level_of(reload->config), level = log_level_of(wanted);
        log_level_set(level < before ? level : before); /* the reload itself is told */
        config_compare(reload->config, wanted, on_change, &pass);
        status = tree_take_limits(reload->tree);
    }
    if (status == TRP_OK && pass.has_keys) {
        config_keys_take(reload->config, wanted);
        log_event(LOG_INFO, "keys_changed", LOG_INT("keys", reload->config->key_count));
    }
    if (status == TRP_OK) {
        finish(&pass);
    } else {
        refuse(&pass, &fault, status);
    }
    tree_free(&tree);
    config_free(&wanted);
}
