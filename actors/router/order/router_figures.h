/* SPDX-License-Identifier: MIT */
/* Figures of pools and workers, as people see them. */
#ifndef TRP_ACTORS_ROUTER_FIGURES_H
#define TRP_ACTORS_ROUTER_FIGURES_H

#include "actors/router/order/router_order.h"

void order_snapshot(order_t *order);
void order_balance(order_t *order);
void order_select(order_t *order);
/** Workers that are neither leaving nor ejected, without understudies. */
uint32_t pool_count_healthy(const pool_t *pool);

#endif
