/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/black_box_keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "messages/reason.h"
#include "runtime/guardian/black_box_file.h"
#include "runtime/log.h"

#define NS_OF_SECOND 1000000000LL
#define CLOSE_S      1
#define REST_NS      20000000L       /* what follows a death comes first, on few processors */
#define WAITING_MAX  BLACK_BOX_FILES /* more would not be kept */
#define TEXT_MAX     64              /* with the NUL; messages/black_box.h has the bounds */
#define CLASS_MAX    256

typedef struct job {
    struct job *next;
    black_box_t box;
    box_owner_t owner; /* its texts are these: */
    char pid[TEXT_MAX], name[TEXT_MAX], class[CLASS_MAX], reason[TRP_REASON_LINE_MAX];
} job_t;

struct black_box_keeper {
    const trp_host_t *host;
    host_thread_t *thread; /* made with the first box */
    pthread_mutex_t lock;  /* a leaf: what follows */
    pthread_cond_t change; /* on the monotonic clock */
    job_t *first, *last;
    uint32_t waiting;
    bool closing, ended; /* ended: the thread has nothing to do any more */
    char folder[BLACK_BOX_PATH_MAX];
};

trp_status_t black_box_keeper_open(const trp_host_t *host, const char *folder,
                                   black_box_keeper_t **keeper)
{
    pthread_condattr_t attributes;
    black_box_keeper_t *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return TRP_NO_MEMORY;
    }
    self->host = host;
    snprintf(self->folder, sizeof(self->folder), "%s", folder);
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->change, &attributes);
    pthread_condattr_destroy(&attributes);
    *keeper = self;
    return TRP_OK;
}

/* ---- the writer's thread ---- */

static void job_free(job_t *job)
{
    black_box_close(&job->box);
    free(job);
}

static void log_lost(const job_t *job, const char *why)
{
    log_event(LOG_WARN, "black_box_lost", LOG_TEXT("child", job->name),
              LOG_TEXT("reason", job->reason), LOG_TEXT("error", why));
}

static void write_box(const char *folder, const job_t *job)
{
    char path[BLACK_BOX_PATH_MAX];
    black_box_copy_t copy;
    trp_status_t status = black_box_copy(&job->box, &copy);
    if (status == TRP_OK) {
        status = black_box_save(folder, &job->owner, &copy, path);
        const int code = errno;
        black_box_copy_free(&copy);
        errno = code;
    }
    if (status == TRP_OK) {
        log_event(LOG_INFO, "black_box_kept", LOG_TEXT("child", job->name),
                  LOG_TEXT("reason", job->reason), LOG_TEXT("file", path));
    } else {
        log_lost(job, status == TRP_SYSTEM ? strerror(errno) : trp_status_name(status));
    }
}

/* With the lock: until it is time, or the end. */
static void wait_until(black_box_keeper_t *self, const struct timespec *until)
{
    int error = 0;
    while (!self->closing && error == 0) {
        error = pthread_cond_timedwait(&self->change, &self->lock, until);
    }
}

static struct timespec in_ns(int64_t ns)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    ns += until.tv_nsec;
    return (struct timespec){until.tv_sec + ns / NS_OF_SECOND, ns % NS_OF_SECOND};
}

/* With the lock. NULL: there is none, and it is to end. */
static job_t *take(black_box_keeper_t *self)
{
    const bool rests = self->first == NULL;
    while (self->first == NULL && !self->closing) {
        pthread_cond_wait(&self->change, &self->lock);
    }
    if (rests) {
        const struct timespec until = in_ns(REST_NS);
        wait_until(self, &until);
    }
    job_t *job = self->first;
    if (job != NULL) {
        self->first = job->next;
        self->last = self->first == NULL ? NULL : self->last;
        self->waiting--;
    }
    return job;
}

static void write_all(void *arg)
{
    black_box_keeper_t *self = arg;
    pthread_mutex_lock(&self->lock);
    for (job_t *job = take(self); job != NULL; job = take(self)) {
        pthread_mutex_unlock(&self->lock);
        write_box(self->folder, job);
        job_free(job);
        pthread_mutex_lock(&self->lock);
    }
    self->ended = true;
    pthread_cond_broadcast(&self->change);
    pthread_mutex_unlock(&self->lock);
}

/* ---- the edge's ---- */

void black_box_keeper_close(black_box_keeper_t **keeper)
{
    black_box_keeper_t *self = *keeper;
    *keeper = NULL;
    if (self == NULL) {
        return;
    }
    const struct timespec until = in_ns(CLOSE_S * NS_OF_SECOND);
    int error = 0;
    pthread_mutex_lock(&self->lock);
    self->closing = true;
    pthread_cond_broadcast(&self->change);
    while (self->thread != NULL && !self->ended && error == 0) {
        error = pthread_cond_timedwait(&self->change, &self->lock, &until);
    }
    pthread_mutex_unlock(&self->lock);
    if (error == 0) { /* else its disk hangs: the process ends with it */
        self->host->thread_join(self->host->user, &self->thread);
        pthread_cond_destroy(&self->change);
        pthread_mutex_destroy(&self->lock);
        free(self);
    }
}

static trp_text_t copy_text(char *to, size_t size, trp_text_t text)
{
    const size_t kept = text.size < size - 1 ? text.size : size - 1;
    if (kept > 0) { /* no text has no data */
        memcpy(to, text.data, kept);
    }
    to[kept] = '\0';
    return (trp_text_t){to, kept};
}

static job_t *job_make(const black_box_t *box, const box_owner_t *owner)
{
    job_t *job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->box = *box;
        job->owner = *owner;
        job->owner.pid = copy_text(job->pid, sizeof(job->pid), owner->pid);
        job->owner.name = copy_text(job->name, sizeof(job->name), owner->name);
        job->owner.class = copy_text(job->class, sizeof(job->class), owner->class);
        job->owner.reason = copy_text(job->reason, sizeof(job->reason), owner->reason);
    }
    return job;
}

/* False: there are too many. */
static bool push(black_box_keeper_t *self, job_t *job)
{
    pthread_mutex_lock(&self->lock);
    const bool has_room = self->waiting < WAITING_MAX;
    if (has_room) {
        *(self->last == NULL ? &self->first : &self->last->next) = job;
        self->last = job;
        self->waiting++;
        pthread_cond_signal(&self->change);
    }
    pthread_mutex_unlock(&self->lock);
    return has_room;
}

void black_box_keep(black_box_keeper_t *self, black_box_t *box, const box_owner_t *owner)
{
    job_t *job = job_make(box, owner);
    if (job == NULL) {
        black_box_close(box);
        log_event(LOG_WARN, "black_box_lost", LOG_TEXT("error", "out of memory"));
        return;
    }
    *box = (black_box_t){.head = NULL};
    const char *fault = NULL;
    if (self->thread == NULL &&
        self->host->thread_start(self->host->user, write_all, self, &self->thread) != TRP_OK) {
        fault = "no thread to write it";
    } else if (!push(self, job)) {
        fault = "too many wait to be written";
    }
    if (fault != NULL) {
        log_lost(job, fault);
        job_free(job);
    }
}
