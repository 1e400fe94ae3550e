/* SPDX-License-Identifier: MIT */
/* Rollouts as people see and change them. */
#ifndef TRP_ACTORS_ROUTER_ROLLOUT_ORDER_H
#define TRP_ACTORS_ROUTER_ROLLOUT_ORDER_H

#include "actors/router/order/router_order.h"

void order_list_rollouts(order_t *order);
void order_show_rollout(order_t *order);
void order_set_rollout(order_t *order);

#endif
