/* SPDX-License-Identifier: MIT */
/* The proxy's life:
 *
 *     init      link made, carrier asked to start                           (TRP_PENDING)
 *     hello     start frame sent: what waits may flow                       (place_link.c)
 *     ready     trp_ready
 *     exited    the carrier has ended: is everything delivered that it sent? else at most DRAIN_MS
 *     finish    dead letters, route ends, watchers of its actors hear, trp_stop(exact reason)
 *
 * Everything that must end the actor ends its carrier first: there is one way out, by `exited`. A
 * carrier whose end is not known within its grace is written off, which is that way too. */
#include "runtime/place/place_proxy.h"

#include <errno.h>
#include <string.h>

#include "messages/control.h"
#include "runtime/log.h"
#include "runtime/place/place_ask.h"
#include "runtime/place/place_exit.h"
#include "runtime/place/place_order.h"
#include "runtime/place/place_probe.h"

#define DRAIN_MS 100  /* for what a dead worker sent to arrive */
#define LEAVE_MS 2000 /* for a carrier to end after its goodbye */

typedef struct proxy {
    place_proxies_t *place;
    place_link_t *link;
    uint64_t start_timer, drain_timer, leave_timer, grace_timer;
    bool ready, ending, shown; /* shown: its os_pid */
    bool has_reason;           /* ... which is not what its carrier says: */
    trp_reason_t reason;
    place_probe_t probe;
    char name[TRP_NAME_MAX];
    const char *class_name;
    char program[GUARDIAN_PROGRAM_MAX];
} proxy_t;

static const place_carrier_t *carrier_of(const proxy_t *proxy)
{
    return proxy->place->options.carrier;
}

/* ---- start ---- */

static void write_start(trp_ctx_t *ctx, const place_order_t *order, const void *args,
                        trp_writer_t *writer)
{
    char pid[TRP_PID_TEXT_MAX];
    (void)trp_pid_format(trp_self(ctx), pid);
    const link_start_t start = {
        .class_name = {order->class->name, strlen(order->class->name)},
        .pid = {pid, strlen(pid)},
        .name = {order->name, strlen(order->name)},
        .has_name = order->name[0] != '\0',
        .depth_max = order->depth_max,
        .size_max = (int64_t)order->size_max,
        .restarts = order->restarts,
        .args_tag = order->args_tag,
        .args = {args, order->args_size},
        .has_args = order->has_args,
        .memory_quota = (int64_t)order->memory_quota,
        .has_memory_quota = order->memory_quota != 0,
        .snapshot = {(const char *)args + order->args_size, order->snapshot_size},
        .has_snapshot = order->snapshot_size != 0,
    };
    trp_schema_write(&link_start_schema, &start, writer);
}

/* What is forwarded can't be dropped: at most half of the bounds is, which is also when the worker
 * reports at the latest (see report_every in worker_root.c). */
static void keep_some_back(channel_options_t *options, const place_order_t *order)
{
    uint64_t half = (order->depth_max + 1) / 2;
    if (half != 0 && half < options->window_messages) {
        options->window_messages = half;
    }
    half = (order->size_max + 1) / 2;
    if (half != 0 && half < options->window_bytes) {
        options->window_bytes = half;
    }
}

static trp_status_t begin(trp_ctx_t *ctx, proxy_t *proxy, const place_order_t *order,
                          const place_birth_t *birth)
{
    const place_proxies_options_t *options = &order->place->options;
    place_link_t *link = proxy->link;
    size_t size = 0;
    runtime_set_place(ctx, options->carrier->place, 0);
    link->foreign = order->program[0] == '\0' ? NULL : order->class;
    if (order->overflow == TRP_OVERFLOW_DROP_OLD) {
        keep_some_back(&link->channel.options, order);
    }
    write_start(ctx, order, birth->args, &link->start);
    const void *start = trp_writer_data(&link->start, &size);
    black_box_start(&link->box, start, size);
    trp_status_t status =
        runtime_route(runtime_of(ctx), link->node, link->incarnation, trp_self(ctx));
    if (status == TRP_OK) {
        status = trp_timer_start(ctx, options->start_ms, 0, TRP_SIGNAL_LOOK, &proxy->start_timer);
    }
    return status == TRP_OK ? options->carrier->start(options->carrier_user, link, birth) : status;
}

static trp_status_t proxy_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    proxy_t *proxy = state;
    place_order_t order;
    size_t size = 0;
    const unsigned char *bytes = trp_message_data(args, &size);
    memcpy(&order, bytes, sizeof(order));
    proxy->place = order.place;
    memcpy(proxy->program, order.program, sizeof(proxy->program));
    memcpy(proxy->name, order.name, sizeof(proxy->name));
    proxy->class_name = order.class->name;
    const place_proxies_options_t *options = &order.place->options;
    const place_birth_t birth = {order.class, order.program, bytes + sizeof(order), order.args_size,
                                 runtime_origin(ctx)};
    trp_status_t status =
        hub_link(options->hub, options->carrier->place, trp_self(ctx), &order.limits, &proxy->link);
    if (status == TRP_OK) {
        status = begin(ctx, proxy, &order, &birth);
    }
    if (status == TRP_OK) {
        return TRP_PENDING;
    }
    if (proxy->link != NULL) {
        (void)!runtime_route(runtime_of(ctx), proxy->link->node, proxy->link->incarnation,
                             TRP_PID_NONE);
        hub_unlink(options->hub, &proxy->link);
    }
    if (options->carrier->failed != NULL) {
        options->carrier->failed(options->carrier_user, &birth, status);
    }
    return status;
}

/* ---- end ---- */

static place_owner_t owner_of(trp_ctx_t *ctx, const proxy_t *proxy)
{
    return (place_owner_t){trp_self(ctx), proxy->name, proxy->class_name};
}

/* When somebody had it killed, there is no riddle that its box would solve. */
static void keep_box(trp_ctx_t *ctx, proxy_t *proxy, const trp_reason_t *reason)
{
    const place_owner_t owner = owner_of(ctx, proxy);
    if (reason->kind != TRP_REASON_KILLED) {
        place_exit_keep(proxy->link, &owner, reason, hub_box_keeper(proxy->place->options.hub));
    }
}

/* Nothing of the worker comes any more: settles what it owes and ends with the exact reason. */
static void finish(trp_ctx_t *ctx, proxy_t *proxy, const trp_reason_t *reason)
{
    trp_runtime_t *runtime = runtime_of(ctx);
    place_link_t *link = proxy->link;
    const uint32_t node = link->node;
    const uint32_t incarnation = link->incarnation;
    trp_envelope_t *left = channel_take(&link->channel);
    keep_box(ctx, proxy, reason);
    place_ask_leave_all(link);
    if (carrier_of(proxy)->release != NULL) {
        carrier_of(proxy)->release(proxy->place->options.carrier_user, link);
    }
    hub_unlink(proxy->place->options.hub, &proxy->link);
    while (left != NULL) {
        trp_envelope_t *next = left->next;
        proxy_dead(runtime, left, TRP_DEAD_WORKER, reason);
        left = next;
    }
    (void)!runtime_route(runtime, node, incarnation, TRP_PID_NONE);
    runtime_node_down(runtime, node, incarnation, reason);
    trp_stop(ctx, reason);
}

static void end_by_force(trp_ctx_t *ctx, proxy_t *proxy)
{
    const place_carrier_t *carrier = carrier_of(proxy);
    if (proxy->ending) {
        return;
    }
    proxy->ending = true;
    carrier->end(proxy->place->options.carrier_user, proxy->link);
    if (carrier->late != NULL) {
        (void)!trp_timer_start(ctx, proxy->place->options.grace_ms, 0, TRP_SIGNAL_LOOK,
                               &proxy->grace_timer);
    }
}

/* Ends the carrier for `reason`, which it can't tell by itself. */
static void end_carrier(trp_ctx_t *ctx, proxy_t *proxy, const trp_reason_t *reason)
{
    if (!proxy->has_reason) {
        proxy->has_reason = true;
        proxy->reason = *reason;
    }
    end_by_force(ctx, proxy);
}

static void look_at_exit(trp_ctx_t *ctx, proxy_t *proxy)
{
    const place_link_t *link = proxy->link;
    if (link->connected && !link->down) {
        if (proxy->drain_timer != 0 ||
            trp_timer_start(ctx, DRAIN_MS, 0, TRP_SIGNAL_LOOK, &proxy->drain_timer) == TRP_OK) {
            return;
        }
    }
    /* When it ended of anything but our force, that is the truth. */
    trp_reason_t reason;
    const bool by_force = carrier_of(proxy)->reason(link, &reason);
    finish(ctx, proxy, by_force && proxy->has_reason ? &proxy->reason : &reason);
}

static void look_at_refusal(trp_ctx_t *ctx, proxy_t *proxy)
{
    const int code = proxy->link->refused;
    const trp_reason_t reason = trp_reason(
        TRP_REASON_START_FAILED, code == ENOENT ? TRP_NOT_FOUND : TRP_SYSTEM, strerror(code));
    log_event(LOG_ERROR, "worker_refused", LOG_INT("index", proxy->link->index),
              LOG_TEXT("program", proxy->program), LOG_TEXT("error", strerror(code)));
    finish(ctx, proxy, &reason);
}

/* ---- what happens ---- */

/* Its end was asked for and is not known: the handler of a thread does not return, or nobody tells
 * of a process. Nothing of it counts from here. */
static void write_off(trp_ctx_t *ctx, proxy_t *proxy)
{
    const place_link_t *link = proxy->link;
    const place_carrier_t *carrier = carrier_of(proxy);
    trp_reason_t reason = proxy->reason;
    if (!proxy->has_reason) { /* its connection ended, and nobody says of what */
        reason = trp_reason(TRP_REASON_NO_CONNECTION, 0, carrier->late);
    } else if (reason.kind == TRP_REASON_KILLED) {
        reason = trp_reason(TRP_REASON_KILLED, 0, carrier->late);
    }
    log_event(LOG_ERROR, "actor_written_off", LOG_TEXT("place", carrier->name),
              LOG_TEXT("child", proxy->name), LOG_INT("index", link->index),
              LOG_INT("os_pid", link->os_pid), LOG_INT("grace_ms", proxy->place->options.grace_ms),
              LOG_TEXT("why", carrier->late));
    if (carrier->may_stick) {
        runtime_at_work_t who = {.pid = trp_self(ctx), .class_name = proxy->class_name};
        (void)runtime_at_work(&who); /* itself, with who answers for it */
        runtime_write_off(runtime_of(ctx), &who);
    }
    finish(ctx, proxy, &reason);
}

static void on_probe(trp_ctx_t *ctx, proxy_t *proxy)
{
    place_link_t *link = proxy->link;
    trp_reason_t reason;
    if (link->down || proxy->ending) {
        return; /* it can't answer, and why it ended is what its end says */
    }
    if (place_probe_look(ctx, &proxy->probe, link, &reason)) {
        log_event(LOG_ERROR, "worker_ended_by_probe", LOG_TEXT("child", proxy->name),
                  LOG_INT("os_pid", link->os_pid), LOG_TEXT("reason", trp_reason_name(reason.kind)),
                  LOG_TEXT("detail", reason.text));
        end_carrier(ctx, proxy, &reason);
    }
}

static void on_timer(trp_ctx_t *ctx, proxy_t *proxy, uint64_t timer)
{
    place_link_t *link = proxy->link;
    if (timer == proxy->start_timer) {
        const trp_reason_t late =
            trp_reason(TRP_REASON_START_FAILED, TRP_TIMEOUT, "it was not ready in time");
        end_carrier(ctx, proxy, &late);
    } else if (timer == proxy->drain_timer) {
        log_event(LOG_WARN, "drain_cut", LOG_INT("index", link->index),
                  LOG_INT("incarnation", link->incarnation), LOG_INT("limit_ms", DRAIN_MS));
        link->down = true;
        look_at_exit(ctx, proxy);
    } else if (timer == proxy->leave_timer) {
        end_carrier(ctx, proxy, &link->bye); /* it said goodbye and did not go */
    } else if (timer == proxy->grace_timer) {
        write_off(ctx, proxy);
    } else if (timer == proxy->probe.timer) {
        on_probe(ctx, proxy);
    }
}

static void on_fault(trp_ctx_t *ctx, proxy_t *proxy)
{
    const place_link_t *link = proxy->link;
    const trp_reason_t reason = trp_reason(TRP_REASON_PROTOCOL, 0, link->fault);
    if (!proxy->ending) {
        log_event(LOG_ERROR, "worker_broke_protocol", LOG_INT("index", link->index),
                  LOG_INT("os_pid", link->os_pid), LOG_TEXT("rule", link->fault));
    }
    end_carrier(ctx, proxy, &reason);
}

static void look(trp_ctx_t *ctx, proxy_t *proxy)
{
    place_link_t *link = proxy->link;
    link->look_sent = false;
    if (link->os_pid != 0 && !proxy->shown) {
        proxy->shown = true;
        runtime_set_place(ctx, carrier_of(proxy)->place, link->os_pid);
    }
    if (link->refused != 0) {
        look_at_refusal(ctx, proxy);
        return;
    }
    if (!proxy->ready && link->channel.state == CHANNEL_READY) {
        proxy->ready = true;
        trp_timer_cancel(ctx, proxy->start_timer);
        trp_ready(ctx);
    }
    if (link->fault != NULL) {
        on_fault(ctx, proxy);
    }
    if (link->said_bye && carrier_of(proxy)->ends_with_bye) {
        link->exited = link->down = true;
    }
    if (link->exited) {
        look_at_exit(ctx, proxy);
    } else if (link->said_bye && proxy->leave_timer == 0) {
        (void)!trp_timer_start(ctx, LEAVE_MS, 0, TRP_SIGNAL_LOOK, &proxy->leave_timer);
    } else if (link->down && !link->said_bye && !proxy->ending) {
        /* Mostly it has just died, and its wait status says of what: then this kill is late. */
        end_by_force(ctx, proxy);
    }
}

/* An exit signal to the actor: its own to act upon, once it runs. */
static bool on_own_signal(trp_ctx_t *ctx, proxy_t *proxy, const trp_envelope_t *message)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    size_t size = 0;
    if (message->tag == TRP_SIGNAL_KILL) {
        end_carrier(ctx, proxy, &reason);
        return true;
    }
    const void *data = trp_message_data(message, &size);
    if (message->tag != TRP_SIGNAL_EXIT || proxy->link->connected || size != sizeof(reason)) {
        return false;
    }
    memcpy(&reason, data, sizeof(reason));
    end_carrier(ctx, proxy, &reason);
    return true;
}

static trp_status_t proxy_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    proxy_t *proxy = state;
    const bool is_own = trp_pid_equal(message->to, trp_self(ctx));
    if (proxy->link == NULL) {
        return TRP_OK; /* it has finished in this slice */
    }
    if (is_own && message->tag == TRP_SIGNAL_LOOK) {
        if (message->request_id != 0) {
            on_timer(ctx, proxy, message->request_id);
        } else {
            look(ctx, proxy);
        }
        return TRP_OK;
    }
    if (is_own && (message->flags & TRP_ENVELOPE_SIGNAL) != 0 &&
        on_own_signal(ctx, proxy, message)) {
        return TRP_OK;
    }
    if (is_own && message->tag == TRP_TAG_WHY && proxy->link->box.head != NULL) {
        const place_owner_t owner = owner_of(ctx, proxy);
        place_exit_why(ctx, proxy->link, &owner, message);
        return TRP_OK;
    }
    while (proxy_is_over(ctx)) {
        trp_envelope_t *oldest = channel_take_message(&proxy->link->channel);
        if (oldest == NULL) {
            break; /* all is forwarded */
        }
        proxy_drop(ctx, oldest);
    }
    channel_push(&proxy->link->channel, proxy_take(ctx, message));
    hub_touch(proxy->place->options.hub, proxy->link);
    place_probe_begin(ctx, &proxy->probe, proxy->link);
    return TRP_OK;
}

void place_proxy_class(const trp_class_t *of, trp_class_t *class)
{
    *class = (trp_class_t){
        .name = of->name,
        .version = of->version,
        .state_size = sizeof(proxy_t),
        .init = proxy_init,
        .receive = proxy_receive,
        .flags = TRP_CLASS_EDGE | TRP_CLASS_PROXY,
    };
}
