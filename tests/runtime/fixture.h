/* SPDX-License-Identifier: MIT */
/* One runtime in one thread, stepped by the test, with a clock that stands still; and probes,
 * actors that note what they are shown and do what the test asks. */
#ifndef TRP_TESTS_RUNTIME_FIXTURE_H
#define TRP_TESTS_RUNTIME_FIXTURE_H

#include <criterion/criterion.h>

#include "runtime/core/scheduler.h"

#define SEEN_MAX 512
#define TAG_DO   0x1000 /* payload: a function of the test; not noted */
#define TAG_NOTE 0x1001 /* payload: an int */

typedef struct seen {
    uint16_t tag;
    uint8_t flags;
    uint64_t request_id;
    trp_pid_t from;
    trp_reason_t reason; /* EXIT and DOWN */
    int note;            /* TAG_NOTE */
} seen_t;

typedef struct probe {
    trp_pid_t pid;
    seen_t seen[SEEN_MAX];
    int count;
    int inits, terminations;
    trp_reason_t end; /* of terminate */
    uint64_t ref;     /* scratch of the test */
    trp_pid_t other;  /* scratch of the test */
    trp_status_t status;
    trp_status_t init_status;
    trp_status_t (*receive)(trp_ctx_t *ctx, struct probe *probe, const trp_envelope_t *message);
} probe_t;

typedef void (*probe_act_t)(trp_ctx_t *ctx, probe_t *probe);

extern trp_runtime_t *node;
extern const trp_class_t probe_class;
extern const trp_class_t probe_proxy_class;

/** The runtime `node`: one worker, not started; `edge`: it is an edge without sockets. */
void node_open(bool edge);
/** Checks that the ledger adds up and ends it. */
void node_close(void);

/** Steps until there is nothing to do now. */
void node_settle(void);
/** One slice. */
bool node_step(void);
/** Moves the clock and nothing else. */
void node_skip_ms(int64_t ms);
/** Moves the clock, then runs. */
void node_advance_ms(int64_t ms);

/** Many probes, until the node is closed; once in a test. A static array of them would be in the
 * memory of every test's process, where the leak sanitizer reads all of it. */
probe_t *probes_new(size_t count);

/** A probe's actor, from outside of actors; not run yet. `spawn` may be NULL. */
void probe_spawn(probe_t *probe, const trp_spawn_t *spawn);

/** trp_spawn by the probe whose callback runs. */
TRP_MUST_USE trp_status_t probe_spawn_by(trp_ctx_t *ctx, probe_t *probe, trp_spawn_t spawn);

/** Has the probe's actor call `act` on its next turn; runs the node. */
void probe_do(probe_t *probe, probe_act_t act);

/** Sends TAG_NOTE from outside; the status of runtime_send. */
trp_status_t probe_note(const probe_t *probe, int note);

/** The last thing seen; fails the test when there is none. */
const seen_t *probe_last(const probe_t *probe);

bool probe_lives(const probe_t *probe);

#endif
