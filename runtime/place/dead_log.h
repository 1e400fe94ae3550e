/* SPDX-License-Identifier: MIT */
/* Who listens to dead letters by default: an actor that logs them. A storm is one line for each
 * cause and DEAD_LOG_MS, with exact counts: those of the ledger, so a notice that found its mailbox
 * full is in them. The first of a quiet time is logged at once. */
#ifndef TRP_RUNTIME_DEAD_LOG_H
#define TRP_RUNTIME_DEAD_LOG_H

#include "runtime/troupe.h"

#define DEAD_LOG_NAME  "dead_letters"
#define DEAD_LOG_MS    10000
#define DEAD_LOG_DEPTH 64 /* notices in its mailbox */

extern const trp_class_t dead_log_class;

#endif
