/* SPDX-License-Identifier: MIT */
/* One slice: what a worker does with a cell that it took from a queue. */
#include <stdlib.h>

#include "messages/envelope_pool.h"
#include "runtime/core/hibernate_core.h"
#include "runtime/core/life.h"
#include "runtime/core/overflow.h"
#include "runtime/core/room.h"
#include "runtime/core/signal.h"
#include "runtime/core/snapshot_core.h"

/* What is done for few messages is kept out of line: the registers and the stack that it wants
 * would be saved for each of them. */
#define SELDOM __attribute__((noinline))

/* Gives back the charges of what was handled. */
SELDOM static void settle(worker_t *worker, cell_t *cell)
{
    if (cell->owed != 0) {
        mailbox_credit(&cell->mailbox, cell->owed);
        cell->owed = 0;
    }
    if (room_is_awaited(cell)) {
        room_tell(&worker->sender, cell, 1);
    }
}

/* The charge of a message that was taken: given back in lumps, since each lump is an atomic act on
 * a line that the senders write. The bound is exact when the mailbox is empty or small, otherwise
 * it may seem fuller by a 16th. */
static inline void owe(worker_t *worker, cell_t *cell, uint64_t charge)
{
    cell->owed += charge;
    if (mailbox_count(cell->owed) >= mailbox_count(cell->owed_max) ||
        mailbox_bytes(cell->owed) >= mailbox_bytes(cell->owed_max)) {
        settle(worker, cell);
    }
}

static void set_running(cell_t *cell, uint8_t running)
{
    /* Relaxed: the runner's own; others only show it. */
    atomic_store_explicit(&cell->running, running, memory_order_relaxed);
}

/* Ends the actor by what its callback returned or asked for. */
static void end_by_callback(worker_t *worker, cell_t *cell, trp_status_t status)
{
    trp_reason_t reason = worker->ctx.reason;
    bool passed_quota = (worker->ctx.after & CTX_END) != 0 && reason.kind == TRP_REASON_QUOTA;
    if (status != TRP_OK && !passed_quota) {
        reason = trp_reason(TRP_REASON_ERROR, (int32_t)status, NULL);
    }
    life_end(worker, cell, &reason, true);
}

/* After a callback that left something to be done. False: the actor has ended. */
SELDOM static bool go_on(worker_t *worker, cell_t *cell, trp_status_t status)
{
    life_take_scratch(worker, cell);
    if (status != TRP_OK || (worker->ctx.after & CTX_END) != 0) {
        end_by_callback(worker, cell, status);
        return false;
    }
    if ((worker->ctx.after & CTX_HIBERNATE) != 0) {
        worker->ctx.after &= (uint8_t)~CTX_HIBERNATE;
        return hibernate_begin(worker, cell) && go_on(worker, cell, TRP_OK);
    }
    return true;
}

/* Whether a pid of this runtime is that of an actor that has ended. */
static bool is_gone(const void *user, trp_pid_t pid)
{
    const trp_runtime_t *runtime = user;
    if (pid.node != runtime->node || pid.incarnation != runtime->incarnation) {
        return false;
    }
    const cell_t *cell = cell_at(&runtime->table, pid.slot);
    /* Relaxed: seen too late, the row stays until the next look. */
    return cell == NULL ||
           atomic_load_explicit(&cell->generation, memory_order_relaxed) != pid.generation;
}

/* A request that the handler did not answer: who asked hears of our end as long as it waits. */
SELDOM static void keep_asker(worker_t *worker, cell_t *cell, const trp_envelope_t *request)
{
    cell_life_t *life = cell_life_make(&worker->runtime->table, cell);
    watch_t row = {.kind = WATCH_ASKER,
                   .pid = request->from,
                   .ref = request->request_id,
                   .due_ns = request->deadline_ns};
    if (life == NULL) {
        return; /* it will see its time limit instead */
    }
    watch_table_t *theirs = &life->theirs;
    if ((theirs->count + 1) * 4 > theirs->capacity * 3) {
        watch_expire(theirs, runtime_clock(worker->runtime), is_gone, worker->runtime);
    }
    signal_note_remote(worker->runtime, cell, request->from);
    if (watch_add(theirs, &row, true) != TRP_OK) {
        return;
    }
}

SELDOM static trp_status_t receive_observed(worker_t *worker, cell_t *cell,
                                            trp_envelope_t *envelope)
{
    const runtime_observer_t *observer = worker->runtime->observer;
    observer->begin(observer->user, envelope);
    trp_status_t status = cell->class->receive(&worker->ctx, cell->state, envelope);
    observer->end(observer->user, status);
    return status;
}

static trp_status_t receive(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    return worker->runtime->observer == NULL || cell_is_proxy(cell)
               ? cell->class->receive(&worker->ctx, cell->state, envelope)
               : receive_observed(worker, cell, envelope);
}

/* Shows an envelope to the actor. False: the actor has ended. */
static bool show(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    trp_ctx_t *ctx = &worker->ctx;
    ctx->message = envelope;
    ctx->answered = false;
    uint64_t held = cell_is_proxy(cell) ? mailbox_charge_of(envelope) : 0;
    lease_open(ctx);
    trp_status_t status = receive(worker, cell, envelope);
    if (!lease_close(ctx)) {
        life_abandon(worker, cell);
        return false;
    }
    /* Relaxed: own counter. */
    uint64_t handled = atomic_load_explicit(&cell->handled, memory_order_relaxed);
    atomic_store_explicit(&cell->handled, handled + 1, memory_order_relaxed);
    if (ctx->message == NULL) { /* deferred, or a proxy took it: and with it the charge */
        cell->life->taken += held;
    } else {
        bool asks = envelope->request_id != 0 && !ctx->answered &&
                    (envelope->flags & (TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_REPLY)) == 0;
        if (asks && !cell_is_proxy(cell)) {
            keep_asker(worker, cell, envelope);
        }
        if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
            COUNT(worker->runtime, worker, handled);
        }
        envelope_drop(envelope);
        ctx->message = NULL;
        if (held != 0) {
            owe(worker, cell, held);
        }
    }
    return (status == TRP_OK && ctx->after == 0) || go_on(worker, cell, status);
}

/* Whether this cell is the proxy that `to` leads to. */
static bool is_routed(const worker_t *worker, const cell_t *cell, trp_pid_t to)
{
    return cell_is_proxy(cell) &&
           trp_pid_equal(route_find(&worker->runtime->routes, to), cell->self);
}

static bool is_expired(const worker_t *worker, const trp_envelope_t *envelope)
{
    return envelope->deadline_ns != 0 && runtime_is_past(worker->runtime, envelope->deadline_ns);
}

/* Signals and answers. False: the actor has ended. */
static bool admit(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    const sender_t *sender = &worker->sender;
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    bool gone = false;
    admit_t verdict = signal_admit(worker, cell, envelope);
    switch (verdict) {
    case ADMIT_SHOW:
        return show(worker, cell, envelope);
    case ADMIT_SAVE:
        gone = !snapshot_answer(worker, cell, envelope);
        envelope_free(envelope);
        return !gone && (worker->ctx.after == 0 || go_on(worker, cell, TRP_OK));
    case ADMIT_LATE:
        overflow_died(cell);
        dead_letter(sender, envelope, TRP_DEAD_LATE, &reason);
        return true;
    case ADMIT_END:
        reason = *(const trp_reason_t *)(const void *)envelope->payload.bytes;
        envelope_free(envelope);
        life_end(worker, cell, &reason, true);
        return false;
    case ADMIT_KILL:
        envelope_free(envelope);
        life_end(worker, cell, &reason, false);
        return false;
    default:
        envelope_free(envelope);
        return true;
    }
}

/* What the actor put off: it was admitted then, and is shown again as it was. */
static bool handle_deferred(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    envelope->flags &= (uint8_t)~TRP_ENVELOPE_DEFERRED;
    owe(worker, cell, mailbox_charge_of(envelope));
    if (is_expired(worker, envelope)) {
        trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_EXPIRED, NULL);
        overflow_died(cell);
        dead_letter(&worker->sender, envelope, TRP_DEAD_EXPIRED, &reason);
        return true;
    }
    return show(worker, cell, envelope);
}

/* Messages, which have a charge. A proxy's is owed when it did not take the message. */
static bool handle_message(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    if (is_expired(worker, envelope)) {
        trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_EXPIRED, NULL);
        owe(worker, cell, cell_is_proxy(cell) ? mailbox_charge_of(envelope) : 0);
        overflow_died(cell);
        dead_letter(&worker->sender, envelope, TRP_DEAD_EXPIRED, &reason);
        return true;
    }
    if ((envelope->flags & TRP_ENVELOPE_REPLY) != 0) {
        return admit(worker, cell, envelope);
    }
    return show(worker, cell, envelope);
}

/* One envelope that is addressed to this actor. False: it has ended. */
static bool handle_own(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    if ((envelope->flags & (TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_DEFERRED)) != 0) {
        return (envelope->flags & TRP_ENVELOPE_DEFERRED) != 0
                   ? handle_deferred(worker, cell, envelope)
                   : admit(worker, cell, envelope);
    }
    if (!cell_is_proxy(cell)) {
        owe(worker, cell, mailbox_charge_of(envelope));
    }
    return handle_message(worker, cell, envelope);
}

/* Not addressed to this actor by the pid that others know: routed to a proxy, or stale. */
static bool handle_foreign(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    if (trp_pid_equal(envelope->to, life_pid(worker->runtime, cell))) {
        envelope->to = cell->self; /* a worker's root actor by its own pid */
        return handle_own(worker, cell, envelope);
    }
    if (is_routed(worker, cell, envelope->to)) {
        return show(worker, cell, envelope);
    }
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    owe(worker, cell, mailbox_charge_of(envelope)); /* if it came alone nobody has charged it yet */
    dead_letter(&worker->sender, envelope, TRP_DEAD_STALE, &reason);
    return true;
}

/* One envelope from the mailbox. False: the actor has ended. */
static bool handle(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    const unsigned unusual =
        TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_DEFERRED | TRP_ENVELOPE_REPLY | TRP_ENVELOPE_SHARED;
    if (envelope->trace_id != 0) {
        meter_took(worker, cell, envelope);
    }
    if (!trp_pid_equal(envelope->to, cell->self)) {
        return handle_foreign(worker, cell, envelope);
    }
    if ((envelope->flags & unusual) != 0 || envelope->deadline_ns != 0 || cell_is_proxy(cell)) {
        return handle_own(worker, cell, envelope);
    }
    owe(worker, cell, mailbox_sum(1, envelope->inline_size)); /* most messages */
    return show(worker, cell, envelope);
}

/* What came by the urgent lane for an actor that has just ended: kills, and who waits for room. */
static void bury_urgent(worker_t *worker, trp_envelope_t *list)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    while (list != NULL) {
        trp_envelope_t *next = list->next;
        dead_letter(&worker->sender, list, TRP_DEAD_ENDED, &reason);
        list = next;
    }
}

/* Signals that came by the urgent lane. False: the actor has ended. */
static bool handle_urgent(worker_t *worker, cell_t *cell)
{
    trp_envelope_t *list = mailbox_take_urgent(&cell->mailbox);
    while (list != NULL) {
        trp_envelope_t *next = list->next;
        if (list->tag == TRP_SIGNAL_ROOM) {
            room_wait(&worker->sender, cell,
                      list); /* a proxy's mailbox as well: it is the one that was full */
        } else if (!handle(worker, cell, list)) {
            bury_urgent(worker, next);
            return false;
        }
        list = next;
    }
    return true;
}

/* The first exit signal in a list that ends this actor; what is before it is never handled. */
static trp_envelope_t *find_exit(const cell_t *cell, trp_envelope_t *list)
{
    while (list != NULL &&
           ((list->flags & TRP_ENVELOPE_SIGNAL) == 0 || !trp_pid_equal(list->to, cell->self) ||
            !signal_exit_ends(cell, list))) {
        list = list->next;
    }
    return list;
}

/* Takes the inbox. False: an exit signal in it has ended the actor. */
static bool refill(worker_t *worker, cell_t *cell)
{
    mailbox_taken_t taken = mailbox_take(&cell->mailbox);
    cell->first = taken.first;
    cell->last = taken.last;
    cell->owed += taken.excess;
    const trp_envelope_t *exit =
        (taken.flags & TRP_ENVELOPE_SIGNAL) == 0 ? NULL : find_exit(cell, cell->first);
    if (exit == NULL) {
        if (overflow_drops_old(cell) && !cell_is_proxy(cell)) {
            overflow_trim(worker, cell);
        }
        return true;
    }
    trp_reason_t reason = *(const trp_reason_t *)(const void *)exit->payload.bytes;
    life_end(worker, cell, &reason, true);
    return false;
}

/* The next envelope, oldest first; NULL with `*gone` false: the cell sleeps, with `*gone` true: it
 * has ended. Either way it must not be touched then. */
static trp_envelope_t *next_envelope(worker_t *worker, cell_t *cell, bool *gone)
{
    *gone = false;
    while (cell->first == NULL) {
        uint32_t generation = life_pid(worker->runtime, cell).generation;
        settle(worker, cell);
        room_tell(&worker->sender, cell, UINT32_MAX);
        set_running(cell, 0);
        if (mailbox_sleep(&cell->mailbox)) {
            return NULL;
        }
        if (life_pid(worker->runtime, cell).generation != generation) {
            /* it was woken, has ended, and a kill of the next actor gave it to us: ours may not be
             * the thread for it */
            scheduler_ready(worker->runtime, worker, cell);
            return NULL;
        }
        set_running(cell, 1);
        if (mailbox_has_urgent(&cell->mailbox) && !handle_urgent(worker, cell)) {
            *gone = true;
            return NULL;
        }
        if (!refill(worker, cell)) {
            *gone = true;
            return NULL;
        }
    }
    trp_envelope_t *envelope = cell->first;
    cell->first = envelope->next;
    if (cell->first != NULL) {
        __builtin_prefetch(cell->first->payload.bytes); /* its header was read by mailbox_take */
    }
    return envelope;
}

/* The first turn. A kill that is there already comes before init, save a proxy's, which is told of
 * it as of any message. False: the actor has ended. */
static bool begin(worker_t *worker, cell_t *cell)
{
    bool killed = mailbox_has_urgent(&cell->mailbox) && !cell_is_proxy(cell);
    return (!killed || handle_urgent(worker, cell)) && life_start(worker, cell);
}

/* A slice's time. The clock is read for it after LOOK_FIRST messages, then at each doubling; when
 * slices were slow of late (the scheduler reads the clock for each) after the first message, and
 * then as often as the time that is left asks for. */
typedef struct slice_time {
    uint32_t look;    /* at so much work */
    int64_t begin_ns; /* 0: not known yet */
} slice_time_t;

#define LOOK_FIRST 32

static slice_time_t begin_time(const worker_t *worker)
{
    if (worker->clock_interval == 1) {
        return (slice_time_t){.look = 1, .begin_ns = worker->now_ns};
    }
    return (slice_time_t){.look = LOOK_FIRST};
}

/* Whether the slice goes on at its look. */
static bool has_time(worker_t *worker, slice_time_t *slice)
{
    const int64_t now_ns = runtime_clock(worker->runtime);
    const uint32_t work = worker->slice_work;
    if (slice->begin_ns == 0) {
        slice->begin_ns = now_ns;
    }
    const int64_t left_ns = slice->begin_ns + SLICE_NS - now_ns;
    if (left_ns <= 0) {
        worker->clock_interval = worker->clock_credit = 1; /* slices are slow from now on */
        return false;
    }
    const int64_t each_ns = (now_ns - slice->begin_ns) / work + 1;
    const int64_t more = left_ns / each_ns / 2 + 1;
    slice->look = work + (more < work ? (uint32_t)more : work);
    return true;
}

void cell_run(worker_t *worker, cell_t *cell)
{
    trp_ctx_t *ctx = &worker->ctx;
    ctx->cell = cell;
    ctx->after = 0;
    worker->slice_work = 0;
    if (meter_stamps_all(&worker->runtime->meters)) {
        worker->stamp_credit = 1;
    }
    set_running(cell, 1);
    if (cell_phase(cell) == CELL_NEW && !begin(worker, cell)) {
        return;
    }
    if (cell->first == NULL && !refill(worker, cell)) {
        return;
    }
    slice_time_t slice = begin_time(worker);
    while (worker->slice_work < worker->slice_max) {
        if (worker->slice_work >= slice.look && !has_time(worker, &slice)) {
            break;
        }
        if (mailbox_has_urgent(&cell->mailbox) && !handle_urgent(worker, cell)) {
            return;
        }
        bool gone = false;
        trp_envelope_t *envelope = next_envelope(worker, cell, &gone);
        if (envelope == NULL) {
            return;
        }
        worker->slice_work++;
        if (!handle(worker, cell, envelope)) {
            return;
        }
    }
    settle(worker, cell);
    set_running(cell, 0);
    scheduler_again(worker, cell);
}
