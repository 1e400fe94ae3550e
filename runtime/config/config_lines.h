/* SPDX-License-Identifier: MIT */
/* Which line of a ZPL text an option stands on, and the syntax faults that the ZPL reader would
 * only print: the reader itself keeps no line numbers. */
#ifndef TRP_RUNTIME_CONFIG_LINES_H
#define TRP_RUNTIME_CONFIG_LINES_H

#include "runtime/config/config.h"

#define CONFIG_DEPTH_MAX (2 * CONFIG_NESTED_MAX + 8) /* levels of indentation */
#define CONFIG_LINE_SET  (-1)                        /* a "line": by an override */

typedef struct config_line {
    char path[CONFIG_PATH_MAX]; /* "pools.parser.min" */
    int line;                   /* from 1, or CONFIG_LINE_SET */
} config_line_t;

typedef struct config_lines {
    config_line_t *rows;
    size_t count, capacity;
} config_lines_t;

/** Reads all lines. Refused: indentation that is not 4 spaces a level, a bad name, an open quote, a
 * name twice in a section. owns: config_lines_free. errors: TRP_CONFIG with `fault`, TRP_NO_MEMORY
 */
TRP_MUST_USE trp_status_t config_lines_read(const char *text, config_lines_t *lines,
                                            config_fault_t *fault);
void config_lines_free(config_lines_t *lines);

/** Notes that an override sets this option. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t config_lines_override(config_lines_t *lines, const char *path);

/** Reads a whole file. owns: the caller frees `text`. errors: TRP_CONFIG with `fault` */
TRP_MUST_USE trp_status_t config_lines_file(const char *path, char **text, config_fault_t *fault);

/** The line of a path, or of its nearest parent that has one; 0: none. */
int config_lines_find(const config_lines_t *lines, const char *path);

#endif
