/* SPDX-License-Identifier: MIT */
/* Which option table belongs to which section. Internal to the configuration. */
#ifndef TRP_RUNTIME_CONFIG_TABLES_H
#define TRP_RUNTIME_CONFIG_TABLES_H

#include "runtime/config/config.h"

enum {
    CONFIG_NODE,
    CONFIG_MAJORDOMO,
    CONFIG_CACHE,
    CONFIG_TREE,
    CONFIG_CHILD_TYPE,
    CONFIG_BRANCH,
    CONFIG_CHILD,
    CONFIG_LIMITS,
    CONFIG_POOL,
    CONFIG_POOL_SUPERVISOR,
    CONFIG_KEY,
    CONFIG_TABLE_COUNT
};

#endif
