/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "supervisor/tree/tree.h"

static const char *why_not(const trp_child_spec_t *spec)
{
    if (spec->is_supervisor) {
        return "it is a supervisor";
    }
    if ((spec->class->flags & (TRP_CLASS_EDGE | TRP_CLASS_PROXY | TRP_CLASS_SYSTEM)) != 0) {
        return "its class runs in the node only";
    }
    return spec->place == TRP_PLACE_PROCESS ? "it has a process of its own" : NULL;
}

/* All rows of that part: the workers of a pool have one path. */
static size_t move(trp_child_spec_t *specs, size_t count, const char *path, const char **why)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (specs[i].origin == NULL || strcmp(specs[i].origin, path) != 0) {
            continue;
        }
        found++;
        *why = why_not(&specs[i]);
        if (*why == NULL) {
            specs[i].place = TRP_PLACE_PROCESS;
            specs[i].is_quarantined = true;
        }
    }
    return found;
}

const char *tree_quarantine(tree_t *tree, const char *path)
{
    const char *why = NULL;
    const size_t found = move(tree->children, tree->child_count, path, &why) +
                         move(tree->workers, tree->worker_count, path, &why);
    return found == 0 ? "it is not in the configuration any more" : why;
}
