/* SPDX-License-Identifier: MIT */
/* A program for test_crash.py: a worker whose tools end it, each in its own way, after it has
 * counted. Of a new version that is worse there are two, by its environment: CRASH_SILENT, one that
 * never gets ready, and CRASH_AFTER_ONE, one that dies when it has served a first task. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "actors/router/router.h"
#include "actors/tool.h"
#include "runtime/log.h"

#define ADD_FIELDS(F)                               \
    F(INT, n, _, 0, 1000000, "is added to the sum") \
    F(OPT_STRING, text, _, 0, 100000, "is not used")
TRP_SCHEMA_DECLARE(add, ADD_FIELDS)
TRP_SCHEMA_DEFINE(add, 0, 0, ADD_FIELDS, "what all tools are given")

enum { TAG_TICK = 0x1000 };

typedef struct sum {
    int64_t value;
} sum_t;

static trp_status_t add_run(tool_call_t *call, const void *request)
{
    sum_t *sum = call->state;
    sum->value += ((const add_t *)request)->n;
    log_event(LOG_INFO, "added", LOG_INT("sum", sum->value));
    trp_write_int(&call->result, sum->value);
    return TRP_OK;
}

/* Where depends on what was added before: only a replay of all of it faults at the same address. */
__attribute__((noinline)) static void write_where_nothing_is(int64_t offset)
{
    volatile uintptr_t address = 0x1000 + (uintptr_t)offset;
    *(volatile char *)address = 1;
}

static trp_status_t fault_run(tool_call_t *call, const void *request)
{
    (void)request;
    write_where_nothing_is(((sum_t *)call->state)->value);
    return TRP_FAILED;
}

__attribute__((noinline)) static void free_twice(size_t size)
{
    char *volatile memory = malloc(size); /* volatile: the compiler is not to know */
    free(memory);
    free(memory); /* glibc aborts; a sanitizer says more */
}

static trp_status_t twice_run(tool_call_t *call, const void *request)
{
    (void)call;
    (void)request;
    free_twice(64);
    return TRP_FAILED;
}

static trp_status_t leave_run(tool_call_t *call, const void *request)
{
    (void)call;
    _exit((int)((const add_t *)request)->n);
}

static trp_status_t hang_run(tool_call_t *call, const void *request)
{
    (void)call;
    (void)request;
    for (;;) {
        (void)pause();
    }
    return TRP_OK;
}

static trp_status_t tick_run(tool_call_t *call, const void *request)
{
    uint64_t timer;
    (void)request;
    trp_write_bool(&call->result, true);
    return trp_timer_start(call->ctx, 1, 0, TAG_TICK, &timer);
}

static trp_status_t crash_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    (void)state;
    (void)args;
    return getenv("CRASH_SILENT") != NULL ? TRP_PENDING : TRP_OK;
}

static trp_status_t crash_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static const tool_t tools[] = {
        {"add", &add_schema, add_run},     {"fault", &add_schema, fault_run},
        {"twice", &add_schema, twice_run}, {"leave", &add_schema, leave_run},
        {"hang", &add_schema, hang_run},   {"tick", &add_schema, tick_run},
    };
    static const tool_table_t table = {tools, sizeof(tools) / sizeof(tools[0]), false};
    if (message->tag == TAG_TICK) {
        log_event(LOG_INFO, "ticked");
        return TRP_OK;
    }
    const trp_status_t status = tool_serve(ctx, state, message, &table);
    if (getenv("CRASH_AFTER_ONE") != NULL) {
        (void)kill(getpid(), SIGKILL);
    }
    return status;
}

static const trp_class_t crash_class = {.name = "crash",
                                        .version = 1,
                                        .state_size = sizeof(sum_t),
                                        .init = crash_init,
                                        .receive = crash_receive};

int main(int argc, char **argv)
{
    return trp_main(argc, argv, (const trp_class_t *const[]){&router_class, &crash_class, NULL});
}
