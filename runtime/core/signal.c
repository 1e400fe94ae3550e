/* SPDX-License-Identifier: MIT */
#include "runtime/core/signal.h"

#include <string.h>

#include "runtime/core/defer.h"
#include "runtime/core/timeout.h"
#include "runtime/log.h"

#define NS_PER_MS 1000000LL

static const sender_t *sender_of(const worker_t *worker)
{
    return &worker->sender;
}

static const trp_reason_t *reason_of(const trp_envelope_t *envelope)
{
    return (const trp_reason_t *)(const void *)envelope->payload.bytes;
}

void signal_note_remote(trp_runtime_t *runtime, const cell_t *cell, trp_pid_t pid)
{
    if (pid.node != runtime->node || pid.incarnation != runtime->incarnation) {
        cell_mark_remote(&runtime->table, cell);
    }
}

/* Adds to `theirs` what is not there yet; a link that finds no memory breaks at once. */
static void join(worker_t *worker, cell_t *cell, watch_kind_t kind, const trp_envelope_t *envelope)
{
    uint64_t ref = kind == WATCH_LINK ? 0 : envelope->request_id;
    cell_life_t *life = cell_life_make(&worker->runtime->table, cell);
    if (life != NULL && watch_find(&life->theirs, kind, envelope->from, ref) != NULL) {
        return;
    }
    if (kind == WATCH_LINK && life != NULL &&
        watch_find(&life->theirs, WATCH_UNLINK, envelope->from, 0) != NULL) {
        return; /* sent before our UNLINK had arrived there, which ends it there as well */
    }
    signal_note_remote(worker->runtime, cell, envelope->from);
    watch_t row = {.kind = (uint8_t)kind, .pid = envelope->from, .ref = ref};
    if (life != NULL && watch_add(&life->theirs, &row, true) == TRP_OK) {
        return;
    }
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, NULL);
    uint16_t tag = kind == WATCH_LINK ? TRP_SIGNAL_EXIT : TRP_SIGNAL_DOWN;
    uint64_t id = kind == WATCH_LINK ? SIGNAL_LINK_END : ref;
    send_signal(sender_of(worker),
                signal_make_reason(signal_make(cell->self, envelope->from, tag, id), &reason));
}

static void part(cell_t *cell, watch_kind_t kind, const trp_envelope_t *envelope)
{
    uint64_t ref = kind == WATCH_LINK ? 0 : envelope->request_id;
    watch_t *row =
        cell->life == NULL ? NULL : watch_find(&cell->life->theirs, kind, envelope->from, ref);
    if (row != NULL) {
        watch_remove(&cell->life->theirs, row, true);
    }
}

static admit_t admit_unlink(worker_t *worker, cell_t *cell, const trp_envelope_t *envelope)
{
    part(cell, WATCH_LINK, envelope);
    if (cell_is_proxy(cell)) {
        return ADMIT_SHOW; /* whom it stands for may have linked meanwhile: it acknowledges */
    }
    send_signal(sender_of(worker), signal_make(cell->self, envelope->from, TRP_SIGNAL_UNLINK_ACK,
                                               envelope->request_id));
    return ADMIT_DROP;
}

/* The row of an unlinking that `pid` has not acknowledged; NULL: none. */
static watch_t *unlinking(const cell_t *cell, trp_pid_t pid)
{
    return cell->life == NULL ? NULL : watch_find(&cell->life->theirs, WATCH_UNLINK, pid, 0);
}

static admit_t admit_unlink_ack(cell_t *cell, const trp_envelope_t *envelope)
{
    watch_t *row = unlinking(cell, envelope->from);
    if (row != NULL && row->id == envelope->request_id) {
        watch_remove(&cell->life->theirs, row, true);
    }
    return cell_is_proxy(cell) ? ADMIT_SHOW : ADMIT_DROP;
}

static bool is_linked(const cell_t *cell, trp_pid_t pid)
{
    return cell->life != NULL && watch_find(&cell->life->theirs, WATCH_LINK, pid, 0) != NULL;
}

bool signal_exit_ends(const cell_t *cell, const trp_envelope_t *envelope)
{
    if (envelope->tag != TRP_SIGNAL_EXIT || cell_is_proxy(cell) ||
        (cell->life != NULL && cell->life->trap_exit)) {
        return false;
    }
    if (envelope->request_id == SIGNAL_LINK_END && !is_linked(cell, envelope->from)) {
        return false;
    }
    return reason_of(envelope)->kind != TRP_REASON_NORMAL ||
           trp_pid_equal(envelope->from, cell->self);
}

static admit_t admit_exit(cell_t *cell, trp_envelope_t *envelope)
{
    bool proxy = cell_is_proxy(cell);
    bool ends = signal_exit_ends(cell, envelope);
    if (envelope->request_id == SIGNAL_LINK_END) {
        if (is_linked(cell, envelope->from)) {
            part(cell, WATCH_LINK, envelope);
            envelope->request_id = 0; /* it counts, whoever gets it passed on */
        } else if (!proxy) {          /* unlinked in the meantime, and will never be acknowledged */
            watch_t *row = unlinking(cell, envelope->from);
            if (row != NULL) {
                watch_remove(&cell->life->theirs, row, true);
            }
            return ADMIT_DROP;
        }
    }
    if (proxy) {
        return ADMIT_SHOW;
    }
    if (cell->life != NULL && cell->life->trap_exit) {
        envelope->tag = TRP_TAG_EXIT;
        return ADMIT_SHOW;
    }
    return ends ? ADMIT_END : ADMIT_DROP;
}

void signal_request_done(worker_t *worker, cell_t *cell, watch_t *row)
{
    watch_t request = *row;
    watch_remove(&cell->life->mine, row, false);
    timeout_end(worker->runtime, cell, &request);
    if (request.monitored) {
        send_signal(sender_of(worker),
                    signal_make(cell->self, request.pid, TRP_SIGNAL_DEMONITOR, request.ref));
    }
}

static watch_t *mine(const cell_t *cell, uint64_t ref)
{
    return cell->life == NULL ? NULL : watch_mine(&cell->life->mine, ref);
}

static admit_t admit_reply(worker_t *worker, cell_t *cell, const trp_envelope_t *envelope)
{
    watch_t *row = mine(cell, envelope->request_id);
    if (row != NULL && row->kind == WATCH_REQUEST) {
        signal_request_done(worker, cell, row);
        return ADMIT_SHOW;
    }
    return cell_is_proxy(cell) ? ADMIT_SHOW : ADMIT_LATE;
}

static bool says_expired(const trp_envelope_t *down)
{
    const trp_reason_t *reason = (const trp_reason_t *)(const void *)down->payload.bytes;
    return reason->kind == TRP_REASON_ERROR && reason->code == TRP_EXPIRED;
}

static admit_t admit_down(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    watch_t *row = mine(cell, envelope->request_id);
    const bool expired = row != NULL && row->kind == WATCH_REQUEST && says_expired(envelope);
    if (expired && row->due_ns != 0 && row->due_ns <= runtime_clock(worker->runtime)) {
        return ADMIT_DROP; /* its own time is up as well: the timer tells it */
    }
    if (row != NULL && row->kind == WATCH_REQUEST) {
        row->monitored &= expired; /* else the monitor is spent */
        signal_request_done(worker, cell, row);
    } else if (row != NULL && row->kind == WATCH_MONITOR) {
        watch_remove(&cell->life->mine, row, false);
    } else if (envelope->request_id != 0) {
        return cell_is_proxy(cell) ? ADMIT_SHOW : ADMIT_DROP;
    }
    envelope->tag = TRP_TAG_DOWN;
    return ADMIT_SHOW;
}

/* The next time of a periodic timer: in step with its first, those that were missed left out. */
static void timer_again(worker_t *worker, const cell_t *cell, watch_t *row)
{
    int64_t now = runtime_clock(worker->runtime);
    int64_t behind = now - row->due_ns;
    row->due_ns += (behind / row->period_ns + 1) * row->period_ns;
    row->timer.worker = worker->index;
    if (timer_start(&worker->wheel, row->due_ns, cell->self, row->ref, &row->timer) != TRP_OK) {
        row->timer.timer = NULL;
        log_event(LOG_ERROR, "timer_lost", LOG_TEXT("rule", "memory"));
    }
}

static admit_t admit_timer(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    watch_t *row = mine(cell, envelope->request_id);
    row = row != NULL ? row : timeout_fired(worker, cell, envelope->request_id);
    if (row == NULL) {
        return ADMIT_DROP; /* cancelled, or answered */
    }
    row->timer.timer = NULL;
    if (row->kind == WATCH_REQUEST) {
        envelope->tag = TRP_TAG_TIMEOUT;
        envelope->from = row->pid;
        envelope->request_id = row->ref;
        signal_request_done(worker, cell, row);
        return ADMIT_SHOW;
    }
    envelope->tag = row->tag;
    bool idle = row->ref == cell->life->idle.timer;
    if (idle && defer_idle_passed(cell)) {
        cell->life->idle = (idle_t){0};
        row->period_ns = 0;
        idle = false;
    }
    if (row->period_ns > 0) {
        timer_again(worker, cell, row);
    } else {
        watch_remove(&cell->life->mine, row, false);
    }
    return idle ? ADMIT_DROP : ADMIT_SHOW;
}

static bool is_of_node(trp_pid_t pid, trp_pid_t node)
{
    return pid.node == node.node && pid.incarnation == node.incarnation;
}

/* A node is gone: turned into one signal for each thing that the cell has there. */
static void node_down(worker_t *worker, cell_t *cell, const trp_envelope_t *envelope)
{
    if (cell->life == NULL) {
        return;
    }
    const trp_reason_t *reason = reason_of(envelope);
    watch_table_t *theirs = &cell->life->theirs;
    for (uint32_t i = 0; i < theirs->capacity;) {
        watch_t *row = &theirs->rows[i];
        if (row->kind == WATCH_FREE || !is_of_node(row->pid, envelope->from)) {
            i++;
        } else if (row->kind == WATCH_LINK) {
            trp_envelope_t *exit =
                signal_make(row->pid, cell->self, TRP_SIGNAL_EXIT, SIGNAL_LINK_END);
            send_signal(sender_of(worker), signal_make_reason(exit, reason));
            i++;
        } else {
            watch_remove(theirs, row, true); /* may move another row here: look again */
        }
    }
    const watch_table_t *ours = &cell->life->mine;
    for (uint32_t i = 0; i < ours->capacity; i++) {
        const watch_t *row = &ours->rows[i];
        bool waits = row->kind == WATCH_MONITOR || row->kind == WATCH_REQUEST;
        if (waits && is_of_node(row->pid, envelope->from)) {
            trp_envelope_t *down = signal_make(row->pid, cell->self, TRP_SIGNAL_DOWN, row->ref);
            send_signal(sender_of(worker), signal_make_reason(down, reason));
        }
    }
}

admit_t signal_admit(worker_t *worker, cell_t *cell, trp_envelope_t *envelope)
{
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        return admit_reply(worker, cell, envelope);
    }
    switch (envelope->tag) {
    case TRP_SIGNAL_EXIT:
        return admit_exit(cell, envelope);
    case TRP_SIGNAL_KILL:
        return cell_is_proxy(cell) ? ADMIT_SHOW : ADMIT_KILL;
    case TRP_SIGNAL_LINK:
        join(worker, cell, WATCH_LINK, envelope);
        return cell_is_proxy(cell) ? ADMIT_SHOW : ADMIT_DROP;
    case TRP_SIGNAL_UNLINK:
        return admit_unlink(worker, cell, envelope);
    case TRP_SIGNAL_UNLINK_ACK:
        return admit_unlink_ack(cell, envelope);
    case TRP_SIGNAL_HOLD:
        join(worker, cell, WATCH_LINK, envelope);
        return ADMIT_DROP;
    case TRP_SIGNAL_LET_GO:
        part(cell, WATCH_LINK, envelope);
        return ADMIT_DROP;
    case TRP_SIGNAL_MONITOR:
        join(worker, cell, WATCH_WATCHER, envelope);
        return ADMIT_DROP;
    case TRP_SIGNAL_DEMONITOR:
        part(cell, WATCH_WATCHER, envelope);
        return ADMIT_DROP;
    case TRP_SIGNAL_DOWN:
        return admit_down(worker, cell, envelope);
    case TRP_SIGNAL_TIMER:
        return admit_timer(worker, cell, envelope);
    case TRP_SIGNAL_SAVE:
        return cell_is_proxy(cell) ? ADMIT_SHOW : ADMIT_SAVE;
    case TRP_SIGNAL_HAS_ROOM:
        envelope->tag = (uint16_t)envelope->request_id;
        envelope->request_id = 0;
        return ADMIT_SHOW;
    case TRP_SIGNAL_NODE_DOWN:
        node_down(worker, cell, envelope);
        return ADMIT_DROP;
    default:
        return ADMIT_SHOW; /* STARTED, STOP: shown as they are */
    }
}

static void tell_theirs(const sender_t *sender, const cell_t *cell, const trp_reason_t *reason)
{
    const watch_table_t *table = &cell->life->theirs;
    for (uint32_t i = 0; i < table->capacity; i++) {
        const watch_t *row = &table->rows[i];
        if (row->kind == WATCH_FREE || row->kind == WATCH_UNLINK) {
            continue;
        }
        bool link = row->kind == WATCH_LINK;
        trp_envelope_t *signal =
            signal_make(cell->self, row->pid, link ? TRP_SIGNAL_EXIT : TRP_SIGNAL_DOWN,
                        link ? SIGNAL_LINK_END : row->ref);
        send_signal(sender, signal_make_reason(signal, reason));
    }
}

static void drop_mine(const sender_t *sender, const cell_t *cell)
{
    const watch_table_t *table = &cell->life->mine;
    for (uint32_t i = 0; i < table->capacity; i++) {
        const watch_t *row = &table->rows[i];
        if (row->kind == WATCH_FREE) {
            continue;
        }
        if (row->timer.timer != NULL) {
            timer_cancel(&sender->runtime->workers[row->timer.worker].wheel, &row->timer);
        }
        if (row->kind == WATCH_MONITOR || row->monitored) {
            send_signal(sender, signal_make(cell->self, row->pid, TRP_SIGNAL_DEMONITOR, row->ref));
        }
    }
}

void signal_ended(const sender_t *sender, cell_t *cell, const trp_reason_t *reason)
{
    if (cell->life == NULL) {
        return;
    }
    tell_theirs(sender, cell, reason);
    drop_mine(sender, cell);
    timeout_drop(sender->runtime, cell);
    if (cell->life->fail_down) {
        trp_envelope_t *down = signal_make(cell->self, cell->life->spawner, TRP_SIGNAL_DOWN, 0);
        send_signal(sender, signal_make_reason(down, reason));
    }
    watch_free(&cell->life->theirs);
    watch_free(&cell->life->mine);
}
