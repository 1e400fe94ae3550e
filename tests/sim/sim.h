/* SPDX-License-Identifier: MIT */
/* A world from inside: domains (processes) with their threads, the net between them, and what is
 * planned. The files: sim_world (life and time), sim_host (what a runtime asks), sim_process (the
 * guardian's part), sim_schedule (who steps), sim_thread (a step), sim_fault and sim_script (what
 * goes wrong), sim_store, sim_check (what must hold), sim_trace, sim_cover, sim_probe and
 * sim_client. */
#ifndef TRP_TESTS_SIM_SIM_H
#define TRP_TESTS_SIM_SIM_H

#include "runtime/core/scheduler.h"
#include "runtime/node/node.h"
#include "supervisor/tree/keeper.h"
#include "tests/sim/sim_net.h"
#include "tests/sim/sim_store.h"
#include "tests/sim/trp_sim.h"

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

#define SIM_NAME_MAX    64
#define SIM_THREADS_MAX 8               /* of one process, the edge included */
#define SIM_STEP_NS     2000            /* what a step takes */
#define SIM_SPREAD      40              /* partitions: nodes and clients */
#define SIM_EPOCH_MS    1767225600000LL /* 2026-01-01: worlds begin then */

typedef struct sim_domain sim_domain_t;

/* ---- threads ---- */

typedef enum sim_thread_state {
    SIM_RUNNING,
    SIM_ANNOUNCED, /* said that it parks */
    SIM_LOOKED,    /* ... looked at the queues once more ... */
    SIM_ASLEEP,    /* ... and sleeps */
    SIM_THREAD_STATES
} sim_thread_state_t;

typedef struct sim_thread {
    sim_domain_t *domain;
    worker_t *worker;
    uint32_t index; /* of the domain's threads; 0 is the edge */
    sim_thread_state_t state;
    bool wake_sent; /* somebody woke it, and the kernel has not told it yet */
    bool woken;
    bool is_done;    /* its loop has ended */
    int64_t busy_ns; /* it does its last step until then */
    uint64_t priority;
} sim_thread_t;

/* ---- processes ---- */

typedef enum sim_domain_kind { SIM_NODE, SIM_WORKER } sim_domain_kind_t;

/* What the guardian is about to say. */
typedef struct sim_report {
    struct sim_report *next;
    int64_t due_ns;
    guardian_message_t message;
} sim_report_t;

/* A process: a node or one of its worker processes. */
struct sim_domain {
    sim_domain_t *next; /* of the world, in order of birth */
    trp_sim_t *sim;
    sim_domain_kind_t kind;
    char name[SIM_NAME_MAX];     /* "a", its third worker "a.3" */
    struct sim_machine *machine; /* whose process it is */
    trp_host_t host;
    sim_place_t place;
    guardian_child_t child;
    guardian_port_t port; /* a node's */
    void (*report)(void *hearer, const guardian_message_t *message);
    void *hearer;
    sim_report_t *reports; /* by due_ns */
    node_t *node;
    worker_process_t *worker;
    trp_runtime_t *runtime;
    edge_t *edge;
    envelope_meter_t meter;
    sim_thread_t threads[SIM_THREADS_MAX];
    uint32_t thread_count;
    int64_t paused_until_ns;
    host_job_t *jobs;   /* offloaded, oldest first ... */
    int64_t job_due_ns; /* ... the first of which is done then */
    int32_t os_pid;
    bool is_alive;
    bool is_leaving; /* asked for its end by process_exit; with: */
    int exit_code;
    bool knows_ledger;         /* all that it was sent since its birth is counted by it */
    sim_store_how_t store_how; /* for the stores that it opens */
};

/* A node's description, and its processes' common fate: the machine that they run on. */
typedef struct sim_machine {
    struct sim_machine *next;
    trp_sim_node_t spec;
    char run_dir[SIM_NAME_MAX];
    uint32_t number; /* of the node in pids, shifted */
    uint32_t incarnation;
    int64_t epoch_skew_ms;
    int64_t step_ns;     /* what a step takes here */
    int64_t start_at_ns; /* SIM_NEVER: not planned */
    config_t *config;
    tree_t *tree;
    keeper_args_t keeper;
    sim_domain_t *node; /* NULL: dead */
    bool was_killed, stops_well;
} sim_machine_t;

/* A worker process that the guardian is about to start. */
typedef struct sim_birth {
    struct sim_birth *next;
    sim_domain_t *parent;
    guardian_message_t request;
    int64_t due_ns;
} sim_birth_t;

/* ---- faults ---- */

typedef enum sim_fault_kind {
    SIM_KILL_ACTOR,
    SIM_KILL_PROCESS,
    SIM_KILL_NODE,
    SIM_STOP_NODE,
    SIM_SPLIT,
    SIM_HEAL,
    SIM_PAUSE,
    SIM_RESUME,
    SIM_SLOW,
    SIM_KILL_STORE,
    SIM_FAULT_KINDS
} sim_fault_kind_t;

typedef struct sim_fault {
    sim_fault_kind_t kind;
    int64_t at_ns;
    int64_t for_ns;              /* splits, pauses: then it is over; 0: for ever */
    char target[SIM_NAME_MAX];   /* "": chosen by `pick` when it happens */
    char group[2][SIM_NAME_MAX]; /* of a split: names, separated by blanks; "*": all others */
    bool one_way;                /* only from the first to the second */
    uint64_t pick;
    bool planned; /* by chance: its number is a bit of faults_without */
} sim_fault_t;

#define SIM_FAULTS_MAX 128

typedef struct sim_split {
    bool active, one_way;
    int64_t until_ns;
    char group[2][SIM_NAME_MAX];
} sim_split_t;

#define SIM_SPLITS_MAX 8

/* ---- choices ---- */

/* What an exhaustive search walks: where more than one thread could step, which did. */
typedef struct sim_choices {
    uint8_t *taken, *of;
    size_t count, room;
    size_t given;      /* of `taken`: to be followed */
    uint32_t switches; /* so far, away from a thread that could go on */
    uint32_t switches_max;
} sim_choices_t;

typedef struct sim_trace sim_trace_t;
typedef struct sim_probe sim_probe_t;

struct trp_sim {
    trp_sim_options_t options;
    int64_t now_ns, began_ns;
    uint64_t steps, hash;
    uint64_t schedule_chance[4], fate_chance[4], host_chance[4], user_chance[4];
    sim_net_t *net;
    sim_machine_t *machines, *last_machine;
    sim_domain_t *domains, *last_domain;
    sim_birth_t *births;
    uint32_t os_pids;
    sim_fault_t faults[SIM_FAULTS_MAX];
    size_t fault_count, fault_next; /* sorted by time */
    sim_split_t splits[SIM_SPLITS_MAX];
    uint64_t change_at[8]; /* steps at which PCT lowers a priority */
    uint64_t low_priority;
    sim_thread_t *last_thread;
    sim_choices_t *choices;
    sim_domain_t *current; /* whose step it is */
    bool calm;             /* no faults any more */
    bool closing;
    uint32_t lost; /* messages that the net lost */
    sim_trace_t *trace;
    sim_probe_t *probe;
    trp_sim_client_t *clients;
    trp_sim_worker_t *workers;
    sim_store_t *stores;
    uint64_t handled[UINT16_MAX + 1u];
    char failure[512];
    bool has_failed;
    size_t memory_before;
};

/* ---- chance ---- */

void sim_chance_seed(uint64_t state[4], uint64_t seed);
uint64_t sim_chance(uint64_t state[4]);
/** Below `n`; 0 when n is 0. */
uint64_t sim_below(uint64_t state[4], uint64_t n);
/** True in `share` of 1,000,000 cases. */
bool sim_happens(uint64_t state[4], uint32_t share);

/* ---- sim_host ---- */

void sim_host_init(sim_domain_t *domain);

/* ---- sim_process ---- */

/** The node's process, with its config, keeper and tree if it has any. */
void sim_machine_start(trp_sim_t *sim, sim_machine_t *machine);
/** Ends a process: by a signal (its memory and its voice are gone at once), or by its exit. */
void sim_domain_crash(sim_domain_t *domain, int signal_number);
void sim_domain_exit(sim_domain_t *domain, int status);
/** Worker processes, and offloaded jobs, whose time has come. */
void sim_births(trp_sim_t *sim);
/** Keeps a job of the domain until then. */
void sim_job_add(sim_domain_t *domain, host_job_t *job);
int64_t sim_births_next_ns(const trp_sim_t *sim);
bool sim_report_due(const sim_domain_t *domain);
/** Tells a node the next thing that the guardian has to say. */
void sim_report_tell(sim_domain_t *domain);
sim_machine_t *sim_machine_of(const trp_sim_t *sim, const char *name);
sim_domain_t *sim_domain_of(const trp_sim_t *sim, const char *name);
/** Frees a domain's memory; it must have ended. */
void sim_domain_free(sim_domain_t *domain);

/* ---- sim_thread ---- */

/** Whether it could do something now. */
bool sim_thread_ready(const sim_thread_t *thread);
/** When it will by itself; SIM_NEVER: never. */
int64_t sim_thread_next_ns(const sim_thread_t *thread);
void sim_thread_step(sim_thread_t *thread);

/* ---- sim_schedule ---- */

void sim_schedule_init(trp_sim_t *sim);
void sim_schedule_thread(sim_thread_t *thread);
/** The thread that steps now; NULL: none can. */
sim_thread_t *sim_schedule_next(trp_sim_t *sim);

/* ---- sim_fault, sim_script ---- */

void sim_fault_plan(trp_sim_t *sim);
/** Adds one in order of time. */
void sim_fault_add(trp_sim_t *sim, const sim_fault_t *fault);
void sim_fault_happen(trp_sim_t *sim, const sim_fault_t *fault);
void sim_fault_due(trp_sim_t *sim);
int64_t sim_fault_next_ns(const trp_sim_t *sim);
void sim_fault_end_all(trp_sim_t *sim);
bool sim_fault_blocks(void *sim, const char *from, const char *to);
sim_fate_t sim_fault_fate(void *sim, const sim_way_t *way);
/** One line without its time. False: not understood. */
bool sim_script_line(const char *line, sim_fault_t *fault);
/** The whole text; a line that is wrong fails the world. */
void sim_script_read(trp_sim_t *sim, const char *text);
/** Writes it as a line of a script. */
void sim_script_write(const sim_fault_t *fault, char line[192]);

/* ---- sim_check ---- */

/** After a step of the domain. */
void sim_check_domain(sim_domain_t *domain);
/** Nothing can happen now: what must hold at rest. */
void sim_check_rest(trp_sim_t *sim);

/* ---- sim_cover ---- */

void sim_cover_domain(const sim_domain_t *domain);
void sim_cover_thread(const sim_thread_t *thread, sim_thread_state_t before);

/* ---- sim_trace ---- */

sim_trace_t *sim_trace_make(bool keep);
void sim_trace_free(sim_trace_t *trace);
/** A line: who did what to whom. `to` NULL: to nobody else. */
TRP_PRINTF(4, 5)
void sim_trace_add(trp_sim_t *sim, const char *from, const char *to, const char *format, ...);
void sim_hash_add(trp_sim_t *sim, uint64_t value);
/** What a cell is about to handle, for the trace, the hash and the counts. */
void sim_trace_cell(sim_thread_t *thread, const cell_t *cell);

/* ---- sim_probe, sim_client ---- */

void sim_probe_open(trp_sim_t *sim);
void sim_probe_free(trp_sim_t *sim);
bool sim_client_ready(const trp_sim_t *sim);
void sim_client_step(trp_sim_t *sim);
void sim_client_check(trp_sim_t *sim);
void sim_client_free_all(trp_sim_t *sim);

/* ---- sim_worker ---- */

bool sim_worker_ready(const trp_sim_t *sim);
void sim_worker_step(trp_sim_t *sim);
int64_t sim_worker_next_ns(const trp_sim_t *sim);
/** The name of that one, from 0 on; NULL: there are not so many. */
const char *sim_worker_name(const trp_sim_t *sim, size_t number);
void sim_worker_free_all(trp_sim_t *sim);

#endif
