/* SPDX-License-Identifier: MIT */
/* What a configuration that is read anew changes, option by option, and which of it a running node
 * may take over. Any thread; starts nothing. */
#ifndef TRP_RUNTIME_CONFIG_CHANGE_H
#define TRP_RUNTIME_CONFIG_CHANGE_H

#include "runtime/config/config.h"

typedef enum config_effect {
    CONFIG_AT_ONCE,   /* whoever uses it looks it up each time */
    CONFIG_POOL_RULE, /* the pool's router is told */
    CONFIG_LIMIT,     /* of processes that are started from now on */
    CONFIG_AT_START,  /* only when the node is started again */
    CONFIG_KEYS,      /* the keys of clients: config_keys_take */
} config_effect_t;

typedef struct config_change {
    config_effect_t effect;
    char option[CONFIG_PATH_MAX]; /* "pools.parser.queue_max" */
    const option_t *row;          /* NULL: a whole section came, went, or moved */
    void *now;                    /* the struct that the row is of, in the running configuration */
    const void *wanted;           /* ... and in the other */
    const config_pool_t *pool;    /* whose it is, running; NULL: no pool's */
} config_change_t;

/** Calls `each` for every difference. Pools and children are compared when both have the same
 * names in the same order; else each name that came or went, or the order, is one difference. */
void config_compare(config_t *now, const config_t *wanted,
                    void (*each)(void *user, const config_change_t *change), void *user);

/** Whether the router can be told of this option of a pool while the node runs. */
bool config_pool_may_change(const char *option);

/** Exchanges the keys of the running configuration for the others'. Edge thread: it is there that
 * they are looked up, each time. */
void config_keys_take(config_t *now, config_t *wanted);

/** Takes over one option into the running configuration. */
void config_change_apply(const config_change_t *change);

/** The wanted value as one would write it in a file. */
void config_change_value(const config_change_t *change, char value[OPTION_TEXT_MAX]);

#endif
