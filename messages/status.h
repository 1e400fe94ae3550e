/* SPDX-License-Identifier: MIT */
/* Status codes: the result of every call that can fail, and the reason an actor's own code fails
 * with. */
#ifndef TRP_MESSAGES_STATUS_H
#define TRP_MESSAGES_STATUS_H

#include "messages/api.h"

/** The one list of codes: X(NAME, text). Enum, names and texts derive from it. */
#define TRP_STATUS_MAP(X)                                         \
    X(OK, "success")                                              \
    X(BUSY, "no credit or no room now: try again later")          \
    X(FULL, "the mailbox or queue is full")                       \
    X(GONE, "the receiver does not exist any more")               \
    X(TIMEOUT, "the time limit passed")                           \
    X(EXPIRED, "the deadline passed before the work started")     \
    X(CANCELLED, "cancelled by who asked for it")                 \
    X(PENDING, "started, will be finished later")                 \
    X(NOT_FOUND, "no such thing")                                 \
    X(EXISTS, "the name or thing exists already")                 \
    X(INVALID, "an argument is out of its bounds")                \
    X(STATE, "not allowed in this state")                         \
    X(PAYLOAD, "the payload does not fit its schema")             \
    X(PROTOCOL, "the peer broke the protocol")                    \
    X(TOO_LARGE, "larger than its limit")                         \
    X(UNSUPPORTED, "not supported here")                          \
    X(DENIED, "not permitted")                                    \
    X(CONFIG, "the configuration is wrong")                       \
    X(NO_MEMORY, "out of memory")                                 \
    X(SYSTEM, "a system call failed")                             \
    X(FAILED, "the actor's own code failed")                      \
    X(IGNORE, "the actor is not needed: its start is no failure") \
    X(CONFLICT, "it has another version than the one that was expected")

typedef enum trp_status {
#define TRP_STATUS_ENUM(name, text) TRP_##name,
    TRP_STATUS_MAP(TRP_STATUS_ENUM)
#undef TRP_STATUS_ENUM
        TRP_STATUS_COUNT
} trp_status_t;

/** The code's name in lower case, as logs and JSON show it: "not_found". Never NULL. */
TRP_API const char *trp_status_name(trp_status_t status);

/** One line for people. Never NULL. */
TRP_API const char *trp_status_text(trp_status_t status);

#endif
