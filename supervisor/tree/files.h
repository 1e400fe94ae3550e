/* SPDX-License-Identifier: MIT */
/* How many open files a node needs, so that one with too few does not start: libzmq ends a process
 * that gets no descriptor for a socket's inside. A pure function. */
#ifndef TRP_SUPERVISOR_FILES_H
#define TRP_SUPERVISOR_FILES_H

#include "runtime/config/config.h"

/** What the node's process may have open at a time, with all workers that its pools may have and
 * some clients; each further client is one more. */
uint64_t files_needed(const config_t *config);

#endif
