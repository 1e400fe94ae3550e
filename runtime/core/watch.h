/* SPDX-License-Identifier: MIT */
/* What an actor is party to: a hash table of links, monitors both ways, open requests both ways and
 * timers. Each actor has two, `mine` (found by reference) and `theirs` (found by pid and
 * reference). Only the cell's runner touches them. */
#ifndef TRP_RUNTIME_WATCH_H
#define TRP_RUNTIME_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "messages/pid.h"
#include "messages/status.h"

typedef enum watch_kind {
    WATCH_FREE,
    /* theirs */
    WATCH_LINK,    /* pid is linked to us; ref 0 */
    WATCH_UNLINK,  /* we unlinked, pid has not acknowledged it yet; ref 0 */
    WATCH_WATCHER, /* pid monitors us by its ref */
    WATCH_ASKER,   /* pid awaits our answer to its request ref */
    /* mine: ref is ours */
    WATCH_MONITOR, /* we monitor pid */
    WATCH_REQUEST, /* we await an answer from pid */
    WATCH_TIMER,
} watch_kind_t;

/** Where a timer stands: its worker's wheel and the sequence number that shows it has not fired. */
typedef struct timer_handle {
    struct timer *timer; /* NULL: none */
    uint64_t sequence;
    uint32_t worker;
} timer_handle_t;

typedef struct watch {
    uint64_t ref;
    trp_pid_t pid;
    uint8_t kind;
    bool monitored; /* REQUEST: a monitor of the same ref is set as well (receiver is a proxy) */
    uint16_t tag;   /* TIMER */
    int64_t due_ns; /* TIMER; ASKER: the request's deadline, 0 = none */
    uint64_t id;    /* UNLINK: what its acknowledgement says */
    int64_t period_ns;
    timer_handle_t timer;
} watch_t;

typedef struct watch_table {
    watch_t *rows;
    uint32_t capacity; /* power of two, or 0 */
    uint32_t count;
} watch_table_t;

/** `theirs`: the row, or NULL. Valid until the table is changed. */
watch_t *watch_find(const watch_table_t *table, watch_kind_t kind, trp_pid_t pid, uint64_t ref);

/** `mine`: whatever has this reference; NULL: nothing. */
watch_t *watch_mine(const watch_table_t *table, uint64_t ref);

/** Adds a row that is not there yet. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t watch_add(watch_table_t *table, const watch_t *row, bool by_pid);

/** Removes a row that watch_find or watch_mine gave. */
void watch_remove(watch_table_t *table, watch_t *row, bool by_pid);

/** Drops ASKER rows of those that do not wait any more: the deadline has passed, or `is_gone`; and
 * UNLINK rows of the latter.
 * A table that is more than half full after that grows. cost: a look at every row, so that many
 * rows are added before the next. */
void watch_expire(watch_table_t *table, int64_t now_ns,
                  bool (*is_gone)(const void *user, trp_pid_t pid), const void *user);

void watch_free(watch_table_t *table);

#endif
