/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge_poll.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <time.h>

#define NS_OF_SECOND 1000000000LL

int edge_poll_wait(int poll_fd, struct epoll_event events[EDGE_EVENTS_MAX], int64_t wait_ns)
{
    if (wait_ns == 0) {
        return epoll_wait(poll_fd, events, EDGE_EVENTS_MAX, 0);
    }
    if (wait_ns < 0) {
        return epoll_wait(poll_fd, events, EDGE_EVENTS_MAX, -1);
    }
    const struct timespec limit = {wait_ns / NS_OF_SECOND, wait_ns % NS_OF_SECOND};
    const int count = epoll_pwait2(poll_fd, events, EDGE_EVENTS_MAX, &limit, NULL);
    if (count >= 0 || errno != ENOSYS) {
        return count;
    }
    const int64_t wait_ms = wait_ns / 1000000 + 1; /* a kernel before 5.11 */
    return epoll_wait(poll_fd, events, EDGE_EVENTS_MAX, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
}
