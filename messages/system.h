/* SPDX-License-Identifier: MIT */
/* Signals of the runtime itself, and which tags belong to whom. */
#ifndef TRP_MESSAGES_SYSTEM_H
#define TRP_MESSAGES_SYSTEM_H

#include "messages/pid.h"
#include "messages/reason.h"

/* Ranges of tags: 1..0x00ff the runtime, 0x0100 tasks, 0x0200 match, 0x0300 transform, 0x0400
 * parser, 0x0500 supervisor and control, 0x0600 router, 0x0700 store, 0x1000 and above: programs of
 * users. */
#define TRP_TAG_USER 0x1000u

/** Tags that an actor's `receive` can see. From messages/system.h, payload in brackets. */
enum {
    TRP_TAG_EXIT = 1, /* a linked actor ended, seen only when exits are trapped [trp_reason_t] */
    TRP_TAG_DOWN = 2, /* a monitored actor ended; request_id = the monitor's ref [trp_reason_t] */
    TRP_TAG_STARTED = 3,      /* an actor spawned with `ack` is ready (its init succeeded) [] */
    TRP_TAG_TIMEOUT = 4,      /* no reply to request_id within its time limit [] */
    TRP_TAG_SOCKET = 5,       /* reserved for the edge */
    TRP_TAG_STOP = 6,         /* the node is draining: take no new work [] */
    TRP_TAG_STATE = 7,        /* a time-out of runtime/machine.h, which handles it [] */
    TRP_TAG_DEAD_LETTER = 8,  /* see trp_dead_letters: nobody handled it [trp_dead_letter_t] */
    TRP_TAG_SNAPSHOT = 9,     /* answers trp_snapshot_take [trp_snapshot] */
    TRP_TAG_NO_SNAPSHOT = 10, /* the same when there is none [int32: a trp_status_t] */
    TRP_TAG_FAILED = 11,      /* a function of trp_offload failed [int32: a trp_status_t] */
};

/** Why messages die: X(NAME, "name"). The last two are drops: the receiver lives, its mailbox was
 * full and its policy (trp_spawn_t.overflow) chose this one. */
#define TRP_DEAD_MAP(X)                                                    \
    X(STALE, "stale")             /* the receiver had ended before */      \
    X(GONE, "gone")               /* it ended while this was on its way */ \
    X(ENDED, "ended")             /* it ended before this one's turn */    \
    X(EXPIRED, "expired")         /* its deadline passed */                \
    X(LATE, "late")               /* a reply after its time */             \
    X(UNREACHABLE, "unreachable") /* no way to its node */                 \
    X(WORKER, "worker")           /* the receiver's process ended */       \
    X(FULL, "full")               /* no room behind a link's other end */  \
    X(DROP_NEW, "drop_new")       /* a drop: it was the newest */          \
    X(DROP_OLD, "drop_old")       /* a drop: it was the oldest */

typedef enum trp_dead {
#define TRP_DEAD_ENUM(name, text) TRP_DEAD_##name,
    TRP_DEAD_MAP(TRP_DEAD_ENUM)
#undef TRP_DEAD_ENUM
        TRP_DEAD_COUNT
} trp_dead_t;

/** The cause's name: "stale". Never NULL. */
TRP_API const char *trp_dead_name(unsigned why);

/** A message that nobody handled; travels as these bytes, inside one process. */
typedef struct trp_dead_letter {
    trp_pid_t to, from;  /* from NONE: sent from outside of actors */
    uint64_t request_id; /* of a request or a reply; 0: neither */
    uint32_t size;       /* bytes of its payload; cut at UINT32_MAX */
    uint16_t tag;
    char why[18]; /* the name of a trp_dead_t: "stale" */
} trp_dead_letter_t;

_Static_assert(sizeof(trp_dead_letter_t) == 64, "a dead letter has no gaps");

/** Between runtimes, never seen by `receive`: a publication for the members behind the receiver, a
 * pid of slot 0. An ordinary message otherwise: it counts and has a bound. shape: u16 tag, u8 bytes
 * of the topic, the topic, the payload */
enum { TRP_TAG_PARCEL = 0x30 };

/** Tags between cells, never seen by `receive` (a proxy sees them all). */
enum {
    TRP_SIGNAL_EXIT =
        0x20, /* exit request (request_id 0), or a link's end (request_id 1): that one counts only
               * while the link is there [trp_reason_t]; from = who asks or ended */
    TRP_SIGNAL_KILL = 0x21,       /* urgent, cannot be trapped [] */
    TRP_SIGNAL_LINK = 0x22,       /* [] */
    TRP_SIGNAL_UNLINK = 0x23,     /* request_id: of its acknowledgement [] */
    TRP_SIGNAL_MONITOR = 0x24,    /* request_id = ref [] */
    TRP_SIGNAL_DEMONITOR = 0x25,  /* request_id = ref [] */
    TRP_SIGNAL_DOWN = 0x26,       /* request_id = ref [trp_reason_t] */
    TRP_SIGNAL_TIMER = 0x27,      /* a timer fired: looked up by request_id */
    TRP_SIGNAL_LOOK = 0x28,       /* from the edge to a proxy: look at what came for you [] */
    TRP_SIGNAL_NODE_DOWN = 0x29,  /* from.node, from.incarnation: all its pids are dead [reason] */
    TRP_SIGNAL_SAVE = 0x2a,       /* request_id: that of a request for a snapshot [] */
    TRP_SIGNAL_ROOM = 0x2b,       /* urgent: `from` waits for room; request_id = its tag [] */
    TRP_SIGNAL_HAS_ROOM = 0x2c,   /* back to it; request_id = that tag [] */
    TRP_SIGNAL_UNLINK_ACK = 0x2d, /* request_id: of the UNLINK that was acted upon [] */
    TRP_SIGNAL_HOLD = 0x2e,       /* from the edge to a proxy: its actor has linked to `from` [] */
    TRP_SIGNAL_LET_GO = 0x2f,     /* ... and unlinked [] */
};

#endif
