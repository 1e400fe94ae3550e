/* SPDX-License-Identifier: MIT */
/* Tasks that killed their workers, set aside with their input and what each attempt ended with, so
 * that somebody can look at them, try them again, or drop them. Bounded: the oldest goes first. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/router_parts.h"
#include "runtime/log.h"

#define POISON_MAX   100
#define POISON_BYTES (64u * 1024 * 1024)

struct poison {
    char id[37];
    char tool[TRP_TOOL_NAME_MAX + 1];
    zmq_msg_t payload; /* its task_run */
    trp_form_t form;
    char reasons[TASK_REASONS][TRP_REASON_LINE_MAX];
    uint32_t attempts;
    int64_t epoch_ms;
    struct poison *prev, *next;
};

/* A death that the work itself may have caused: not a kill from outside, nor a stop. */
bool router_is_crash(const trp_reason_t *reason)
{
    switch (reason->kind) {
    case TRP_REASON_SIGNAL:
        return reason->code != SIGKILL && reason->code != SIGTERM;
    case TRP_REASON_EXIT_CODE:
    case TRP_REASON_ERROR:
    case TRP_REASON_PROTOCOL:
    case TRP_REASON_STUCK:
    case TRP_REASON_MEMORY:
    case TRP_REASON_CPU:
    case TRP_REASON_SECCOMP:
        return true;
    default:
        return false;
    }
}

void router_note_death(task_t *task, const trp_reason_t *reason)
{
    if (task->reasons == NULL) {
        task->reasons = calloc(TASK_REASONS, sizeof(*task->reasons));
    }
    if (task->reasons != NULL && task->attempts > 0) {
        task->reasons[(task->attempts - 1) % TASK_REASONS] = *reason;
    }
    task->crashes += router_is_crash(reason);
}

static void drop(router_t *router, poison_t *poison)
{
    DL_DELETE(router->poison, poison);
    router->poison_count--;
    router->poison_bytes -= zmq_msg_size(&poison->payload);
    zmq_msg_close(&poison->payload);
    free(poison);
}

void router_set_aside(router_t *router, task_t *task)
{
    poison_t *poison = calloc(1, sizeof(*poison));
    size_t size = zmq_msg_size(&task->payload);
    log_event(LOG_ERROR, "task_set_aside", LOG_TEXT("task_id", task->waiter.id),
              LOG_TEXT("tool", task->service->name), LOG_INT("attempts", task->attempts),
              LOG_TEXT("hint", "troupe poison lists such tasks"));
    if (poison == NULL || size > POISON_BYTES) {
        free(poison);
        return;
    }
    snprintf(poison->id, sizeof(poison->id), "%s", task->waiter.id);
    snprintf(poison->tool, sizeof(poison->tool), "%s", task->service->name);
    zmq_msg_init(&poison->payload);
    zmq_msg_copy(&poison->payload, &task->payload);
    poison->form = task->waiter.form;
    poison->attempts = task->attempts;
    poison->epoch_ms = router->ctx != NULL ? trp_epoch_ms(router->ctx) : 0;
    for (uint32_t i = 0; task->reasons != NULL && i < task->attempts && i < TASK_REASONS; i++) {
        trp_reason_format(&task->reasons[i], poison->reasons[i]);
    }
    DL_APPEND(router->poison, poison);
    router->poison_count++;
    router->poison_bytes += size;
    while (router->poison_count > POISON_MAX || router->poison_bytes > POISON_BYTES) {
        drop(router, router->poison);
    }
}

void router_free_poison(router_t *router)
{
    while (router->poison != NULL) {
        drop(router, router->poison);
    }
}

/* ---- what people ask ---- */

static poison_t *find(const router_t *router, trp_text_t id)
{
    poison_t *poison;
    DL_FOREACH(router->poison, poison)
    {
        if (strlen(poison->id) == id.size && memcmp(poison->id, id.data, id.size) == 0) {
            return poison;
        }
    }
    return NULL;
}

static void write_row(trp_writer_t *writer, poison_t *poison, bool with_body)
{
    trp_write_map(writer, with_body ? 7 : 6);
    trp_put_text(writer, "task_id", poison->id);
    trp_put_text(writer, "tool", poison->tool);
    trp_put_int(writer, "attempts", poison->attempts);
    trp_put_int(writer, "bytes", (int64_t)zmq_msg_size(&poison->payload));
    trp_put_int(writer, "epoch_ms", poison->epoch_ms);
    trp_write_key(writer, "reasons");
    uint32_t count = poison->attempts < TASK_REASONS ? poison->attempts : TASK_REASONS;
    trp_write_array(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        trp_write_text(writer, poison->reasons[i]);
    }
    if (!with_body) {
        return;
    }
    trp_document_t document;
    task_run_t run;
    trp_fault_t fault;
    trp_write_key(writer, "body");
    trp_text_t packed = {zmq_msg_data(&poison->payload), zmq_msg_size(&poison->payload)};
    if (trp_schema_unpack(&task_run_schema, packed, &document, &run, &fault) != TRP_OK) {
        trp_write_nil(writer);
        return;
    }
    router_write_value(writer, run.body.data, run.body.size);
    trp_document_fini(&document);
}

void router_list_poison(const router_t *router, trp_writer_t *writer)
{
    poison_t *poison;
    size_t count = 0;
    size_t mark = trp_write_array_begin(writer);
    DL_FOREACH(router->poison, poison)
    {
        write_row(writer, poison, false);
        count++;
    }
    trp_write_array_end(writer, mark, count);
}

bool router_show_poison(const router_t *router, trp_text_t id, trp_writer_t *writer)
{
    poison_t *poison = find(router, id);
    if (poison != NULL) {
        write_row(writer, poison, true);
    }
    return poison != NULL;
}

bool router_drop_poison(router_t *router, trp_text_t id)
{
    poison_t *poison = find(router, id);
    if (poison != NULL) {
        drop(router, poison);
    }
    return poison != NULL;
}

/* Whoever asks wants the answer in MessagePack, whatever form the client's body had. */
static trp_status_t call_again(router_t *router, const task_run_t *run, trp_reply_address_t reply)
{
    trp_form_t form;
    trp_fault_t fault;
    trp_writer_t writer;
    trp_text_t body = run->body;
    trp_status_t status = trp_form_detect(body.data, body.size, &form);
    trp_writer_init(&writer);
    if (status == TRP_OK && form == TRP_FORM_JSON) {
        status = trp_json_to_msgpack(body.data, body.size, &writer, &fault);
        body.data = trp_writer_data(&writer, &body.size);
    }
    if (status == TRP_OK) {
        const router_call_t call = {.tool = run->tool, .body = body, .reply = reply};
        router_accept_call(router, &call);
    }
    trp_writer_fini(&writer);
    return status;
}

bool router_replay_poison(router_t *router, trp_text_t id, trp_reply_address_t reply)
{
    poison_t *poison = find(router, id);
    trp_document_t document;
    task_run_t run;
    trp_fault_t fault;
    if (poison == NULL) {
        return false;
    }
    trp_text_t packed = {zmq_msg_data(&poison->payload), zmq_msg_size(&poison->payload)};
    if (trp_schema_unpack(&task_run_schema, packed, &document, &run, &fault) != TRP_OK) {
        return false;
    }
    bool done = call_again(router, &run, reply) == TRP_OK;
    trp_document_fini(&document);
    if (done) {
        drop(router, poison); /* it is set aside again when it kills again */
    }
    return done;
}
