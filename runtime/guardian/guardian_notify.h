/* SPDX-License-Identifier: MIT */
/* What the guardian tells systemd (sd_notify): one datagram of lines to the socket that
 * $NOTIFY_SOCKET names. The protocol is that and no more, so no library is asked for it. Without
 * the variable nothing is sent. Guardian only. */
#ifndef TRP_RUNTIME_GUARDIAN_NOTIFY_H
#define TRP_RUNTIME_GUARDIAN_NOTIFY_H

#include <stdint.h>

typedef struct guardian_notify {
    int fd;              /* -1: nobody wants to know */
    int64_t watchdog_ns; /* between signs of life; 0: none are wanted */
    int64_t next_ns;     /* of them */
} guardian_notify_t;

/** Connects to the socket and reads how often signs of life are wanted. Takes both variables out
 * of the environment: what the node and its workers start has no business there. */
void guardian_notify_open(guardian_notify_t *notify);
void guardian_notify_close(guardian_notify_t *notify);

/** "READY=1\nSTATUS=...": sent, or lost when nobody reads. */
void guardian_notify_send(const guardian_notify_t *notify, const char *lines);

/** The configuration is read again: READY=1 follows. `now_ns`: of CLOCK_MONOTONIC. */
void guardian_notify_reloading(const guardian_notify_t *notify, int64_t now_ns);

/** A sign of life, when it is time. */
void guardian_notify_turn(guardian_notify_t *notify, int64_t now_ns);

#endif
