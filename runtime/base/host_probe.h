/* SPDX-License-Identifier: MIT */
/* Looking at a thread from another one: a real-time signal makes it run a function on an alternate
 * stack, with its calls. What host_os has for its probes, and names for the addresses. */
#ifndef TRP_RUNTIME_HOST_PROBE_H
#define TRP_RUNTIME_HOST_PROBE_H

#include <stddef.h>

#include "runtime/base/host.h"

TRP_MUST_USE trp_status_t host_probe_open(void *user, host_probe_t **probe);
bool host_probe_look(void *user, host_probe_t *probe, host_glance_t glance, void *arg);
void host_probe_close(void *user, host_probe_t **probe);

/** The calls as one line for people, innermost first, joined by " < ". Returns `line`. */
char *host_frames_format(void *const *frames, int count, char *line, size_t size);

#endif
