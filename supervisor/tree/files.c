/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/files.h"

#define OF_NODE    32 /* its sockets with what is inside of them, 24 with a Majordomo port */
#define OF_CLIENTS 32 /* of the Majordomo port and the control socket */
#define OF_PROCESS 2  /* its link; its black box, until the guardian has it */
#define OF_THREAD  2  /* its socket's inside, on both ends */
#define OF_UPGRADE 1  /* process beside those of the pool */

static uint64_t of_place(int64_t place)
{
    return place == TRP_PLACE_PROCESS ? OF_PROCESS : place == TRP_PLACE_THREAD ? OF_THREAD : 0;
}

static uint64_t of_branch(const config_branch_t *branch)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < branch->child_count; i++) {
        const config_child_t *child = &branch->children[i];
        sum += child->branch == NULL ? of_place(child->place) : of_branch(child->branch);
    }
    return sum;
}

static uint64_t of_pool(const config_pool_t *pool)
{
    const int64_t most = pool->max > pool->min ? pool->max : pool->min;
    return pool->foreign != 0
               ? 0
               : (uint64_t)(most + pool->understudies + OF_UPGRADE) * of_place(pool->child.place);
}

uint64_t files_needed(const config_t *config)
{
    uint64_t sum = OF_NODE + OF_CLIENTS + of_branch(&config->tree);
    for (size_t i = 0; i < config->pool_count; i++) {
        sum += of_pool(&config->pools[i]);
    }
    return sum;
}
