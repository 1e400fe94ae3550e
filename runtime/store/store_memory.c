/* SPDX-License-Identifier: MIT */
/* A store in the memory of the process: for tests, and for services that can do without their state
 * after a restart. */
#include <stdlib.h>

#include "runtime/plugin.h"
#include "runtime/store/store_table.h"

#define SIZE_DEFAULT     (256ull * 1024 * 1024)
#define VERSIONS_EACH_MS 1024 /* a store that is opened later begins above those of this one */

typedef struct memory {
    store_table_t *table;
    trp_store_watch_t watch; /* .changed NULL: nobody */
    trp_store_options_t options;
} memory_t;

static int64_t now_ms(const memory_t *memory)
{
    return memory->options.epoch_ms(memory->options.user);
}

static trp_status_t memory_open(const trp_store_options_t *options, void **store)
{
    memory_t *memory = calloc(1, sizeof(*memory));
    if (memory == NULL) {
        return TRP_NO_MEMORY;
    }
    memory->options = *options;
    memory->table = store_table_make(options->size_max == 0 ? SIZE_DEFAULT : options->size_max,
                                     now_ms(memory) * VERSIONS_EACH_MS);
    if (memory->table == NULL) {
        free(memory);
        return TRP_NO_MEMORY;
    }
    *store = memory;
    return TRP_OK;
}

static trp_status_t memory_get(void *store, trp_text_t key, trp_store_record_t *record)
{
    const memory_t *memory = store;
    return store_table_get(memory->table, key, now_ms(memory), record);
}

static void tell(const memory_t *memory, trp_text_t key, int64_t version, bool is_deleted)
{
    if (memory->watch.changed != NULL) {
        memory->watch.changed(memory->watch.user, key, version, is_deleted);
    }
}

static trp_status_t memory_put(void *store, const trp_store_write_t *write, int64_t *version)
{
    const memory_t *memory = store;
    const trp_status_t status = store_table_put(memory->table, write, now_ms(memory), version);
    if (status == TRP_OK) {
        tell(memory, write->key, *version, false);
    }
    return status;
}

static trp_status_t memory_delete(void *store, const trp_store_write_t *write, int64_t *version)
{
    const memory_t *memory = store;
    const trp_status_t status = store_table_delete(memory->table, write, now_ms(memory), version);
    if (status == TRP_OK && *version != 0) {
        tell(memory, write->key, *version, true);
    }
    return status;
}

static trp_status_t memory_scan(void *store, const trp_store_range_t *range, void *user,
                                bool (*each)(void *user, const trp_store_record_t *record))
{
    const memory_t *memory = store;
    trp_store_range_t rest = *range;
    trp_store_record_t record;
    while (store_table_next(memory->table, &rest, now_ms(memory), &record) && each(user, &record)) {
        rest.after = record.key;
    }
    return TRP_OK;
}

static trp_status_t memory_watch(void *store, const trp_store_watch_t *watch)
{
    memory_t *memory = store;
    memory->watch = watch == NULL ? (trp_store_watch_t){.changed = NULL} : *watch;
    return TRP_OK;
}

static trp_status_t memory_sync(void *store)
{
    (void)store;
    return TRP_OK;
}

static void memory_close(void **store)
{
    memory_t *memory = *store;
    *store = NULL;
    if (memory != NULL) {
        store_table_free(&memory->table);
        free(memory);
    }
}

const trp_store_t trp_store_memory = {.name = "memory",
                                      .blocks = false,
                                      .open = memory_open,
                                      .get = memory_get,
                                      .put = memory_put,
                                      .delete = memory_delete,
                                      .scan = memory_scan,
                                      .watch = memory_watch,
                                      .sync = memory_sync,
                                      .close = memory_close};
