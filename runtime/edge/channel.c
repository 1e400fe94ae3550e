/* SPDX-License-Identifier: MIT */
#include "runtime/edge/channel.h"

#include <string.h>

#define TO(state) (1 + CHANNEL_##state)

/* TO the state after a frame of each kind came in; 0: such a frame is not allowed then. */
static const uint8_t next_state[CHANNEL_ROLES][CHANNEL_STATES][WIRE_KIND_END] =
    {
        [CHANNEL_NODE] =
            {
                [CHANNEL_CLOSED] = {[WIRE_HELLO] = TO(GREETED)},
                [CHANNEL_STARTED] = {[WIRE_READY] = TO(READY),
                                     [WIRE_DATA] = TO(STARTED),
                                     [WIRE_REPORT] = TO(STARTED),
                                     [WIRE_ASK] = TO(STARTED),
                                     [WIRE_BYE] = TO(ENDED)},
                [CHANNEL_READY] = {[WIRE_DATA] = TO(READY),
                                   [WIRE_REPORT] = TO(READY),
                                   [WIRE_ASK] = TO(READY),
                                   [WIRE_BYE] = TO(ENDED)},
            },
        [CHANNEL_WORKER] =
            {
                [CHANNEL_CLOSED] = {[WIRE_WELCOME] = TO(GREETED), [WIRE_BYE] = TO(ENDED)},
                [CHANNEL_GREETED] = {[WIRE_START] = TO(STARTED), [WIRE_BYE] = TO(ENDED)},
                [CHANNEL_STARTED] = {[WIRE_DATA] = TO(STARTED),
                                     [WIRE_REPORT] = TO(STARTED),
                                     [WIRE_ANSWER] = TO(STARTED),
                                     [WIRE_BYE] = TO(ENDED)},
            },
};

static void use_default(uint64_t *value, uint64_t fallback)
{
    if (*value == 0) {
        *value = fallback;
    }
}

void channel_init(channel_t *channel, const channel_options_t *options)
{
    memset(channel, 0, sizeof(*channel));
    channel->options = *options;
    use_default(&channel->options.window_messages, CHANNEL_WINDOW_MESSAGES);
    use_default(&channel->options.window_bytes, CHANNEL_WINDOW_BYTES);
    use_default(&channel->options.report_messages, CHANNEL_WINDOW_MESSAGES / 2);
    use_default(&channel->options.report_bytes, CHANNEL_WINDOW_BYTES / 2);
    wire_batch_init(&channel->batch);
}

void channel_fini(channel_t *channel)
{
    for (trp_envelope_t *envelope = channel_take(channel); envelope != NULL;) {
        trp_envelope_t *next = envelope->next;
        envelope_free(envelope);
        envelope = next;
    }
    wire_batch_fini(&channel->batch);
}

trp_envelope_t *channel_take(channel_t *channel)
{
    trp_envelope_t *first = channel->first;
    channel->first = channel->last = NULL;
    channel->waiting = 0;
    return first;
}

void channel_push(channel_t *channel, trp_envelope_t *envelope)
{
    envelope->next = NULL;
    if (channel->last == NULL) {
        channel->first = envelope;
    } else {
        channel->last->next = envelope;
    }
    channel->last = envelope;
    channel->waiting++;
}

static bool is_signal(const trp_envelope_t *envelope)
{
    return (envelope->flags & TRP_ENVELOPE_SIGNAL) != 0;
}

trp_envelope_t *channel_take_message(channel_t *channel)
{
    trp_envelope_t *before = NULL;
    trp_envelope_t *at = channel->first;
    while (at != NULL && is_signal(at)) {
        before = at;
        at = at->next;
    }
    if (at == NULL) {
        return NULL;
    }
    *(before == NULL ? &channel->first : &before->next) = at->next;
    if (channel->last == at) {
        channel->last = before;
    }
    channel->waiting--;
    return at;
}

/* ---- out ---- */

/* One message may be larger than the whole window. It need not wait until nothing is under way: the
 * other end may have handled all of that and not report it, since it is less than half a window. */
static bool has_credit(const channel_t *channel, const trp_envelope_t *envelope, size_t size)
{
    const uint64_t messages = channel->forwarded.messages - channel->credited.messages;
    const uint64_t bytes = channel->forwarded.bytes - channel->credited.bytes;
    return is_signal(envelope) || (messages < channel->options.window_messages &&
                                   (bytes < (channel->options.window_bytes + 1) / 2 ||
                                    bytes + size <= channel->options.window_bytes));
}

static void send_batch(channel_t *channel)
{
    zmq_msg_t *frames = NULL;
    size_t count = 0;
    if (channel->batch.count == 0) {
        return;
    }
    if (wire_batch_seal(&channel->batch, &channel->handled, &frames, &count) != TRP_OK) {
        return; /* no memory: at the next flush */
    }
    channel->reported = channel->handled;
    /* What can't be sent now never will be: the other end is gone, and its end is dealt with. */
    (void)!channel->options.send(channel->options.user, frames, count);
    wire_batch_clear(&channel->batch);
}

/* Moves envelopes into the batch; false: a full batch must go first. */
static bool fill_batch(channel_t *channel)
{
    while (channel->first != NULL) {
        trp_envelope_t *envelope = channel->first;
        size_t size = 0;
        (void)trp_message_data(envelope, &size);
        if (!has_credit(channel, envelope, size)) {
            return true;
        }
        const trp_status_t status = wire_batch_add(&channel->batch, envelope);
        if (status != TRP_OK) {
            return status != TRP_FULL;
        }
        if (!is_signal(envelope)) {
            channel->forwarded.messages++;
            channel->forwarded.bytes += size;
        }
        channel->first = envelope->next;
        if (channel->first == NULL) {
            channel->last = NULL;
        }
        channel->waiting--;
        envelope_free(envelope);
    }
    return true;
}

static bool report_is_due(const channel_t *channel)
{
    return channel->handled.messages - channel->reported.messages >=
               channel->options.report_messages ||
           channel->handled.bytes - channel->reported.bytes >= channel->options.report_bytes;
}

void channel_flush(channel_t *channel)
{
    if (channel->state != CHANNEL_STARTED && channel->state != CHANNEL_READY) {
        return;
    }
    bool filled = channel->first == NULL;
    while (!filled) {
        filled = fill_batch(channel);
        send_batch(channel);
    }
    if (report_is_due(channel)) {
        (void)!channel_send(channel, WIRE_REPORT, NULL, 0);
    }
}

trp_status_t channel_send(channel_t *channel, wire_kind_t kind, const void *body, size_t size)
{
    zmq_msg_t frame;
    trp_status_t status = wire_frame(kind, &channel->handled, body, size, &frame);
    if (status != TRP_OK) {
        return status;
    }
    channel->reported = channel->handled;
    status = channel->options.send(channel->options.user, &frame, 1);
    (void)zmq_msg_close(&frame);
    if (kind == WIRE_START) {
        channel->state = CHANNEL_STARTED;
    } else if (kind == WIRE_BYE) {
        channel->state = CHANNEL_ENDED;
    }
    return status;
}

void channel_handled(channel_t *channel, uint64_t messages, uint64_t bytes)
{
    channel->handled = (wire_report_t){messages, bytes};
}

/* ---- in ---- */

static trp_status_t take_report(channel_t *channel, const wire_report_t *report)
{
    const wire_report_t before = channel->credited;
    if (report->messages < before.messages || report->bytes < before.bytes ||
        report->messages > channel->forwarded.messages ||
        report->bytes > channel->forwarded.bytes) {
        return TRP_PROTOCOL;
    }
    channel->credited = *report;
    if (report->messages != before.messages && channel->options.credit != NULL) {
        channel->options.credit(channel->options.user, report->messages - before.messages,
                                report->bytes - before.bytes);
    }
    return TRP_OK;
}

static trp_status_t deliver_all(channel_t *channel, wire_reader_t *reader)
{
    wire_item_t item;
    while (wire_next(reader, &item)) {
        trp_envelope_t *envelope = envelope_alloc();
        if (envelope == NULL) {
            return TRP_NO_MEMORY;
        }
        const trp_status_t status = wire_envelope(&item, envelope);
        if (status != TRP_OK) {
            envelope_free(envelope);
            return status;
        }
        channel->options.deliver(channel->options.user, envelope);
    }
    return TRP_OK;
}

trp_status_t channel_receive(channel_t *channel, zmq_msg_t *frames, size_t count,
                             wire_reader_t *reader)
{
    trp_status_t status = wire_open(reader, frames, count);
    if (status != TRP_OK) {
        return status;
    }
    const uint8_t next = next_state[channel->options.role][channel->state][reader->kind];
    if (next == 0) {
        return TRP_PROTOCOL;
    }
    status = take_report(channel, &reader->report);
    if (status != TRP_OK) {
        return status;
    }
    channel->state = (channel_state_t)(next - 1);
    return reader->kind == WIRE_DATA ? deliver_all(channel, reader) : TRP_OK;
}
