/* SPDX-License-Identifier: MIT */
/* The simulator: whole nodes, with their supervisors, routers and worker processes, stepped in one
 * thread from a seed. Time is virtual, every schedule, delay and death comes from the seed, so what
 * failed once fails again. docs/simulation.md teaches it.
 *
 *     trp_sim_t *sim = trp_sim_open(NULL);
 *     trp_pid_t greeter = trp_sim_spawn(sim, "node", &(trp_spawn_t){.class = &greeter_class});
 *     trp_sim_send(sim, greeter, TAG_HELLO, "hi", 2);
 *     trp_sim_expect(sim, TAG_ANSWER);              the next message that the test gets
 *     trp_sim_advance(sim, 60000);                  a minute passes
 *     trp_sim_close(&sim);                          everything is checked once more
 *
 * Link with libtroupe_sim.a and libtroupe.a. One thread, any number of worlds after each other. */
#ifndef TRP_SIM_H
#define TRP_SIM_H

#include "runtime/plugin.h"
#include "runtime/troupe.h"

typedef struct trp_sim trp_sim_t;
typedef struct trp_sim_client trp_sim_client_t;
typedef struct trp_sim_worker trp_sim_worker_t;

/** How the next thread to step is chosen. */
typedef enum trp_sim_schedule {
    TRP_SIM_FIFO,   /* each in its turn: what a unit test wants */
    TRP_SIM_RANDOM, /* any of those that can */
    TRP_SIM_PCT,    /* by priorities that change at `depth` - 1 steps (probabilistic concurrency
                     * testing: finds every bug of that depth with a known chance) */
} trp_sim_schedule_t;

/** What may go wrong by chance; zeroed: nothing. Shares are of 1,000,000. */
typedef struct trp_sim_faults {
    int64_t delay_us;    /* a message takes up to this long; 0 = 100 */
    uint32_t slow_share; /* of messages: they take up to `slow_ms` instead */
    int64_t slow_ms;
    uint32_t loss_share;   /* of messages between nodes and clients (tcp): lost with a reconnect */
    uint32_t double_share; /* ... sent twice by a client that reconnects */
    uint32_t pass_share;   /* ... overtaking those before them, on another connection */
    uint32_t actor_kills, process_kills, node_kills; /* how many, spread over `over_ms` */
    uint32_t partitions;     /* splits of the nodes and clients into two groups, one or both ways */
    uint32_t pauses;         /* a process stands still for up to `pause_ms` */
    uint32_t slow_nodes;     /* nodes that take 100 times as long for each step */
    int64_t pause_ms;        /* of pauses and partitions; 0 = 1000 */
    int64_t over_ms;         /* faults happen within this time; 0 = 10000 */
    int64_t skew_ms;         /* clocks of nodes differ by up to this */
    uint32_t refusal_share;  /* of worker processes: can't be started (EAGAIN) */
    uint32_t job_slow_share; /* of calls of trp_offload, a store's too: they take up to `slow_ms` */
    uint32_t store_fail_share;  /* of calls of a store: they fail, and nothing is done */
    uint32_t store_doubt_share; /* ... are done, and nobody hears of it (TRP_TIMEOUT) */
    uint32_t store_kills; /* a store loses what was not synced; it is back within `pause_ms` */
} trp_sim_faults_t;

typedef struct trp_sim_options {
    uint64_t seed; /* 0 counts as 1 */
    trp_sim_schedule_t schedule;
    uint32_t depth;     /* of PCT; 0 = 3 */
    uint64_t steps_max; /* a world that takes more fails; 0 = 1,000,000 */
    trp_sim_faults_t faults;
    /** Lines `at 3 s kill node b`; see docs/simulation.md. NULL: none */
    const char *script;
    /** The user's invariants: called after each step, tells what is wrong by trp_sim_fail. */
    void (*check)(void *user, trp_sim_t *sim);
    /** Hears of the first failure; NULL: it is printed with its trace, and the program aborted. */
    void (*failed)(void *user, trp_sim_t *sim);
    void *user;
    /* for whoever looks for a smaller failure: */
    uint64_t faults_without; /* a bit for each planned fault: it is left out */
    uint64_t calm_after;     /* from this step on each thread in its turn and no fault; 0 = never */
    bool keep_trace;         /* all of it, not only the last 4096 lines */
} trp_sim_options_t;

/** A node. All that it points to must outlive the world. */
typedef struct trp_sim_node {
    const char *name;                  /* unique; the default node is "node" */
    const trp_class_t *const *classes; /* NULL-terminated: those of its program; NULL: none */
    uint32_t threads;                  /* pool threads; 0 = 1 */
    const char *config;                /* text of a configuration: the node runs its whole tree */
    int64_t restart_ms;                /* started again so long after a kill; 0: stays dead */
} trp_sim_node_t;

/* ---- worlds ---- */

/** NULL: the defaults, with one node "node". Otherwise add nodes by trp_sim_node. Never NULL: out
 * of memory aborts. */
trp_sim_t *trp_sim_open(const trp_sim_options_t *options);

/** Stops faults, lets everything come to rest, checks that all memory came back, and frees the
 * world. False: it has failed. */
bool trp_sim_close(trp_sim_t **sim);

void trp_sim_node(trp_sim_t *sim, const trp_sim_node_t *node);

/** One step of one thread: at most one message is handled. False: nothing can happen at this time.
 */
bool trp_sim_step(trp_sim_t *sim);

/** Steps until nothing can happen at this time; time stands still but for what is due within a
 * millisecond. */
void trp_sim_settle(trp_sim_t *sim);

/** Lets so much time pass, with all that happens in it. */
void trp_sim_advance(trp_sim_t *sim, int64_t ms);

/** Steps, and lets time pass, until `done`; false: not within `limit_ms`. */
bool trp_sim_until(trp_sim_t *sim, bool (*done)(void *user, trp_sim_t *sim), void *user,
                   int64_t limit_ms);

int64_t trp_sim_now_ms(const trp_sim_t *sim); /* since the world began */
uint64_t trp_sim_steps(const trp_sim_t *sim);
uint64_t trp_sim_hash(const trp_sim_t *sim); /* of all steps so far: the same for the same seed */

/** The world's own chance, from its seed. */
uint64_t trp_sim_random(trp_sim_t *sim);

/** Says that something is wrong; the first one counts. */
TRP_PRINTF(2, 3) void trp_sim_fail(trp_sim_t *sim, const char *format, ...);
const char *trp_sim_failure(const trp_sim_t *sim); /* NULL: none */

/* ---- faults, now ---- */

/** `what` as in a script, without its time: "kill node b", "kill actor a/pool.1", "kill process
 * a.1", "split a | b c", "heal". Wrong ones fail the world. */
void trp_sim_fault(trp_sim_t *sim, const char *what);

/* ---- a test's own actor: one for each world, on its first node ---- */

trp_pid_t trp_sim_self(trp_sim_t *sim);

/** Starts an actor on a node, from outside; it has not run yet. A failure fails the world. */
trp_pid_t trp_sim_spawn(trp_sim_t *sim, const char *node, const trp_spawn_t *spawn);

/** From the test's actor. */
void trp_sim_send(trp_sim_t *sim, trp_pid_t to, uint16_t tag, const void *data, size_t size);
uint64_t trp_sim_request(trp_sim_t *sim, const trp_request_t *request);
void trp_sim_monitor(trp_sim_t *sim, trp_pid_t pid);

/** The next message that the test's actor got, after settling; it must have this tag. Valid until
 * the next call. */
const trp_envelope_t *trp_sim_expect(trp_sim_t *sim, uint16_t tag);

/** The test's actor got nothing more. */
void trp_sim_expect_nothing(trp_sim_t *sim);

/** Whether an actor lives; of one that ended since the world began, with what reason. */
bool trp_sim_lives(trp_sim_t *sim, trp_pid_t pid);
bool trp_sim_ended(trp_sim_t *sim, trp_pid_t pid, trp_reason_t *reason);

/** The actor of that name on a node; NONE: nobody. */
trp_pid_t trp_sim_whereis(trp_sim_t *sim, const char *node, const char *name);

/** How often messages with this tag were handled by actors, in all. */
uint64_t trp_sim_handled(const trp_sim_t *sim, uint16_t tag);

/* ---- clients of a node's Majordomo port ---- */

/** A client at an endpoint, e.g. "tcp://127.0.0.1:5555", which must outlive the world, as the
 * client does. It connects again when it is cut off. A name like "a.out" stands on the machine of
 * node a. */
trp_sim_client_t *trp_sim_client(trp_sim_t *sim, const char *name, const char *endpoint);

/** A request; its answer must come once. `json`: the body. `deadline_ms`: 0 = none. */
void trp_sim_call(trp_sim_client_t *client, const char *tool, const char *json,
                  int64_t deadline_ms);
uint32_t trp_sim_calls(const trp_sim_client_t *client);          /* so far */
uint32_t trp_sim_answers(const trp_sim_client_t *client);        /* of them, good or bad */
uint32_t trp_sim_refusals(const trp_sim_client_t *client);       /* of the answers: with an error */
const char *trp_sim_last_answer(const trp_sim_client_t *client); /* its body, as JSON */

/* ---- workers of other programs, by Majordomo 0.2 ---- */

/** All that it points to must outlive the world. */
typedef struct trp_sim_worker_spec {
    const char *name;     /* as clients': where it stands for partitions */
    const char *endpoint; /* of the node's port */
    const char *tool;     /* it gives back the body that it gets ... */
    int64_t takes_ms;     /* ... within this time, whoever has the task by then */
} trp_sim_worker_spec_t;

/** A worker that comes again when it is sent away or cut off, and answers late when it was. */
trp_sim_worker_t *trp_sim_worker(trp_sim_t *sim, const trp_sim_worker_spec_t *spec);
uint32_t trp_sim_worker_given(const trp_sim_worker_t *worker); /* tasks so far */

/* ---- stores ---- */

/** A class `store` (runtime/store.h) whose option `where` names a store of the world: made by who
 * opens it first, shared by all who do. "store" is a server that faults may cut off; "a.disk"
 * stands in node a's machine, and loses what was not synced when that node is killed. */
extern const trp_class_t trp_sim_store_class;

/** What a key has, whatever is cut off; valid until the next step. False: there is none. */
bool trp_sim_stored(trp_sim_t *sim, const char *store, const char *key, trp_store_record_t *record);

/* ---- what happened ---- */

/** The trace, as lines or as a Mermaid sequence chart. */
void trp_sim_print(const trp_sim_t *sim, bool chart);

#endif
