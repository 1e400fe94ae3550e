/* SPDX-License-Identifier: MIT */
#include "actors/router/order/router_poison_order.h"

#include <string.h>
#include <utlist.h>

#include "actors/router/answer/router_frames.h"
#include "actors/router/dispatch/router_poison.h"
#include "actors/router/order/router_order.h"
#include "actors/router/port/router_accept.h"

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

void order_list_poison(order_t *order)
{
    poison_t *poison;
    size_t count = 0;
    size_t mark = trp_write_array_begin(&order->result);
    DL_FOREACH(order->router->poison.first, poison)
    {
        write_row(&order->result, poison, false);
        count++;
    }
    trp_write_array_end(&order->result, mark, count);
}

static void no_poison(order_t *order)
{
    order_fail(order, "E_NOT_FOUND", "no task of that id is set aside; `troupe poison` lists them");
}

/* NULL: none, which was said. */
static poison_t *find(order_t *order)
{
    poison_t *poison = poison_find(order->router, order->wish->id);
    if (poison == NULL) {
        no_poison(order);
    }
    return poison;
}

void order_show_poison(order_t *order)
{
    poison_t *poison = find(order);
    if (poison != NULL) {
        write_row(&order->result, poison, true);
    }
}

void order_drop_poison(order_t *order)
{
    poison_t *poison = find(order);
    if (poison != NULL) {
        poison_drop(order->router, poison);
        trp_write_bool(&order->result, true);
    }
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

/* The tool is called again, for who gave the order; it is set aside again when it kills again. */
void order_replay_poison(order_t *order)
{
    poison_t *poison = find(order);
    trp_document_t document;
    task_run_t run;
    trp_fault_t fault;
    if (poison == NULL) {
        return;
    }
    trp_text_t packed = {zmq_msg_data(&poison->payload), zmq_msg_size(&poison->payload)};
    if (trp_schema_unpack(&task_run_schema, packed, &document, &run, &fault) == TRP_OK) {
        order->is_later = call_again(order->router, &run, order->reply) == TRP_OK;
        trp_document_fini(&document);
    }
    if (order->is_later) {
        poison_drop(order->router, poison);
    } else {
        no_poison(order);
    }
}
