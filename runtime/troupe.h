/* SPDX-License-Identifier: MIT */
/* troupe for actor authors: one header, a manual in itself.
 *
 * An actor is a class (a table of functions), a state block and a mailbox; it is reached by its
 * pid. One message is handled at a time; a callback that returns a status other than TRP_OK ends
 * the actor with that status as its reason, and its supervisor decides what follows: let it crash.
 * The same class runs in the shared pool, in a thread or in a process of its own, by one word of
 * configuration (`place`).
 *
 *     static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
 *     {
 *         struct counter *counter = state;
 *         counter->total++;
 *         return trp_reply(ctx, message, TAG_TOTAL, &counter->total, sizeof(counter->total));
 *     }
 *     static const trp_class_t counter_class = {
 *         .name = "counter", .state_size = sizeof(struct counter), .receive = receive};
 *
 *     int main(int argc, char **argv)
 *     {
 *         return trp_main(argc, argv, (const trp_class_t *const[]){&counter_class, NULL});
 *     }
 */
#ifndef TRP_RUNTIME_TROUPE_H
#define TRP_RUNTIME_TROUPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/api.h"
#include "messages/codec.h"
#include "messages/envelope.h"
#include "messages/pid.h"
#include "messages/reason.h"
#include "messages/schema.h"
#include "messages/snapshot.h"
#include "messages/status.h"
#include "messages/system.h"
#include "runtime/limits.h"

/** An actor's view of the runtime: handed to its callbacks, valid inside them only, never
 * stored. A message is the actor's for the callback, too, until it is put off. Debug builds abort
 * with a text when either is used later (messages/misuse.h). */
typedef struct trp_ctx trp_ctx_t;

/* ---- classes ---- */

/** What an actor is. All callbacks run one at a time for each actor, on some scheduler thread. */
typedef struct trp_class {
    const char *name;
    uint32_t version;
    size_t state_size; /* bytes; zeroed before init */

    /** Prepares `state`. `args`: the spawn's message, or NULL; for a child of a configured tree a
     * map of `options`. TRP_PENDING: readiness comes later, by trp_ready. Any other status: the
     * start failed with it. May be NULL. */
    trp_status_t (*init)(trp_ctx_t *ctx, void *state, const trp_envelope_t *args);

    /** Handles one message. Not TRP_OK: the actor ends with reason error and that status. */
    trp_status_t (*receive)(trp_ctx_t *ctx, void *state, const trp_envelope_t *message);

    /** Called once after an init that succeeded, unless the actor was killed or its process died.
     * May be NULL. */
    void (*terminate)(trp_ctx_t *ctx, void *state, const trp_reason_t *reason);

    /** Writes the state as one MessagePack map, between two messages: for snapshots and for
     * `troupe state`. What it returns goes to who asked. May be NULL. */
    trp_status_t (*save)(trp_ctx_t *ctx, const void *state, trp_writer_t *writer);

    /** Instead of init when the spawn has a snapshot; returns as init does. May be NULL.
     * runtime/snapshot.h has both with an example. */
    trp_status_t (*restore)(trp_ctx_t *ctx, void *state, const trp_envelope_t *args,
                            const trp_snapshot_t *snapshot);

    /** Frees what `state` owns: the last call, made however the actor ends, also when it was killed
     * or its init failed. `state` may be all zero. No runtime call is allowed. May be NULL. */
    void (*release)(void *state);

    /* Schemas of what it understands and of what it says to others, NULL-terminated; NULL: bytes as
     * they are. A process that runs another build of the program is refused when the two builds
     * could not read each other: docs/workers.md */
    const trp_schema_t *const *messages;
    const trp_schema_t *const *answers;
    const trp_schema_t *options; /* its options in a configuration file, or NULL */
    uint32_t flags;
} trp_class_t;

enum {
    /* lives on the edge thread: bounded work only, may use sockets; built-in classes */
    TRP_CLASS_EDGE = 1u << 0,
    /* sees all signals and messages to any pid that is routed to it; built-in only */
    TRP_CLASS_PROXY = 1u << 1,
    /* goes before others in the pool, though not all the time: short work on which much depends,
     * as a supervisor's */
    TRP_CLASS_SYSTEM = 1u << 2,
};

/** Runs a program of these classes (NULL-terminated): all commands of `troupe`, see `--help`.
 * Returns the exit status. */
TRP_API int trp_main(int argc, char **argv, const trp_class_t *const *classes);

/* ---- life ---- */

#define TRP_NAME_MAX 64 /* bytes of a registered name, the NUL included */

/** Where an actor runs. Order, bounds, links, monitors, timers and exit reasons are the same. */
typedef enum trp_place {
    TRP_PLACE_POOL,    /* the shared scheduler threads: handlers must not block */
    TRP_PLACE_THREAD,  /* a thread of its own: it may block */
    TRP_PLACE_PROCESS, /* an OS process of its own: it may crash */
    TRP_PLACE_COUNT
} trp_place_t;

/** What becomes of a message for a full mailbox. What is dropped is a dead letter, and who awaits
 * an answer to it hears so; signals (exits, links, timers, answers to monitors) always get in. */
typedef enum trp_overflow {
    TRP_OVERFLOW_REFUSE,   /* its sender gets TRP_FULL */
    TRP_OVERFLOW_DROP_NEW, /* it is dropped at once; for its sender it is sent */
    TRP_OVERFLOW_DROP_OLD, /* the oldest are dropped when the receiver looks into its mailbox; until
                            * then it holds up to twice its bounds, above which senders are refused
                            */
    TRP_OVERFLOW_COUNT
} trp_overflow_t;

/** How to spawn. Zeroed members have the defaults. */
typedef struct trp_spawn {
    const trp_class_t *class;
    const char *name;  /* registered under it; NULL: none. TRP_EXISTS when taken */
    trp_place_t place; /* pool */
    uint32_t thread;   /* place pool: only this of its threads runs it, from 1 on; 0 = any */
    uint16_t args_tag; /* the message for init: ... */
    const void *args;  /* ... copied, or NULL */
    size_t args_size;
    bool link;             /* to the spawner, in one step */
    bool monitor;          /* by the spawner, in one step: ... */
    uint64_t *monitor_ref; /* ... its reference goes here */
    bool ack; /* the spawner gets TRP_TAG_STARTED when init has succeeded (or trp_ready was called);
               * with neither link nor monitor a start that fails reaches it as TRP_TAG_DOWN with
               * request_id 0 */
    uint32_t depth_max; /* messages in the mailbox; 0 = 100000 */
    size_t size_max;    /* bytes in the mailbox; 0 = 64 MiB */
    trp_overflow_t overflow;
    size_t memory_quota;  /* bytes: its quota, runtime/memory.h; 0 = none. TRP_TOO_LARGE: its state
                           * alone is above it */
    const void *snapshot; /* to begin with: bytes of a TRP_TAG_SNAPSHOT, copied; NULL: none.
                           * TRP_UNSUPPORTED, TRP_INVALID: see trp_snapshot_check */
    size_t snapshot_size;
    uint32_t restarts; /* how often the supervisor has started this child again; for `ps` */
    const char
        *program; /* place process: run this program (a trp_main) instead of a fork of ours */
    const trp_limits_t *limits; /* place process: what it may use; NULL: the defaults */
    const char *origin; /* who answers for it when it brings the node down: a child's path in the
                         * tree; outlives the node. NULL: the spawner's */
} trp_spawn_t;

/** Starts an actor; init runs later on its own turn. A failed init reaches links and monitors as
 * TRP_REASON_START_FAILED.
 * errors: TRP_EXISTS (name), TRP_NO_MEMORY, TRP_UNSUPPORTED (place), TRP_INVALID */
TRP_API TRP_MUST_USE trp_status_t trp_spawn(trp_ctx_t *ctx, const trp_spawn_t *spawn,
                                            trp_pid_t *pid);

/** The caller's pid, as all know it. */
TRP_API trp_pid_t trp_self(const trp_ctx_t *ctx);

/** An init that returned TRP_PENDING is done: the spawner gets TRP_TAG_STARTED. */
TRP_API void trp_ready(trp_ctx_t *ctx);

/** Ends the caller after this callback. NULL: normal. terminate is called. */
TRP_API void trp_stop(trp_ctx_t *ctx, const trp_reason_t *reason);

/** Sends an exit signal: ends the receiver, or reaches it as TRP_TAG_EXIT when it traps exits.
 *  A reason of kind KILLED is a kill: it can't be trapped and terminate is not called. */
TRP_API void trp_exit(trp_ctx_t *ctx, trp_pid_t pid, const trp_reason_t *reason);

/** Links the caller and `pid`: when one ends, the other gets an exit signal, which ends it unless
 * the reason is normal or it traps exits. At once when `pid` is dead already. errors:
 * TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_link(trp_ctx_t *ctx, trp_pid_t pid);

/** Ends a link, on both sides; no exit signal of it is seen after this call. */
TRP_API void trp_unlink(trp_ctx_t *ctx, trp_pid_t pid);

/** The caller gets TRP_TAG_DOWN (request_id = ref, from = pid) once; at once when `pid` is dead
 * already. */
TRP_API TRP_MUST_USE trp_status_t trp_monitor(trp_ctx_t *ctx, trp_pid_t pid, uint64_t *ref);

/** Ends a monitor; no TRP_TAG_DOWN of it is seen after this call. */
TRP_API void trp_demonitor(trp_ctx_t *ctx, uint64_t ref);

/** Exit signals of links arrive as TRP_TAG_EXIT messages instead of ending the caller (kill
 * excepted). */
TRP_API void trp_trap_exit(trp_ctx_t *ctx, bool trap);

/* ---- messages ---- */

/** Sends bytes. Order is kept for each pair of actors. A dead receiver is no error (the message is
 * a dead letter). errors: TRP_FULL (its mailbox), TRP_TOO_LARGE (above all that its mailbox may
 * hold: it never fits), TRP_BUSY (no credit on the way to it), TRP_NO_MEMORY; nothing was sent then
 */
TRP_API TRP_MUST_USE trp_status_t trp_send(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag,
                                           const void *data, size_t size);

/** The caller, whom the mailbox of `pid` refused (TRP_FULL, TRP_BUSY), gets one message `tag` from
 * `pid` when half of it is empty, or when that actor has ended: who has no room can sleep till
 * then. Others may have been quicker: ask again when refused again. What is larger than half of
 * the bound may be refused until all else is handled. errors: TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_when_room(trp_ctx_t *ctx, trp_pid_t pid, uint16_t tag);

/** Sends a zmq message by move: it is empty after success, untouched after an error. */
TRP_API TRP_MUST_USE trp_status_t trp_send_move(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag,
                                                zmq_msg_t *message);

/** Sends a struct by its schema: packed, but as it is when the schema is FIXED, at most
 * TRP_STRUCT_MAX bytes, and the receiver in this runtime: in no process or thread of its own. */
TRP_API TRP_MUST_USE trp_status_t trp_send_struct(trp_ctx_t *ctx, trp_pid_t to,
                                                  const trp_schema_t *schema, const void *value);

/** What a request carries beside its bytes. */
typedef struct trp_request {
    trp_pid_t to;
    uint16_t tag;
    const void *data; /* copied ... */
    size_t size;
    zmq_msg_t *message; /* ... or moved, when not NULL (left untouched on an error) */
    int64_t timeout_ms; /* 0 = 5000; negative = none. It is the message's deadline as well */
    bool inherit;      /* ... which is then no later than that of the message that is handled now */
    int64_t within_ms; /* the message's own deadline, where that is sooner; 0: none. If it passes
                        * before the message's turn, TRP_TAG_DOWN says so (TRP_EXPIRED) */
} trp_request_t;

/** Sends a request. The reply arrives with TRP_ENVELOPE_REPLY and this request_id; instead of it
 * TRP_TAG_TIMEOUT when the limit passes, or TRP_TAG_DOWN when the receiver ends first (request_id =
 * id for both). A late reply is never seen. */
TRP_API TRP_MUST_USE trp_status_t trp_request(trp_ctx_t *ctx, const trp_request_t *request,
                                              uint64_t *request_id);

/** Forgets a request: neither reply nor time-out of it is seen after this call. */
TRP_API void trp_request_cancel(trp_ctx_t *ctx, uint64_t request_id);

/** Answers a request, now or later (keep from and request_id for that: trp_reply_to). */
TRP_API TRP_MUST_USE trp_status_t trp_reply(trp_ctx_t *ctx, const trp_envelope_t *request,
                                            uint16_t tag, const void *data, size_t size);
TRP_API TRP_MUST_USE trp_status_t trp_reply_move(trp_ctx_t *ctx, const trp_envelope_t *request,
                                                 uint16_t tag, zmq_msg_t *message);

/** Where a reply goes that is given later. */
typedef struct trp_reply_address {
    trp_pid_t to;
    uint64_t request_id;
} trp_reply_address_t;

static inline trp_reply_address_t trp_reply_address(const trp_envelope_t *request)
{
    trp_envelope_check(request, __func__);
    return (trp_reply_address_t){request->from, request->request_id};
}
TRP_API TRP_MUST_USE trp_status_t trp_reply_to(trp_ctx_t *ctx, trp_reply_address_t address,
                                               uint16_t tag, zmq_msg_t *message);

/** Passes a message on as it is: the receiver sees the first sender, so that its reply goes
 * there. An answer, a timer's message or one of the runtime's is a plain message there. A struct
 * that leaves the runtime is packed. errors: those of trp_send */
TRP_API TRP_MUST_USE trp_status_t trp_forward(trp_ctx_t *ctx, const trp_envelope_t *message,
                                              trp_pid_t to);

/* ---- later ---- */

/** Puts the message that is handled now off until trp_recall: it is kept as it is, in order. It
 * stays charged to the mailbox (keep the bounds below the mailbox's own), and becomes a dead letter
 * when the actor ends; whoever asked hears of that. What runs in a process of its own counts as
 * handled by its proxy at once. Don't use `message` after success. bounds: `count_max` messages,
 * `size_max` bytes of payload put off at a time. errors: TRP_FULL (nothing was put off: answer its
 * sender), TRP_STATE (not the message of this callback), TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_defer(trp_ctx_t *ctx, const trp_envelope_t *message,
                                            uint32_t count_max, size_t size_max);

/** All that was put off comes next, in its order, before what is queued. What has expired meanwhile
 * is a dead letter. */
TRP_API void trp_recall(trp_ctx_t *ctx);

/** Sends the caller a message behind all that is queued for it now, and lets other actors have
 * their turn first: how a long job gives way between its pieces. Not bound by the mailbox's limits.
 * errors: TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_continue(trp_ctx_t *ctx, uint16_t tag, const void *data,
                                               size_t size);

/** The caller gets one message `tag` when it was shown none for `ms`; ask again for more. One such
 * time for each actor: a new one replaces it, 0 ends it. It may come late by an eighth of `ms`, and
 * costs messages nothing. errors: TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_idle_after(trp_ctx_t *ctx, int64_t ms, uint16_t tag);

/* State machines: runtime/machine.h. Several requests at once: runtime/gather.h. Calls that block,
 * made by helper threads: runtime/offload.h. Threads that are no actors: runtime/client.h.
 * Deadlines of plain messages: runtime/letter.h. Memory that is freed at the actor's end, scratch
 * for a callback: runtime/memory.h. Snapshots: runtime/snapshot.h. To be small while nothing comes:
 * runtime/hibernate.h. Keys and values that outlive their actor: runtime/store.h.
 * Sent and read by the name of their schema: runtime/typed.h. */

/* ---- groups: publish and subscribe ---- */

/** The caller joins a group: what is published under the topic of that name, or, when the name ends
 * in a star, under any topic that begins with the rest ("orders.*"; "*" is all). Joined twice is
 * joined once. It leaves by itself when it ends. Groups are those of the node, with all its threads
 * and worker processes. bounds: the name 1 to TRP_NAME_MAX - 1 bytes, a star only at its end. cost:
 * outside of the pool a round trip to the node. errors: TRP_INVALID (name), TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_group_join(trp_ctx_t *ctx, const char *group);

/** The caller leaves; what was published before may still come. Not to be in it is no error. */
TRP_API void trp_group_leave(trp_ctx_t *ctx, const char *group);

/** Copies up to `max` members of the group of exactly this name; returns how many it has. bounds,
 * cost: outside of the pool 1024 pids and a round trip to the node */
TRP_API size_t trp_members(trp_ctx_t *ctx, const char *group, trp_pid_t *pids, size_t max);

/** The same for the live actors of a class in this process. cost: a look at each cell that was ever
 * used */
TRP_API size_t trp_find_class(trp_ctx_t *ctx, const char *class_name, trp_pid_t *pids, size_t max);

/** What is published. */
typedef struct trp_publication {
    const char *topic; /* as a group's name, without a star */
    uint16_t tag;
    const void *data; /* copied once; over TRP_INLINE_MAX bytes all receivers share it ... */
    size_t size;
    zmq_msg_t *message; /* ... or moved, when not NULL (left untouched on an error) */
} trp_publication_t;

/** What became of it. */
typedef struct trp_published {
    uint32_t sent;    /* members that it is on its way to; outside of the pool only those there */
    uint32_t refused; /* members that had no room (or there was no memory for their copy) */
} trp_published_t;

/** Sends to all members of the topic's groups, each once, as trp_send does: order is kept for each
 * pair of actors, and one that has no room takes nothing from the others. A process or thread with
 * several members gets one copy over its link, which has room for all of them or none. The caller
 * gets it too if it is a member. Nobody there is no error. `counts` may be NULL. errors:
 * TRP_INVALID (topic), TRP_NO_MEMORY; nothing was sent then */
TRP_API TRP_MUST_USE trp_status_t trp_publish(trp_ctx_t *ctx, const trp_publication_t *publication,
                                              trp_published_t *counts);

/* Dead letters are logged, counted and rate-limited, by an actor of each process (dead_letters). */

/** Whether the caller gets a TRP_TAG_DEAD_LETTER (trp_dead_letter_t, from nobody) for each message
 * of this process that dies from now on. Those that find no room in its mailbox, and notices that
 * die themselves, are only counted. bounds: 16 actors. errors: TRP_FULL, TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_dead_letters(trp_ctx_t *ctx, bool hear);

/* ---- names, time, log ---- */

/** Names the caller, for all of the node; as `name` of trp_spawn does. cost: outside of the pool a
 * round trip to the node. errors: TRP_EXISTS (the name is taken, or the caller has one),
 * TRP_INVALID (length), TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_register(trp_ctx_t *ctx, const char *name);

/** TRP_PID_NONE when nobody has that name. Outside of the pool its own thread's or process's names
 * come first; for others the node is asked, a round trip. */
TRP_API trp_pid_t trp_whereis(trp_ctx_t *ctx, const char *name);

/** Monotonic clock (virtual in the simulator), read at each call. units: nanoseconds */
TRP_API int64_t trp_now_ns(const trp_ctx_t *ctx);

/** Wall clock, milliseconds since 1970. */
TRP_API int64_t trp_epoch_ms(const trp_ctx_t *ctx);

/** A random number of the host's generator (seeded in the simulator). */
TRP_API uint64_t trp_random(trp_ctx_t *ctx);

/** The caller gets a message `tag` with request_id = *timer after `delay_ms`, then each `period_ms`
 * when that is not 0 (no drift). Cancelled when its actor ends. */
TRP_API TRP_MUST_USE trp_status_t trp_timer_start(trp_ctx_t *ctx, int64_t delay_ms,
                                                  int64_t period_ms, uint16_t tag, uint64_t *timer);

/** No message of that timer is seen after this call. Unknown and fired ones are no error. */
TRP_API void trp_timer_cancel(trp_ctx_t *ctx, uint64_t timer);

/** One JSON line on standard error; `event` is a constant, the rest one printf-style detail. level:
 * runtime/log.h */
TRP_API TRP_PRINTF(4, 5) void trp_log(trp_ctx_t *ctx, int level, const char *event,
                                      const char *format, ...);

/** For `ps`: a short text about what the actor does now, kept until the next call. Cut at 31
 * bytes. */
TRP_API void trp_describe(trp_ctx_t *ctx, const char *text);

#endif
