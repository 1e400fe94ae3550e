/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/place/dead_log.h"
#include "supervisor/control/control.h"
#include "supervisor/tree/tree_check.h"

#define NS_PER_S       INT64_C(1000000000)
#define BUILT_IN_COUNT 4 /* control, dead letters, intake and router */

/* A child of the root that is part of troupe itself. */
static trp_child_spec_t built_in(const char *id, const trp_class_t *class)
{
    trp_child_spec_t spec = {.class = class,
                             .is_named = true,
                             .shutdown_ms = 5000,
                             .start_ms = 10000,
                             .backoff_ms = 50,
                             .backoff_max_ms = 5000};
    snprintf(spec.id, sizeof(spec.id), "%s", id);
    return spec;
}

static void set_causes(trp_child_spec_t *spec, const config_child_t *config)
{
    spec->on_exit[TRP_CAUSE_CLEAN] = (trp_on_exit_t)config->on_clean;
    spec->on_exit[TRP_CAUSE_CONFIG] = (trp_on_exit_t)config->on_config;
    spec->on_exit[TRP_CAUSE_UNREADY] = (trp_on_exit_t)config->on_unready;
    spec->on_exit[TRP_CAUSE_MEMORY] = (trp_on_exit_t)config->on_memory;
    spec->on_exit[TRP_CAUSE_STUCK] = (trp_on_exit_t)config->on_stuck;
    spec->on_exit[TRP_CAUSE_CRASH] = (trp_on_exit_t)config->on_crash;
}

static trp_child_spec_t configured(const config_child_t *config, const char *id, tree_cell_t *cell)
{
    trp_child_spec_t spec = {.class = config->class,
                             .place = (trp_place_t)config->place,
                             .program = config->program,
                             .limits_now = &cell->cell,
                             .origin = cell->path,
                             .args = config->args,
                             .args_size = config->args_size,
                             .restart = (trp_restart_t)config->restart,
                             .is_named = true,
                             .shutdown_ms = config->shutdown_ms == 0 ? TRP_SHUTDOWN_BRUTAL
                                                                     : config->shutdown_ms,
                             .start_ms = config->start_ms,
                             .backoff_ms = config->backoff_ms,
                             .backoff_max_ms = config->backoff_max_ms,
                             .backoff_factor = config->backoff_factor,
                             .backoff_steps = config->backoff_steps,
                             .jitter = (trp_jitter_t)config->jitter,
                             .reset_after_ms = config->reset_after_ms,
                             .is_significant = config->significant != 0,
                             .give_up = (trp_give_up_t)config->give_up,
                             .while_down = (trp_while_down_t)config->while_down,
                             .mailbox_max = (uint32_t)config->mailbox_max,
                             .mailbox_bytes = (size_t)config->mailbox_bytes,
                             .overflow = (trp_overflow_t)config->overflow,
                             .memory_quota = (size_t)config->memory_quota};
    set_causes(&spec, config);
    snprintf(spec.id, sizeof(spec.id), "%s", id);
    return spec;
}

/* There is one for each child and each pool. */
static tree_cell_t *cell_of(tree_t *tree, const config_child_t *config, const char *section,
                            const char *name)
{
    tree_cell_t *cell = &tree->cells[tree->cell_count++];
    cell->of = config;
    snprintf(cell->path, sizeof(cell->path), "%.190s.%.63s", section, name);
    return cell;
}

/* `bucket`: the supervisor's own, below `above` (NULL: nothing is). */
static void set_flags(trp_supervisor_spec_t *spec, const config_supervisor_t *config,
                      trp_bucket_t *bucket, trp_bucket_t *above)
{
    spec->strategy = (trp_strategy_t)config->strategy;
    spec->intensity = config->intensity;
    spec->period_s = config->period_s;
    spec->window = (trp_window_t)config->window;
    spec->starts = (trp_starts_t)config->starts;
    spec->start_max = (size_t)config->start_max;
    spec->auto_shutdown = (trp_auto_shutdown_t)config->auto_shutdown;
    bucket->burst = config->restarts_per_s;
    bucket->interval_ns = config->restarts_per_s == 0 ? 0 : NS_PER_S / config->restarts_per_s;
    bucket->parent = above;
    spec->bucket = bucket;
}

/* A pool's supervisor: its first workers and the template of further ones. `workers` has room for
 * 1 + min + understudies rows. */
static void fill_pool(trp_supervisor_spec_t *spec, trp_child_spec_t *workers,
                      const config_pool_t *pool, tree_cell_t *cell)
{
    workers[0] = configured(&pool->child, pool->name, cell);
    workers[0].is_dynamic = true;
    const int64_t count = pool->min + pool->understudies;
    for (int64_t n = 1; n <= count; n++) {
        char id[TRP_NAME_MAX];
        snprintf(id, sizeof(id), "%.50s.%d", pool->name, (int)n);
        workers[n] = configured(&pool->child, id, cell);
        workers[n].is_dynamic = true;
    }

    *spec = (trp_supervisor_spec_t){.children = workers + 1,
                                    .child_count = (size_t)count,
                                    .template = workers,
                                    .child_max = (size_t)(pool->max + pool->understudies)};
    snprintf(spec->name, sizeof(spec->name), "pool.%.58s", pool->name);
}

static trp_child_spec_t supervisor_child(const trp_supervisor_spec_t *spec)
{
    trp_child_spec_t child = built_in(spec->name, &trp_supervisor_class);
    child.is_supervisor = true;
    child.args = spec;
    child.shutdown_ms = TRP_SHUTDOWN_INFINITY;
    child.start_ms = 0; /* its children have limits of their own */
    return child;
}

static const trp_class_t *find_class(const trp_class_t *const *classes, const char *name)
{
    while (*classes != NULL && strcmp((*classes)->name, name) != 0) {
        classes++;
    }
    return *classes;
}

/* Supervisors and children below one. */
static void count(const config_branch_t *branch, size_t *branches, size_t *children)
{
    *children += branch->child_count;
    for (size_t i = 0; i < branch->child_count; i++) {
        if (branch->children[i].branch != NULL) {
            (*branches)++;
            count(branch->children[i].branch, branches, children);
        }
    }
}

static trp_status_t allocate(tree_t *tree, const config_t *config)
{
    size_t workers = 0;
    for (size_t i = 0; i < config->pool_count; i++) {
        workers += 1 + (size_t)(config->pools[i].min + config->pools[i].understudies);
    }
    tree->worker_count = workers;
    size_t branches = 0, children = config->pool_count + BUILT_IN_COUNT;
    count(&config->tree, &branches, &children);
    tree->children = calloc(children, sizeof(*tree->children));
    tree->branches = calloc(branches + 1, sizeof(*tree->branches));
    tree->pools = calloc(config->pool_count + 1, sizeof(*tree->pools));
    tree->workers = calloc(workers + 1, sizeof(*tree->workers));
    tree->buckets = calloc(config->pool_count + 1, sizeof(*tree->buckets));
    tree->cells = calloc(children, sizeof(*tree->cells));
    bool is_complete = tree->children != NULL && tree->branches != NULL && tree->pools != NULL &&
                       tree->workers != NULL && tree->buckets != NULL && tree->cells != NULL;
    return is_complete ? TRP_OK : TRP_NO_MEMORY;
}

/* Fills the row of a child that is a supervisor, and the rows below it. */
static void grow(tree_t *tree, trp_child_spec_t *row, const config_child_t *config,
                 const char *parent, trp_bucket_t *above)
{
    const config_branch_t *below = config->branch;
    tree_branch_t *branch = &tree->branches[tree->branch_count++];
    snprintf(branch->path, sizeof(branch->path), "%.180s.children.%s", parent, config->id);
    snprintf(branch->spec.name, sizeof(branch->spec.name), "%s", config->id);
    set_flags(&branch->spec, &below->supervisor, &branch->bucket, above);
    row->class = &trp_supervisor_class;
    row->is_supervisor = true;
    row->args = &branch->spec;

    trp_child_spec_t *rows = tree->children + tree->child_count;
    tree->child_count += below->child_count;
    char section[CONFIG_PATH_MAX];
    snprintf(section, sizeof(section), "%.240s.children", branch->path);
    for (size_t i = 0; i < below->child_count; i++) {
        const config_child_t *child = &below->children[i];
        rows[i] = configured(child, child->id, cell_of(tree, child, section, child->id));
        if (below->children[i].branch != NULL) {
            grow(tree, &rows[i], &below->children[i], branch->path, &branch->bucket);
        }
    }
    branch->spec.children = rows;
    branch->spec.child_count = below->child_count;
}

/* The root's children that the configuration names. Returns the row behind them. */
static trp_child_spec_t *fill_configured(tree_t *tree, trp_child_spec_t *child,
                                         const config_t *config)
{
    for (size_t i = 0; i < config->tree.child_count; i++, child++) {
        const config_child_t *own = &config->tree.children[i];
        *child = configured(own, own->id, cell_of(tree, own, "tree.children", own->id));
        if (own->branch != NULL) {
            grow(tree, child, own, "tree", &tree->buckets[0]);
        }
    }
    trp_child_spec_t *workers = tree->workers;
    for (size_t i = 0; i < config->pool_count; i++) {
        if (config->pools[i].foreign) {
            continue; /* its workers come by themselves */
        }
        const config_pool_t *pool = &config->pools[i];
        fill_pool(&tree->pools[i], workers, pool, cell_of(tree, &pool->child, "pools", pool->name));
        set_flags(&tree->pools[i], &config->pools[i].supervisor, &tree->buckets[1 + i],
                  &tree->buckets[0]);
        workers += 1 + config->pools[i].min + config->pools[i].understudies;
        *child++ = supervisor_child(&tree->pools[i]);
    }
    return child;
}

/* The intake's class is wanted by routers alone, and missed by none. */
static void fill(tree_t *tree, const config_t *config, const trp_class_t *router,
                 const trp_class_t *intake)
{
    trp_child_spec_t *child = tree->children;
    tree->child_count = config->tree.child_count + config->pool_count + BUILT_IN_COUNT;
    *child++ = built_in("control", &control_class);
    *child = built_in(DEAD_LOG_NAME, &dead_log_class);
    child++->mailbox_max = DEAD_LOG_DEPTH;
    child = fill_configured(tree, child, config);
    if (router != NULL && intake != NULL) {
        *child++ = built_in(TREE_INTAKE, intake);
    }
    if (router != NULL) {
        *child++ = built_in(TREE_ROUTER, router);
    }

    tree->has_router = router != NULL;
    tree->root.children = tree->children;
    tree->root.child_count = (size_t)(child - tree->children);
    snprintf(tree->root.name, sizeof(tree->root.name), TREE_ROOT);
    set_flags(&tree->root, &config->tree.supervisor, &tree->buckets[0], NULL);
}

trp_status_t tree_build(const config_t *config, const trp_class_t *const *classes, tree_t **tree,
                        config_fault_t *fault)
{
    const trp_class_t *router = NULL;
    const bool has_pools = config->pool_count > 0;
    if (has_pools || config->majordomo.endpoint[0] != '\0') {
        router = find_class(classes, TREE_ROUTER);
        if (router == NULL) {
            return config_refuse(config, fault, has_pools ? "pools" : "majordomo",
                                 "the class `router`, which this program was built without: add "
                                 "router_class to the list given to trp_main");
        }
    }

    tree_t *made = calloc(1, sizeof(*made));
    trp_status_t status = made == NULL ? TRP_NO_MEMORY : allocate(made, config);
    if (status == TRP_OK) {
        fill(made, config, router, find_class(classes, TREE_INTAKE));
        status = tree_take_limits(made);
    }
    if (status == TRP_OK) {
        status = tree_check(made, config, fault);
    }
    if (status != TRP_OK) {
        tree_free(&made);
        return status;
    }
    *tree = made;
    return TRP_OK;
}

static trp_status_t give_limits(tree_t *tree, trp_limits_cell_t *cell, const trp_limits_t *limits)
{
    /* Relaxed: only a reload writes it, and that is us. */
    const trp_limits_t *now = atomic_load_explicit(cell, memory_order_relaxed);
    if (now != NULL && memcmp(now, limits, sizeof(*now)) == 0) {
        return TRP_OK;
    }
    tree_limits_t *given = calloc(1, sizeof(*given));
    if (given == NULL) {
        return TRP_NO_MEMORY;
    }
    memcpy(&given->limits, limits, sizeof(given->limits));
    given->next = tree->given;
    tree->given = given;
    /* release: a supervisor that finds the pointer finds what is behind it */
    atomic_store_explicit(cell, &given->limits, memory_order_release);
    return TRP_OK;
}

trp_status_t tree_take_limits(tree_t *tree)
{
    trp_status_t status = TRP_OK;
    for (size_t i = 0; status == TRP_OK && i < tree->cell_count; i++) {
        status = give_limits(tree, &tree->cells[i].cell, &tree->cells[i].of->limits);
    }
    return status;
}

static void free_limits(tree_limits_t *given)
{
    while (given != NULL) {
        tree_limits_t *next = given->next;
        free(given);
        given = next;
    }
}

void tree_free(tree_t **tree)
{
    if (*tree != NULL) {
        free_limits((*tree)->given);
        free((*tree)->cells);
        free((*tree)->children);
        free((*tree)->branches);
        free((*tree)->pools);
        free((*tree)->workers);
        free((*tree)->buckets);
        free(*tree);
        *tree = NULL;
    }
}
