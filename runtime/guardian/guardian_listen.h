/* SPDX-License-Identifier: MIT */
/* Socket activation: a listening socket that the service manager opened, by the variables
 * LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. It outlives every node that the guardian starts, so
 * clients that connect in between wait instead of being refused. Guardian only. */
#ifndef TRP_RUNTIME_GUARDIAN_LISTEN_H
#define TRP_RUNTIME_GUARDIAN_LISTEN_H

#define GUARDIAN_LISTEN_NAME "majordomo" /* of the socket that is taken; or there is only one */

/** The socket for clients; 0: none was given. Takes the variables out of the environment, and
 * closes what else was given, with a line in the log. A TCP socket that listens is taken, nothing
 * else. */
int guardian_listen_take(void);

#endif
