/* SPDX-License-Identifier: MIT */
/* Tasks that were set aside, as people see them, try them again and drop them. */
#ifndef TRP_ACTORS_ROUTER_POISON_ORDER_H
#define TRP_ACTORS_ROUTER_POISON_ORDER_H

#include "actors/router/order/router_order.h"

void order_list_poison(order_t *order);
void order_show_poison(order_t *order);
void order_replay_poison(order_t *order);
void order_drop_poison(order_t *order);

#endif
