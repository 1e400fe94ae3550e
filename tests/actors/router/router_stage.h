/* SPDX-License-Identifier: MIT */
/* The router in a node that the test steps: real supervisors, workers of two pools that do what the
 * test says, callers that are actors. No socket. The pool `p` has the tools `make` and `use`; the
 * pool `q` is there when the test sets `config.pool_count` to 2. */
#ifndef TRP_TESTS_ACTORS_ROUTER_STAGE_H
#define TRP_TESTS_ACTORS_ROUTER_STAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/control.h"
#include "runtime/config/config.h"
#include "tests/runtime/fixture.h"

#define GIVEN_MAX 64

/** A task as a worker got it. */
typedef struct given {
    trp_reply_address_t to;
    trp_pid_t worker;
    char body[64];   /* its beginning */
    int64_t left_ms; /* of its deadline */
} given_t;

/** What a worker shall do: fail, or answer a task. */
typedef struct order {
    bool fails;
    trp_reply_address_t to;
    char bind[16];
    char code[16]; /* of the error; "" = success */
    char body[64]; /* "" = {} */
} stage_order_t;

extern given_t given[GIVEN_MAX];
extern size_t given_count;
extern config_pool_t pools[2];
#define pool pools[0]
extern config_t config;
extern char answer[2048]; /* the last one that a caller got */
extern int answers;

/** When set: answers a task at once, as what `order` gets; false: the task is kept in `given`. */
extern bool (*stage_auto)(trp_pid_t worker, const task_run_t *run, stage_order_t *order);

/** The node, its probes, and a configuration that the test may change. */
void stage_open(void);
void stage_close(void);
/** Starts the tree; after changes of the configuration. */
void open_router(void);
/** Calls a tool; the answer goes to `answer`. */
void call(const char *tool, const char *json);
void call_within(const char *tool, const char *json, int64_t deadline_ms);
/** Has a worker end with an error, or answer. */
void fail(trp_pid_t worker);
void finish(size_t index, const char *bind);
void finish_with(size_t index, const char *code, const char *body);
/** Tells a worker without running it. */
void tell(trp_pid_t worker, const stage_order_t *what);
void kill_actor(const char *name);
/** Kills the router and waits for the next one. */
void restart_router(void);
/** Gives the router an order, a JSON map; its answer as JSON, valid until the next one. */
const char *ask_router(const char *order);
bool answer_has(const char *text);

#endif
