/* SPDX-License-Identifier: MIT */
/* Structured logs: one JSON object a line on standard error, one write each, with Pino's field
 * names (level, time, pid, hostname, msg). Each fact once, where the decision is taken. Any thread
 * may call. */
#ifndef TRP_RUNTIME_LOG_H
#define TRP_RUNTIME_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/api.h"

enum {
    LOG_TRACE = 10,
    LOG_DEBUG = 20,
    LOG_INFO = 30,
    LOG_WARN = 40,
    LOG_ERROR = 50,
    LOG_FATAL = 60
};

typedef enum log_kind {
    LOG_KIND_END,
    LOG_KIND_TEXT,
    LOG_KIND_INT,
    LOG_KIND_REAL,
    LOG_KIND_BOOL
} log_kind_t;

typedef struct log_field {
    const char *key;
    log_kind_t kind;
    union {
        const char *text;
        int64_t integer;
        double real;
    } value;
} log_field_t;

#define LOG_TEXT(k, v) ((log_field_t){.key = (k), .kind = LOG_KIND_TEXT, .value.text = (v)})
#define LOG_INT(k, v) \
    ((log_field_t){.key = (k), .kind = LOG_KIND_INT, .value.integer = (int64_t)(v)})
#define LOG_REAL(k, v) ((log_field_t){.key = (k), .kind = LOG_KIND_REAL, .value.real = (v)})
#define LOG_FLAG(k, v) ((log_field_t){.key = (k), .kind = LOG_KIND_BOOL, .value.integer = (v)})

/** log_event(LOG_WARN, "worker_exited", LOG_TEXT("child", id), LOG_INT("os_pid", pid)); the event
 * is a constant. */
#define log_event(level, event, ...)                                                \
    log_write((level), (const log_field_t[]){LOG_TEXT("msg", event), ##__VA_ARGS__, \
                                             (log_field_t){.kind = LOG_KIND_END}})

/** Writes one line, cut at 4 KiB between fields, if `level` is at or above the threshold.
 * Never stands still for a reader: lines that it does not take in time are lost, and counted in a
 * line `log_lines_lost` when it reads again; as on a full disk. Async-signal unsafe. */
TRP_API void log_write(int level, const log_field_t *fields);

/** Whether a line of this level would be written: asked before costly fields are made. */
TRP_API bool log_enabled(int level);

/** Has lines go to `sink` instead of standard error, whole process; NULL ends it. For tests and
 * simulations: not while threads log. */
TRP_API void log_redirect(void (*sink)(void *user, int level, const log_field_t *fields),
                          void *user);

/** Gives each line that is written to `copy` as well, without its end; for the black box. Before
 * there are threads. */
TRP_API void log_copy_to(void (*copy)(const char *line, size_t size));

/** Has no line end the process: SIGPIPE (who read is gone) and SIGXFSZ (its file may not grow) are
 * ignored from here on, whole process. Files of others that may not grow give EFBIG then. */
TRP_API void log_ignore_signals(void);

/** The threshold, for the whole process; default LOG_INFO. */
TRP_API void log_level_set(int level);

#endif
