/* SPDX-License-Identifier: MIT */
/* nng: inproc pair between threads, req/rep between processes. */
#include "bench.h"
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

static void *pong(void *a)
{
    nng_socket s;
    int64_t n;
    size_t z;
    CHECK(nng_pair0_open(&s) == 0);
    CHECK(nng_dial(s, "inproc://pp", NULL, 0) == 0);
    do {
        z = 8;
        CHECK(nng_recv(s, &n, &z, 0) == 0);
        CHECK(nng_send(s, &n, 8, 0) == 0);
    } while (n > 1);
    return NULL;
}

static void ping_pong(int latency)
{
    long n = arg_n("n", 50000);
    int64_t *v = malloc(sizeof *v * (n + 1));
    nng_socket s;
    CHECK(nng_pair0_open(&s) == 0);
    CHECK(nng_listen(s, "inproc://pp", NULL, 0) == 0);
    pthread_t t = thread(pong, NULL);
    int64_t t0 = now_ns(), last = t0;
    for (int64_t k = n; k > 0; k--) {
        int64_t r, x;
        size_t z = 8;
        CHECK(nng_send(s, &k, 8, 0) == 0);
        CHECK(nng_recv(s, &r, &z, 0) == 0);
        if (latency) {
            x = now_ns();
            v[n - k] = x - last;
            last = x;
        }
    }
    if (latency)
        pct("request_latency", v, n);
    else
        rate("ping_pong", n, t0, "round_trips/s");
    pthread_join(t, NULL);
}

static void *producer(void *a)
{
    nng_socket s;
    int64_t one = 1;
    CHECK(nng_pair0_open(&s) == 0);
    CHECK(nng_dial(s, "inproc://pp", NULL, 0) == 0);
    for (long i = (long)a; i > 0; i--)
        CHECK(nng_send(s, &one, 8, 0) == 0);
    return NULL;
}

static void counting(void)
{
    long n = arg_n("n", 50000);
    int64_t total = 0;
    nng_socket s;
    CHECK(nng_pair0_open(&s) == 0);
    nng_socket_set_int(s, NNG_OPT_RECVBUF, 1024);
    nng_socket_set_int(s, NNG_OPT_SENDBUF, 1024);
    CHECK(nng_listen(s, "inproc://pp", NULL, 0) == 0);
    int64_t t0 = now_ns();
    pthread_t t = thread(producer, (void *)n);
    while (total < n) {
        int64_t x;
        size_t z = 8;
        CHECK(nng_recv(s, &x, &z, 0) == 0);
        total += x;
    }
    rate("counting", n, t0, "msgs/s");
    pthread_join(t, NULL);
}

static void remote(const char *name, const char *addr)
{
    long n = arg_n("n", 50000), size = arg_n("size", 64), warm = 1000;
    char *buf = calloc(1, size);
    nng_socket s;
    size_t z;
    pid_t p = fork();
    CHECK(p >= 0);
    if (p == 0) {
        CHECK(nng_rep0_open(&s) == 0);
        CHECK(nng_listen(s, addr, NULL, 0) == 0);
        for (;;) {
            nng_msg *m;
            CHECK(nng_recvmsg(s, &m, 0) == 0);
            CHECK(nng_sendmsg(s, m, 0) == 0);
        }
    }
    CHECK(nng_req0_open(&s) == 0);
    for (int i = 0; i < 100 && nng_dial(s, addr, NULL, 0) != 0; i++)
        usleep(10000);
    int64_t *v = malloc(sizeof *v * n), t0 = 0;
    for (long i = 0; i < n + warm; i++) {
        int64_t t = now_ns();
        if (i == warm)
            t0 = t;
        CHECK(nng_send(s, buf, size, 0) == 0);
        z = size;
        CHECK(nng_recv(s, buf, &z, 0) == 0 && z == (size_t)size);
        if (i >= warm)
            v[i - warm] = now_ns() - t;
    }
    rate(name, n, t0, "round_trips/s");
    pct(name, v, n);
    fflush(stdout);
    stop_child(p);
    _exit(0);
}

int main(int argc, char **argv)
{
    bench_argc = argc;
    bench_argv = argv;
    if (argc < 2)
        return 2;
    const char *b = argv[1];
    char addr[100];
    if (strcmp(b, "ping_pong") == 0)
        ping_pong(0);
    else if (strcmp(b, "request_latency") == 0)
        ping_pong(1);
    else if (strcmp(b, "counting") == 0)
        counting();
    else if (strcmp(b, "ipc") == 0) {
        snprintf(addr, sizeof addr, "ipc:///tmp/bench-nng-%d", (int)getpid());
        remote(b, addr);
    } else if (strcmp(b, "tcp") == 0) {
        snprintf(addr, sizeof addr, "tcp://127.0.0.1:%d", 20000 + (int)getpid() % 10000);
        remote(b, addr);
    } else
        return 2;
    return 0;
}
