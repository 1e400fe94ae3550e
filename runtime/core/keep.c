/* SPDX-License-Identifier: MIT */
#include "runtime/core/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct keep {
    struct keep *next; /* newest first, so that they end in reverse order */
    void *object;
    void (*destroy)(void *object);
    char key[];
} keep_t;

void *runtime_keep(trp_runtime_t *runtime, const char *key, void *(*make)(void *arg),
                   void (*destroy)(void *object), void *arg)
{
    for (keep_t *keep = runtime->keeps; keep != NULL; keep = keep->next) {
        if (strcmp(keep->key, key) == 0) {
            return keep->object;
        }
    }
    void *object = make(arg);
    if (object == NULL) {
        return NULL;
    }
    size_t size = strlen(key) + 1;
    keep_t *keep = malloc(sizeof(*keep) + size);
    if (keep == NULL) {
        if (destroy != NULL) {
            destroy(object);
        }
        return NULL;
    }
    *keep = (keep_t){.next = runtime->keeps, .object = object, .destroy = destroy};
    memcpy(keep->key, key, size);
    runtime->keeps = keep;
    return object;
}

void keep_end(trp_runtime_t *runtime)
{
    while (runtime->keeps != NULL) {
        keep_t *keep = runtime->keeps;
        runtime->keeps = keep->next;
        if (keep->destroy != NULL) {
            keep->destroy(keep->object);
        }
        free(keep);
    }
}
