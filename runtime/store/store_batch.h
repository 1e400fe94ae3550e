/* SPDX-License-Identifier: MIT */
/* Requests to a store that are carried out together, in their order, on the actor's thread or a
 * helper's; one sync serves all of them that want one. The port is the handle of the backend in two
 * hands: the actor's, and that of a batch that is still on a helper when the actor has ended. */
#ifndef TRP_RUNTIME_STORE_BATCH_H
#define TRP_RUNTIME_STORE_BATCH_H

#include <pthread.h>

#include "messages/store.h"
#include "runtime/core/runtime.h"
#include "runtime/plugin.h"
#include "runtime/troupe.h"

/* Between a helper and the store's actor. */
#define TAG_STORE_OPENED (TRP_TAG_STORE_CHANGED + 1)
#define TAG_STORE_DONE   (TRP_TAG_STORE_CHANGED + 2)

typedef struct store_port {
    pthread_mutex_t lock;   /* over the members down to `owners`, and the send of a change */
    trp_runtime_t *runtime; /* NULL: the actor has ended */
    bool missed;            /* a change that could not be sent to the actor */
    uint32_t owners;        /* the actor and each batch */
    trp_pid_t actor;
    const trp_store_t *backend;
    trp_store_options_t options;
    char *where;  /* of options */
    void *handle; /* NULL: not open */
    bool watches; /* the backend tells of changes */
} store_port_t;

typedef struct store_op {
    trp_envelope_t *request;
    zmq_msg_t answer;     /* when it is packed */
    store_answer_t brief; /* a write's, packed when it is known whether it is durable */
    bool wants_sync, is_packed;
    bool failed; /* no memory for its answer */
} store_op_t;

typedef struct store_batch {
    store_port_t *port; /* held */
    uint32_t owners;    /* under the port's lock: the actor, and the helper that carries it out */
    store_op_t *ops;
    size_t count, room;
    size_t bytes; /* of their payloads */
} store_batch_t;

/** NULL: no memory. owns: the caller is an owner. */
store_port_t *store_port_make(trp_ctx_t *ctx, const trp_store_t *backend,
                              const trp_store_options_t *options);
/** An owner more. */
void store_port_hold(store_port_t *port);
/** One less; the last one closes the handle. Clears the pointer. */
void store_port_drop(store_port_t **port);
/** The actor has ended: nothing is sent to it any more. */
void store_port_leave(store_port_t *port);
/** Opens the handle and watches it. */
trp_status_t store_port_begin(store_port_t *port);
/** Whether changes were missed since the last call. */
bool store_port_missed(store_port_t *port);

/** NULL: no memory. owns: the caller is its owner. */
store_batch_t *store_batch_make(store_port_t *port);
/** errors: TRP_NO_MEMORY */
trp_status_t store_batch_add(store_batch_t *batch, const trp_envelope_t *request);
/** Carries it out: each op has its answer then. */
void store_batch_run(store_batch_t *batch);
/** An owner more. */
void store_batch_hold(store_batch_t *batch);
/** One less; the last one frees it. Clears the pointer; NULL is none. */
void store_batch_drop(store_batch_t **batch);

#endif
