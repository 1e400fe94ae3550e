/* SPDX-License-Identifier: MIT */
/* What the substrate benchmarks share: arguments, clock, percentiles, process pairs. */
#ifndef BENCH_H
#define BENCH_H
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int bench_argc;
static char **bench_argv;

static const char *arg_s(const char *k, const char *d)
{
    size_t n = strlen(k);
    for (int i = 2; i < bench_argc; i++)
        if (strncmp(bench_argv[i], k, n) == 0 && bench_argv[i][n] == '=')
            return bench_argv[i] + n + 1;
    return d;
}
static long arg_n(const char *k, long d)
{
    const char *s = arg_s(k, NULL);
    return s ? atol(s) : d;
}
static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
#define CHECK(x)                                                    \
    do {                                                            \
        if (!(x)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
            exit(1);                                                \
        }                                                           \
    } while (0)

static void rate(const char *name, double n, int64_t t0, const char *unit)
{
    printf("%s %.1f %s\n", name, n * 1e9 / (double)(now_ns() - t0), unit);
}
static int cmp_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}
static void pct(const char *name, int64_t *v, size_t n)
{
    qsort(v, n, sizeof *v, cmp_i64);
    printf("%s.p50 %lld ns\n", name, (long long)v[n / 2]);
    printf("%s.p99 %lld ns\n", name, (long long)v[(size_t)(n * 0.99)]);
    printf("%s.p99.9 %lld ns\n", name, (long long)v[(size_t)(n * 0.999)]);
}
static inline double rss(void)
{
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    CHECK(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = atof(line + 6);
    fclose(f);
    return kb * 1024;
}
static inline pthread_t thread(void *(*f)(void *), void *a)
{
    pthread_t t;
    pthread_attr_t at;
    pthread_attr_init(&at);
    pthread_attr_setstacksize(&at, 256 * 1024);
    CHECK(pthread_create(&t, &at, f, a) == 0);
    pthread_attr_destroy(&at);
    return t;
}
static inline void stop_child(pid_t p)
{
    kill(p, SIGKILL);
    waitpid(p, NULL, 0);
}
#endif
