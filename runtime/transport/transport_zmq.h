/* SPDX-License-Identifier: MIT */
/* Transport over libzmq: ROUTER for many peers, DEALER for one. The only place that calls socket
 * functions. */
#ifndef TRP_RUNTIME_TRANSPORT_ZMQ_H
#define TRP_RUNTIME_TRANSPORT_ZMQ_H

#include "runtime/plugin.h"

/** Endpoints are libzmq's: ipc://PATH, tcp://ADDRESS:PORT (port `*` or 0: a free one),
 * inproc://. */
extern const trp_transport_t transport_zmq;

#endif
