/* SPDX-License-Identifier: MIT */
#include "runtime/store/store_table.h"

#include <stdlib.h>
#include <string.h>

#include "messages/store.h"

#define LEVELS     16 /* enough for 4^16 keys */
#define SWEEP      2  /* entries that each write looks at: what expires makes room in time */
#define FIRST_SEED 0x9e3779b97f4a7c15u

typedef struct entry {
    int64_t version;
    int64_t expires_ms;
    char *value; /* NULL when value_size is 0 */
    size_t value_size;
    uint16_t key_size;
    uint8_t levels;
    struct entry *next[]; /* `levels` of them, then the key */
} entry_t;

struct store_table {
    entry_t *first[LEVELS];
    uint64_t chance;
    int64_t version; /* last given */
    size_t size, size_max;
    uint16_t hand_size; /* the sweep goes on behind this key */
    char hand[TRP_STORE_KEY_MAX];
};

/* The links on the way to a key, one for each level: where an entry is put in or taken out. */
typedef struct path {
    entry_t **link[LEVELS];
} path_t;

static const char *key_of(const entry_t *entry)
{
    return (const char *)&entry->next[entry->levels];
}

static trp_text_t key_text(const entry_t *entry)
{
    return (trp_text_t){key_of(entry), entry->key_size};
}

static int compare(trp_text_t a, trp_text_t b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The first entry at or behind `key`, and the way to it. */
static entry_t *find(store_table_t *table, trp_text_t key, path_t *path)
{
    entry_t **links = table->first;
    for (int level = LEVELS - 1; level >= 0; level--) {
        while (links[level] != NULL && compare(key_text(links[level]), key) < 0) {
            links = links[level]->next;
        }
        path->link[level] = &links[level];
    }
    return links[0];
}

static bool is_gone(const entry_t *entry, int64_t now_ms)
{
    return entry->expires_ms != 0 && entry->expires_ms <= now_ms;
}

/* The entry of that key, expired or not; NULL: none. */
static entry_t *look_up(store_table_t *table, trp_text_t key, path_t *path)
{
    entry_t *entry = find(table, key, path);
    return entry != NULL && compare(key_text(entry), key) == 0 ? entry : NULL;
}

/* ---- entries ---- */

static uint8_t choose_levels(store_table_t *table)
{
    uint8_t levels = 1;
    table->chance ^= table->chance << 13; /* source: G. Marsaglia, xorshift64 */
    table->chance ^= table->chance >> 7;
    table->chance ^= table->chance << 17;
    for (uint64_t bits = table->chance >> 32; (bits & 3) == 0 && levels < LEVELS; bits >>= 2) {
        levels++;
    }
    return levels;
}

static entry_t *entry_make(trp_text_t key, uint8_t levels)
{
    entry_t *entry = malloc(sizeof(*entry) + levels * sizeof(entry_t *) + key.size);
    if (entry != NULL) {
        *entry = (entry_t){.levels = levels, .key_size = (uint16_t)key.size};
        memcpy(&entry->next[levels], key.data, key.size);
    }
    return entry;
}

static void entry_free(entry_t *entry)
{
    free(entry->value);
    free(entry);
}

/* Takes it out; `path` leads to it. */
static void unlink_entry(store_table_t *table, entry_t *entry, const path_t *path)
{
    for (int level = 0; level < entry->levels; level++) {
        *path->link[level] = entry->next[level];
    }
    table->size -= entry->key_size + entry->value_size;
    entry_free(entry);
}

static void link_entry(store_table_t *table, entry_t *entry, const path_t *path)
{
    for (int level = 0; level < entry->levels; level++) {
        entry->next[level] = *path->link[level];
        *path->link[level] = entry;
    }
    table->size += entry->key_size;
}

/* Looks at the next few entries behind the hand, and drops what has expired. */
static void sweep(store_table_t *table, int64_t now_ms)
{
    for (int i = 0; i < SWEEP; i++) {
        path_t path;
        const trp_text_t hand = {table->hand, table->hand_size};
        entry_t *entry = find(table, hand, &path);
        if (entry != NULL && compare(key_text(entry), hand) == 0 && !is_gone(entry, now_ms)) {
            char after[TRP_STORE_KEY_MAX + 1]; /* the least key behind it */
            memcpy(after, hand.data, hand.size);
            after[hand.size] = '\0';
            entry = find(table, (trp_text_t){after, hand.size + 1u}, &path);
        }
        if (entry == NULL) {
            table->hand_size = 0; /* from the first on */
            return;
        }
        table->hand_size = entry->key_size;
        memcpy(table->hand, key_of(entry), entry->key_size);
        if (is_gone(entry, now_ms)) {
            unlink_entry(table, entry, &path);
        }
    }
}

/* ---- the table ---- */

store_table_t *store_table_make(size_t size_max, int64_t version)
{
    store_table_t *table = calloc(1, sizeof(*table));
    if (table != NULL) {
        table->size_max = size_max;
        table->version = version;
        table->chance = FIRST_SEED;
    }
    return table;
}

void store_table_free(store_table_t **pointer)
{
    store_table_t *table = *pointer;
    *pointer = NULL;
    while (table != NULL && table->first[0] != NULL) {
        entry_t *entry = table->first[0];
        table->first[0] = entry->next[0];
        entry_free(entry);
    }
    free(table);
}

static void show(const entry_t *entry, int64_t now_ms, trp_store_record_t *record)
{
    *record =
        (trp_store_record_t){.key = key_text(entry),
                             .value = {entry->value, entry->value_size},
                             .version = entry->version,
                             .ttl_ms = entry->expires_ms == 0 ? 0 : entry->expires_ms - now_ms};
}

static bool is_key(trp_text_t key)
{
    return key.size > 0 && key.size <= TRP_STORE_KEY_MAX;
}

trp_status_t store_table_get(const store_table_t *table, trp_text_t key, int64_t now_ms,
                             trp_store_record_t *record)
{
    path_t path;
    if (!is_key(key)) {
        return TRP_INVALID;
    }
    /* Looking up writes nothing; only the way that it notes could be written through. */
    const entry_t *entry = look_up((store_table_t *)(uintptr_t)table, key, &path);
    if (entry == NULL || is_gone(entry, now_ms)) {
        return TRP_NOT_FOUND;
    }
    show(entry, now_ms, record);
    return TRP_OK;
}

/* Whether the key has the version that is expected; `version`: the one that it has. */
static bool meets(const entry_t *entry, int64_t expect, int64_t now_ms, int64_t *version)
{
    *version = entry == NULL || is_gone(entry, now_ms) ? 0 : entry->version;
    return expect == TRP_STORE_ANY || expect == *version;
}

static trp_status_t write_value(store_table_t *table, entry_t *entry, trp_text_t value)
{
    char *copy = value.size == 0 ? NULL : malloc(value.size);
    if (copy == NULL && value.size > 0) {
        return TRP_NO_MEMORY;
    }
    if (copy != NULL) {
        memcpy(copy, value.data, value.size);
    }
    free(entry->value);
    table->size += value.size;
    table->size -= entry->value_size;
    entry->value = copy;
    entry->value_size = value.size;
    return TRP_OK;
}

trp_status_t store_table_put(store_table_t *table, const trp_store_write_t *write, int64_t now_ms,
                             int64_t *version)
{
    path_t path;
    if (!is_key(write->key)) {
        return TRP_INVALID;
    }
    if (write->value.size > TRP_STORE_VALUE_MAX) {
        return TRP_TOO_LARGE;
    }
    sweep(table, now_ms);
    entry_t *entry = look_up(table, write->key, &path);
    if (!meets(entry, write->expect, now_ms, version)) {
        return TRP_CONFLICT;
    }
    const size_t more = write->value.size + (entry == NULL ? write->key.size : 0);
    const size_t less = entry == NULL ? 0 : entry->value_size;
    if (table->size - less + more > table->size_max) {
        return TRP_FULL;
    }
    entry_t *made = entry == NULL ? entry_make(write->key, choose_levels(table)) : NULL;
    entry = entry == NULL ? made : entry;
    if (entry == NULL || write_value(table, entry, write->value) != TRP_OK) {
        free(made);
        return TRP_NO_MEMORY;
    }
    if (made != NULL) {
        link_entry(table, made, &path);
    }
    entry->expires_ms = write->ttl_ms == 0 ? 0 : now_ms + write->ttl_ms;
    entry->version = *version = ++table->version;
    return TRP_OK;
}

trp_status_t store_table_delete(store_table_t *table, const trp_store_write_t *write,
                                int64_t now_ms, int64_t *version)
{
    path_t path;
    if (!is_key(write->key)) {
        return TRP_INVALID;
    }
    sweep(table, now_ms);
    entry_t *entry = look_up(table, write->key, &path);
    if (!meets(entry, write->expect, now_ms, version)) {
        return TRP_CONFLICT;
    }
    const bool was_there = *version != 0;
    if (entry != NULL) {
        unlink_entry(table, entry, &path);
    }
    *version = was_there ? ++table->version : 0;
    return TRP_OK;
}

static bool has_prefix(trp_text_t key, trp_text_t prefix)
{
    return key.size >= prefix.size &&
           (prefix.size == 0 || memcmp(key.data, prefix.data, prefix.size) == 0);
}

bool store_table_next(const store_table_t *table, const trp_store_range_t *range, int64_t now_ms,
                      trp_store_record_t *record)
{
    path_t path;
    const bool from_after = compare(range->after, range->prefix) > 0;
    const trp_text_t from = from_after ? range->after : range->prefix;
    const entry_t *entry = find((store_table_t *)(uintptr_t)table, from, &path);
    while (entry != NULL && has_prefix(key_text(entry), range->prefix) &&
           (is_gone(entry, now_ms) ||
            (range->after.size > 0 && compare(key_text(entry), range->after) <= 0))) {
        entry = entry->next[0];
    }
    if (entry == NULL || !has_prefix(key_text(entry), range->prefix)) {
        return false;
    }
    show(entry, now_ms, record);
    return true;
}

int64_t store_table_version(const store_table_t *table)
{
    return table->version;
}

size_t store_table_size(const store_table_t *table)
{
    return table->size;
}

store_table_t *store_table_copy(const store_table_t *table, int64_t version)
{
    store_table_t *copy = store_table_make(table->size_max, 0);
    for (const entry_t *entry = table->first[0]; entry != NULL && copy != NULL;
         entry = entry->next[0]) {
        const trp_store_write_t write = {.key = key_text(entry),
                                         .value = {entry->value, entry->value_size},
                                         .ttl_ms = entry->expires_ms};
        int64_t given;
        copy->version = entry->version - 1; /* so that it is given the one that it has */
        if (store_table_put(copy, &write, 0, &given) != TRP_OK) {
            store_table_free(&copy);
        }
    }
    if (copy != NULL) {
        copy->version = table->version > version ? table->version : version;
    }
    return copy;
}
