/* SPDX-License-Identifier: MIT */
/* Contexts of libzmq: what all sockets of a process share. */
#ifndef TRP_RUNTIME_TRANSPORT_CONTEXT_H
#define TRP_RUNTIME_TRANSPORT_CONTEXT_H

/** Has libzmq and what is under it prepare what they prepare once in a process (protocol names by
 * NSS, which searches the library path; the source of chance): processes that are forked after have
 * it. Makes no thread. */
void transport_context_prime(void);

/** sockets_max: monitors count as well; 0 = as many as libzmq can have, for which it writes 800 KB
 * at the first one. Returns NULL for what errno says. owns: transport_context_end */
void *transport_context_make(int sockets_max);

/** Waits for sockets that linger. */
void transport_context_end(void *context);

#endif
