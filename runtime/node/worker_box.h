/* SPDX-License-Identifier: MIT */
/* The worker process's end of its black box: what is written into it, and by whom. One for a
 * process; its thread only. */
#ifndef TRP_RUNTIME_WORKER_BOX_H
#define TRP_RUNTIME_WORKER_BOX_H

#include "runtime/core/runtime.h"
#include "runtime/guardian/guardian.h"

/** Opens the box that the guardian gave: from here on lines of the log and ends by a signal are
 * noted. Without a box the worker works as well: nothing is kept. Before there are threads. */
void worker_box_open(const guardian_child_t *child);

/** From here on, and from its first message at the latest, the probe is answered by a thread of its
 * own. May be called again. */
void worker_box_ready(void);

/** What notes the messages; NULL: this process has no box. */
const runtime_observer_t *worker_box_observer(void);

#endif
