/* SPDX-License-Identifier: MIT */
/* The kept address of a named child: an actor that has the child's name, passes each message on to
 * the present incarnation, and while there is none keeps it or refuses it. Senders see one pid for
 * the whole life of the supervisor; replies come from the child itself. One hop more for each
 * message, so only children whose `while_down` asks for it have one. */
#ifndef TRP_SUPERVISOR_FRONT_H
#define TRP_SUPERVISOR_FRONT_H

#include "supervisor/supervisor.h"

#define FRONT_TAG_CHILD \
    0x05f3 /* from its supervisor: the incarnation that was spawned [trp_pid_t] */

/** The message for init. */
typedef struct front_args {
    trp_pid_t supervisor;
    trp_while_down_t while_down;
    uint32_t keep_max; /* messages kept at a time; more are refused */
} front_args_t;

/** What it refuses is told to who asked: TRP_TAG_DOWN with no_process. What is no request is
 * counted and logged when the child is there again. */
extern const trp_class_t front_class;

#endif
