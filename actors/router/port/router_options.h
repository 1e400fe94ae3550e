/* SPDX-License-Identifier: MIT */
/* What the options frame of a request says. Edge thread. */
#ifndef TRP_ACTORS_ROUTER_OPTIONS_H
#define TRP_ACTORS_ROUTER_OPTIONS_H

#include "actors/router/base/majordomo.h"
#include "actors/router/state/router_request.h"
#include "actors/router/state/router_state.h"

/** Reads the options frame, which the message has. False: it does not fit, and the request was
 * refused, under its id where that is sound. The strings point into `document`, which the caller
 * ends if true. */
bool router_read_options(router_t *router, request_t *request, const majordomo_request_t *message,
                         trp_document_t *document);

/** What becomes of partial answers, by the options that were read. */
void router_set_stream(request_t *request);

#endif
