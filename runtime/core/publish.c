/* SPDX-License-Identifier: MIT */
/* Publishing: to the members of this runtime each an envelope, to those behind a proxy one parcel
 * for all, which the runtime at the other end hands out to its own members.
 *
 *     node     members here; a parcel to each proxy that stands before two or more
 *     worker   members here; a parcel to the node, which hands it to all others
 *
 * All goes the way that an ordinary message goes, so the order of each pair is kept. */
#include <stdlib.h>
#include <string.h>

#include "runtime/core/context.h"

#define PARCEL_HEAD 3 /* u16 tag, u8 bytes of the topic */

_Static_assert(TRP_NAME_MAX <= 256, "the topic's size is one byte");

/* One delivery: a member, or a proxy with all that it stands before. */
typedef struct target {
    trp_pid_t proxy; /* NONE: the member is of this runtime */
    trp_pid_t to;
    uint32_t members;
} target_t;

/* What is published, in the forms that are wanted. */
typedef struct matter {
    const sender_t *sender;
    const char *topic;
    trp_envelope_t *message; /* to copy */
    trp_envelope_t *parcel;  /* made when it is first needed */
    trp_published_t counts;
} matter_t;

/* The proxy through which a pid is reached; NONE: none. */
static trp_pid_t proxy_of(trp_runtime_t *runtime, trp_pid_t pid)
{
    const bool is_away = send_goes(runtime, pid) == SEND_AWAY;
    const trp_pid_t at = is_away ? route_find(&runtime->routes, pid) : pid;
    return send_goes(runtime, at) == SEND_BY_PROXY ? at : TRP_PID_NONE;
}

/* ---- parcels ---- */

static trp_envelope_t *make_parcel(const matter_t *matter)
{
    size_t size = 0;
    const void *data = trp_message_data(matter->message, &size);
    const size_t topic = strlen(matter->topic);
    trp_envelope_t *parcel = envelope_alloc();
    unsigned char *bytes = malloc(PARCEL_HEAD + topic + size);
    trp_status_t status = TRP_NO_MEMORY;
    if (parcel != NULL && bytes != NULL) {
        bytes[0] = (unsigned char)matter->message->tag;
        bytes[1] = (unsigned char)(matter->message->tag >> 8);
        bytes[2] = (unsigned char)topic;
        memcpy(bytes + PARCEL_HEAD, matter->topic, topic);
        memcpy(bytes + PARCEL_HEAD + topic, data, size);
        parcel->from = matter->message->from;
        parcel->tag = TRP_TAG_PARCEL;
        status = envelope_set(parcel, bytes, PARCEL_HEAD + topic + size);
    }
    free(bytes);
    if (status != TRP_OK && parcel != NULL) {
        envelope_free(parcel);
        parcel = NULL;
    }
    return parcel;
}

/* False: it is none. `topic` gets its text. */
static bool open_parcel(const trp_envelope_t *parcel, char topic[TRP_NAME_MAX],
                        trp_envelope_t *message)
{
    size_t size = 0;
    const unsigned char *bytes = trp_message_data(parcel, &size);
    if (size < PARCEL_HEAD || bytes[2] >= TRP_NAME_MAX || size < PARCEL_HEAD + (size_t)bytes[2]) {
        return false;
    }
    const size_t head = PARCEL_HEAD + (size_t)bytes[2];
    memcpy(topic, bytes + PARCEL_HEAD, bytes[2]);
    topic[bytes[2]] = '\0';
    message->from = parcel->from;
    message->tag = (uint16_t)(bytes[0] | bytes[1] << 8);
    return strlen(topic) == bytes[2] && envelope_set(message, bytes + head, size - head) == TRP_OK;
}

/* ---- sending ---- */

/* A copy of `first` to one target. */
static void send_copy(matter_t *matter, const trp_envelope_t *first, trp_pid_t to, uint32_t members)
{
    trp_envelope_t *envelope = first == NULL ? NULL : envelope_copy(first);
    trp_status_t status = TRP_NO_MEMORY;
    if (envelope != NULL) {
        envelope->to = to;
        status = send_envelope(matter->sender, envelope);
        if (status != TRP_OK) {
            envelope_free(envelope);
        }
    }
    *(status == TRP_OK ? &matter->counts.sent : &matter->counts.refused) += members;
}

static void send_parcel(matter_t *matter, trp_pid_t to, uint32_t members)
{
    if (matter->parcel == NULL) {
        matter->parcel = make_parcel(matter);
    }
    send_copy(matter, matter->parcel, to, members);
}

static int by_proxy(const void *a, const void *b)
{
    return memcmp(&((const target_t *)a)->proxy, &((const target_t *)b)->proxy, sizeof(trp_pid_t));
}

/* Members with the same proxy become one target. Returns how many targets there are. */
static size_t merge(target_t *targets, size_t count)
{
    size_t kept = 0;
    qsort(targets, count, sizeof(*targets), by_proxy);
    for (size_t i = 0; i < count; i++) {
        target_t *last = kept == 0 ? NULL : &targets[kept - 1];
        if (last != NULL && trp_pid_equal(last->proxy, targets[i].proxy)) {
            last->members++;
        } else {
            targets[kept++] = targets[i];
        }
    }
    return kept;
}

/* To those behind proxies other than `except`: a single member as itself, more as a parcel. */
static trp_status_t send_far(matter_t *matter, const group_audience_t *audience, trp_pid_t except)
{
    trp_runtime_t *runtime = matter->sender->runtime;
    target_t *targets = malloc(audience->count * sizeof(*targets));
    size_t count = 0;
    if (targets == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < audience->count; i++) {
        const trp_pid_t pid = audience->pids[i];
        const trp_pid_t proxy = proxy_of(runtime, pid);
        if (trp_pid_is_none(proxy)) {
            send_copy(matter, matter->message, pid, 1);
        } else if (!trp_pid_equal(proxy, except)) {
            targets[count++] = (target_t){proxy, pid, 1};
        }
    }
    count = merge(targets, count);
    for (size_t i = 0; i < count; i++) {
        const target_t *target = &targets[i];
        if (target->members == 1) {
            send_copy(matter, matter->message, target->to, 1);
        } else {
            send_parcel(matter, route_behind(&runtime->routes, target->proxy), target->members);
        }
    }
    free(targets);
    return TRP_OK;
}

/* To all members that this runtime knows but those behind `except`. */
static trp_status_t send_all(matter_t *matter, trp_pid_t except)
{
    group_table_t *groups = &matter->sender->runtime->groups;
    group_audience_t audience;
    trp_status_t status = group_audience(groups, matter->topic, &audience);
    /* Relaxed: who joins meanwhile may miss this one. */
    if (status == TRP_OK && audience.count > 0 &&
        atomic_load_explicit(&groups->far_count, memory_order_relaxed) != 0) {
        status = send_far(matter, &audience, except);
    } else if (status == TRP_OK) {
        for (size_t i = 0; i < audience.count; i++) {
            send_copy(matter, matter->message, audience.pids[i], 1);
        }
    }
    group_audience_fini(&audience);
    return status;
}

static trp_pid_t uplink_of(const trp_runtime_t *runtime)
{
    return runtime->uplink.ask == NULL ? TRP_PID_NONE : runtime->uplink.parcels;
}

trp_status_t trp_publish(trp_ctx_t *ctx, const trp_publication_t *publication,
                         trp_published_t *counts)
{
    LEASE_CALL(ctx, TRP_GONE)
    content_t content = {.tag = publication->tag,
                         .data = publication->data,
                         .size = publication->size,
                         .message = publication->message};
    zmq_msg_t *bytes = publication->message;
    matter_t matter = {.sender = &ctx->worker->sender, .topic = publication->topic};
    if (counts != NULL) {
        *counts = (trp_published_t){0, 0};
    }
    trp_status_t status = context_fill(ctx, TRP_PID_NONE, &content, &matter.message);
    if (status != TRP_OK) {
        return status;
    }
    status = send_all(&matter, TRP_PID_NONE);
    const trp_pid_t node = uplink_of(ctx->runtime);
    if (status == TRP_OK && !trp_pid_is_none(node)) {
        send_parcel(&matter, node, 0);
    }
    ctx->worker->slice_work += matter.counts.sent;
    if (status != TRP_OK && bytes != NULL && (matter.message->flags & TRP_ENVELOPE_SHARED) != 0) {
        zmq_msg_move(bytes, &matter.message->payload.message);
    } else if (status == TRP_OK && bytes != NULL && zmq_msg_size(bytes) > 0) {
        zmq_msg_close(bytes); /* was copied, since it is small */
        zmq_msg_init(bytes);
    }
    envelope_free(matter.message);
    if (matter.parcel != NULL) {
        envelope_free(matter.parcel);
    }
    if (counts != NULL) {
        *counts = matter.counts;
    }
    return status;
}

void runtime_parcel(trp_runtime_t *runtime, trp_envelope_t *parcel, trp_pid_t from)
{
    char topic[TRP_NAME_MAX];
    const worker_t *worker = scheduler_current(runtime);
    matter_t matter = {.sender = worker == NULL ? &runtime->outsider : &worker->sender,
                       .topic = topic,
                       .message = envelope_alloc()};
    if (matter.message != NULL && open_parcel(parcel, topic, matter.message)) {
        (void)!send_all(&matter, from);
    }
    if (matter.message != NULL) {
        envelope_free(matter.message);
    }
    if (matter.parcel != NULL) {
        envelope_free(matter.parcel);
    }
    envelope_free(parcel);
}

/* ---- memberships of actors behind proxies ---- */

trp_status_t runtime_group_join(trp_runtime_t *runtime, const char *group, trp_pid_t pid,
                                group_member_t **mine)
{
    return group_join_far(&runtime->groups, group, pid, mine);
}

void runtime_group_leave(trp_runtime_t *runtime, const char *group, group_member_t **mine)
{
    if (group == NULL) {
        group_leave_all(&runtime->groups, mine);
    } else {
        group_leave(&runtime->groups, group, mine);
    }
}

size_t runtime_members(trp_runtime_t *runtime, const char *group, trp_pid_t *pids, size_t max)
{
    return group_members(&runtime->groups, group, pids, max);
}

void runtime_set_uplink(trp_runtime_t *runtime, const runtime_uplink_t *uplink)
{
    runtime->uplink = *uplink;
}
