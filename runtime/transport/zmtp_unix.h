/* SPDX-License-Identifier: MIT */
/* Unix sockets by ZeroMQ's endpoints, ipc://PATH. Nothing here blocks; descriptors are the
 * caller's. */
#ifndef TRP_RUNTIME_ZMTP_UNIX_H
#define TRP_RUNTIME_ZMTP_UNIX_H

#include "messages/status.h"

#define ZMTP_ENDPOINT_MAX 128
#define ZMTP_SCHEME_SIZE  6 /* of "ipc://" */

/** Takes over a file that was left there. `mode` of the file, 0 = as it comes. `error` of 256
 * bytes. errors: TRP_INVALID (endpoint), TRP_SYSTEM */
TRP_MUST_USE trp_status_t zmtp_unix_listen(const char *endpoint, int mode, int *listener,
                                           char *error);

/** A descriptor to be given up when there is no other; -1: there is none. */
int zmtp_unix_spare(int listener);

/** The next one that connects; -1: none now. A listener stays readable for good when nobody can be
 * accepted for want of descriptors: with the spare one given up for a moment, who waits is let in
 * and out again, and knows. */
int zmtp_unix_accept(int listener, int *spare);

/** TRP_OK with a descriptor of -1: nobody listens there. errors: TRP_INVALID, TRP_SYSTEM */
TRP_MUST_USE trp_status_t zmtp_unix_connect(const char *endpoint, int *descriptor, char *error);

#endif
