/* SPDX-License-Identifier: MIT */
#include "runtime/base/host_offload.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "runtime/base/host_fatal.h"

#define HELPERS_MAX 32
#define WAITING_MAX 1024
#define IDLE_S      5

static struct {
    pthread_mutex_t lock; /* a leaf */
    pthread_cond_t work;  /* on the monotonic clock */
    pthread_once_t once;
    host_job_t *first, *last;
    uint32_t waiting; /* jobs */
    uint32_t helpers, idle;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

static void make_work(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool.work, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* With the lock. NULL: nothing came for so long. */
static host_job_t *take(void)
{
    struct timespec until;
    int error = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    pool.idle++;
    while (pool.first == NULL && error == 0) {
        error = pthread_cond_timedwait(&pool.work, &pool.lock, &until);
    }
    pool.idle--;
    host_job_t *job = pool.first;
    if (job != NULL) {
        pool.first = job->next;
        pool.last = pool.first == NULL ? NULL : pool.last;
        pool.waiting--;
    }
    return job;
}

static void *helper(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&pool.lock);
    for (host_job_t *job = take(); job != NULL; job = take()) {
        pthread_mutex_unlock(&pool.lock);
        job->run(job); /* it is not ours any more */
        pthread_mutex_lock(&pool.lock);
    }
    pool.helpers--;
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

/* With the lock: nobody is left to a helper that does not come. */
static trp_status_t need_helper(void)
{
    pthread_t thread;
    sigset_t others;
    sigset_t before;
    if (pool.idle > pool.waiting || pool.helpers == HELPERS_MAX) {
        return TRP_OK;
    }
    host_fatal_mask(&others);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    const int error = pthread_create(&thread, NULL, helper, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        return pool.helpers == 0 ? TRP_SYSTEM : TRP_OK;
    }
    (void)pthread_detach(thread);
    pool.helpers++;
    return TRP_OK;
}

trp_status_t host_offload(void *user, host_job_t *job)
{
    (void)user;
    (void)pthread_once(&pool.once, make_work);
    pthread_mutex_lock(&pool.lock);
    trp_status_t status = pool.waiting < WAITING_MAX ? need_helper() : TRP_BUSY;
    if (status == TRP_OK) {
        job->next = NULL;
        *(pool.last == NULL ? &pool.first : &pool.last->next) = job;
        pool.last = job;
        pool.waiting++;
        pthread_cond_signal(&pool.work);
    }
    pthread_mutex_unlock(&pool.lock);
    return status;
}

uint32_t host_offload_helpers(void)
{
    pthread_mutex_lock(&pool.lock);
    const uint32_t helpers = pool.helpers;
    pthread_mutex_unlock(&pool.lock);
    return helpers;
}
