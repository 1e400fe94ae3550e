/* SPDX-License-Identifier: MIT */
#include "supervisor/control/endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct endpoint_table {
    size_t count;
    endpoint_t rows[ENDPOINT_COUNT_MAX];
};

static void *make(void *arg)
{
    (void)arg;
    return calloc(1, sizeof(struct endpoint_table));
}

static struct endpoint_table *table_of(trp_runtime_t *runtime)
{
    return runtime_keep(runtime, "endpoints", make, free, NULL);
}

void endpoint_note(trp_runtime_t *runtime, const char *name, const char *text)
{
    struct endpoint_table *table = table_of(runtime);
    if (table == NULL) {
        return;
    }

    size_t i = 0;
    while (i < table->count && strcmp(table->rows[i].name, name) != 0) {
        i++;
    }
    if (i == ENDPOINT_COUNT_MAX) {
        return;
    }

    snprintf(table->rows[i].name, sizeof(table->rows[i].name), "%s", name);
    snprintf(table->rows[i].text, sizeof(table->rows[i].text), "%s", text);
    table->count += i == table->count;
}

const endpoint_t *endpoint_list(trp_runtime_t *runtime, size_t *count)
{
    const struct endpoint_table *table = table_of(runtime);
    *count = table == NULL ? 0 : table->count;
    return table == NULL ? NULL : table->rows;
}
