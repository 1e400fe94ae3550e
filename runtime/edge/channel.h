/* SPDX-License-Identifier: MIT */
/* A channel: one end of the link between a node and one of its worker processes. It knows the
 * frames (messages/wire.h), the order of the hand-shake, and credit; it knows no socket and no
 * actor. Edge thread only.
 *
 *     to the node       hello             CLOSED -> GREETED
 *     to the worker     welcome, start           -> STARTED
 *     to the node       ready                    -> READY
 *     both ways         data, report      STARTED, READY
 *     to the node       ask               STARTED, READY
 *     to the worker     answer            STARTED
 *                       bye                      -> ENDED: no frame follows
 *
 * Credit: at most `window` messages are forwarded and not yet reported as handled by the other end;
 * the rest waits here, in order. Signals need no credit but keep their place in the order. What
 * this end has handled rides on every frame that goes out; a report of its own goes when it grew by
 * `report_messages` or `report_bytes` and there was nothing else to send. */
#ifndef TRP_RUNTIME_CHANNEL_H
#define TRP_RUNTIME_CHANNEL_H

#include <stdbool.h>

#include "messages/wire.h"

#define CHANNEL_WINDOW_MESSAGES 128
#define CHANNEL_WINDOW_BYTES    (1u << 20)

typedef enum channel_role { CHANNEL_NODE, CHANNEL_WORKER, CHANNEL_ROLES } channel_role_t;

typedef enum channel_state {
    CHANNEL_CLOSED,
    CHANNEL_GREETED,
    CHANNEL_STARTED,
    CHANNEL_READY,
    CHANNEL_ENDED,
    CHANNEL_STATES
} channel_state_t;

typedef struct channel_options {
    channel_role_t role;
    uint64_t window_messages, window_bytes; /* 0: the defaults above */
    uint64_t report_messages, report_bytes; /* 0: half of the default window */

    /** Sends frames to the other end; what is left of them is closed by the channel. An error means
     * that the other end is gone. */
    trp_status_t (*send)(void *user, zmq_msg_t *frames, size_t count);
    /** An envelope came. owns: taken */
    void (*deliver)(void *user, trp_envelope_t *envelope);
    /** The other end has handled so many more. */
    void (*credit)(void *user, uint64_t messages, uint64_t bytes);
    void *user;
} channel_options_t;

typedef struct channel {
    channel_options_t options;
    channel_state_t state;
    trp_envelope_t *first, *last; /* waiting for credit */
    size_t waiting;
    wire_batch_t batch;
    wire_report_t forwarded; /* messages and bytes that went out, ever */
    wire_report_t credited;  /* those that the other end has reported as handled */
    wire_report_t handled;   /* of what came in, by this end */
    wire_report_t reported;  /* what the other end knows of that */
} channel_t;

void channel_init(channel_t *channel, const channel_options_t *options);

/** Frees what waits. */
void channel_fini(channel_t *channel);

/** Puts an envelope behind those that wait. owns: taken */
void channel_push(channel_t *channel, trp_envelope_t *envelope);

/** Sends what waits and has credit, many envelopes in one frame; else a report, if one is due. To
 * be called at the end of a turn of the edge. */
void channel_flush(channel_t *channel);

/** Sends a frame of another kind than data; start and bye change the state. errors: those of
 * `send`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t channel_send(channel_t *channel, wire_kind_t kind, const void *body,
                                       size_t size);

/** What this end has handled of what was delivered, ever. */
void channel_handled(channel_t *channel, uint64_t messages, uint64_t bytes);

/** A message of the other end: envelopes are delivered and credit is told; any other kind is the
 * caller's to act upon, from `reader` while `frames` live. errors: TRP_PROTOCOL (ill-formed, out of
 * order, reports more than was sent), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t channel_receive(channel_t *channel, zmq_msg_t *frames, size_t count,
                                          wire_reader_t *reader);

/** Takes the oldest message that waits; signals stay. NULL: none. owns: the caller's */
trp_envelope_t *channel_take_message(channel_t *channel);

/** Takes what waits, oldest first, linked by `next`; NULL: nothing. owns: the caller's */
trp_envelope_t *channel_take(channel_t *channel);

#endif
