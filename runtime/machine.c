/* SPDX-License-Identifier: MIT */
#include "runtime/machine.h"

#include "runtime/log.h"

static const trp_machine_state_t *now(const trp_machine_t *machine)
{
    return &machine->table->states[machine->state];
}

static void end_timer(trp_ctx_t *ctx, uint64_t *timer)
{
    if (*timer != 0) {
        trp_timer_cancel(ctx, *timer);
        *timer = 0;
    }
}

static trp_status_t begin_timer(trp_ctx_t *ctx, int64_t ms, uint64_t *timer)
{
    return ms <= 0 ? TRP_OK : trp_timer_start(ctx, ms, 0, TRP_TAG_STATE, timer);
}

static trp_status_t begin_timers(trp_ctx_t *ctx, trp_machine_t *machine)
{
    trp_status_t status = begin_timer(ctx, now(machine)->timeout_ms, &machine->timeout);
    return status == TRP_OK ? begin_timer(ctx, now(machine)->quiet_ms, &machine->quiet) : status;
}

static trp_status_t refuse(trp_ctx_t *ctx, const trp_machine_t *machine, trp_next_t next,
                           trp_status_t status)
{
    trp_log(ctx, LOG_ERROR, "machine", "from state %s to %d: %s", now(machine)->name, next,
            trp_status_text(status));
    return status;
}

/* Goes where a handler said, and on where enter functions say. */
static trp_status_t go(trp_ctx_t *ctx, trp_machine_t *machine, trp_next_t next)
{
    int before = machine->state;
    for (int hops = 0; next != TRP_STAY; hops++) {
        if (next < TRP_STAY) {
            return (trp_status_t)(-1 - next);
        }
        if (next >= machine->table->count) {
            return refuse(ctx, machine, next, TRP_INVALID);
        }
        if (hops == TRP_MACHINE_HOPS_MAX) {
            return refuse(ctx, machine, next, TRP_STATE);
        }
        end_timer(ctx, &machine->timeout);
        end_timer(ctx, &machine->quiet);
        machine->state = next;
        const trp_machine_state_t *state = now(machine);
        next = state->enter == NULL ? TRP_STAY : state->enter(ctx, machine->data);
    }
    if (machine->table->describe) {
        trp_describe(ctx, now(machine)->name);
    }
    if (machine->state != before) {
        trp_recall(ctx);
    }
    return begin_timers(ctx, machine);
}

trp_status_t trp_machine_start(trp_ctx_t *ctx, trp_machine_t *machine,
                               const trp_machine_table_t *table, void *data, int first)
{
    if (first < 0 || first >= table->count) {
        return TRP_INVALID;
    }
    *machine = (trp_machine_t){.table = table, .data = data, .state = first};
    return go(ctx, machine, first);
}

/* What the state says to a time-out of its own; no other is seen, since those were cancelled. */
static trp_next_t time_out(trp_ctx_t *ctx, trp_machine_t *machine, uint64_t timer)
{
    const trp_machine_state_t *state = now(machine);
    trp_next_t (*handler)(trp_ctx_t *, void *) = NULL;
    if (timer == machine->timeout) {
        machine->timeout = 0;
        handler = state->timeout;
    } else if (timer == machine->quiet) {
        machine->quiet = 0;
        handler = state->quiet;
    }
    return handler == NULL ? TRP_STAY : handler(ctx, machine->data);
}

trp_status_t trp_machine_receive(trp_ctx_t *ctx, trp_machine_t *machine,
                                 const trp_envelope_t *message)
{
    const trp_machine_state_t *state = now(machine);
    trp_next_t next = TRP_STAY;
    if (message->tag == TRP_TAG_STATE && (message->flags & TRP_ENVELOPE_SIGNAL) != 0) {
        next = time_out(ctx, machine, message->request_id);
    } else {
        end_timer(ctx, &machine->quiet);
        next = state->receive == NULL ? TRP_STAY : state->receive(ctx, machine->data, message);
        if (next == TRP_STAY) {
            return begin_timer(ctx, state->quiet_ms, &machine->quiet);
        }
    }
    return next == TRP_STAY ? TRP_OK : go(ctx, machine, next);
}

trp_status_t trp_machine_defer(trp_ctx_t *ctx, const trp_machine_t *machine,
                               const trp_envelope_t *message)
{
    const trp_machine_table_t *table = machine->table;
    uint32_t count = table->defer_max == 0 ? TRP_MACHINE_DEFER_MAX : table->defer_max;
    size_t size = table->defer_size_max == 0 ? TRP_MACHINE_DEFER_SIZE_MAX : table->defer_size_max;
    return trp_defer(ctx, message, count, size);
}
