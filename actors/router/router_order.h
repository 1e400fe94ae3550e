/* SPDX-License-Identifier: MIT */
/* What people ask the router for (the control socket's verb `router`), and how the files that know
 * the answers give them: router_order.c has the table. */
#ifndef TRP_ACTORS_ROUTER_ORDER_H
#define TRP_ACTORS_ROUTER_ORDER_H

#include "actors/router/router_parts.h"
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

/* ---- router_figures.c ---- */

void order_snapshot(order_t *order);
void order_balance(order_t *order);
void order_select(order_t *order);

/* ---- router_rollout_order.c ---- */

void order_list_rollouts(order_t *order);
void order_show_rollout(order_t *order);
void order_set_rollout(order_t *order);

#endif
