/* SPDX-License-Identifier: MIT */
/* One runtime: cells, scheduler, timers, names. What the boundary and the supervisor layer build
 * on; actor authors use runtime/troupe.h. Several runtimes may live in one process (tests, the
 * simulator). */
#ifndef TRP_RUNTIME_RUNTIME_H
#define TRP_RUNTIME_RUNTIME_H

#include "messages/wire.h"
#include "runtime/base/host.h"
#include "runtime/troupe.h"

typedef struct trp_runtime trp_runtime_t;

#define RUNTIME_THREADS_MAX 58 /* pool threads: with edge and spares they fit the idle mask */

/** How a scheduler worker waits that is not a plain pool thread: the edge. All but `wake` run on
 * that worker's thread. */
typedef struct scheduler_park {
    void *user;
    /** Looks at the sockets without waiting; called between slices (at the latest every 64 messages
     * or 100 us). */
    void (*poll)(void *user);
    /** Waits for sockets, wake, or `until_ns` (monotonic; INT64_MAX = for ever), and handles what
     * came as `poll` does. May return early. */
    void (*park)(void *user, int64_t until_ns);
    /** Ends a park from any thread; what is done before it is seen after the park. */
    void (*wake)(void *user);
} scheduler_park_t;

/** An actor, as the thread that runs it is asked. Texts of the class and of the spawn. */
typedef struct runtime_at_work {
    trp_pid_t pid;
    const char *class_name;
    const char *origin; /* trp_spawn_t.origin; NULL: nobody answers for it */
} runtime_at_work_t;

/** What is done about handlers that do not return. Times are rounded up to the watchdog's looks, of
 * which there are 4 in the shortest. */
typedef struct runtime_watch {
    int64_t stuck_ms; /* a handler that takes longer is logged, its thread replaced; 0: never */
    int64_t edge_stuck_ms; /* `fatal` when the edge does not move for so long */
    int64_t kill_grace_ms; /* from a kill that finds its actor in a handler to its write-off */
    uint32_t stuck_max;    /* written-off threads; more: `fatal` */
    /** It can't go on because of `who`: ends the process. On the thread that finds out. */
    void (*fatal)(void *user, const char *why, const runtime_at_work_t *who);
    void *user;
} runtime_watch_t;

/** Sees each message of each actor (proxies left out) before its handler is called, and after. On
 * the thread that runs it. */
typedef struct runtime_observer {
    void (*begin)(void *user, const trp_envelope_t *message);
    void (*end)(void *user, trp_status_t status);
    void *user;
} runtime_observer_t;

typedef struct runtime_options {
    uint32_t node;          /* this runtime's number in its pids (trp_node_worker) */
    uint32_t incarnation;   /* raised at each start by the guardian */
    uint32_t threads;       /* pool threads; 0 only with an edge, which then runs all actors */
    scheduler_park_t edge;  /* .park NULL: no edge */
    uint32_t cells_max;     /* 0 = 1,048,576 */
    uint32_t slice_max;     /* messages that an actor handles in a row at the edge; 0 = 64 */
    const trp_host_t *host; /* NULL: the operating system */
    runtime_watch_t watch;
    const runtime_observer_t *observer; /* outlives the runtime; NULL: none */
    const char *origin;                 /* of all its actors, as trp_spawn_t.origin; NULL: none */
} runtime_options_t;

/** errors: TRP_INVALID, TRP_NO_MEMORY, TRP_SYSTEM */
TRP_MUST_USE trp_status_t runtime_create(const runtime_options_t *options, trp_runtime_t **runtime);

/** Starts the pool threads. */
TRP_MUST_USE trp_status_t runtime_start(trp_runtime_t *runtime);

/** Runs the edge worker on the calling thread until runtime_stop. */
void runtime_run_edge(trp_runtime_t *runtime);

/** Asks all workers to leave their loops; any thread. Actors are not told: stop the tree first. */
void runtime_stop(trp_runtime_t *runtime);

/** The same, with what the process is to exit with. */
void runtime_stop_with(trp_runtime_t *runtime, int status);

/** What runtime_stop_with was given; 0: it was not called. */
int runtime_exit_status(const trp_runtime_t *runtime);

/** Waits until all pool threads have left their loops, after runtime_stop. False: some have not
 * within the limit, being in handlers that do not return; runtime_destroy would wait for them. */
bool runtime_await_threads(trp_runtime_t *runtime, int64_t limit_ms);

/** Joins the threads, ends the cells that are left (no terminate), frees all and clears the
 * pointer. */
void runtime_destroy(trp_runtime_t **runtime);

/** The runtime of the actor whose callback runs. */
trp_runtime_t *runtime_of(trp_ctx_t *ctx);

/** The origin of the actor whose callback runs; NULL: none. */
const char *runtime_origin(const trp_ctx_t *ctx);

/** Whose slice the calling thread is in, of whatever runtime; async-signal-safe. False: nobody's.
 */
bool runtime_at_work(runtime_at_work_t *at_work);

/* ---- from outside of actors: main thread, socket callbacks of the edge ---- */

/** As trp_spawn, with no spawner (link, monitor and ack are ignored). */
TRP_MUST_USE trp_status_t runtime_spawn(trp_runtime_t *runtime, const trp_spawn_t *spawn,
                                        trp_pid_t *pid);

/** Delivers or routes an envelope by its `to`. owns: taken on TRP_OK, the caller's still on an
 * error. errors: TRP_FULL, TRP_BUSY; a dead receiver is TRP_OK (dead letter) */
TRP_MUST_USE trp_status_t runtime_send(trp_runtime_t *runtime, trp_envelope_t *envelope);

trp_pid_t runtime_whereis(trp_runtime_t *runtime, const char *name);

/** The node: an actor behind a proxy has a name, and has it no more. errors: TRP_EXISTS,
 * TRP_INVALID (length), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t runtime_register(trp_runtime_t *runtime, const char *name, trp_pid_t pid);
void runtime_unregister(trp_runtime_t *runtime, const char *name, trp_pid_t pid);

int64_t runtime_now_ns(const trp_runtime_t *runtime);

/** The host that the runtime was made with. */
const trp_host_t *runtime_host(const trp_runtime_t *runtime);

/* ---- the edge's keep: what must outlive a restart of the actor that uses it ---- */

/** The object under `key`; made by `make(arg)` the first time, ended by `destroy` with the runtime.
 * Edge thread only. */
void *runtime_keep(trp_runtime_t *runtime, const char *key, void *(*make)(void *arg),
                   void (*destroy)(void *object), void *arg);

/* ---- routes: pids of other nodes and worker processes ---- */

/** All that is sent to pids of (`node`, `incarnation`) goes to the cell `proxy` (class flag
 * TRP_CLASS_PROXY), `to` unchanged. NONE: ends it; what is sent then is a dead letter, links,
 * monitors and requests on such pids answer noproc. A pid of another incarnation of that node is
 * dead. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t runtime_route(trp_runtime_t *runtime, uint32_t node, uint32_t incarnation,
                                        trp_pid_t proxy);

/** Every local actor that links, monitors or awaits an answer from a pid of (`node`,
 * `incarnation`) gets its EXIT or DOWN with this reason. After runtime_route(.., NONE). */
void runtime_node_down(trp_runtime_t *runtime, uint32_t node, uint32_t incarnation,
                       const trp_reason_t *reason);

/** In a worker process: its root actor `local` is known to all as `known` (its proxy's pid in the
 * parent): trp_self gives `known`, and what is sent to `known` is local. Set by the spawn of the
 * root, before its init: see runtime_spawn_known. */
TRP_MUST_USE trp_status_t runtime_spawn_known(trp_runtime_t *runtime, const trp_spawn_t *spawn,
                                              trp_pid_t spawner, trp_pid_t known, trp_pid_t *local);

/** A worker process: pids of no route (all other nodes) go to this cell, the link to the parent. */
void runtime_route_default(trp_runtime_t *runtime, trp_pid_t proxy);

/* ---- names and groups beyond this runtime ---- */

/** What a worker's runtime asks its node. */
typedef struct runtime_question {
    link_question_t what;
    const char *name; /* of the actor or the group; LINK_LEAVE: "" = all */
    trp_pid_t pid;    /* whose membership or name it is; LINK_TELL: to whom ... */
    uint16_t tag;     /* ... this message: */
    const void *data;
    size_t size;
    trp_pid_t *pids; /* LINK_WHEREIS, LINK_MEMBERS: up to `max` go here ... */
    size_t max;
    size_t count; /* ... of so many */
} runtime_question_t;

/** The way to the node: of a worker process or an actor's thread. `ask` waits for the answer, a
 * round trip, or says without one what is to be said when it can't; on the thread of the runtime.
 * errors: the node's; TRP_GONE, TRP_TIMEOUT */
typedef struct runtime_uplink {
    trp_status_t (*ask)(void *user, runtime_question_t *question);
    trp_pid_t parcels; /* the node's pid for parcels: runtime_parcel_pid */
    void *user;
} runtime_uplink_t;

/** trp_send of the running callback that leaves at once. What a handler sends leaves its worker
 * process, or thread, when it returns; this waits until the node has taken it, and so comes before
 * the rest. errors: TRP_FULL, TRP_GONE, TRP_TIMEOUT,
 * TRP_TOO_LARGE (TRP_TELL_MAX), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t runtime_tell(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag, const void *data,
                                       size_t size);

/** Names, memberships and publications reach the node by `uplink` and the default route. */
void runtime_set_uplink(trp_runtime_t *runtime, const runtime_uplink_t *uplink);

/** One actor's memberships. */
typedef struct group_member group_member_t;

/** The node: an actor behind a proxy joins a group, leaves it (NULL: all), whose memberships are
 * `*mine`; as trp_group_join. Edge thread. */
TRP_MUST_USE trp_status_t runtime_group_join(trp_runtime_t *runtime, const char *group,
                                             trp_pid_t pid, group_member_t **mine);
void runtime_group_leave(trp_runtime_t *runtime, const char *group, group_member_t **mine);

/** As trp_members; any thread. */
size_t runtime_members(trp_runtime_t *runtime, const char *group, trp_pid_t *pids, size_t max);

/** A TRP_TAG_PARCEL that came over a link: sent on to the members here, and to those behind other
 * proxies than `from` (NONE: to all). owns: taken. Edge thread */
void runtime_parcel(trp_runtime_t *runtime, trp_envelope_t *parcel, trp_pid_t from);

/** The pid that parcels for (`node`, `incarnation`) go to. */
static inline trp_pid_t runtime_parcel_pid(uint32_t node, uint32_t incarnation)
{
    return (trp_pid_t){.node = node, .incarnation = incarnation};
}

static inline bool runtime_is_parcel(const trp_envelope_t *envelope)
{
    return envelope->tag == TRP_TAG_PARCEL && envelope->to.slot == 0;
}

/* ---- places ---- */

/** Where actors run: one row for each trp_place_t. `start` runs on the spawner's thread, has to
 * make a cell at once (the proxy) and give its pid. How it is stopped: by exit signals to that pid,
 * like any actor. */
typedef struct trp_placement {
    const char *name; /* "process" */
    trp_status_t (*start)(void *user, trp_runtime_t *runtime, const trp_spawn_t *spawn,
                          trp_pid_t spawner, trp_pid_t *pid);
    void *user;
} trp_placement_t;

void runtime_place(trp_runtime_t *runtime, trp_place_t place, const trp_placement_t *placement);

/** The pool placement, for a `start` that makes the proxy cell: as trp_spawn by `spawner`, place
 * ignored. */
TRP_MUST_USE trp_status_t runtime_spawn_for(trp_runtime_t *runtime, const trp_spawn_t *spawn,
                                            trp_pid_t spawner, trp_pid_t *pid);

/* ---- what proxies may do beside trp_* (class flag TRP_CLASS_PROXY) ---- */

/* A proxy's `receive` sees every envelope routed to it as it was sent: signals too (LINK, MONITOR,
 * EXIT, KILL ... to pids of its node), `to` unchanged.
 * Of what is sent to its own pid the cell itself keeps MONITOR and DEMONITOR, and notes LINK and
 * UNLINK, which are shown as well: the actor acknowledges. EXIT
 * and KILL are shown instead of ending it; answers and DOWN to its own requests and monitors come
 * as to any actor, all others (they belong to the actor that it stands for) are shown as they are.
 * References that a proxy makes itself have the highest bit set, so the two never meet. Its init
 * returns TRP_PENDING and trp_ready follows; it ends by trp_stop, whose reason its watchers see. */

/** Takes the message that is being handled: it is the proxy's after this call (free it with
 * envelope_free), e.g. to keep it until there is credit. Its charge on the mailbox's bounds stays:
 * proxy_credit gives it back. Only for the message of the running callback. */
trp_envelope_t *proxy_take(trp_ctx_t *ctx, const trp_envelope_t *message);

/** Ends an envelope that a proxy took and that nobody will handle: a dead letter with `why`
 * and `reason` for who waits for its effect. Its charge stays until the proxy ends, when
 * all that has no credit is counted as dead. owns: taken. Edge thread. */
void proxy_dead(trp_runtime_t *runtime, trp_envelope_t *envelope, trp_dead_t why,
                const trp_reason_t *reason);

/** Whether the message that is being handled is one too many for a proxy whose mailbox drops old
 * messages: it then gives up by proxy_drop what it holds longest. Before proxy_take. */
bool proxy_is_over(const trp_ctx_t *ctx);

/** Ends a message that the calling proxy took, as dropped; its charge is given back. owns: taken */
void proxy_drop(trp_ctx_t *ctx, trp_envelope_t *envelope);

/** The actor behind the proxy has handled `count` of the messages that were taken: their charge is
 * given back (signals have none) with `bytes` of payload in all. Edge thread. */
void proxy_credit(trp_runtime_t *runtime, trp_pid_t proxy, uint32_t count, uint64_t bytes);

/* ---- looking in ---- */

/** Threads whose handlers do not return, as of the last look. */
typedef struct runtime_stuck {
    uint32_t handlers;    /* of the pool and the edge */
    uint32_t written_off; /* their actors were killed; also actors' own threads */
} runtime_stuck_t;

runtime_stuck_t runtime_stuck(const trp_runtime_t *runtime);

/** A thread outside of the pool is written off; its handler has returned. It counts as those of the
 * pool do: one too many is `fatal` because of `who`. Any thread */
void runtime_write_off(trp_runtime_t *runtime, const runtime_at_work_t *who);
void runtime_returned(trp_runtime_t *runtime);

typedef struct actor_info {
    trp_pid_t pid;
    char name[TRP_NAME_MAX];
    const char *class_name;
    trp_place_t place;
    int32_t os_pid;    /* of the process, or of the thread of its own, that it runs in */
    const char *state; /* "starting", "idle", "asleep" (it hibernates), "ready" (queued), "running",
                        * "exiting", or "stuck": killed, and its handler does not return */
    char detail[32];   /* trp_describe */
    uint32_t mailbox;  /* messages queued */
    uint64_t handled;  /* messages and signals handled */
    uint64_t busy_ns;  /* its slices took so long, estimated when short: runtime/core/meter.h */
    uint64_t died;     /* messages that it took and never saw: expired, late, dropped */
    size_t memory;     /* bytes: its state, and what runtime/memory.h gave it */
    uint64_t refused;  /* messages that found no room in its mailbox, dropped ones included */
    uint32_t restarts;
} actor_info_t;

/** Calls `each` for every live actor; any thread. A snapshot of each row, not of the whole. */
void runtime_each(trp_runtime_t *runtime, void (*each)(void *user, const actor_info_t *info),
                  void *user);

/** All actors of a class, those that have ended included. Queue times are of about one message in
 * 256; a share's is the upper end of its bucket, at most a quarter too high. */
typedef struct runtime_class_info {
    const char *name;
    bool is_proxy;    /* of actors elsewhere; a row beside the one of those of its name here */
    uint32_t actors;  /* that live */
    uint64_t handled; /* messages and signals */
    uint64_t busy_ns;
    uint64_t sampled; /* messages whose time in the mailbox was noted */
    uint64_t queue_p50_ns, queue_p99_ns, queue_max_ns;
} runtime_class_info_t;

/** Calls `each` for every class that has had actors; any thread. */
void runtime_classes(trp_runtime_t *runtime,
                     void (*each)(void *user, const runtime_class_info_t *info), void *user);

/** The row of one actor. False: it does not live here. */
bool runtime_look(trp_runtime_t *runtime, trp_pid_t pid, actor_info_t *info);

#define RUNTIME_WAITS_ROWS 120

/** How long the messages of one actor waited in its mailbox. */
typedef struct runtime_waits {
    uint64_t count; /* messages */
    uint64_t p50_ns, p90_ns, p99_ns, max_ns;
    size_t rows; /* in order; those without messages are left out. A message is in the first row
                  * whose bound is above its wait: */
    struct {
        uint64_t below_ns, count;
    } row[RUNTIME_WAITS_ROWS];
} runtime_waits_t;

/** From now on, until runtime_waits_end, each message that the actor takes from its mailbox is
 * noted; any thread. Meanwhile all messages of this runtime cost a look at the clock more; at other
 * times nobody pays. bounds: 4 at a time. errors: TRP_NOT_FOUND, TRP_UNSUPPORTED (it is not in the
 * pool: its messages wait in its own process or thread), TRP_FULL */
TRP_MUST_USE trp_status_t runtime_waits_begin(trp_runtime_t *runtime, trp_pid_t actor,
                                              uint32_t *wait);

/** What was noted since the begin; also after the actor's end. */
void runtime_waits_read(const trp_runtime_t *runtime, uint32_t wait, runtime_waits_t *waits);
void runtime_waits_end(trp_runtime_t *runtime, uint32_t wait);

/** Sets what `ps` shows for a proxy: `os_pid` of the process or thread, 0: not known yet. */
void runtime_set_place(trp_ctx_t *ctx, trp_place_t place, int32_t os_pid);

/** Whether the actor of this pid of this runtime lives, as far as one can know; any thread. */
bool runtime_lives(const trp_runtime_t *runtime, trp_pid_t pid);

/** "pool", "thread", "process". */
const char *runtime_place_name(trp_place_t place);

/** The node's ledger: each message that was sent is in exactly one of the others at a quiet
 * moment: sent = handled + queued + refused + dropped + dead. */
typedef struct runtime_ledger {
    uint64_t sent, handled, queued, refused;
    uint64_t dropped; /* the policy of a full mailbox chose them; the receiver lives */
    uint64_t dead;    /* all other dead letters */
    uint64_t dead_by[TRP_DEAD_COUNT]; /* both, by cause */
} runtime_ledger_t;

void runtime_ledger(trp_runtime_t *runtime, runtime_ledger_t *ledger);

/** Dead letters since the start, drops included, by cause. cost: a look at each thread's counters
 */
void runtime_dead_counts(const trp_runtime_t *runtime, uint64_t counts[TRP_DEAD_COUNT]);

#endif
