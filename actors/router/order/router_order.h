/* SPDX-License-Identifier: MIT */
/* What people ask the router for (the control socket's verb `router`): one order and its answer.
 * router_orders.c has the table of all. */
#ifndef TRP_ACTORS_ROUTER_ORDER_H
#define TRP_ACTORS_ROUTER_ORDER_H

#include "actors/router/state/router_state.h"
#include "messages/control.h"

/** One order and its answer. */
typedef struct order {
    router_t *router;
    const router_order_t *wish;
    trp_reply_address_t reply;
    trp_writer_t result; /* one value */
    const char *code;    /* of the error; NULL: none */
    char message[256];
    bool is_later; /* somebody else answers */
    bool crashes;  /* the router ends after the answer */
} order_t;

/** Answers with an error. */
TRP_PRINTF(3, 4)
void order_fail(order_t *order, const char *code, const char *message, ...);
/** The pool that the order names. NULL: none, which was said. */
pool_t *order_find_pool(order_t *order);
/** The first one of that name behind `from`; NULL: none. */
pool_t *order_next_pool(const router_t *router, const trp_text_t *name, size_t *from);
/** Sends the answer, where somebody waits for it. */
void order_answer(order_t *order);

#endif
