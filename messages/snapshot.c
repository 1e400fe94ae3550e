/* SPDX-License-Identifier: MIT */
#include "messages/snapshot.h"

#include "messages/system.h"

TRP_SCHEMA_DEFINE(trp_snapshot, TRP_TAG_SNAPSHOT, 0, TRP_SNAPSHOT_FIELDS,
                  "the state of an actor, for another that begins with it")
