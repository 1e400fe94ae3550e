/* SPDX-License-Identifier: MIT */
/* How long things took: a count for each of so many spans, eight for each doubling, so that a
 * percentile is at most an eighth too high. Zeroed: empty. Not for more than one thread.
 *
 * source: the high dynamic range histogram, G. Tene. */
#ifndef TRP_ACTORS_HISTOGRAM_H
#define TRP_ACTORS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SPANS 256 /* up to 2^34 us, which is almost five hours */

typedef struct histogram {
    uint64_t count;
    uint64_t sum_us;
    uint32_t spans[HISTOGRAM_SPANS];
} histogram_t;

void histogram_add(histogram_t *histogram, int64_t us);

/** What so many percent of all are not above, in us; 0: there is none. `percent`: 0 to 100 */
int64_t histogram_percentile(const histogram_t *histogram, double percent);

/** The mean in us; 0: there is none. */
double histogram_mean(const histogram_t *histogram);

#endif
