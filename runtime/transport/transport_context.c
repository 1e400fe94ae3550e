/* SPDX-License-Identifier: MIT */
#include "runtime/transport/transport_context.h"

#include <errno.h>
#include <stddef.h>
#include <zmq.h>

void *transport_context_make(void)
{
    void *context = zmq_ctx_new();
    if (context != NULL) {
        (void)zmq_ctx_set(context, ZMQ_MAX_SOCKETS, zmq_ctx_get(context, ZMQ_SOCKET_LIMIT));
    }
    return context;
}

void transport_context_end(void *context)
{
    while (zmq_ctx_term(context) != 0 && errno == EINTR) {
    }
}
