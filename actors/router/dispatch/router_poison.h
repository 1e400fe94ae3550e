/* SPDX-License-Identifier: MIT */
/* Tasks that killed their workers, set aside with their input and what each attempt ended with, so
 * that somebody can look at them, try them again, or drop them. Bounded: the oldest goes first. */
#ifndef TRP_ACTORS_ROUTER_POISON_H
#define TRP_ACTORS_ROUTER_POISON_H

#include "actors/router/state/router_state.h"

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

/** A death that the work itself may have caused: not a kill from outside, nor a stop. */
bool router_is_crash(const trp_reason_t *reason);
/** Notes what the attempt that runs ended with. */
void router_note_death(task_t *task, const trp_reason_t *reason);
/** Keeps a task's input and the reasons; the task stays the caller's. */
void router_set_aside(router_t *router, task_t *task);
/** NULL: there is none of that id. */
poison_t *poison_find(const router_t *router, trp_text_t id);
void poison_drop(router_t *router, poison_t *poison);
void router_free_poison(router_t *router);

#endif
