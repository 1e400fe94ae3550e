/* SPDX-License-Identifier: MIT */
/* State machines: an actor whose behaviour is a table of states. A thin layer on runtime/troupe.h:
 * keep a trp_machine_t in the actor's state block, call trp_machine_start in init and
 * trp_machine_receive in receive. Used inside of callbacks only; owns nothing but timers, which end
 * with their actor.
 *
 *     leave (time-outs end) -> enter -> [enter names another state: again] -> time-outs begin
 *                                    -> what was deferred is shown, before what is queued
 *
 * A door that closes by itself:
 *
 *     struct door {
 *         trp_machine_t machine;
 *         int times_open;
 *     };
 *     enum { CLOSED, OPEN };
 *
 *     static trp_next_t push(trp_ctx_t *ctx, void *data, const trp_envelope_t *message)
 *     {
 *         return message->tag == TAG_PUSH ? OPEN : TRP_STAY;
 *     }
 *     static trp_next_t count(trp_ctx_t *ctx, void *data)
 *     {
 *         ((struct door *)data)->times_open++;
 *         return TRP_STAY;
 *     }
 *     static trp_next_t fall_shut(trp_ctx_t *ctx, void *data)
 *     {
 *         return CLOSED;
 *     }
 *     static const trp_machine_state_t states[] = {
 *         [CLOSED] = {.name = "closed", .receive = push},
 *         [OPEN] = {.name = "open", .enter = count, .timeout_ms = 100, .timeout = fall_shut},
 *     };
 *     static const trp_machine_table_t table = {.states = states, .count = 2, .describe = true};
 *
 *     static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
 *     {
 *         struct door *door = state;
 *         return trp_machine_start(ctx, &door->machine, &table, door, CLOSED);
 *     }
 *     static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
 *     {
 *         struct door *door = state;
 *         return trp_machine_receive(ctx, &door->machine, message);
 *     }
 *
 * source: enter calls, time-outs and postponed events are those of Erlang's gen_statem */
#ifndef TRP_RUNTIME_MACHINE_H
#define TRP_RUNTIME_MACHINE_H

#include "runtime/troupe.h"

#define TRP_STAY (-1)

#define TRP_MACHINE_HOPS_MAX       16 /* states that enter functions may pass in one change */
#define TRP_MACHINE_DEFER_MAX      1000
#define TRP_MACHINE_DEFER_SIZE_MAX (1u << 20) /* bytes */

/** What a handler says comes next: TRP_STAY, the index of a state, or trp_machine_fail(). The index
 * of the state that it is in: left and entered anew. */
typedef int trp_next_t;

/** Ends the actor with reason error and this status (not TRP_OK). */
static inline trp_next_t trp_machine_fail(trp_status_t status)
{
    return -1 - (int)status;
}

/** One state. What it doesn't have is NULL or 0. */
typedef struct trp_machine_state {
    const char *name;
    trp_next_t (*enter)(trp_ctx_t *ctx, void *data);
    trp_next_t (*receive)(trp_ctx_t *ctx, void *data, const trp_envelope_t *message);
    int64_t timeout_ms; /* in this state, from its entry, whatever comes ... */
    trp_next_t (*timeout)(trp_ctx_t *ctx, void *data);
    int64_t quiet_ms; /* in this state without a message, from the last one or its entry ... */
    trp_next_t (*quiet)(trp_ctx_t *ctx, void *data);
} trp_machine_state_t;

/** What a machine is: constant, shared by all actors of a class. */
typedef struct trp_machine_table {
    const trp_machine_state_t *states;
    int count;
    uint32_t defer_max;    /* messages put off at a time; 0 = TRP_MACHINE_DEFER_MAX */
    size_t defer_size_max; /* bytes of theirs; 0 = TRP_MACHINE_DEFER_SIZE_MAX */
    bool describe;         /* `ps` shows the state (trp_describe) */
} trp_machine_table_t;

/** A machine in an actor's state block. Read `state`; the rest is its own. */
typedef struct trp_machine {
    const trp_machine_table_t *table;
    void *data;
    int state;
    uint64_t timeout, quiet; /* timers; 0: none */
} trp_machine_t;

/** Enters state `first`. `data` goes to the handlers and must live as long as the actor: its state
 * block. errors: TRP_INVALID (no such state), TRP_STATE (more than TRP_MACHINE_HOPS_MAX states),
 * TRP_NO_MEMORY, or what trp_machine_fail said; return it from init */
TRP_API TRP_MUST_USE trp_status_t trp_machine_start(trp_ctx_t *ctx, trp_machine_t *machine,
                                                    const trp_machine_table_t *table, void *data,
                                                    int first);

/** Shows a message to the state, or its time-out. errors: as trp_machine_start; return it from
 * receive */
TRP_API TRP_MUST_USE trp_status_t trp_machine_receive(trp_ctx_t *ctx, trp_machine_t *machine,
                                                      const trp_envelope_t *message);

/** Puts the message of this callback off until the state is another one: trp_defer with the table's
 * bounds. A re-entry of the same state shows nothing again. errors: TRP_FULL (answer its sender,
 * or let it go), TRP_STATE, TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_machine_defer(trp_ctx_t *ctx, const trp_machine_t *machine,
                                                    const trp_envelope_t *message);

#endif
