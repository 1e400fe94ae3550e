/* SPDX-License-Identifier: MIT */
/* A job is in two hands: the host's, which runs it, and the runtime's port, by which it finds its
 * way back. The port outlives the runtime as long as any job is under way. */
#include "runtime/offload.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/context.h"
#include "runtime/core/lease.h"
#include "runtime/core/life.h"

struct offload_port {
    pthread_mutex_t lock;   /* held over the send of a result; the core's leaves are inside */
    trp_runtime_t *runtime; /* NULL: it has ended */
    struct job *jobs;       /* that have not begun; newest first */
    uint32_t owners;        /* the runtime and each job */
};

typedef struct job {
    host_job_t host; /* first: the host's pointer is ours */
    struct job *next, *previous;
    offload_port_t *port;
    trp_offload_t what;
    trp_pid_t cell;        /* of the owner, in this runtime */
    trp_envelope_t *reply; /* made beforehand: the result can't be lost for want of memory */
    bool cancelled;
} job_t;

/* ---- the port ---- */

trp_status_t offload_port_open(trp_runtime_t *runtime)
{
    offload_port_t *port = calloc(1, sizeof(*port));
    if (port == NULL) {
        return TRP_NO_MEMORY;
    }
    pthread_mutex_init(&port->lock, NULL);
    port->runtime = runtime;
    port->owners = 1;
    runtime->offloads = port;
    return TRP_OK;
}

/* With the lock, which is given back. */
static void release(offload_port_t *port)
{
    const bool is_last = --port->owners == 0;
    pthread_mutex_unlock(&port->lock);
    if (is_last) {
        pthread_mutex_destroy(&port->lock);
        free(port);
    }
}

void offload_port_close(trp_runtime_t *runtime)
{
    offload_port_t *port = runtime->offloads;
    runtime->offloads = NULL;
    if (port != NULL) {
        pthread_mutex_lock(&port->lock);
        port->runtime = NULL;
        release(port);
    }
}

static void attach(offload_port_t *port, job_t *job)
{
    pthread_mutex_lock(&port->lock);
    port->owners++;
    job->next = port->jobs;
    if (job->next != NULL) {
        job->next->previous = job;
    }
    port->jobs = job;
    pthread_mutex_unlock(&port->lock);
}

/* With the lock. */
static void detach(offload_port_t *port, job_t *job)
{
    *(job->previous == NULL ? &port->jobs : &job->previous->next) = job->next;
    if (job->next != NULL) {
        job->next->previous = job->previous;
    }
}

/* ---- on a helper thread ---- */

/* With the lock: whether its actor lives and waits for it. */
static bool is_wanted(const offload_port_t *port, const job_t *job)
{
    const cell_t *cell =
        port->runtime == NULL ? NULL : cell_at(&port->runtime->table, job->cell.slot);
    /* Relaxed: an end that is seen late only costs a run. */
    return cell != NULL && !job->cancelled &&
           atomic_load_explicit(&cell->generation, memory_order_relaxed) == job->cell.generation;
}

static void fill_reply(job_t *job, trp_status_t status, zmq_msg_t *result)
{
    if (status == TRP_OK) {
        status = envelope_move(job->reply, result);
    }
    if (status != TRP_OK) {
        const int32_t code = (int32_t)status;
        job->reply->tag = TRP_TAG_FAILED;
        (void)!envelope_set(job->reply, &code, sizeof(code)); /* inline: it can't fail */
    }
    (void)zmq_msg_close(result);
}

static void run(host_job_t *host)
{
    job_t *job = (job_t *)host;
    offload_port_t *port = job->port;
    pthread_mutex_lock(&port->lock);
    detach(port, job);
    const bool wanted = is_wanted(port, job);
    pthread_mutex_unlock(&port->lock);
    if (wanted) {
        zmq_msg_t result;
        zmq_msg_init(&result);
        fill_reply(job, job->what.run(job->what.argument, &result), &result);
    }
    if (job->what.drop != NULL) {
        job->what.drop(job->what.argument);
    }
    pthread_mutex_lock(&port->lock);
    if (!wanted || port->runtime == NULL || runtime_send(port->runtime, job->reply) != TRP_OK) {
        envelope_free(job->reply);
    }
    release(port);
    free(job);
}

/* ---- in the actor ---- */

static job_t *make_job(const trp_ctx_t *ctx, const trp_offload_t *what)
{
    job_t *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    job->host.run = run;
    job->port = ctx->runtime->offloads;
    job->what = *what;
    job->cell = life_pid(ctx->runtime, ctx->cell);
    job->reply = envelope_alloc();
    if (job->reply == NULL) {
        free(job);
        return NULL;
    }
    job->reply->to = job->reply->from = ctx->cell->self;
    job->reply->tag = what->tag;
    job->reply->flags = TRP_ENVELOPE_REPLY;
    return job;
}

trp_status_t trp_offload(trp_ctx_t *ctx, const trp_offload_t *what, uint64_t *id)
{
    LEASE_CALL(ctx, TRP_GONE)
    const trp_host_t *host = ctx->runtime->host;
    const trp_request_t wait = {.to = ctx->cell->self, .timeout_ms = what->timeout_ms};
    if (host->offload == NULL) {
        return TRP_UNSUPPORTED;
    }
    job_t *job = make_job(ctx, what);
    if (job == NULL) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = context_await(ctx, &wait, &job->reply->request_id);
    if (status == TRP_OK) {
        *id = job->reply->request_id;
        attach(job->port, job);
        status = host->offload(host->user, &job->host);
        if (status != TRP_OK) {
            trp_request_cancel(ctx, *id);
            pthread_mutex_lock(&job->port->lock);
            detach(job->port, job);
            release(job->port);
        }
    }
    if (status != TRP_OK) {
        envelope_free(job->reply);
        free(job);
    }
    return status;
}

void trp_offload_cancel(trp_ctx_t *ctx, uint64_t id)
{
    LEASE_CALL(ctx, )
    offload_port_t *port = ctx->runtime->offloads;
    const trp_pid_t self = life_pid(ctx->runtime, ctx->cell);
    trp_request_cancel(ctx, id);
    pthread_mutex_lock(&port->lock);
    for (job_t *job = port->jobs; job != NULL; job = job->next) {
        if (job->reply->request_id == id && trp_pid_equal(job->cell, self)) {
            job->cancelled = true;
            break;
        }
    }
    pthread_mutex_unlock(&port->lock);
}
