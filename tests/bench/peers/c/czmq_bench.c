/* SPDX-License-Identifier: MIT */
/* czmq: zactor, a thread with a PAIR pipe. */
#include "bench.h"
#include <czmq.h>

static void echo(zsock_t *pipe, void *a)
{
    zsock_signal(pipe, 0);
    for (;;) {
        zframe_t *f = zframe_recv(pipe);
        if (!f)
            return;
        if (zframe_size(f) != 8) { /* $TERM */
            zframe_destroy(&f);
            return;
        }
        zframe_send(&f, pipe, 0);
    }
}

static void ping_pong(int latency)
{
    long n = arg_n("n", latency ? 50000 : 100000);
    int64_t *v = malloc(sizeof *v * (n + 1));
    zactor_t *a = zactor_new(echo, NULL);
    int64_t t0 = now_ns(), last = t0;
    for (int64_t k = n; k > 0; k--) {
        zframe_t *f = zframe_new(&k, 8);
        CHECK(zframe_send(&f, a, 0) == 0);
        f = zframe_recv(a);
        CHECK(f);
        zframe_destroy(&f);
        if (latency) {
            int64_t x = now_ns();
            v[n - k] = x - last;
            last = x;
        }
    }
    if (latency)
        pct("request_latency", v, n);
    else
        rate("ping_pong", n, t0, "round_trips/s");
    zactor_destroy(&a);
    free(v);
}

static void counter(zsock_t *pipe, void *a)
{
    int64_t total = 0;
    zsock_signal(pipe, 0);
    for (;;) {
        zframe_t *f = zframe_recv(pipe);
        if (!f)
            return;
        int64_t x = 0;
        size_t z = zframe_size(f);
        if (z == 8)
            memcpy(&x, zframe_data(f), 8);
        zframe_destroy(&f);
        if (z != 8)
            return;
        if (x == 0) {
            f = zframe_new(&total, 8);
            zframe_send(&f, pipe, 0);
        } else
            total += x;
    }
}

static void counting(void)
{
    long n = arg_n("n", 10000000);
    zsys_set_pipehwm(0);
    zactor_t *a = zactor_new(counter, NULL);
    int64_t t0 = now_ns(), one = 1, zero = 0, total;
    for (long i = 0; i < n; i++) {
        zframe_t *f = zframe_new(&one, 8);
        CHECK(zframe_send(&f, a, 0) == 0);
    }
    zframe_t *f = zframe_new(&zero, 8);
    zframe_send(&f, a, 0);
    f = zframe_recv(a);
    memcpy(&total, zframe_data(f), 8);
    CHECK(total == n);
    rate("counting", n, t0, "msgs/s");
    zframe_destroy(&f);
    zactor_destroy(&a);
}

static void create(void)
{
    long n = arg_n("n", 1000);
    int64_t t0 = now_ns();
    for (long i = 0; i < n; i++) {
        int64_t k = i;
        zactor_t *a = zactor_new(echo, NULL);
        zframe_t *f = zframe_new(&k, 8);
        zframe_send(&f, a, 0);
        f = zframe_recv(a);
        zframe_destroy(&f);
        zactor_destroy(&a);
    }
    rate("fork_join_create", n, t0, "spawns/s");
}

static void idle_memory(void)
{
    long n = arg_n("n", 400);
    zsys_set_max_sockets(0);
    double r0 = rss();
    zactor_t **a = calloc(n, sizeof *a);
    for (long i = 0; i < n; i++)
        CHECK((a[i] = zactor_new(echo, NULL)));
    printf("idle_memory %.1f bytes/actor\n", (rss() - r0) / n);
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    bench_argc = argc;
    bench_argv = argv;
    if (argc < 2)
        return 2;
    const char *b = argv[1];
    if (strcmp(b, "ping_pong") == 0)
        ping_pong(0);
    else if (strcmp(b, "request_latency") == 0)
        ping_pong(1);
    else if (strcmp(b, "counting") == 0)
        counting();
    else if (strcmp(b, "fork_join_create") == 0)
        create();
    else if (strcmp(b, "idle_memory") == 0)
        idle_memory();
    else
        return 2;
    return 0;
}
