/* SPDX-License-Identifier: MIT */
#include "runtime/base/host.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/host_cores.h"
#include "runtime/base/host_fatal.h"
#include "runtime/base/host_offload.h"
#include "runtime/base/host_probe.h"

#define NS_PER_S 1000000000LL

struct host_thread {
    pthread_t id;
    void (*body)(void *arg);
    void *arg;
};

static int64_t os_now_ns(void *user)
{
    (void)user;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The system's time at its last tick: 4 to 10 ms apart. */
static int64_t os_about_ns(void *user)
{
    (void)user;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t os_epoch_ms(void *user)
{
    (void)user;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static uint64_t os_chance(void *user)
{
    uint64_t value = 0;
    if (getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value)) {
        value = (uint64_t)os_now_ns(user) * 0x9e3779b97f4a7c15u; /* early boot only */
    }
    return value;
}

static void os_sleep(void *user, host_word_t *word, uint32_t expected, int64_t until_ns)
{
    (void)user;
    struct timespec until = {until_ns / NS_PER_S, until_ns % NS_PER_S};
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
            until_ns == HOST_FOREVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void os_wake(void *user, host_word_t *word)
{
    (void)user;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *thread_main(void *arg)
{
    host_thread_t *thread = arg;
    thread->body(thread->arg);
    return NULL;
}

static trp_status_t os_thread_start(void *user, void (*body)(void *arg), void *arg,
                                    host_thread_t **thread)
{
    (void)user;
    host_thread_t *made = malloc(sizeof(*made));
    if (made == NULL) {
        return TRP_NO_MEMORY;
    }
    *made = (host_thread_t){.body = body, .arg = arg};

    sigset_t others;
    sigset_t before;
    host_fatal_mask(&others);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    int error = pthread_create(&made->id, NULL, thread_main, made);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(made);
        return TRP_SYSTEM;
    }
    *thread = made;
    return TRP_OK;
}

static void os_thread_join(void *user, host_thread_t **thread)
{
    (void)user;
    if (*thread != NULL) {
        pthread_join((*thread)->id, NULL);
        free(*thread);
        *thread = NULL;
    }
}

static uint32_t os_processors(void *user)
{
    (void)user;
    return host_cores();
}

static int32_t os_process_id(void *user)
{
    (void)user;
    return (int32_t)getpid();
}

static int32_t os_parent_id(void *user)
{
    (void)user;
    return (int32_t)getppid();
}

static void os_process_exit(void *user, int status)
{
    (void)user;
    _exit(status);
}

static void os_parent_stop(void *user)
{
    (void)user;
    (void)kill(getppid(), SIGTERM);
}

const trp_host_t host_os = {
    .now_ns = os_now_ns,
    .about_ns = os_about_ns,
    .epoch_ms = os_epoch_ms,
    .chance = os_chance,
    .sleep = os_sleep,
    .wake = os_wake,
    .thread_start = os_thread_start,
    .thread_join = os_thread_join,
    .probe_open = host_probe_open,
    .probe_look = host_probe_look,
    .probe_close = host_probe_close,
    .offload = host_offload,
    .processors = os_processors,
    .process_id = os_process_id,
    .parent_id = os_parent_id,
    .process_exit = os_process_exit,
    .parent_stop = os_parent_stop,
};
