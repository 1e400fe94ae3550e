/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/quarantine.h"

#include <stdio.h>
#include <string.h>

static int64_t last_death_ns(const quarantine_row_t *row)
{
    return row->deaths_ns[(row->deaths - 1) % QUARANTINE_AFTER_MAX];
}

static quarantine_row_t *find(quarantine_t *quarantine, const char *origin)
{
    for (size_t i = 0; i < quarantine->count; i++) {
        if (strcmp(quarantine->rows[i].origin, origin) == 0) {
            return &quarantine->rows[i];
        }
    }
    return NULL;
}

/* Of those that moved nobody, the one whose last death is the oldest; NULL: all are out. */
static quarantine_row_t *oldest(quarantine_t *quarantine)
{
    quarantine_row_t *found = NULL;
    for (size_t i = 0; i < quarantine->count; i++) {
        quarantine_row_t *row = &quarantine->rows[i];
        if (!row->is_out && (found == NULL || last_death_ns(row) < last_death_ns(found))) {
            found = row;
        }
    }
    return found;
}

static quarantine_row_t *make(quarantine_t *quarantine, const char *origin)
{
    quarantine_row_t *row = quarantine->count < QUARANTINE_ROWS_MAX
                                ? &quarantine->rows[quarantine->count++]
                                : oldest(quarantine);
    if (row != NULL) {
        memset(row, 0, sizeof(*row));
        snprintf(row->origin, sizeof(row->origin), "%s", origin);
    }
    return row;
}

const quarantine_row_t *quarantine_note(quarantine_t *quarantine, const culprit_t *culprit,
                                        int64_t now_ns, uint32_t *within, bool *is_new)
{
    *within = 0;
    *is_new = false;
    if (culprit->origin[0] == '\0') {
        return NULL;
    }
    quarantine_row_t *row = find(quarantine, culprit->origin);
    if (row == NULL && (row = make(quarantine, culprit->origin)) == NULL) {
        return NULL;
    }
    snprintf(row->class_name, sizeof(row->class_name), "%s", culprit->class_name);
    row->deaths_ns[row->deaths++ % QUARANTINE_AFTER_MAX] = now_ns;
    for (uint32_t i = 0; i < QUARANTINE_AFTER_MAX && i < row->deaths; i++) {
        *within += now_ns - row->deaths_ns[i] <= quarantine->window_ns;
    }
    *is_new = !row->is_out && quarantine->after > 0 && *within >= quarantine->after;
    row->is_out |= *is_new;
    return row;
}
