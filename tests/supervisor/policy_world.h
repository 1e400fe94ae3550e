/* SPDX-License-Identifier: MIT */
/* A policy with a clock of its own and a trace of what it did, for tests: "start a, up a, exit
 * b". */
#ifndef TRP_TESTS_POLICY_WORLD_H
#define TRP_TESTS_POLICY_WORLD_H

#include "supervisor/policy.h"

#define WORLD_TRACE_MAX 4096
#define WORLD_KEYS_MAX  64

typedef struct world {
    trp_supervisor_spec_t spec;
    policy_t policy;
    int64_t now_ns;
    uint64_t next_request;
    int64_t timer_at_ns[WORLD_KEYS_MAX]; /* by key; 0 = not armed */
    char trace[WORLD_TRACE_MAX];
} world_t;

/** `children`: "a b:transient c:temporary"; no delays, 5 s to stop, 10 s to start. */
void world_init(world_t *world, trp_strategy_t strategy, int64_t intensity, const char *children);
void world_fini(world_t *world);

/** The same with all flags of a supervisor; its `children` may be NULL. */
void world_init_spec(world_t *world, const trp_supervisor_spec_t *spec, const char *children);

/** The specs's row, to change before world_begin. */
trp_child_spec_t *world_spec(world_t *world, const char *id);

/** One step, with what it did added to the trace. */
void world_step(world_t *world, const policy_event_t *event);

void world_begin(world_t *world);
/** world_begin, then each child becomes ready; the trace is cleared. */
void world_begin_ready(world_t *world);
void world_ready(world_t *world, const char *id);
void world_down(world_t *world, const char *id, trp_reason_kind_t kind);
/** Its timer fires; the clock goes there. */
void world_timer(world_t *world, const char *id);
void world_request(world_t *world, policy_event_kind_t kind, const char *id);
/** policy_add and its start. */
void world_add(world_t *world, const char *id);
/** The same of a template strategy; `args` of its own. */
policy_child_t *world_add_instance(world_t *world);
/** POLICY_READY or POLICY_DOWN of that row. */
void world_ready_row(world_t *world, policy_child_t *child);
void world_down_row(world_t *world, policy_child_t *child, trp_reason_kind_t kind);
/** The child at that place of the table. */
policy_child_t *world_row(const world_t *world, size_t index);
void world_stop(world_t *world);

/** Fails the test unless the trace since the last call is this. */
void world_expect(world_t *world, const char *trace);

#endif
