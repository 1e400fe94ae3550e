/* SPDX-License-Identifier: MIT */
/* Children of the tree that brought their node down, and which of them are to run in a process
 * of their own for that. Values in, values out; the guardian's, whose memory a node begins with. */
#ifndef TRP_RUNTIME_QUARANTINE_H
#define TRP_RUNTIME_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/guardian/culprit.h"

#define QUARANTINE_ROWS_MAX  32
#define QUARANTINE_AFTER_MAX 16

typedef struct quarantine_row {
    char origin[CULPRIT_ORIGIN_MAX];         /* "pools.parser": what is moved as one */
    char class_name[TRP_NAME_MAX];           /* of the actor that did it last */
    int64_t deaths_ns[QUARANTINE_AFTER_MAX]; /* a ring */
    uint32_t deaths;
    bool is_out; /* in a process of its own from the next start of the node on */
} quarantine_row_t;

/** Zeroed but for the first two: nobody has done anything. */
typedef struct quarantine {
    uint32_t after;    /* deaths of the node ... at most QUARANTINE_AFTER_MAX; 0: never */
    int64_t window_ns; /* ... within this time */
    quarantine_row_t rows[QUARANTINE_ROWS_MAX];
    size_t count;
} quarantine_t;

/** A death of the node. Returns the culprit's row, or NULL: nobody's, or there is none. When all
 * rows are used, that of the oldest death that moved nobody gives way. `within`: its deaths within
 * the window, this one included; `is_new`: this one moves it. */
const quarantine_row_t *quarantine_note(quarantine_t *quarantine, const culprit_t *culprit,
                                        int64_t now_ns, uint32_t *within, bool *is_new);

#endif
