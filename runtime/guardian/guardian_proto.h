/* SPDX-License-Identifier: MIT */
/* What the guardian and its node say to each other: fixed-size messages over a SOCK_SEQPACKET pair,
 * one message a packet, both ends non-blocking. Any one thread at a time. */
#ifndef TRP_RUNTIME_GUARDIAN_PROTO_H
#define TRP_RUNTIME_GUARDIAN_PROTO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "messages/status.h"
#include "runtime/limits.h"

#define GUARDIAN_TOKEN_SIZE  16
#define GUARDIAN_PROGRAM_MAX 256 /* bytes of a path, the NUL included */
#define GUARDIAN_INDEX_MAX   65535u

typedef enum guardian_kind {
    /* node -> guardian */
    GUARDIAN_SPAWN =
        1,          /* index, incarnation, token, program ("" = fork of this program), limits, box
                         */
    GUARDIAN_KILL,  /* index, incarnation, value = signal number */
    GUARDIAN_READY, /* program = a line for people: the node serves from now on */
    GUARDIAN_RELOADED, /* program = a line for people, value = log level for processes to come, 0:
                          the file was refused */
    /* guardian -> node */
    GUARDIAN_SPAWNED, /* index, incarnation, os_pid */
    GUARDIAN_REFUSED, /* index, incarnation, value = errno: there is no such process */
    GUARDIAN_EXITED,  /* index, incarnation, os_pid, value = wait status as waitpid gives it, memory
                       */
    GUARDIAN_STOP,    /* value = signal number: drain and end */
    GUARDIAN_RELOAD,  /* read the configuration again */
} guardian_kind_t;

typedef struct guardian_message {
    uint32_t kind; /* guardian_kind_t */
    uint32_t index;
    uint32_t incarnation;
    int32_t os_pid;
    int32_t value;
    int32_t box; /* a descriptor, passed along: the receiver's to close; 0: none */
    bool memory; /* it was killed by its control group's limit */
    unsigned char token[GUARDIAN_TOKEN_SIZE];
    char program[GUARDIAN_PROGRAM_MAX];
    trp_limits_t limits; /* the last member, its paths the last of it: see guardian_send */
} guardian_message_t;

/** The descriptor `box` stays the caller's as well. errors: TRP_BUSY (the peer does not read),
 * TRP_GONE (no peer), TRP_SYSTEM (errno) */
TRP_MUST_USE trp_status_t guardian_send(int fd, const guardian_message_t *message);

/** errors: TRP_BUSY (nothing there), TRP_GONE (the peer closed), TRP_PROTOCOL (no message of ours),
 * TRP_SYSTEM (errno) */
TRP_MUST_USE trp_status_t guardian_receive(int fd, guardian_message_t *message);

#endif
