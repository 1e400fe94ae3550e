/* SPDX-License-Identifier: MIT */
/* The limits under every peer: two threads with a futex, a spinning cache line or two
 * stacks swapped on one thread; two processes with a socketpair or a TCP connection. */
#include "bench.h"
#include <arpa/inet.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* --- ping_pong, request_latency --- */
static _Alignas(64) atomic_int box[2][16];
static int spin;

static void put(int b)
{
    atomic_store(&box[b][0], 1);
    if (!spin)
        syscall(SYS_futex, &box[b][0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
static void take(int b)
{
    for (;;) {
        int one = 1;
        if (atomic_compare_exchange_strong(&box[b][0], &one, 0))
            return;
        if (spin)
            __builtin_ia32_pause();
        else
            syscall(SYS_futex, &box[b][0], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
}
static void *pong(void *a)
{
    for (long n = (long)a; n > 0; n--) {
        take(0);
        put(1);
    }
    return NULL;
}

/* two stacks on one thread: registers that a call preserves, nothing else */
__asm__(".text\n.globl swap_stack\nswap_stack:\n"
        "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
        "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
        "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n");
void swap_stack(void **save, void *to);
static void *sp_main, *sp_other;
static void other(void)
{
    for (;;) {
        box[0][0] = 0;
        box[1][0] = 1;
        swap_stack(&sp_other, sp_main);
    }
}
static void swap_setup(void)
{
    void **top = (void **)((char *)aligned_alloc(64, 65536) + 65536);
    *--top = NULL;
    *--top = (void *)other;
    top -= 6;
    sp_other = top;
}

static void ping_pong(int latency)
{
    const char *mode = arg_s("mode", "futex");
    int swap = strcmp(mode, "swap") == 0;
    long n = arg_n("n", strcmp(mode, "futex") == 0 ? 50000 : latency ? 200000 : 1000000);
    int64_t *v = malloc(sizeof *v * n);
    pthread_t t;
    spin = strcmp(mode, "spin") == 0;
    if (swap)
        swap_setup();
    else
        t = thread(pong, (void *)n);
    int64_t t0 = now_ns(), last = t0;
    for (long i = 0; i < n; i++) {
        if (swap) {
            box[0][0] = 1;
            swap_stack(&sp_main, sp_other);
            CHECK(box[1][0] == 1);
            box[1][0] = 0;
        } else {
            put(0);
            take(1);
        }
        if (latency) {
            int64_t x = now_ns();
            v[i] = x - last;
            last = x;
        }
    }
    if (latency)
        pct("request_latency", v, n);
    else
        rate("ping_pong", n, t0, "round_trips/s");
    if (!swap)
        pthread_join(t, NULL);
}

/* --- counting: one malloc'd node per message --- */
struct node {
    _Atomic(struct node *) next;
    int64_t n;
};
static _Alignas(64) _Atomic(struct node *) tail;
static _Alignas(64) struct node *head;
static struct node stub;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cv = PTHREAD_COND_INITIALIZER;
static int use_mutex;
static struct node *mfirst, **mlast = &mfirst;

static void *producer(void *a)
{
    for (long i = (long)a; i > 0; i--) {
        struct node *x = malloc(sizeof *x);
        x->n = 1;
        atomic_store_explicit(&x->next, NULL, memory_order_relaxed);
        if (use_mutex) {
            pthread_mutex_lock(&mu);
            int was_empty = mfirst == NULL;
            *mlast = x;
            mlast = (struct node **)&x->next;
            pthread_mutex_unlock(&mu);
            if (was_empty)
                pthread_cond_signal(&cv);
        } else {
            struct node *p = atomic_exchange(&tail, x);
            atomic_store_explicit(&p->next, x, memory_order_release);
        }
    }
    return NULL;
}

static void counting(void)
{
    long n = arg_n("n", 10000000);
    int64_t total = 0;
    use_mutex = strcmp(arg_s("mode", "link"), "mutex") == 0;
    head = &stub;
    tail = &stub;
    int64_t t0 = now_ns();
    pthread_t t = thread(producer, (void *)n);
    while (total < n) {
        if (use_mutex) {
            pthread_mutex_lock(&mu);
            while (!mfirst)
                pthread_cond_wait(&cv, &mu);
            struct node *x = mfirst;
            mfirst = NULL;
            mlast = &mfirst;
            pthread_mutex_unlock(&mu);
            while (x) {
                struct node *y = atomic_load_explicit(&x->next, memory_order_relaxed);
                total += x->n;
                free(x);
                x = y;
            }
        } else {
            struct node *x;
            while (!(x = atomic_load_explicit(&head->next, memory_order_acquire)))
                sched_yield();
            total += x->n;
            if (head != &stub)
                free(head);
            head = x;
        }
    }
    rate("counting", n, t0, "msgs/s");
    pthread_join(t, NULL);
}

/* --- between processes --- */
static void all(int fd, char *b, long n, int out)
{
    while (n > 0) {
        ssize_t k = out ? write(fd, b, n) : read(fd, b, n);
        if (k <= 0)
            _exit(0);
        b += k;
        n -= k;
    }
}

static void remote(const char *name)
{
    long n = arg_n("n", 50000), w = arg_n("window", 1), size = arg_n("size", 64), warm = 1000;
    int fd[2];
    if (*name == 'i') {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    } else {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t z = sizeof a;
        int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;
        CHECK(bind(l, (void *)&a, z) == 0 && listen(l, 1) == 0);
        CHECK(getsockname(l, (void *)&a, &z) == 0);
        fd[0] = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(connect(fd[0], (void *)&a, z) == 0);
        CHECK((fd[1] = accept(l, NULL, NULL)) >= 0);
        setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    char *buf = calloc(1, size);
    pid_t p = fork();
    CHECK(p >= 0);
    if (p == 0) {
        close(fd[0]);
        /* whatever has arrived goes back in one write */
        char *big = malloc(size * w);
        for (;;) {
            ssize_t k = read(fd[1], big, size * w);
            if (k <= 0)
                _exit(0);
            all(fd[1], big, k, 1);
        }
    }
    close(fd[1]);
    int64_t *v = malloc(sizeof *v * (n + warm)), t0 = 0;
    long sent = 0, got = 0, have = 0;
    char *in = malloc(size * w), *out = calloc(w, size);
    long room = w;
    while (got < n + warm) {
        int64_t x = now_ns();
        long k = room;
        if (k > n + warm - sent)
            k = n + warm - sent;
        for (long i = 0; i < k; i++)
            memcpy(out + i * size, &x, 8);
        all(fd[0], out, k * size, 1);
        sent += k;
        room = 0;
        ssize_t r = read(fd[0], in + have, size * w - have);
        CHECK(r > 0);
        have += r;
        x = now_ns();
        long done = have / size;
        for (long i = 0; i < done; i++) {
            int64_t t;
            memcpy(&t, in + i * size, 8);
            v[got++] = x - t;
            if (got == warm)
                t0 = x;
        }
        have -= done * size;
        memmove(in, in + done * size, have);
        room = done;
    }
    rate(name, n, t0, "round_trips/s");
    pct(name, v + warm, n);
    fflush(stdout);
    stop_child(p);
    (void)buf;
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
    else if (strcmp(b, "ipc") == 0 || strcmp(b, "tcp") == 0)
        remote(b);
    else
        return 2;
    return 0;
}
