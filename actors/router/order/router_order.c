/* SPDX-License-Identifier: MIT */
#include "actors/router/order/router_order.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void order_fail(order_t *order, const char *code, const char *message, ...)
{
    va_list arguments;
    va_start(arguments, message);
    vsnprintf(order->message, sizeof(order->message), message, arguments);
    va_end(arguments);
    order->code = code;
}

static bool is_named(const pool_t *pool, const trp_text_t *name)
{
    const char *own = pool->name, *section = pool->settings.name; /* foreign: of several pools */
    return (strlen(own) == name->size && memcmp(own, name->data, name->size) == 0) ||
           (name->size > 0 && strlen(section) == name->size &&
            memcmp(section, name->data, name->size) == 0);
}

/* The first one of that name behind `from`; NULL: none. */
pool_t *order_next_pool(const router_t *router, const trp_text_t *name, size_t *from)
{
    while (*from < router->pool_count) {
        pool_t *pool = router->pools[(*from)++];
        if (is_named(pool, name)) {
            return pool;
        }
    }
    return NULL;
}

pool_t *order_find_pool(order_t *order)
{
    size_t at = 0;
    pool_t *pool = order_next_pool(order->router, &order->wish->pool, &at);
    if (pool == NULL) {
        order_fail(order, "E_NOT_FOUND", "no pool of that name; `troupe pools` lists them");
    }
    return pool;
}

void order_answer(order_t *order)
{
    trp_writer_t writer;
    zmq_msg_t body;
    trp_writer_init(&writer);
    if (order->code != NULL) {
        trp_write_map(&writer, 2);
        trp_put_text(&writer, "code", order->code);
        trp_put_text(&writer, "message", order->message);
    } else {
        size_t size = 0;
        const void *data = trp_writer_data(&order->result, &size);
        trp_write_map(&writer, 1);
        trp_write_key(&writer, "result");
        trp_write_raw(&writer, data, size);
    }
    writer.failed |= order->result.failed;
    if (trp_writer_take(&writer, &body) == TRP_OK) {
        if (trp_reply_to(order->router->ctx, order->reply, TRP_TAG_ROUTER_ANSWER, &body) !=
            TRP_OK) {
            order->router->unreachable++;
        }
        zmq_msg_close(&body);
    }
    trp_writer_fini(&writer);
}
