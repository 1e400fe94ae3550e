/* SPDX-License-Identifier: MIT */
#include "runtime/transport/transport_context.h"

#include <errno.h>
#include <stddef.h>
#include <zmq.h>

/* A context that is never used keeps what is counted by references; threads would come with its
 * first socket. */
void transport_context_prime(void)
{
    static void *context;
    if (context == NULL) {
        context = zmq_ctx_new();
    }
}

void *transport_context_make(int sockets_max)
{
    void *context = zmq_ctx_new();
    if (context != NULL) {
        const int max = sockets_max > 0 ? sockets_max : zmq_ctx_get(context, ZMQ_SOCKET_LIMIT);
        (void)zmq_ctx_set(context, ZMQ_MAX_SOCKETS, max);
    }
    return context;
}

void transport_context_end(void *context)
{
    while (zmq_ctx_term(context) != 0 && errno == EINTR) {
    }
}
