/* SPDX-License-Identifier: MIT */
#include "actors/router/base/histogram.h"

#define STEPS     8 /* for each doubling */
#define STEP_BITS 3

/* Below 2 * STEPS each value has a span of its own. */
static unsigned span_of(uint64_t us)
{
    if (us < 2 * STEPS) {
        return (unsigned)us;
    }
    unsigned doubling = 63 - (unsigned)__builtin_clzll(us); /* 4 or more */
    unsigned step = (unsigned)(us >> (doubling - STEP_BITS)) - STEPS;
    unsigned span = (doubling - STEP_BITS + 1) * STEPS + step;
    return span < HISTOGRAM_SPANS ? span : HISTOGRAM_SPANS - 1;
}

/* The largest value in it. */
static uint64_t end_of(unsigned span)
{
    if (span < 2 * STEPS) {
        return span;
    }
    unsigned doubling = span / STEPS + STEP_BITS - 1;
    uint64_t width = UINT64_C(1) << (doubling - STEP_BITS);
    return (STEPS + span % STEPS + 1) * width - 1;
}

void histogram_add(histogram_t *histogram, int64_t us)
{
    uint64_t value = us > 0 ? (uint64_t)us : 0;
    histogram->count++;
    histogram->sum_us += value;
    histogram->spans[span_of(value)]++;
}

int64_t histogram_percentile(const histogram_t *histogram, double percent)
{
    double wanted = (double)histogram->count * percent / 100;
    uint64_t seen = 0;
    for (unsigned span = 0; span < HISTOGRAM_SPANS; span++) {
        seen += histogram->spans[span];
        if (seen > 0 && (double)seen >= wanted) {
            return (int64_t)end_of(span);
        }
    }
    return 0;
}

double histogram_mean(const histogram_t *histogram)
{
    return histogram->count == 0 ? 0.0 : (double)histogram->sum_us / (double)histogram->count;
}
