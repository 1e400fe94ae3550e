/* SPDX-License-Identifier: MIT */
/* A node's configuration: read from a ZPL file by zconfig, checked whole before anything is
 * started. Owner: whoever loaded it; read-only after, so any thread and forked process may look.
 * Starts no thread and opens no socket. */
#ifndef TRP_RUNTIME_CONFIG_H
#define TRP_RUNTIME_CONFIG_H

#include "runtime/base/option.h"
#include "runtime/core/runtime.h"

#define CONFIG_PATH_MAX   256 /* bytes of an option's path: "tree.children.a.children.b.restart" */
#define CONFIG_NESTED_MAX 10  /* supervisors above one another, below the root */

/** Options of `node` (one table: config_node_options). */
typedef struct config_node {
    char name[TRP_NAME_MAX];
    char run_dir[OPTION_TEXT_MAX]; /* "" = the user's run directory / node name */
    int64_t threads;               /* pool threads; 0 = cores - 1, at least 1 */
    int64_t stop_ms;               /* the whole stop */
    int64_t stuck_ms, edge_stuck_ms, kill_grace_ms, stuck_max; /* runtime_watch_t */
    int64_t quarantine_after, quarantine_window_s;             /* guardian_options_t */
    char black_box_dir[OPTION_TEXT_MAX];                       /* "" = in the run directory */
    int64_t log_level; /* index into "trace|debug|info|warn|error|fatal" */
} config_node_t;

typedef struct config_majordomo {
    char endpoint[OPTION_TEXT_MAX]; /* "" = none */
    int64_t bytes_max;              /* bodies of all accepted tasks */
    int64_t body_max;               /* one request body */
    int64_t unread_max;             /* replies that one client has not read; 0 = no limit */
    int64_t heartbeat_ms, liveness; /* of workers of other programs: interval, and how many of them
                                     * one may be silent */
    int64_t unknown_wait_ms;        /* for a first worker of a tool that nobody knows */
    int64_t services_max;           /* tools that only workers of other programs tell of */
    char curve_secret[OPTION_TEXT_MAX]; /* file of the node's own key; "" = no keys */
    char keys[OPTION_TEXT_MAX];         /* file of the clients' keys */
    int64_t insecure;                   /* 1: no keys wanted, wherever it is bound */
} config_majordomo_t;

#define CONFIG_KEY_SIZE 40 /* characters of a key in Z85 */

/** A client's or a foreign worker's key, and what it may do: a section of majordomo.keys. */
typedef struct config_key {
    char name[TRP_NAME_MAX];
    char public_key[CONFIG_KEY_SIZE + 1]; /* Z85 */
    char tools[OPTION_TEXT_MAX];          /* may be called, separated by blanks; "*" = all */
    char serves[OPTION_TEXT_MAX];         /* may be served by its workers */
    int64_t rate, burst;                  /* calls a second, 0 = no limit; and at once */
} config_key_t;

/** Answers that are kept: by tool and body, and by idempotency key. */
typedef struct config_cache {
    int64_t entries_max, bytes_max; /* of each of the two */
    int64_t ttl_ms;                 /* of results */
    int64_t idem_ms;                /* how long an idempotency key is remembered */
} config_cache_t;

enum { CONFIG_ON_EXIT_RAISE = 6 }; /* of on_memory */

/** What a child of the tree is; index into "worker|supervisor". */
enum { CONFIG_WORKER, CONFIG_SUPERVISOR };

/** A child of the tree, or one worker of a pool. */
typedef struct config_child {
    char id[TRP_NAME_MAX];
    int64_t type;
    struct config_branch *branch; /* of a supervisor; NULL: a worker */
    int64_t while_down;           /* index into "gone|fail|queue" */
    char class_name[TRP_NAME_MAX];
    const trp_class_t *class;
    int64_t place;                 /* trp_place_t */
    char program[OPTION_TEXT_MAX]; /* place process: run this program instead of a fork of ours; ""
                                      = fork */
    int64_t restart;               /* index into "permanent|transient|temporary" */
    int64_t shutdown_ms;           /* -1 = infinity, 0 = brutal_kill */
    int64_t backoff_ms, backoff_max_ms, backoff_factor, backoff_steps;
    int64_t jitter; /* index into "equal|full" */
    int64_t reset_after_ms;
    int64_t significant; /* 0 or 1 */
    int64_t give_up;     /* index into "stop|hold|escalate" */
    /* indices into "default|backoff|now|wait|never|give_up", of on_memory also "raise" */
    int64_t on_clean, on_config, on_unready, on_memory, on_stuck, on_crash;
    int64_t start_ms;                   /* limit for readiness */
    int64_t mailbox_max, mailbox_bytes; /* 0 = trp_spawn_t's own */
    int64_t memory_quota;               /* bytes; 0 = none */
    int64_t overflow;                   /* trp_overflow_t */
    void *args;                         /* options of the class: a MessagePack map, or NULL */
    size_t args_size;
    trp_limits_t limits; /* place process; a table of its own: CONFIG_LIMITS */
} config_child_t;

/** A supervisor's flags. */
typedef struct config_supervisor {
    int64_t strategy; /* index into "one_for_one|one_for_all|rest_for_one" */
    int64_t intensity, period_s;
    int64_t window;         /* index into "passing|active" */
    int64_t starts;         /* index into "ordered|parallel|awaited" */
    int64_t start_max;      /* of parallel starts at a time; 0 = all */
    int64_t auto_shutdown;  /* index into "never|any_significant|all_significant" */
    int64_t restarts_per_s; /* of it and all below it; 0 = no limit */
} config_supervisor_t;

/** A supervisor in the tree, and its children. */
typedef struct config_branch {
    config_supervisor_t supervisor;
    config_child_t *children;
    size_t child_count;
} config_branch_t;

typedef struct config_pool {
    char name[TRP_NAME_MAX];
    config_child_t child; /* of each worker; its id is NAME.1, NAME.2 ... */
    config_supervisor_t supervisor;
    int64_t strategy;         /* index into the option's choices: balance_strategy_t */
    int64_t fair;             /* 1: the clients that wait take turns */
    int64_t understudies;     /* beside them, ready to take over */
    int64_t size;             /* index into "given|cores" */
    int64_t min, max;         /* workers */
    int64_t inflight_max;     /* tasks that one worker has at a time */
    int64_t queue_max;        /* tasks waiting */
    int64_t queue_ms, run_ms; /* limits of waiting and running */
    int64_t attempts_max;
    int64_t retry_ms; /* rest before the third attempt, by chance; doubled for each further one */
    int64_t breaker_failures, breaker_ms; /* failures in a row that open the breaker, and how long;
                                           * 0 failures: none does */
    int64_t eject_failures, eject_ms, eject_percent; /* faults in a row; for how long the first
                                                      * time; of the workers at most */
    int64_t order;                                   /* index into "none|key" */
    int64_t slow_start_ms;        /* a new worker's share grows to the whole in it */
    int64_t idle_ms;              /* a worker above min is stopped after this */
    int64_t auto_scale;           /* 1: 80 and 20, where they are not set */
    int64_t scale_up, scale_down; /* percent of the places in use, above which one more worker is
                                   * started, below which one is stopped */
    int64_t scale_ms;             /* over which scale_down looks */
    int64_t recycle_tasks, recycle_ms, recycle_bytes; /* a worker is replaced after; 0: never */
    int64_t keys_max;              /* keys (matches) that one worker holds; 0 = no limit */
    int64_t cancel_ms;             /* a cancelled task may run on so long */
    int64_t cache;                 /* 1: results are kept; the same call is made once */
    int64_t foreign;               /* 1: workers of other programs serve it; it has no class */
    int64_t options;               /* foreign: 1: the options frame is read, and sent on */
    char weights[OPTION_TEXT_MAX]; /* of worker 1, 2, ..., separated by blanks */
    char tools[OPTION_TEXT_MAX];   /* names, separated by blanks */
    char key_member[64]; /* member of the body by which a task finds the worker that holds its key;
                            "" = none */
    char key_tools_new[128]; /* tools that make a key: go to the worker with the fewest */
    char rollout_tools[OPTION_TEXT_MAX];  /* of other pools, of whose calls it gets a share */
    int64_t rollout_share, rollout_mode;  /* percent; index into "compare|take" */
    char rollout_ignore[OPTION_TEXT_MAX]; /* members of results that are not compared */
} config_pool_t;

typedef struct config {
    char path[OPTION_TEXT_MAX]; /* of the file; "--set": an override */
    config_node_t node;
    config_majordomo_t majordomo;
    config_cache_t cache;
    config_branch_t tree; /* section `tree`: the root */
    config_pool_t *pools; /* section `pools` */
    size_t pool_count;
    struct config_lines *lines;             /* where each option was set; NULL: not known */
    char curve_secret[CONFIG_KEY_SIZE + 1]; /* Z85; "" = no keys */
    config_key_t *keys;
    size_t key_count;
} config_t;

/** What is wrong with a configuration. */
typedef struct config_fault {
    char path[OPTION_TEXT_MAX];
    int line;                     /* 0 = not known (an override, a missing file) */
    char option[CONFIG_PATH_MAX]; /* "pools.parser.min" */
    char rule[160];
} config_fault_t;

/** Reads and checks. `overrides`: "section.option=value" texts, applied last;
 * "pools.*.option=value" is for every pool. `classes`:
 * NULL-terminated, those of the program. owns: config_free. errors: TRP_CONFIG with `fault`,
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t config_load(const char *path, const char *const *overrides,
                                      const trp_class_t *const *classes, config_t **config,
                                      config_fault_t *fault);

/** The same from a text that is there already; `name` stands for the path in what is said of it. */
TRP_MUST_USE trp_status_t config_read(const char *text, const char *name,
                                      const trp_class_t *const *classes, config_t **config,
                                      config_fault_t *fault);
void config_free(config_t **config);

/** Fills `fault` for a rule that is found to be broken later: says where `option` was set. Returns
 * TRP_CONFIG. */
TRP_MUST_USE trp_status_t config_refuse(const config_t *config, config_fault_t *fault,
                                        const char *option, const char *rule);

/** The defaults of a pool that is served by workers of other programs. */
void config_pool_foreign(config_pool_t *pool);

/** Sets one option of a pool; `rule` (160 bytes) says what should hold. errors: TRP_NOT_FOUND (no
 * option of the pool itself), TRP_CONFIG (its value) */
TRP_MUST_USE trp_status_t config_pool_set(config_pool_t *pool, const char *option,
                                          const char *value, char *rule);

/** The option tables, for `troupe config` and docs/config.md. `count` gets their number. */
const option_table_t *config_tables(size_t *count);

/** Makes the configuration known to the actors of a runtime's edge; it must outlive the runtime.
 * Before any actor runs. */
void config_keep(trp_runtime_t *runtime, config_t *config);

/** What config_keep was given; NULL: nothing. Edge thread only. */
const config_t *config_of(trp_runtime_t *runtime);

#endif
