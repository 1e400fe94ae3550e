/* SPDX-License-Identifier: MIT */
#include "runtime/core/watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CAPACITY_MIN 4
#define BESIDE       4 /* references in a row that lie side by side: what is set last is near */
#define HUGE_PAGE    ((size_t)2 << 20)

/* Fibonacci hashing: references count upwards, pids differ in slot and generation. */
static uint64_t hash(trp_pid_t pid, uint64_t ref, bool by_pid)
{
    uint64_t key = ref;
    if (by_pid) {
        key ^= ((uint64_t)pid.generation << 32 | pid.slot) * 0xff51afd7ed558ccdu;
        key ^= (uint64_t)pid.node << 17 ^ pid.incarnation;
    }
    uint64_t beside = by_pid ? 0 : key % BESIDE;
    key = (by_pid ? key : key / BESIDE) * 0x9e3779b97f4a7c15u;
    key ^= key >> 32;
    return by_pid ? key : key * BESIDE + beside;
}

static uint32_t home_of(const watch_table_t *table, const watch_t *row, bool by_pid)
{
    return (uint32_t)hash(row->pid, row->ref, by_pid) & (table->capacity - 1);
}

watch_t *watch_find(const watch_table_t *table, watch_kind_t kind, trp_pid_t pid, uint64_t ref)
{
    if (table->count == 0) {
        return NULL;
    }
    uint32_t mask = table->capacity - 1;
    for (uint32_t at = (uint32_t)hash(pid, ref, true) & mask;; at = (at + 1) & mask) {
        watch_t *row = &table->rows[at];
        if (row->kind == WATCH_FREE) {
            return NULL;
        }
        if (row->kind == (uint8_t)kind && row->ref == ref && trp_pid_equal(row->pid, pid)) {
            return row;
        }
    }
}

watch_t *watch_mine(const watch_table_t *table, uint64_t ref)
{
    if (table->count == 0) {
        return NULL;
    }
    uint32_t mask = table->capacity - 1;
    for (uint32_t at = (uint32_t)hash(TRP_PID_NONE, ref, false) & mask;; at = (at + 1) & mask) {
        watch_t *row = &table->rows[at];
        if (row->kind == WATCH_FREE) {
            return NULL;
        }
        if (row->ref == ref) {
            return row;
        }
    }
}

static void place(watch_table_t *table, const watch_t *row, bool by_pid)
{
    uint32_t mask = table->capacity - 1;
    uint32_t at = home_of(table, row, by_pid);
    while (table->rows[at].kind != WATCH_FREE) {
        at = (at + 1) & mask;
    }
    table->rows[at] = *row;
    table->count++;
}

/* In random order each look at a large table would miss the processor's table of pages as well as
 * its caches: huge pages spare half of that. Only advice, and only where a page lies inside. */
static watch_t *make_rows(uint32_t capacity)
{
    size_t size = capacity * sizeof(watch_t);
    watch_t *rows = calloc(capacity, sizeof(*rows));
    if (rows != NULL && size >= 2 * HUGE_PAGE) {
        uintptr_t first = ((uintptr_t)rows + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
        uintptr_t last = ((uintptr_t)rows + size) & ~(HUGE_PAGE - 1);
        (void)madvise((void *)first, last - first, MADV_HUGEPAGE);
    }
    return rows;
}

static trp_status_t grow(watch_table_t *table, bool by_pid)
{
    watch_table_t bigger = {.capacity = table->capacity == 0 ? CAPACITY_MIN : table->capacity * 2};
    bigger.rows = make_rows(bigger.capacity);
    if (bigger.rows == NULL) {
        return TRP_NO_MEMORY;
    }
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->rows[i].kind != WATCH_FREE) {
            place(&bigger, &table->rows[i], by_pid);
        }
    }
    free(table->rows);
    *table = bigger;
    return TRP_OK;
}

trp_status_t watch_add(watch_table_t *table, const watch_t *row, bool by_pid)
{
    if ((table->count + 1) * 4 > table->capacity * 3) {
        trp_status_t status = grow(table, by_pid);
        if (status != TRP_OK) {
            return status;
        }
    }
    place(table, row, by_pid);
    return TRP_OK;
}

/* Linear probing without tombstones: rows behind the gap that may stand in it are moved up. */
void watch_remove(watch_table_t *table, watch_t *row, bool by_pid)
{
    uint32_t mask = table->capacity - 1;
    uint32_t gap = (uint32_t)(row - table->rows);
    for (uint32_t at = (gap + 1) & mask; table->rows[at].kind != WATCH_FREE; at = (at + 1) & mask) {
        uint32_t home = home_of(table, &table->rows[at], by_pid);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            table->rows[gap] = table->rows[at];
            gap = at;
        }
    }
    table->rows[gap].kind = WATCH_FREE;
    table->count--;
}

void watch_expire(watch_table_t *table, int64_t now_ns,
                  bool (*is_gone)(const void *user, trp_pid_t pid), const void *user)
{
    uint32_t at = 0;
    while (at < table->capacity) {
        watch_t *row = &table->rows[at];
        bool expired = row->due_ns != 0 && row->due_ns < now_ns;
        bool waits = row->kind == WATCH_ASKER || row->kind == WATCH_UNLINK;
        if (waits && ((expired && row->kind == WATCH_ASKER) || is_gone(user, row->pid))) {
            watch_remove(table, row, true); /* may move another row here: look again */
        } else {
            at++;
        }
    }
    if (table->count * 2 > table->capacity) {
        (void)!grow(table, true); /* without memory it stays as it is, and is full later */
    }
}

void watch_free(watch_table_t *table)
{
    free(table->rows);
    *table = (watch_table_t){0};
}
