/* SPDX-License-Identifier: MIT */
/* What the figures of a pool say that one should do. Pure; any thread. */
#ifndef TRP_ACTORS_ADVICE_H
#define TRP_ACTORS_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A pool at a moment. Shares are 0 to 1. */
typedef struct advice_figures {
    uint32_t workers, min, max;
    uint32_t ejected;
    double use;        /* places in use, over the last while */
    double efficiency; /* of the distribution: advice_efficiency */
    uint64_t done;     /* tasks, by those workers */
    uint64_t queued, queue_max;
    bool was_full;    /* the queue refused tasks lately */
    double keys_used; /* of what the workers may hold; 0: there is no limit */
    bool is_broken;   /* the breaker is open */
} advice_figures_t;

/** One piece of advice. */
typedef struct advice {
    const char *code; /* "scale_out" */
    const char *text; /* what to do */
} advice_t;

#define ADVICE_MAX 8

/** The most urgent first. Returns their number, at most ADVICE_MAX. */
size_t advice_give(const advice_figures_t *figures, const advice_t *given[ADVICE_MAX]);

/** How near shares come to those that are wanted: 1 the same, 0 all goes to who should get nothing.
 * Both sum up to 1, or to 0 where there is nothing to judge by, which counts as 1. */
double advice_efficiency(const double *shares, const double *wanted, size_t count);

#endif
