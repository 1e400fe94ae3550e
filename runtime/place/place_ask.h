/* SPDX-License-Identifier: MIT */
/* The node's answers to what is asked over a link: names, groups, and those that the actors at
 * the other end have asked for, which end with the link. Edge thread only. */
#ifndef TRP_RUNTIME_PLACE_ASK_H
#define TRP_RUNTIME_PLACE_ASK_H

#include "runtime/place/place_link.h"

/** Acts on an ask frame and answers it. NULL: well; else how it broke the protocol. */
const char *place_ask(place_link_t *link, const wire_reader_t *reader);

/** Ends all memberships and names of actors behind the link. */
void place_ask_leave_all(place_link_t *link);

/** Frees what is kept of them; also after the runtime, which ends them itself. */
void place_ask_fini(place_link_t *link);

#endif
