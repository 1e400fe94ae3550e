/* SPDX-License-Identifier: MIT */
/* The black box of a worker process: what it did last, in memory that outlives it, however it dies.
 * A memfd that the node makes and seals against shrinking and growing, so that no worker can take
 * pages away from under the node's eyes; the guardian passes it on.
 *
 *     node      makes it, notes what it asks (probe); reads it as foreign input (black_box_read.h)
 *     guardian  child: notes which limits hold
 *     worker    its one thread writes: messages before they are handled, lines of its log, its end
 *     worker    probe thread: copies `asked` to `answered`, asleep otherwise
 *
 * shape: black_box_head_t, then `start_size` bytes: the map link_start of messages/wire.h, then a
 * ring of records of `ring_size` bytes, a power of two. A record is a black_box_record_t and its
 * bytes, padded to 8; positions count up for ever and are taken modulo the ring's size. Before old
 * records are overwritten `oldest` moves past them; after a new one is complete `written` does: a
 * writer killed at any point leaves a whole chain from oldest to written. Integers are of this
 * machine, and the version is one of this layout. */
#ifndef TRP_RUNTIME_BLACK_BOX_H
#define TRP_RUNTIME_BLACK_BOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/codec.h"
#include "messages/envelope.h"
#include "messages/status.h"

#define BLACK_BOX_MAGIC   0x584f4254u /* "TBOX" */
#define BLACK_BOX_VERSION 1
#define BLACK_BOX_START   16384  /* bytes kept of the start; a larger one is not kept */
#define BLACK_BOX_DEFAULT 262144 /* bytes of the whole */

typedef enum black_box_kind {
    BLACK_BOX_MESSAGE = 1, /* black_box_message_t, then the payload or its beginning */
    BLACK_BOX_TIMER,       /* the same: a timer of the actor fired */
    BLACK_BOX_LOG,         /* a line */
    BLACK_BOX_KIND_END
} black_box_kind_t;

typedef struct black_box_record {
    uint32_t size; /* of its bytes, without padding */
    uint32_t kind;
    uint64_t turn; /* of a message: its number; of a line: of the message in hand, or 0 */
    int64_t epoch_ms;
} black_box_record_t;

typedef struct black_box_message {
    uint32_t from[4], to[4]; /* pids: node, slot, generation, incarnation */
    uint64_t request_id;
    uint32_t size; /* of the whole payload, of which the beginning follows */
    uint16_t tag;
    uint16_t flags; /* of the envelope */
} black_box_message_t;

/** How it died, written by the handler of the signal. */
typedef struct black_box_death {
    _Atomic uint32_t signal; /* 0: no handler ran. Written last */
    int32_t code;            /* si_code */
    int32_t system_call;     /* of SIGSYS: its number, else -1 */
    int32_t error;           /* errno at the time */
    int32_t sender;          /* the process that sent the signal; 0: none did */
    int32_t reserved;
    uint64_t address;    /* of a fault */
    uint64_t data_bytes; /* writable memory that it had */
} black_box_death_t;

typedef struct black_box_head {
    uint32_t magic, version;
    uint32_t size, ring_size, start_size; /* of the whole, the ring, the start that is kept */
    uint32_t enforced;                    /* TRP_ENFORCED_ */
    int64_t memory_max;                   /* bytes, by RLIMIT_DATA; 0: none */
    _Atomic uint32_t asked, answered;     /* the probe */
    /* Relaxed: the node compares looks that are far apart. */
    _Atomic uint64_t turn;    /* number of the message in hand, or last in hand */
    _Atomic int64_t since_ns; /* monotonic: when its handler was called; 0: none is in hand */
    _Atomic uint64_t failed;  /* handlers that ended with TRP_NO_MEMORY */
    _Atomic uint64_t oldest, written; /* release: the records between them are complete */
    black_box_death_t death;
} black_box_head_t;

_Static_assert(sizeof(black_box_head_t) == 120 && sizeof(black_box_record_t) == 24 &&
                   sizeof(black_box_message_t) == 48,
               "another layout is another version");

/** One process's view of a box. */
typedef struct black_box {
    black_box_head_t *head; /* NULL: none */
    size_t size;            /* of the mapping, as this process found it */
    unsigned char *start, *ring;
    uint32_t ring_size;
} black_box_t;

/** Makes a box of about `size` bytes and its descriptor, which the caller closes. errors:
 * TRP_SYSTEM (errno) */
TRP_MUST_USE trp_status_t black_box_make(size_t size, black_box_t *box, int *fd);

/** A worker's view. errors: TRP_INVALID (no box of this version), TRP_SYSTEM */
TRP_MUST_USE trp_status_t black_box_open(int fd, black_box_t *box);

void black_box_close(black_box_t *box);

/** The node: keeps how the actor is started, if it fits. */
void black_box_start(black_box_t *box, const void *start, size_t size);

/* ---- the worker's thread; a box without head takes nothing ---- */

/** A message is about to be handled, or was. */
void black_box_begin(black_box_t *box, const trp_envelope_t *message);
void black_box_end(black_box_t *box);

/** A line of the log. */
void black_box_log(black_box_t *box, const char *line, size_t size);

/* ---- the probe ---- */

/** The node: asks the probe thread, and says whether the last question has its answer. */
void black_box_ask(black_box_t *box);
bool black_box_has_answered(const black_box_t *box);

/** The probe thread's loop, for ever. */
_Noreturn void black_box_answer(black_box_t *box);

#endif
