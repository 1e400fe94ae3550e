/* SPDX-License-Identifier: MIT */
#include "supervisor/tally.h"

#include <stdlib.h>

trp_status_t tally_init(tally_t *tally, int64_t limit, int64_t window_ns)
{
    *tally = (tally_t){0};
    if (limit < 0 || limit > TALLY_LIMIT_MAX || window_ns <= 0) {
        return TRP_INVALID;
    }

    int64_t *stamps = calloc((size_t)limit + 1, sizeof(*stamps));
    if (stamps == NULL) {
        return TRP_NO_MEMORY;
    }
    *tally = (tally_t){.window_ns = window_ns, .limit = (size_t)limit, .stamps = stamps};
    return TRP_OK;
}

void tally_fini(tally_t *tally)
{
    free(tally->stamps);
    *tally = (tally_t){0};
}

bool tally_add(tally_t *tally, int64_t now_ns)
{
    size_t size = tally->limit + 1;

    tally->stamps[tally->next] = now_ns;
    tally->next = (tally->next + 1) % size;
    if (tally->count < size) {
        tally->count++;
    }
    /* When the ring is full, the slot that comes next holds the oldest of limit + 1 stamps. */
    return tally->count == size && now_ns - tally->stamps[tally->next] <= tally->window_ns;
}
