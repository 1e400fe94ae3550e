/* SPDX-License-Identifier: MIT */
/* libzmq: inproc PAIR and PUSH/PULL between threads, REQ/REP and DEALER/ROUTER between processes.
 */
#include "bench.h"
#include <zmq.h>

static void *ctx;

static void *sock(int type, const char *addr, int bind)
{
    void *s = zmq_socket(ctx, type);
    int hwm = (int)arg_n("hwm", 0), linger = 0;
    CHECK(s);
    zmq_setsockopt(s, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
    CHECK((bind ? zmq_bind(s, addr) : zmq_connect(s, addr)) == 0);
    return s;
}

static void *pong(void *a)
{
    void *s = sock(ZMQ_PAIR, "inproc://pp", 0);
    int64_t n;
    do {
        CHECK(zmq_recv(s, &n, 8, 0) == 8);
        CHECK(zmq_send(s, &n, 8, 0) == 8);
    } while (n > 1);
    zmq_close(s);
    return NULL;
}

static void ping_pong(int latency)
{
    long n = arg_n("n", latency ? 50000 : 100000);
    int64_t *v = malloc(sizeof *v * (n + 1));
    void *s = sock(ZMQ_PAIR, "inproc://pp", 1);
    pthread_t t = thread(pong, NULL);
    int64_t t0 = now_ns(), last = t0, k;
    for (k = n; k > 0; k--) {
        int64_t r;
        CHECK(zmq_send(s, &k, 8, 0) == 8);
        CHECK(zmq_recv(s, &r, 8, 0) == 8);
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
    pthread_join(t, NULL);
    zmq_close(s);
    free(v);
}

static void *pusher(void *a)
{
    void *s = sock(ZMQ_PUSH, "inproc://pull", 0);
    int64_t one = 1;
    for (long i = (long)a; i > 0; i--)
        CHECK(zmq_send(s, &one, 8, 0) == 8);
    int linger = -1;
    zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(s);
    return NULL;
}

static void fan_in(const char *name, long k, long n)
{
    void *s = sock(ZMQ_PULL, "inproc://pull", 1);
    pthread_t *t = calloc(k, sizeof *t);
    int64_t t0 = now_ns(), total = 0, x;
    for (long i = 0; i < k; i++)
        t[i] = thread(pusher, (void *)n);
    for (long i = 0; i < k * n; i++) {
        CHECK(zmq_recv(s, &x, 8, 0) == 8);
        total += x;
    }
    CHECK(total == k * n);
    rate(name, k * n, t0, "msgs/s");
    for (long i = 0; i < k; i++)
        pthread_join(t[i], NULL);
    zmq_close(s);
    free(t);
}

static void *puller(void *a)
{
    char addr[40];
    int64_t x;
    snprintf(addr, sizeof addr, "inproc://f%ld", (long)a);
    void *s = sock(ZMQ_PAIR, addr, 0);
    do
        CHECK(zmq_recv(s, &x, 8, 0) == 8);
    while (x > 1);
    zmq_close(s);
    return NULL;
}

static void fan_out(void)
{
    long k = arg_n("actors", 60), n = arg_n("n", 10000);
    void **s = calloc(k, sizeof *s);
    pthread_t *t = calloc(k, sizeof *t);
    for (long i = 0; i < k; i++) {
        char addr[40];
        snprintf(addr, sizeof addr, "inproc://f%ld", i);
        s[i] = sock(ZMQ_PAIR, addr, 1);
        t[i] = thread(puller, (void *)i);
    }
    int64_t t0 = now_ns();
    for (int64_t j = n; j > 0; j--)
        for (long i = 0; i < k; i++)
            CHECK(zmq_send(s[i], &j, 8, 0) == 8);
    for (long i = 0; i < k; i++)
        pthread_join(t[i], NULL);
    rate("fork_join_throughput", k * n, t0, "msgs/s");
    for (long i = 0; i < k; i++)
        zmq_close(s[i]);
}

/* a thread and a PAIR for each actor, one after another */
static void create(void)
{
    long n = arg_n("n", 1000);
    int64_t t0 = now_ns(), one = 1;
    for (long i = 0; i < n; i++) {
        char addr[40];
        snprintf(addr, sizeof addr, "inproc://f%ld", i);
        void *s = sock(ZMQ_PAIR, addr, 1);
        pthread_t t = thread(puller, (void *)i);
        CHECK(zmq_send(s, &one, 8, 0) == 8);
        pthread_join(t, NULL);
        zmq_close(s);
    }
    rate("fork_join_create", n, t0, "spawns/s");
}

/* between processes: window 1 is REQ/REP, a wider one DEALER/ROUTER */
static void remote(const char *name, const char *addr)
{
    long n = arg_n("n", 50000), w = arg_n("window", 1), size = arg_n("size", 64);
    int io = (int)arg_n("io", 1);
    pid_t p = fork();
    CHECK(p >= 0);
    ctx = zmq_ctx_new();
    zmq_ctx_set(ctx, ZMQ_IO_THREADS, io);
    if (p == 0) {
        void *s = sock(w > 1 ? ZMQ_ROUTER : ZMQ_REP, addr, 1);
        for (;;) {
            zmq_msg_t m, id;
            if (w > 1) {
                zmq_msg_init(&id);
                CHECK(zmq_msg_recv(&id, s, 0) >= 0);
            }
            zmq_msg_init(&m);
            CHECK(zmq_msg_recv(&m, s, 0) == size);
            if (w > 1)
                CHECK(zmq_msg_send(&id, s, ZMQ_SNDMORE) >= 0);
            CHECK(zmq_msg_send(&m, s, 0) == size);
        }
    }
    void *s = sock(w > 1 ? ZMQ_DEALER : ZMQ_REQ, addr, 0);
    int64_t *v = malloc(sizeof *v * n), t0 = 0;
    char *buf = calloc(1, size);
    long warm = 1000, sent = 0;
    for (; sent < w; sent++) {
        int64_t t = now_ns();
        memcpy(buf, &t, 8);
        CHECK(zmq_send(s, buf, size, 0) == size);
    }
    for (long got = 0; got < n + warm; got++) {
        int64_t t;
        CHECK(zmq_recv(s, buf, size, 0) == size);
        int64_t x = now_ns();
        if (got == warm)
            t0 = x;
        memcpy(&t, buf, 8);
        if (got >= warm)
            v[got - warm] = x - t;
        if (sent < n + warm) {
            memcpy(buf, &x, 8);
            CHECK(zmq_send(s, buf, size, 0) == size);
            sent++;
        }
    }
    rate(name, n - 1, t0, "round_trips/s");
    pct(name, v, n);
    zmq_close(s);
    stop_child(p);
}

int main(int argc, char **argv)
{
    bench_argc = argc;
    bench_argv = argv;
    if (argc < 2)
        return 2;
    const char *b = argv[1];
    if (strcmp(b, "ipc") == 0 || strcmp(b, "tcp") == 0) {
        char addr[100];
        if (*b == 'i')
            snprintf(addr, sizeof addr, "ipc://@bench-%d", (int)getpid());
        else
            snprintf(addr, sizeof addr, "tcp://127.0.0.1:%d", 20000 + (int)getpid() % 10000);
        remote(b, addr);
        zmq_ctx_term(ctx);
        return 0;
    }
    ctx = zmq_ctx_new();
    if (strcmp(b, "ping_pong") == 0)
        ping_pong(0);
    else if (strcmp(b, "request_latency") == 0)
        ping_pong(1);
    else if (strcmp(b, "counting") == 0)
        fan_in(b, 1, arg_n("n", 10000000));
    else if (strcmp(b, "mailbox_n_to_1") == 0)
        fan_in(b, arg_n("actors", 100), arg_n("n", 100000));
    else if (strcmp(b, "fork_join_throughput") == 0)
        fan_out();
    else if (strcmp(b, "fork_join_create") == 0)
        create();
    else
        return 2;
    zmq_ctx_term(ctx);
    return 0;
}
