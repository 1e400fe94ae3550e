/* SPDX-License-Identifier: MIT */
#include "actors/parser/parser_meter.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <tree_sitter/api.h>

static _Thread_local parser_meter_t *current;

/* tree-sitter uses what it gets without looking. Ending here says why; the worker's supervisor
 * starts another. */
static void *checked(void *memory)
{
    if (memory == NULL) {
        (void)fputs("parser: out of memory inside tree-sitter\n", stderr);
        abort();
    }
    if (current != NULL) {
        current->used_bytes += (int64_t)malloc_usable_size(memory);
    }
    return memory;
}

static void forget(void *memory)
{
    if (current != NULL && memory != NULL) {
        current->used_bytes -= (int64_t)malloc_usable_size(memory);
    }
}

static void *metered_malloc(size_t size)
{
    return checked(malloc(size > 0 ? size : 1));
}

static void *metered_calloc(size_t count, size_t size)
{
    return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

static void *metered_realloc(void *memory, size_t size)
{
    forget(memory);
    return checked(realloc(memory, size > 0 ? size : 1));
}

static void metered_free(void *memory)
{
    forget(memory);
    free(memory);
}

static void install(void)
{
    ts_set_allocator(metered_malloc, metered_calloc, metered_realloc, metered_free);
}

void parser_meter_install(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, install);
}

void parser_meter_begin(parser_meter_t *meter)
{
    meter->used_bytes = 0;
    current = meter;
}

void parser_meter_end(void)
{
    current = NULL;
}
