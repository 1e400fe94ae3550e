/* SPDX-License-Identifier: MIT */
/* Helper threads of the operating system's host: shared by all runtimes of the process. They come
 * as they are needed and end when they have had nothing to do for a while; any thread may call. */
#ifndef TRP_RUNTIME_HOST_OFFLOAD_H
#define TRP_RUNTIME_HOST_OFFLOAD_H

#include "runtime/base/host.h"

/** The slot `offload` of host_os. errors: TRP_BUSY, TRP_SYSTEM (there is no thread, and none can be
 * made) */
TRP_MUST_USE trp_status_t host_offload(void *user, host_job_t *job);

/** How many helpers there are now. */
uint32_t host_offload_helpers(void);

#endif
