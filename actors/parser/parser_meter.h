/* SPDX-License-Identifier: MIT */
/* Counts what tree-sitter allocates, so that a parse can be ended before it eats the machine.
 * tree-sitter has one allocator for the process and no way to survive a refused allocation: the
 * count is looked at while the parse goes on, and the parse is told to stop when it is over. */
#ifndef TRP_ACTORS_PARSER_METER_H
#define TRP_ACTORS_PARSER_METER_H

#include <stdint.h>

/** Growth between begin and end, on the thread that began it. */
typedef struct parser_meter {
    int64_t used_bytes; /* now held of what was allocated since begin */
} parser_meter_t;

/** Makes tree-sitter allocate through us. To be called before anything else of tree-sitter is.
 * threads: any, any number of times */
void parser_meter_install(void);

/** From now on this thread's allocations by tree-sitter count in `meter`. Not nested. */
void parser_meter_begin(parser_meter_t *meter);
void parser_meter_end(void);

#endif
