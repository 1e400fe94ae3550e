/* SPDX-License-Identifier: MIT */
/* Contexts of libzmq: what all sockets of a process share. */
#ifndef TRP_RUNTIME_TRANSPORT_CONTEXT_H
#define TRP_RUNTIME_TRANSPORT_CONTEXT_H

/** One for as many sockets as libzmq can have (it writes 800 KB for them at the first one). Returns
 * NULL for what errno says. owns: transport_context_end */
void *transport_context_make(void);

/** Waits for sockets that linger. */
void transport_context_end(void *context);

#endif
