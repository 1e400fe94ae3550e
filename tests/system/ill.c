/* SPDX-License-Identifier: MIT */
/* A program for test_quarantine.py and test_exit_causes.py: actors that fall ill when a file in the
 * folder that the node runs in says so. NAME.ILLNESS is for the actor with the option `name`, and
 * for one time: it is removed first. As workers of a pool they serve the tool `ill`, whose body
 * names the illness. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/router/router.h"
#include "actors/tool.h"

enum { TAG_LOOK = TRP_TAG_USER };

#define LOOK_MS  10
#define EAT_SIZE ((size_t)1 << 20)
#define STACK    ((size_t)64 << 20) /* more than any thread has */

#define ILL_FIELDS(F) F(STRING, name, _, 1, 31, "the names of its files begin so")
TRP_SCHEMA_DECLARE(ill, ILL_FIELDS)
TRP_SCHEMA_DEFINE(ill, 0, 0, ILL_FIELDS, "options of an actor that falls ill when told so")

#define ILLNESS_FIELDS(F) F(STRING, illness, _, 1, 31, "segv, abort, overflow, eat or none")
TRP_SCHEMA_DECLARE(illness, ILLNESS_FIELDS)
TRP_SCHEMA_DEFINE(illness, 0, 0, ILLNESS_FIELDS, "what a worker is to fall ill of")

/* ---- illnesses; the names of the functions are what the calls in a log show ---- */

static volatile int sink;
static volatile int *volatile nowhere = (volatile int *)16;

__attribute__((noinline)) static void overflow(size_t left)
{
    volatile char page[4096];
    page[0] = (char)left;
    if (left > sizeof(page)) {
        overflow(left - sizeof(page));
    }
    sink = (unsigned char)page[0];
}

static trp_status_t segv(void)
{
    *nowhere = 1;
    return TRP_OK;
}

static trp_status_t overflow_stack(void)
{
    overflow(STACK);
    return TRP_OK;
}

static trp_status_t die(void)
{
    abort();
}

/* All that it gets, and says that it got no more. */
static trp_status_t eat(void)
{
    void *piece = NULL;
    while ((piece = malloc(EAT_SIZE)) != NULL) {
        memset(piece, 1, EAT_SIZE);
    }
    return TRP_NO_MEMORY;
}

static trp_status_t misconfigured(void)
{
    return TRP_CONFIG;
}

static const struct {
    const char *name;
    trp_status_t (*fall)(void);
} illnesses[] = {{"segv", segv},
                 {"overflow", overflow_stack},
                 {"abort", die},
                 {"eat", eat},
                 {"misconfigured", misconfigured}};

#define ILLNESSES (sizeof(illnesses) / sizeof(illnesses[0]))

/* ---- told by files ---- */

typedef struct ill_state {
    char name[32];
} ill_state_t;

static trp_status_t ill_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    ill_state_t *self = state;
    ill_t options;
    trp_document_t document;
    trp_fault_t fault;
    uint64_t timer;
    trp_status_t status = trp_message_unpack(&ill_schema, args, &document, &options, &fault);
    if (status != TRP_OK) {
        return status;
    }
    snprintf(self->name, sizeof(self->name), "%.*s", (int)options.name.size, options.name.data);
    trp_document_fini(&document);
    return trp_timer_start(ctx, LOOK_MS, LOOK_MS, TAG_LOOK, &timer);
}

static trp_status_t ill_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const ill_state_t *self = state;
    (void)ctx;
    for (size_t i = 0; message->tag == TAG_LOOK && i < ILLNESSES; i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s.%s", self->name, illnesses[i].name);
        if (unlink(path) == 0) {
            return illnesses[i].fall();
        }
    }
    return TRP_OK;
}

/* One that only spawns another, which falls ill in its stead: it answers for that one. */
static trp_status_t parent_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    static const trp_class_t child = {.name = "ill_child",
                                      .state_size = sizeof(ill_state_t),
                                      .init = ill_init,
                                      .receive = ill_receive};
    size_t size = 0;
    const void *data = args == NULL ? NULL : trp_message_data(args, &size);
    const trp_spawn_t spawn = {.class = &child, .args = data, .args_size = size, .link = true};
    trp_pid_t pid;
    (void)state;
    return trp_spawn(ctx, &spawn, &pid);
}

static trp_status_t ignore(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

/* ---- told by a task ---- */

static trp_status_t run_illness(tool_call_t *call, const void *request)
{
    const illness_t *wish = request;
    for (size_t i = 0; i < ILLNESSES; i++) {
        if (wish->illness.size == strlen(illnesses[i].name) &&
            memcmp(wish->illness.data, illnesses[i].name, wish->illness.size) == 0) {
            return illnesses[i].fall();
        }
    }
    trp_write_map(&call->result, 1);
    trp_put_int(&call->result, "os_pid", getpid());
    return TRP_OK;
}

static const tool_t tools[] = {{"ill", &illness_schema, run_illness}};
static const tool_table_t table = {.tools = tools, .count = 1};

static trp_status_t worker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const trp_status_t status = tool_serve(ctx, state, message, &table);
    return status == TRP_UNSUPPORTED ? TRP_OK : status;
}

/* ---- classes ---- */

static const trp_class_t ill_class = {.name = "ill",
                                      .state_size = sizeof(ill_state_t),
                                      .init = ill_init,
                                      .receive = ill_receive,
                                      .options = &ill_schema};
static const trp_class_t parent_class = {
    .name = "ill_parent", .init = parent_init, .receive = ignore, .options = &ill_schema};
static const trp_class_t edge_class = {.name = "ill_edge",
                                       .state_size = sizeof(ill_state_t),
                                       .init = ill_init,
                                       .receive = ill_receive,
                                       .options = &ill_schema,
                                       .flags = TRP_CLASS_EDGE};
static const trp_class_t worker_class = {.name = "ill_worker", .receive = worker_receive};

int main(int argc, char **argv)
{
    static const trp_class_t *const classes[] = {&ill_class,    &parent_class, &edge_class,
                                                 &worker_class, &router_class, NULL};
    return trp_main(argc, argv, classes);
}
