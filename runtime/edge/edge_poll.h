/* SPDX-License-Identifier: MIT */
/* Waiting on an epoll, to the nanosecond where the kernel can. */
#ifndef TRP_RUNTIME_EDGE_POLL_H
#define TRP_RUNTIME_EDGE_POLL_H

#include <stdint.h>
#include <sys/epoll.h>

#define EDGE_EVENTS_MAX 64

/** wait_ns: 0 = only looks, negative = without limit. Returns the number of events; below 1:
 * none. */
int edge_poll_wait(int poll_fd, struct epoll_event events[EDGE_EVENTS_MAX], int64_t wait_ns);

#endif
