/* SPDX-License-Identifier: MIT */
/* The commands that people type, as one table (supervisor/command/main.c): it drives parsing,
 * --help and the list of commands. Each command is a function in a file of its own. One thread, no
 * actors. */
#ifndef TRP_SUPERVISOR_COMMAND_H
#define TRP_SUPERVISOR_COMMAND_H

#include "runtime/troupe.h"
#include "supervisor/command/text_table.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/** Options that a command takes. */
enum {
    COMMAND_JSON = 1u << 0,    /* --json */
    COMMAND_CONTROL = 1u << 1, /* --control ENDPOINT */
    COMMAND_SET = 1u << 2,     /* --set section.option=value, many times */
    COMMAND_ROLLING = 1u << 3, /* --rolling, which says what is done anyway */
    COMMAND_GDB = 1u << 4,     /* --gdb */
    COMMAND_CALL = 1u << 5,    /* --stream, --timeout, --key, --idem, --priority */
};

/** One call of a command, parsed. */
typedef struct command_call {
    const char *program; /* as it was called: "build/troupe" */
    const trp_class_t *const *classes;
    const char *name;
    bool json, gdb, stream;
    const char *timeout, *key, *idem, *priority; /* as typed; NULL: not said */
    const char *control;                         /* --control, or NULL */
    const char **overrides;                      /* --set, NULL-terminated ... */
    size_t override_count;
    char **arguments;   /* what is no option ... */
    int argument_count; /* ... within the command's bounds */
} command_call_t;

typedef struct command {
    const char *name;
    const char *arguments; /* "CONF"; "" = none */
    int arguments_min, arguments_max;
    unsigned options;
    const char *text; /* one line */
    const char *more; /* further lines for its --help, or NULL */
    int (*run)(const command_call_t *call);
} command_t;

int command_run(const command_call_t *call);
int command_tree(const command_call_t *call);
int command_pools(const command_call_t *call);
int command_ps(const command_call_t *call);
int command_child(const command_call_t *call);
int command_classes(const command_call_t *call);
int command_waits(const command_call_t *call);
int command_ledger(const command_call_t *call);
int command_state(const command_call_t *call);
int command_call(const command_call_t *call);
int command_cache(const command_call_t *call);
int command_port(const command_call_t *call);
int command_poison(const command_call_t *call);
int command_set(const command_call_t *call);
int command_snapshot(const command_call_t *call);
int command_balance(const command_call_t *call);
int command_select(const command_call_t *call);
int command_rollout(const command_call_t *call);
int command_debug(const command_call_t *call);
int command_why(const command_call_t *call);
int command_work(const command_call_t *call);
int command_replay(const command_call_t *call);
int command_limits(const command_call_t *call);
int command_upgrade(const command_call_t *call);
int command_restart(const command_call_t *call);
int command_stop(const command_call_t *call);
int command_config(const command_call_t *call);
int command_keygen(const command_call_t *call);
int command_messages(const command_call_t *call);

/** "troupe: ..." on standard error. Returns `status`, for `return command_fail(...)`. */
TRP_PRINTF(3, 4)
int command_fail(const command_call_t *call, int status, const char *format, ...);

/** One value as a line of JSON on standard output. Returns the exit status. */
int command_print_json(const command_call_t *call, const msgpack_object *value);

/** Fills a table with the rows of a result. */
typedef void command_fill_t(text_table_t *table, const msgpack_object *result);

/** Shows a value as JSON where asked for, else as a table. Returns the exit status. */
int command_show_value(const command_call_t *call, const msgpack_object *value,
                       const char *const *headings, command_fill_t *fill);

/** Asks the node `verb` and shows the result so. */
int command_show(const command_call_t *call, const char *verb, const char *const *headings,
                 command_fill_t *fill);

#endif
