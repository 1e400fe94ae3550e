/* SPDX-License-Identifier: MIT */
/* What two processes say to each other over a channel: ZeroMQ messages whose first frame has a
 * fixed binary head, and many envelopes in one frame, since crossing costs are per frame. Any one
 * thread at a time for each object. All integers are little-endian.
 *
 *     hello    worker to node     link_hello: who it is
 *     welcome  node to worker     the hello was taken; to a worker that runs a program of its own
 *                                 the contract of its class (messages/contract.h), else no body
 *     start    node to worker     link_start: which actor to run
 *     ready    worker to node     its init has succeeded; no body
 *     data     both ways          envelopes, signals among them
 *     report   both ways          nothing but the head
 *     ask      worker to node     link_ask: what only the node knows, or a change of memberships
 *     answer   node to worker     link_answer; not held back by credit, as data may be
 *     bye      both ways          trp_reason_t: the sender ends the link, no frame follows
 *
 * Each head carries the sender's cumulative account of what it has handled (credit), so a report of
 * its own is needed only when there is nothing else to say.
 *
 * shape: the head of the first frame, 32 bytes
 *      0  u32  "TRPL"
 *      4  u8   version, WIRE_VERSION
 *      5  u8   kind
 *      6  u16  envelopes in this frame (data), else 0
 *      8  u32  bytes behind the head
 *     12  u32  further frames
 *     16  u64  messages handled so far
 *     24  u64  bytes of payload handled so far
 *
 * shape: each envelope of a data frame, 64 bytes and the payload behind them, with no padding
 *      0  pid  to: node, slot, generation, incarnation, u32 each
 *     16  pid  from
 *     32  u64  request id
 *     40  i64  deadline, ns of the monotonic clock that both ends have; 0 = none
 *     48  u32  trace id
 *     52  u16  tag
 *     54  u8   flags: REPLY, SIGNAL, URGENT of messages/envelope.h. No STRUCT: the other end may be
 *              another build, with another layout, so what leaves a runtime is packed
 *     55  u8   1: the payload is the next of the further frames; 0: it follows here
 *     56  u32  bytes of payload
 *     60  u32  0
 *
 * What is not exactly so is TRP_PROTOCOL as a whole: nothing of such a message is delivered. */
#ifndef TRP_MESSAGES_WIRE_H
#define TRP_MESSAGES_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "messages/api.h"
#include "messages/envelope.h"
#include "messages/schema.h"
#include "messages/snapshot.h"
#include "messages/status.h"

#define WIRE_VERSION    2
#define WIRE_COPY_MAX   8191      /* bytes of payload that are copied; more travels as a frame */
#define WIRE_COUNT_MAX  65535     /* envelopes of one data frame */
#define WIRE_FRAME_MAX  (1 << 24) /* bytes of envelopes in one data frame, which it stays below */
#define WIRE_FRAMES_MAX 1024      /* frames of one message */

typedef enum wire_kind {
    WIRE_HELLO = 1,
    WIRE_WELCOME,
    WIRE_START,
    WIRE_READY,
    WIRE_DATA,
    WIRE_REPORT,
    WIRE_BYE,
    WIRE_ASK,
    WIRE_ANSWER,
    WIRE_KIND_END
} wire_kind_t;

#define LINK_HELLO_FIELDS(F)                                                 \
    F(BYTES, token, _, 0, 64, "what the guardian gave it: proves who it is") \
    F(INT, node, _, 0, 4294967295, "its number in pids")                     \
    F(INT, incarnation, _, 0, 4294967295, "of this process")                 \
    F(INT, os_pid, _, 0, 4294967295, "of this process")

#define LINK_START_FIELDS(F)                                                   \
    F(STRING, class_name, _, 1, 255, "class of the actor")                     \
    F(STRING, pid, _, 1, 63, "the pid by which all know it")                   \
    F(OPT_STRING, name, _, 1, 63, "its registered name")                       \
    F(INT, depth_max, _, 0, 4294967295, "messages in its mailbox; 0: default") \
    F(INT, size_max, _, 0, 9e15, "bytes in its mailbox; 0: default")           \
    F(INT, restarts, _, 0, 4294967295, "how often it was started again")       \
    F(INT, args_tag, _, 0, 65535, "tag of the message for its init")           \
    F(OPT_BYTES, args, _, 0, TRP_LINK_ARGS_MAX, "that message")                \
    F(OPT_INT, memory_quota, _, 0, 9e15, "bytes: its quota; 0: none")          \
    F(OPT_BYTES, snapshot, _, 0, TRP_LINK_SNAPSHOT_MAX, "what it begins with")

#define LINK_QUESTIONS "whereis|members|join|leave|tell|register|unregister"

#define LINK_ASK_FIELDS(F)                                                  \
    F(INT, id, _, 0, 9e15, "of the answer; 0: none is wanted")              \
    F(ENUM, what, LINK_QUESTIONS, 0, 0, "the question")                     \
    F(STRING, name, _, 0, 63, "of an actor or a group; empty: all groups")  \
    F(OPT_STRING, pid, _, 1, 63, "whose membership or name; tell: to whom") \
    F(OPT_INT, tag, _, 1, 65535, "tell: of the message")                    \
    F(OPT_BYTES, data, _, 0, TRP_TELL_MAX, "tell: its payload")

#define LINK_ANSWER_FIELDS(F)                             \
    F(INT, id, _, 0, 9e15, "of the question")             \
    F(INT, status, _, 0, 255, "trp_status_t")             \
    F(INT, count, _, 0, 4294967295, "how many there are") \
    F(BYTES, pids, _, 0, LINK_PIDS_MAX, "those that fit, 16 bytes each")

#define LINK_PIDS_MAX         1048576                   /* bytes of pids in an answer */
#define TRP_LINK_ARGS_MAX     1048576                   /* bytes */
#define TRP_TELL_MAX          1048576                   /* bytes of a message told */
#define TRP_LINK_SNAPSHOT_MAX (TRP_SNAPSHOT_MAX + 1024) /* bytes */

TRP_SCHEMA_DECLARE(link_hello, LINK_HELLO_FIELDS)
TRP_SCHEMA_DECLARE(link_start, LINK_START_FIELDS)
TRP_SCHEMA_DECLARE(link_ask, LINK_ASK_FIELDS)
TRP_SCHEMA_DECLARE(link_answer, LINK_ANSWER_FIELDS)

typedef enum link_question {
    LINK_WHEREIS,
    LINK_MEMBERS,
    LINK_JOIN,
    LINK_LEAVE,
    LINK_TELL,
    LINK_REGISTER,
    LINK_UNREGISTER,
} link_question_t;

/** What an end has handled since the link came up; it never falls. */
typedef struct wire_report {
    uint64_t messages;
    uint64_t bytes;
} wire_report_t;

/* ---- out ---- */

/** Envelopes on their way into one data message. Kept by a link and used again and again.
 * owns: the buffer, and references to the large payloads */
typedef struct wire_batch {
    unsigned char *data;
    size_t size;
    size_t capacity;
    size_t count;      /* envelopes */
    zmq_msg_t *frames; /* the first one is left free for the head and `data` */
    size_t frame_count;
    size_t frame_capacity;
    bool sealed; /* the first frame is made */
} wire_batch_t;

void wire_batch_init(wire_batch_t *batch);
void wire_batch_fini(wire_batch_t *batch);

/** Adds an envelope (no STRUCT: envelope_pack), which stays the caller's: a payload up to
 * WIRE_COPY_MAX is copied, of a larger one a reference is taken. errors: TRP_FULL (send this batch
 * first), TRP_TOO_LARGE (4 GiB), TRP_NO_MEMORY; nothing was added */
TRP_MUST_USE trp_status_t wire_batch_add(wire_batch_t *batch, const trp_envelope_t *envelope);

/** The batch as frames, ready to send: `*frames` and `*count` are valid until the batch is cleared
 * or added to. A refused send is tried again with the same frames, or after a new seal. errors:
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t wire_batch_seal(wire_batch_t *batch, const wire_report_t *report,
                                          zmq_msg_t **frames, size_t *count);

/** Empties the batch; frames that were not sent are closed. */
void wire_batch_clear(wire_batch_t *batch);

/** A message of any other kind: one frame, `body` behind the head. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t wire_frame(wire_kind_t kind, const wire_report_t *report,
                                     const void *body, size_t size, zmq_msg_t *frame);

/* ---- in ---- */

/** One envelope of a data message. `data` points into a frame and has no alignment. */
typedef struct wire_item {
    trp_pid_t to;
    trp_pid_t from;
    uint64_t request_id;
    int64_t deadline_ns; /* 0 = none */
    uint32_t trace_id;
    uint16_t tag;
    uint8_t flags;
    const void *data;
    size_t size;
    zmq_msg_t *frame; /* the payload has this frame for itself and may be moved; NULL: copy it */
} wire_item_t;

/** A message that was checked as a whole. */
typedef struct wire_reader {
    wire_kind_t kind;
    wire_report_t report;
    const void *body; /* of other kinds than data */
    size_t body_size;
    size_t count; /* envelopes that wire_next will still give */
    const unsigned char *at;
    zmq_msg_t *next_frame;
} wire_reader_t;

/** Checks a message. The frames stay the caller's and must outlive the reader.
 * errors: TRP_PROTOCOL (truncated, another version, unknown kind or flag, counts or sizes that
 * don't agree) */
TRP_MUST_USE trp_status_t wire_open(wire_reader_t *reader, zmq_msg_t *frames, size_t count);

/** The version of the protocol that a first frame says; 0: it says none. For who tells people. */
unsigned wire_version(zmq_msg_t *frame);

/** The next envelope; false behind the last one. */
bool wire_next(wire_reader_t *reader, wire_item_t *item);

/** Fills a fresh envelope: small payloads are copied, a frame is moved out of the message.
 * errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t wire_envelope(const wire_item_t *item, trp_envelope_t *envelope);

#endif
