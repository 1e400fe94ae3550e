/* SPDX-License-Identifier: MIT */
/* What all benchmarks share: arguments of the form key=value behind the benchmark's name, the
 * clock, and figures as lines "name value unit". */
#ifndef TRP_TESTS_BENCH_MEASURE_H
#define TRP_TESTS_BENCH_MEASURE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/host.h"

static int argument_count; /* of main, which sets both */
static char **arguments;

static inline const char *argument_text(const char *key)
{
    size_t size = strlen(key);
    for (int i = 2; i < argument_count; i++) {
        if (strncmp(arguments[i], key, size) == 0 && arguments[i][size] == '=') {
            return arguments[i] + size + 1;
        }
    }
    return NULL;
}

static inline long argument(const char *key, long fallback)
{
    const char *text = argument_text(key);
    return text == NULL ? fallback : strtol(text, NULL, 10);
}

static inline bool is_argument(const char *key, const char *value)
{
    const char *text = argument_text(key);
    return text != NULL && strcmp(text, value) == 0;
}

static inline void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "benchmark: %s failed; the system's last error: %s\n", what,
                strerror(errno));
        exit(1);
    }
}

static inline int64_t now_ns(void)
{
    return host_os.now_ns(host_os.user);
}

static inline int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static inline void sort_ns(int64_t *times_ns, int64_t count)
{
    qsort(times_ns, (size_t)count, sizeof(*times_ns), compare_ns);
}

/** `times_ns` are sorted. */
static inline int64_t quantile_ns(const int64_t *times_ns, int64_t count, double part)
{
    const int64_t at = (int64_t)(part * (double)count);
    return times_ns[at < count ? at : count - 1];
}

/** Sorts them; prints NAME.p50, .p99 and .p99.9. units: nanoseconds */
static inline void print_latencies(const char *name, int64_t *times_ns, int64_t count)
{
    sort_ns(times_ns, count);
    printf("%s.p50 %lld ns\n", name, (long long)quantile_ns(times_ns, count, 0.50));
    printf("%s.p99 %lld ns\n", name, (long long)quantile_ns(times_ns, count, 0.99));
    printf("%s.p99.9 %lld ns\n", name, (long long)quantile_ns(times_ns, count, 0.999));
}

/** Sorts them; prints NAME_p50 and NAME_p99, in microseconds. */
static inline void print_quantiles(const char *name, int64_t *times_ns, int64_t count)
{
    sort_ns(times_ns, count);
    printf("%s_p50 %.1f us\n", name, (double)quantile_ns(times_ns, count, 0.50) / 1000);
    printf("%s_p99 %.1f us\n", name, (double)quantile_ns(times_ns, count, 0.99) / 1000);
}

#endif
