/* SPDX-License-Identifier: MIT */
/* What only the node knows, as the far end of a link asks for it: names, members of groups. The
 * node's side is place_ask.h. The thread of the root's runtime. */
#ifndef TRP_RUNTIME_WORKER_ASK_H
#define TRP_RUNTIME_WORKER_ASK_H

#include "runtime/place/worker_root.h"

/** Asks, and waits for the answer where there is one: `ask` of a runtime_uplink_t. `user`: a
 * worker_root_t. errors: TRP_GONE, TRP_TIMEOUT, TRP_INVALID, TRP_UNSUPPORTED, the answer's */
TRP_MUST_USE trp_status_t worker_ask(void *user, runtime_question_t *question);

/** The node has answered. errors: TRP_PROTOCOL */
TRP_MUST_USE trp_status_t worker_ask_answer(worker_root_t *root, const wire_reader_t *reader);

#endif
