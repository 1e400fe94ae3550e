/* SPDX-License-Identifier: MIT */
/* Orders to the router, for the commands that give some. One thread, no actors. */
#ifndef TRP_SUPERVISOR_COMMAND_ORDER_H
#define TRP_SUPERVISOR_COMMAND_ORDER_H

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

/** A member of an order, as text. */
typedef struct order_member {
    const char *name, *value;
} order_member_t;

/** Gives a node's router an order. False: the error was printed. owns: client_answer_fini */
bool command_order(const command_call_t *call, const order_member_t *members, size_t count,
                   client_answer_t *answer);

#endif
