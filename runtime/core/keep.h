/* SPDX-License-Identifier: MIT */
/* The end of what runtime_keep keeps. Internal to the core. */
#ifndef TRP_RUNTIME_KEEP_H
#define TRP_RUNTIME_KEEP_H

#include "runtime/core/scheduler.h"

/** Ends all objects, the newest first. */
void keep_end(trp_runtime_t *runtime);

#endif
