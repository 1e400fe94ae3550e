/* SPDX-License-Identifier: MIT */
/* A supervisor is an ordinary actor whose children are actors: it starts them in order, starts them
 * again when they end by a fault, and stops them in reverse order.
 * What it decides is supervisor/policy.h; what can be asked of it is messages/supervisor.h. */
#ifndef TRP_SUPERVISOR_SUPERVISOR_H
#define TRP_SUPERVISOR_SUPERVISOR_H

#include "messages/supervisor.h"
#include "runtime/troupe.h"

/** In the order of config_supervisor_t.strategy. */
typedef enum trp_strategy {
    TRP_ONE_FOR_ONE,  /* only the child that ended */
    TRP_ONE_FOR_ALL,  /* all children */
    TRP_REST_FOR_ONE, /* that child and those after it */
    TRP_STRATEGY_COUNT
} trp_strategy_t;

/** In the order of config_child_t.restart. */
typedef enum trp_restart {
    TRP_PERMANENT, /* always */
    TRP_TRANSIENT, /* unless it ended with normal or shutdown */
    TRP_TEMPORARY, /* never; its spec goes with it */
    TRP_RESTART_COUNT
} trp_restart_t;

#define TRP_SHUTDOWN_INFINITY (-1) /* wait for ever */
#define TRP_SHUTDOWN_BRUTAL   (-2) /* kill at once, without asking */

/** One child. Texts and args are the caller's and must outlive the supervisor. */
typedef struct trp_child_spec {
    char id[TRP_NAME_MAX]; /* unique among the children */
    const trp_class_t *class;
    trp_place_t place;
    const char *program;        /* place process: run this one; NULL or "" = a fork of ours */
    const trp_limits_t *limits; /* place process; NULL = the defaults */
    uint16_t args_tag;
    const void *args;
    size_t args_size;
    trp_restart_t restart;
    bool is_supervisor;
    bool is_named;   /* registered under its id */
    bool is_dynamic; /* terminate_child deletes its spec as well, as it does of temporary ones */
    int64_t shutdown_ms;    /* time to end when asked; or one of TRP_SHUTDOWN_ */
    int64_t start_ms;       /* time to become ready; 0 = no limit */
    int64_t backoff_ms;     /* delay of the second restart in a row; 0 = no delays */
    int64_t backoff_max_ms; /* its cap */
    uint32_t mailbox_max;   /* messages in its mailbox; 0 = 100000 */
    size_t mailbox_bytes;   /* bytes in its mailbox; 0 = 64 MiB */
    trp_overflow_t overflow;
    size_t memory_quota; /* bytes: its quota; 0 = none */
} trp_child_spec_t;

/** A supervisor: its flags and its first children. */
typedef struct trp_supervisor_spec {
    char name[TRP_NAME_MAX];
    trp_strategy_t strategy;
    int64_t intensity; /* restarts allowed ... */
    int64_t period_s;  /* ... within this time; one more ends the supervisor with `shutdown` */
    const trp_child_spec_t *children;
    size_t child_count;
    const trp_child_spec_t *template; /* of children that start_child adds, or NULL; id = "NAME" */
    size_t child_max;                 /* children that start_child may reach; 0 = 65535 */
} trp_supervisor_spec_t;

/** The message for a supervisor's init: the spec must outlive it. */
typedef struct trp_supervisor_args {
    const trp_supervisor_spec_t *spec;
    trp_pid_t parent; /* whose exit signal is the request to stop */
} trp_supervisor_args_t;

/** Ready when all its first children are; fails when one of them does, after stopping those before
 * it. */
extern TRP_API const trp_class_t trp_supervisor_class;

/** Says what is wrong with a spec. errors: TRP_INVALID with
 * `rule` */
TRP_API TRP_MUST_USE trp_status_t trp_supervisor_check(const trp_supervisor_spec_t *spec,
                                                       char rule[160]);

#endif
