/* SPDX-License-Identifier: MIT */
/* The state of an actor as it travels: what its class's `save` wrote, and who wrote it. */
#ifndef TRP_MESSAGES_SNAPSHOT_H
#define TRP_MESSAGES_SNAPSHOT_H

#include "messages/schema.h"

#define TRP_SNAPSHOT_MAX (64 << 20) /* bytes of state */

#define TRP_SNAPSHOT_FIELDS(F)                                 \
    F(STRING, class_name, _, 1, 255, "class of the actor")     \
    F(INT, version, _, 0, 4294967295, "version of that class") \
    F(BYTES, state, _, 1, TRP_SNAPSHOT_MAX, "what its `save` wrote, one MessagePack map")

TRP_SCHEMA_DECLARE(trp_snapshot, TRP_SNAPSHOT_FIELDS)

#endif
