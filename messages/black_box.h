/* SPDX-License-Identifier: MIT */
/* What a file with a black box says of the worker that it is of. */
#ifndef TRP_MESSAGES_BLACK_BOX_H
#define TRP_MESSAGES_BLACK_BOX_H

#include "messages/schema.h"

#define BOX_OWNER_FIELDS(F)                            \
    F(STRING, pid, _, 1, 63, "of the actor")           \
    F(STRING, name, _, 0, 63, "its registered name")   \
    F(STRING, class, _, 0, 255, "its class")           \
    F(INT, os_pid, _, 0, 4294967295, "of its process") \
    F(OPT_STRING, reason, _, 1, 127, "why it ended")   \
    F(OPT_INT, ended_ms, _, 0, 9e15, "when, since 1970")

TRP_SCHEMA_DECLARE(box_owner, BOX_OWNER_FIELDS)

#endif
