/* SPDX-License-Identifier: MIT */
/* A ZeroMQ socket that serves a listening descriptor instead of binding. */
#ifndef TRP_RUNTIME_TRANSPORT_LISTEN_H
#define TRP_RUNTIME_TRANSPORT_LISTEN_H

#include <stdbool.h>

/** Before zmq_bind, whose address is not looked at then. `listener` stays the caller's; 0: none,
 * which is right as well. False: errno says why not. */
bool transport_take_listener(void *socket, int listener);

#endif
