/* SPDX-License-Identifier: MIT */
#include "actors/router/pool/router_rollout.h"

#include <stdlib.h>
#include <string.h>

#include "actors/router/base/cache_key.h"
#include "actors/router/base/histogram.h"
#include "actors/router/base/words.h"
#include "actors/router/pool/router_compare.h"
#include "actors/router/state/router_keys.h"
#include "actors/router/state/router_random.h"
#include "actors/router/state/router_services.h"
#include "runtime/log.h"

#define SLOTS 10000 /* of keys: a hundredth of a percent each */

static void free_examples(rollout_t *rollout)
{
    for (size_t i = 0; i < ROLLOUT_EXAMPLES && i < rollout->example_count; i++) {
        rollout_example_t *example = &rollout->examples[i];
        zmq_msg_close(&example->input);
        zmq_msg_close(&example->results[0]);
        zmq_msg_close(&example->results[1]);
    }
    rollout->example_count = 0;
}

static void reset(router_t *router, rollout_t *rollout)
{
    free_examples(rollout);
    memset(rollout->sides, 0, sizeof(rollout->sides));
    rollout->shadows = rollout->skipped = 0;
    rollout->equal = rollout->different = rollout->incomplete = 0;
    rollout->since_ns = runtime_now_ns(router->runtime);
}

/* ---- how it is set up ---- */

/* errors: TRP_CONFIG, TRP_NO_MEMORY */
static trp_status_t add(router_t *router, pool_t *pool, trp_text_t name)
{
    service_t *first = service_find(router, name);
    char tool[TRP_TOOL_NAME_MAX + 1] = "";
    memcpy(tool, name.data, name.size);
    if (first == NULL || first->pool == pool || first->rollout != NULL ||
        first->pool->config->foreign || pool->config->foreign) {
        log_event(LOG_ERROR, "rollout_refused", LOG_TEXT("pool", pool->name),
                  LOG_TEXT("tool", tool),
                  LOG_TEXT("rule", "a tool of one other pool, with no other rollout_tools that "
                                   "names it, and neither pool foreign"));
        return TRP_CONFIG;
    }
    rollout_t *rollout = calloc(1, sizeof(*rollout));
    if (rollout == NULL) {
        return TRP_NO_MEMORY;
    }
    rollout->first = first;
    rollout->second = (service_t){.pool = pool, .makes_key = first->makes_key, .is_second = true};
    memcpy(rollout->second.name, tool, sizeof(tool));
    rollout->mode = (rollout_mode_t)pool->config->rollout_mode;
    rollout->share = pool->config->rollout_share;
    rollout->since_ns = runtime_now_ns(router->runtime);
    rollout->second.rollout = first->rollout = rollout;
    rollout->next = router->rollouts;
    router->rollouts = rollout;
    return TRP_OK;
}

trp_status_t router_make_rollouts(router_t *router, pool_t *pool)
{
    trp_text_t name;
    for (const char *at = pool->config->rollout_tools; words_next(&at, &name);) {
        trp_status_t status = add(router, pool, name);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

void router_free_rollouts(router_t *router)
{
    while (router->rollouts != NULL) {
        rollout_t *rollout = router->rollouts;
        router->rollouts = rollout->next;
        rollout->first->rollout = NULL;
        free_examples(rollout);
        free(rollout);
    }
}

void router_rollout_set(router_t *router, rollout_t *rollout, int64_t share, bool takes)
{
    rollout_mode_t mode = takes ? ROLLOUT_TAKE : ROLLOUT_COMPARE;
    if (rollout->share == share && rollout->mode == mode) {
        return;
    }
    rollout->share = rollout->second.pool->settings.rollout_share = share;
    rollout->mode = mode;
    rollout->second.pool->settings.rollout_mode = mode;
    reset(router, rollout);
    log_event(LOG_INFO, "rollout_set", LOG_TEXT("tool", rollout->first->name),
              LOG_TEXT("pool", rollout->second.pool->name), LOG_INT("share", share),
              LOG_TEXT("mode", takes ? "take" : "compare"));
}

void router_rollout_settings(pool_t *pool)
{
    for (rollout_t *rollout = pool->router->rollouts; rollout != NULL; rollout = rollout->next) {
        if (rollout->second.pool == pool) {
            router_rollout_set(pool->router, rollout, pool->config->rollout_share,
                               pool->config->rollout_mode == ROLLOUT_TAKE);
        }
    }
}

const service_t *router_rollout_second(const service_t *service)
{
    return service->rollout != NULL ? &service->rollout->second : NULL;
}

/* ---- which calls ---- */

static bool is_chosen(router_t *router, const rollout_t *rollout, const char *key)
{
    uint64_t slot = router_random(router);
    if (key[0] != '\0') {
        cache_key_t digest;
        cache_key_of_text("rollout",
                          (trp_text_t){rollout->first->name, strlen(rollout->first->name)},
                          (trp_text_t){key, strlen(key)}, &digest);
        memcpy(&slot, digest.bytes, sizeof(slot));
    }
    return slot % SLOTS < (uint64_t)rollout->share * (SLOTS / 100);
}

/* What a worker holds is to be found there, whatever the share. */
static pool_t *holder_of(router_t *router, const char *key)
{
    key_entry_t *entry = key[0] != '\0' ? router_key_find(router, key) : NULL;
    return entry != NULL && entry->worker != NULL ? entry->worker->pool : NULL;
}

service_t *router_rollout_route(router_t *router, service_t *service, const char *key)
{
    rollout_t *rollout = service->rollout;
    pool_t *holder = holder_of(router, key);
    if (holder != NULL) {
        return holder == rollout->second.pool ? &rollout->second : service;
    }
    bool takes = rollout->mode == ROLLOUT_TAKE && is_chosen(router, rollout, key);
    return takes ? &rollout->second : service;
}

/* ---- what becomes of them ---- */

static rollout_side_t *side_of(const task_t *task)
{
    return &task->service->rollout->sides[task->service->is_second];
}

void router_rollout_accepted(router_t *router, const task_t *task)
{
    const rollout_t *rollout = task->service->rollout;
    side_of(task)->calls++;
    if (rollout->mode == ROLLOUT_COMPARE && !task->service->is_second &&
        is_chosen(router, rollout, task->key)) {
        rollout_shadow(router, task);
    }
}

void router_rollout_answered(router_t *router, const task_t *task, const task_done_t *done)
{
    rollout_side_t *side = side_of(task);
    side->errors += !done->success;
    histogram_add(&side->time, (runtime_now_ns(router->runtime) - task->started_ns) / 1000);
    rollout_note_result(router, task, done);
}

void router_rollout_refused(const task_t *task)
{
    side_of(task)->errors++;
}

void router_rollout_crashed(const task_t *task)
{
    side_of(task)->crashes++;
}
