/* SPDX-License-Identifier: MIT */
/* Transport between an edge and the edges of worker processes: ZMTP over a Unix socket, read and
 * written by the edge's thread itself. It is what libzmq does, without libzmq's threads: a message
 * wakes the thread that handles it and no other (docs/decisions/0025-links-without-threads.md).
 *
 * Who binds is a ROUTER to any ZeroMQ peer. Who connects sends before the other side has said that
 * it is ready, and so talks to one of these only. */
#ifndef TRP_RUNTIME_TRANSPORT_ZMTP_H
#define TRP_RUNTIME_TRANSPORT_ZMTP_H

#include "runtime/plugin.h"

/** Endpoints: ipc://PATH. No keys, no listener. One medium for each thread; it can't be joined. */
extern const trp_transport_t transport_zmtp;

#endif
