/* SPDX-License-Identifier: MIT */
/* Stores of a world: servers that nodes reach over the net ("store"), or disks of a node's machine
 * ("a.disk"). A store has what all see, and what would outlive its death: the state of the last
 * sync. Its backend is one that blocks, so its calls are jobs of a helper and take their time. */
#include "tests/sim/sim_store.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/runtime.h"
#include "runtime/store.h"
#include "runtime/store/store_table.h"
#include "tests/sim/sim.h"

#define SIZE_MAX_BYTES (64u * 1024 * 1024)

typedef struct handle handle_t;

struct sim_store {
    sim_store_t *next; /* of the world */
    trp_sim_t *sim;
    char name[SIM_NAME_MAX];
    store_table_t *now, *durable;
    handle_t *handles;
    int64_t gone_until_ns; /* it died and is not there until then */
};

/* Of a process that has it open. */
struct handle {
    handle_t *next; /* of the store */
    sim_store_t *store;
    char owner[SIM_NAME_MAX];
    trp_store_watch_t watch;
    bool missed; /* a change that did not get through to it */
};

/* ---- stores ---- */

static sim_store_t *store_of(const trp_sim_t *sim, const char *name)
{
    sim_store_t *store = sim->stores;
    while (store != NULL && strcmp(store->name, name) != 0) {
        store = store->next;
    }
    return store;
}

static sim_store_t *store_make(trp_sim_t *sim, const char *name)
{
    sim_store_t *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        abort();
    }
    store->sim = sim;
    snprintf(store->name, sizeof(store->name), "%s", name);
    store->now = store_table_make(SIZE_MAX_BYTES, 0);
    store->durable = store_table_make(SIZE_MAX_BYTES, 0);
    if (store->now == NULL || store->durable == NULL) {
        abort();
    }
    sim_store_t **at = &sim->stores;
    while (*at != NULL) { /* in order of birth: faults choose by number */
        at = &(*at)->next;
    }
    *at = store;
    return store;
}

static store_table_t *copy_of(const store_table_t *table, const store_table_t *versions)
{
    store_table_t *copy = store_table_copy(table, store_table_version(versions));
    if (copy == NULL) {
        abort();
    }
    return copy;
}

/* What was not synced is lost; the versions that it had are not given again. */
static void lose(sim_store_t *store, int64_t gone_ns)
{
    sim_trace_add(store->sim, store->name, NULL, "dies, at version %lld",
                  (long long)store_table_version(store->now));
    store_table_t *left = copy_of(store->durable, store->now);
    store_table_free(&store->now);
    store->now = left;
    store->gone_until_ns = store->sim->now_ns + gone_ns;
    for (handle_t *handle = store->handles; handle != NULL; handle = handle->next) {
        handle->missed = true;
    }
}

bool sim_store_kill(trp_sim_t *sim, const sim_fault_t *fault)
{
    sim_store_t *store = fault->target[0] == '\0' ? sim->stores : store_of(sim, fault->target);
    size_t count = 0;
    for (const sim_store_t *at = sim->stores; at != NULL; at = at->next) {
        count++;
    }
    for (uint64_t skip = count == 0 || fault->target[0] != '\0' ? 0 : fault->pick % count; skip > 0;
         skip--) {
        store = store->next;
    }
    if (store != NULL) {
        lose(store, fault->for_ns);
    }
    return store != NULL || fault->planned;
}

/* The stores of a machine die with it. */
void sim_store_machine_died(trp_sim_t *sim, const char *machine)
{
    const size_t size = strlen(machine);
    for (sim_store_t *store = sim->stores; store != NULL; store = store->next) {
        if (strncmp(store->name, machine, size) == 0 && store->name[size] == '.') {
            lose(store, 0);
        }
    }
}

bool sim_store_each(const trp_sim_t *sim, size_t number, const char **name)
{
    const sim_store_t *store = sim->stores;
    while (store != NULL && number > 0) {
        store = store->next;
        number--;
    }
    *name = store == NULL ? NULL : store->name;
    return store != NULL;
}

void sim_store_heal(trp_sim_t *sim)
{
    for (sim_store_t *store = sim->stores; store != NULL; store = store->next) {
        store->gone_until_ns = 0;
    }
}

void sim_store_free_all(trp_sim_t *sim)
{
    while (sim->stores != NULL) {
        sim_store_t *store = sim->stores;
        sim->stores = store->next;
        store_table_free(&store->now);
        store_table_free(&store->durable);
        free(store);
    }
}

/* ---- the fate of a call ---- */

typedef enum way { WAY_THERE, WAY_BACK } way_t;

static bool is_cut(const handle_t *handle, way_t way)
{
    const sim_store_t *store = handle->store;
    return store->gone_until_ns > store->sim->now_ns ||
           sim_fault_blocks(store->sim, way == WAY_THERE ? handle->owner : store->name,
                            way == WAY_THERE ? store->name : handle->owner);
}

static bool strikes(const handle_t *handle, uint32_t share)
{
    trp_sim_t *sim = handle->store->sim;
    return !sim->calm && sim_happens(sim->fate_chance, share);
}

/* Not TRP_OK: nothing is done. */
static trp_status_t arrives(const handle_t *handle, const char *what)
{
    const sim_store_t *store = handle->store;
    trp_status_t status = TRP_OK;
    if (is_cut(handle, WAY_THERE)) {
        status = TRP_TIMEOUT;
    } else if (strikes(handle, store->sim->options.faults.store_fail_share)) {
        status = TRP_SYSTEM;
    }
    sim_trace_add(store->sim, handle->owner, store->name, "%s%s%s", what,
                  status == TRP_OK ? "" : ": ", status == TRP_OK ? "" : trp_status_name(status));
    return status;
}

/* Done, but who asked may not hear of it. */
static trp_status_t returns(const handle_t *handle, trp_status_t status)
{
    const bool is_lost = is_cut(handle, WAY_BACK) ||
                         strikes(handle, handle->store->sim->options.faults.store_doubt_share);
    sim_hash_add(handle->store->sim, (uint64_t)status << 1 | is_lost);
    return is_lost ? TRP_TIMEOUT : status;
}

static int64_t now_ms(const sim_store_t *store)
{
    return SIM_EPOCH_MS + (store->sim->now_ns - store->sim->began_ns) / NS_PER_MS;
}

/* ---- watches ---- */

static void tell_missed(handle_t *handle)
{
    if (handle->missed && handle->watch.changed != NULL && !is_cut(handle, WAY_BACK)) {
        handle->missed = false;
        handle->watch.changed(handle->watch.user, (trp_text_t){"", 0}, 0, false);
    }
}

static void tell(const sim_store_t *store, trp_text_t key, int64_t version, bool is_deleted)
{
    for (handle_t *handle = store->handles; handle != NULL; handle = handle->next) {
        tell_missed(handle);
        if (handle->watch.changed == NULL) {
            continue;
        }
        if (is_cut(handle, WAY_BACK)) {
            handle->missed = true;
        } else {
            handle->watch.changed(handle->watch.user, key, version, is_deleted);
        }
    }
}

void sim_store_turn(trp_sim_t *sim)
{
    for (const sim_store_t *store = sim->stores; store != NULL; store = store->next) {
        for (handle_t *handle = store->handles; handle != NULL; handle = handle->next) {
            tell_missed(handle);
        }
    }
}

/* ---- the backend ---- */

static trp_status_t sim_open(const trp_store_options_t *options, void **pointer)
{
    const sim_store_how_t *how = options->how;
    handle_t *handle = calloc(1, sizeof(*handle));
    if (handle == NULL) {
        return TRP_NO_MEMORY;
    }
    sim_store_t *store = store_of(how->sim, options->where);
    handle->store = store == NULL ? store_make(how->sim, options->where) : store;
    snprintf(handle->owner, sizeof(handle->owner), "%s", how->owner);
    const trp_status_t status = arrives(handle, "opens");
    if (status != TRP_OK) {
        free(handle);
        return status;
    }
    handle->next = handle->store->handles;
    handle->store->handles = handle;
    *pointer = handle;
    return TRP_OK;
}

static trp_status_t sim_get(void *pointer, trp_text_t key, trp_store_record_t *record)
{
    const handle_t *handle = pointer;
    const trp_status_t status = arrives(handle, "get");
    return status != TRP_OK ? status
                            : returns(handle, store_table_get(handle->store->now, key,
                                                              now_ms(handle->store), record));
}

static trp_status_t sim_write(void *pointer, const trp_store_write_t *write, int64_t *version,
                              bool is_delete)
{
    const handle_t *handle = pointer;
    sim_store_t *store = handle->store;
    trp_status_t status = arrives(handle, is_delete ? "delete" : "put");
    if (status != TRP_OK) {
        return status;
    }
    status = is_delete ? store_table_delete(store->now, write, now_ms(store), version)
                       : store_table_put(store->now, write, now_ms(store), version);
    if (status == TRP_OK && *version != 0) {
        tell(store, write->key, *version, is_delete);
    }
    return returns(handle, status);
}

static trp_status_t sim_put(void *pointer, const trp_store_write_t *write, int64_t *version)
{
    return sim_write(pointer, write, version, false);
}

static trp_status_t sim_delete(void *pointer, const trp_store_write_t *write, int64_t *version)
{
    return sim_write(pointer, write, version, true);
}

static trp_status_t sim_scan(void *pointer, const trp_store_range_t *range, void *user,
                             bool (*each)(void *user, const trp_store_record_t *record))
{
    const handle_t *handle = pointer;
    trp_status_t status = arrives(handle, "scan");
    status = status == TRP_OK ? returns(handle, TRP_OK) : status;
    trp_store_range_t rest = *range;
    trp_store_record_t record;
    while (status == TRP_OK &&
           store_table_next(handle->store->now, &rest, now_ms(handle->store), &record) &&
           each(user, &record)) {
        rest.after = record.key;
    }
    return status;
}

static trp_status_t sim_watch(void *pointer, const trp_store_watch_t *watch)
{
    handle_t *handle = pointer;
    handle->watch = watch == NULL ? (trp_store_watch_t){.changed = NULL} : *watch;
    return TRP_OK;
}

static trp_status_t sim_sync(void *pointer)
{
    const handle_t *handle = pointer;
    sim_store_t *store = handle->store;
    const trp_status_t status = arrives(handle, "sync");
    if (status != TRP_OK) {
        return status;
    }
    store_table_t *copy = copy_of(store->now, store->now);
    store_table_free(&store->durable);
    store->durable = copy;
    return returns(handle, TRP_OK);
}

static void sim_close(void **pointer)
{
    handle_t *handle = *pointer;
    *pointer = NULL;
    if (handle == NULL) {
        return;
    }
    handle_t **at = &handle->store->handles;
    while (*at != handle) {
        at = &(*at)->next;
    }
    *at = handle->next;
    free(handle);
}

const trp_store_t sim_store_backend = {.name = "sim",
                                       .blocks = true,
                                       .open = sim_open,
                                       .get = sim_get,
                                       .put = sim_put,
                                       .delete = sim_delete,
                                       .scan = sim_scan,
                                       .watch = sim_watch,
                                       .sync = sim_sync,
                                       .close = sim_close};

/* ---- its class, and what a test sees ---- */

#define STORE_FIELDS(F) \
    F(STRING, where, _, 1, SIM_NAME_MAX - 1, "name of a store of the world, or NODE.NAME: a disk")
TRP_SCHEMA_DECLARE(sim_store_options, STORE_FIELDS)
TRP_SCHEMA_DEFINE(sim_store_options, 0, 0, STORE_FIELDS, "options of a simulated store")

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const sim_domain_t *domain = runtime_host(runtime_of(ctx))->user;
    sim_store_options_t options;
    trp_document_t document;
    trp_fault_t fault;
    trp_status_t status =
        trp_message_unpack(&sim_store_options_schema, args, &document, &options, &fault);
    if (status != TRP_OK) {
        return status;
    }
    char where[SIM_NAME_MAX];
    snprintf(where, sizeof(where), "%.*s", (int)options.where.size, options.where.data);
    trp_document_fini(&document);
    /* The helper reads `how` later: the domain outlives its runtime. */
    const trp_store_options_t how = {.where = where, .how = &domain->store_how};
    return trp_store_open(ctx, state, &sim_store_backend, &how);
}

const trp_class_t trp_sim_store_class = {.name = "store",
                                         .version = 1,
                                         .state_size = TRP_STORE_STATE_SIZE,
                                         .init = init,
                                         .receive = trp_store_receive,
                                         .release = trp_store_release,
                                         .options = &sim_store_options_schema};

bool trp_sim_stored(trp_sim_t *sim, const char *store, const char *key, trp_store_record_t *record)
{
    const sim_store_t *found = store_of(sim, store);
    return found != NULL && store_table_get(found->now, (trp_text_t){key, strlen(key)},
                                            now_ms(found), record) == TRP_OK;
}
