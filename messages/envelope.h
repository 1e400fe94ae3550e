/* SPDX-License-Identifier: MIT */
/* The envelope: one message or signal on its way. 128 bytes, one owner at a time: the sender's
 * until its push succeeds, the receiving cell's after. Immutable after send. A handler sees it as
 * `const trp_envelope_t *`. */
#ifndef TRP_MESSAGES_ENVELOPE_H
#define TRP_MESSAGES_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "messages/api.h"
#include "messages/misuse.h"
#include "messages/pid.h"
#include "messages/status.h"

#define TRP_INLINE_MAX \
    64 /* bytes that travel inside the envelope itself, with no call into libzmq */

#define TRP_STRUCT_MAX (TRP_INLINE_MAX - 8) /* bytes of a struct that travels as it is */

#define TRP_TRACE_STAMP \
    (1u << 31) /* of trace_id: the time of sending (runtime/core/meter.h), never on a wire */

#define TRP_ENVELOPE_SIZE 128 /* and its alignment: a pair of cache lines, fetched together */

enum {
    TRP_ENVELOPE_SHARED =
        1u << 0,                  /* payload.message holds the bytes, reference-counted by libzmq */
    TRP_ENVELOPE_REPLY = 1u << 1, /* answers `request_id` of the receiver */
    TRP_ENVELOPE_SIGNAL = 1u << 2,   /* system traffic (messages/system.h): exempt from bounds */
    TRP_ENVELOPE_URGENT = 1u << 3,   /* kill and inspection only: read before all else */
    TRP_ENVELOPE_STRUCT = 1u << 4,   /* payload.native holds a struct; inside one runtime only */
    TRP_ENVELOPE_METERED = 1u << 5,  /* counted in envelope_meter when it is freed: handled */
    TRP_ENVELOPE_DEFERRED = 1u << 6, /* was shown and put off: shown again as it is */
    TRP_ENVELOPE_CHARGED = 1u << 7,  /* who pushed it has charged it to the mailbox (mailbox.h) */
};

typedef struct trp_envelope {
    _Alignas(TRP_ENVELOPE_SIZE) struct trp_envelope *next; /* list of whoever owns it */
    trp_pid_t to;
    trp_pid_t from;
    uint64_t request_id; /* of a request or its reply; 0 = none */
    int64_t deadline_ns; /* monotonic clock of this machine; 0 = none */
    uint32_t trace_id;   /* 0 = none; a stamp when it has TRP_TRACE_STAMP */
    uint16_t tag;        /* which message: messages/system.h, or the tag of a schema */
    uint8_t flags;
    uint8_t inline_size; /* bytes used of payload.bytes when not TRP_ENVELOPE_SHARED */
    union {
        zmq_msg_t message;
        unsigned char bytes[TRP_INLINE_MAX];
        struct {
            unsigned char bytes[TRP_STRUCT_MAX];
            const struct trp_schema *schema; /* by which the struct is read and packed */
        } native;
    } payload;
} trp_envelope_t;

_Static_assert(sizeof(((trp_envelope_t *)0)->payload) == TRP_INLINE_MAX, "a schema fits behind");
_Static_assert(sizeof(zmq_msg_t) == TRP_INLINE_MAX, "libzmq's message is 64 bytes");
_Static_assert(sizeof(trp_envelope_t) == TRP_ENVELOPE_SIZE, "an envelope is two cache lines");

#define TRP_ENVELOPE_FREED 0xdb /* inline_size of one that is nobody's, where that is checked */

/** Aborts when the envelope is not the caller's any more; debug builds only. */
static inline void trp_envelope_check(const trp_envelope_t *envelope, const char *function)
{
    if (TRP_CHECKED && envelope->inline_size == TRP_ENVELOPE_FREED) {
        trp_misuse(function, "a message is used after it was sent, put off or handled");
    }
}

/** The payload's bytes; `size` gets their number. Valid while the envelope lives; unaligned when
 * SHARED. */
static inline const void *trp_message_data(const trp_envelope_t *message, size_t *size)
{
    trp_envelope_check(message, __func__);
    if ((message->flags & TRP_ENVELOPE_SHARED) != 0) {
        zmq_msg_t *shared = (zmq_msg_t *)(uintptr_t)&message->payload.message;
        *size = zmq_msg_size(shared);
        return zmq_msg_data(shared);
    }
    *size = message->inline_size;
    return message->payload.bytes;
}

/** An empty envelope from this thread's cache. NULL when out of memory. */
TRP_API trp_envelope_t *envelope_alloc(void);

/** Releases the payload and gives the envelope back to this thread's cache. */
TRP_API void envelope_free(trp_envelope_t *envelope);

/** Bytes of memory that the process has for envelopes now: it falls again after a burst. */
TRP_API size_t envelope_memory(void);

/** What became of the metered envelopes of this thread: how a worker process, which has one thread,
 * knows what it has handled of what came over its link. A copy of a metered envelope is not
 * metered. */
typedef struct envelope_meter {
    uint64_t messages;
    uint64_t bytes; /* of payload */
} envelope_meter_t;

TRP_API envelope_meter_t envelope_meter(void);

/** Has this thread count from there: a simulation, where processes take turns on one thread. */
TRP_API void envelope_meter_set(envelope_meter_t meter);

/** Copies `size` bytes in: inline up to TRP_INLINE_MAX, else into a new zmq message. errors:
 * TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t envelope_set(trp_envelope_t *envelope, const void *data,
                                               size_t size);

/** Moves a zmq message in (it is left empty); up to TRP_INLINE_MAX bytes are copied into the
 * envelope. What came from a socket and is under 8 KiB wants envelope_set instead: moved, it would
 * keep libzmq's whole read buffer alive. errors: TRP_INVALID (not an initialised message) */
TRP_API TRP_MUST_USE trp_status_t envelope_move(trp_envelope_t *envelope, zmq_msg_t *message);

/** A second envelope on the same payload (shared, not copied, when SHARED); list link cleared.
 * NULL: no memory */
TRP_API trp_envelope_t *envelope_copy(const trp_envelope_t *envelope);

#endif
