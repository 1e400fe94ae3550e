/* SPDX-License-Identifier: MIT */
/* An edge without sockets for the stress programs: it parks in an eventfd. */
#ifndef TRP_TESTS_STRESS_EDGE_PARK_H
#define TRP_TESTS_STRESS_EDGE_PARK_H

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/core/runtime.h"

static int edge_fd = -1;

static void edge_clear(int timeout_ms)
{
    struct pollfd polled = {.fd = edge_fd, .events = POLLIN};
    if (poll(&polled, 1, timeout_ms) > 0) {
        uint64_t count = 0;
        (void)!read(edge_fd, &count, sizeof(count));
    }
}

static void edge_look(void *user)
{
    (void)user;
}

static void edge_sleep(void *user, int64_t until_ns)
{
    (void)user;
    int64_t left_ms = -1;
    if (until_ns != INT64_MAX) {
        left_ms = (until_ns - host_os.now_ns(host_os.user)) / 1000000 + 1;
        left_ms = left_ms < 0 ? 0 : left_ms;
    }
    edge_clear((int)left_ms);
}

static void edge_ring(void *user)
{
    (void)user;
    uint64_t one = 1;
    (void)!write(edge_fd, &one, sizeof(one));
}

static scheduler_park_t edge_park_open(void)
{
    edge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return (scheduler_park_t){.poll = edge_look, .park = edge_sleep, .wake = edge_ring};
}

#endif
