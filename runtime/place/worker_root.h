/* SPDX-License-Identifier: MIT */
/* The far end of a channel: a runtime of one thread, and in it an actor `link` that is the way to
 * everything outside.
 *
 *     node --frames--> receive --> root actor and those that it spawned
 *     their sends to other nodes --> link's mailbox (its bounds are the window) --> flush --> node
 *
 * What a worker process (worker.c) and the thread of an actor (place_thread.c) have in common. It
 * knows no socket. All calls, and the callbacks, are on the thread of that runtime, or before there
 * is one. */
#ifndef TRP_RUNTIME_WORKER_ROOT_H
#define TRP_RUNTIME_WORKER_ROOT_H

#include "runtime/core/runtime.h"
#include "runtime/edge/channel.h"
#include "runtime/guardian/guardian_proto.h"

/* Exit statuses of a worker process, and what `fail` is told. */
#define WORKER_LINK_LOST 74
#define WORKER_PROTOCOL  76
#define WORKER_FAILED    1

typedef struct worker_root_options {
    const trp_class_t *const *classes; /* NULL-terminated: those that may be the root's */
    trp_runtime_t *runtime;
    uint32_t node, incarnation; /* of the runtime */
    unsigned char token[GUARDIAN_TOKEN_SIZE];
    /** To the node; what is left of the frames is closed by the channel. */
    trp_status_t (*send)(void *user, zmq_msg_t *frames, size_t count);
    /** The link can't go on; `status` is one of those above. A process ends here. When it returns,
     * nothing that comes is looked at any more. */
    void (*fail)(void *user, int status, const char *event);
    /** Waits for what comes, handles it, until `until_ns` at the latest; NULL: it can't. */
    void (*wait)(void *user, int64_t until_ns);
    void *user;
} worker_root_options_t;

typedef struct worker_root {
    worker_root_options_t options;
    channel_t channel;
    trp_pid_t link;
    uint64_t root_ref;         /* of link's monitor on the root actor */
    envelope_meter_t meter_at; /* of the thread when it began */
    char *start;               /* body of the start frame until the link actor looks at it */
    size_t start_size;
    char *contract; /* of the actor's class in the node, until then; NULL: it is of our image */
    size_t contract_size;
    bool is_ready;   /* the node was told that the root actor is */
    bool is_started; /* the root actor is there; what comes before that is kept: */
    trp_envelope_t *early_first, *early_last;
    runtime_question_t *question; /* that waits for its answer */
    int64_t question_id;
    trp_status_t answer;
    bool leaving; /* the goodbye was said, by either side */
} worker_root_t;

/** Makes the channel and the link actor. errors: those of runtime_spawn */
TRP_MUST_USE trp_status_t worker_root_open(worker_root_t *root,
                                           const worker_root_options_t *options);

/** After the runtime has ended. */
void worker_root_fini(worker_root_t *root);

/** On the thread of the runtime, before anything is received: counts what it handles from here. */
void worker_root_begin(worker_root_t *root);

/** Says who it is. errors: those of `send`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t worker_root_hello(worker_root_t *root, int32_t os_pid);

/** A message of the node. */
void worker_root_receive(worker_root_t *root, zmq_msg_t *frames, size_t count);

/** Sends what waits; at the end of each turn. */
void worker_root_flush(worker_root_t *root);

/** Nothing will come any more: what is asked now is answered with TRP_GONE. */
void worker_root_hang_up(worker_root_t *root);

/** The last word, once: its reason, and the runtime is stopped. */
void worker_root_leave(worker_root_t *root, const trp_reason_t *reason);

#endif
