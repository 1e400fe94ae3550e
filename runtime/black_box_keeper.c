/* SPDX-License-Identifier: MIT */
#include "runtime/black_box_keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "messages/reason.h"
#include "runtime/black_box_file.h"
#include "runtime/log.h"

#define CLOSE_S   1
#define TEXT_MAX  64 /* the terminating NUL included; messages/black_box.h has the bounds */
#define CLASS_MAX 256

struct black_box_keeper {
    const trp_host_t *host;
    pthread_mutex_t lock; /* a leaf */
    pthread_cond_t done;  /* a job is; on the monotonic clock */
    uint32_t jobs;        /* under way */
    bool closed;          /* the last job frees it */
    char folder[BLACK_BOX_PATH_MAX];
};

typedef struct job {
    host_job_t host; /* first: the host's pointer is ours */
    black_box_keeper_t *keeper;
    black_box_t box;
    box_owner_t owner; /* its texts are these: */
    char pid[TEXT_MAX], name[TEXT_MAX], class[CLASS_MAX], reason[TRP_REASON_LINE_MAX];
} job_t;

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
    pthread_cond_init(&self->done, &attributes);
    pthread_condattr_destroy(&attributes);
    *keeper = self;
    return TRP_OK;
}

static void keeper_free(black_box_keeper_t *self)
{
    pthread_cond_destroy(&self->done);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void black_box_keeper_close(black_box_keeper_t **keeper)
{
    struct timespec until;
    int error = 0;
    black_box_keeper_t *self = *keeper;
    *keeper = NULL;
    if (self == NULL) {
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_S;
    pthread_mutex_lock(&self->lock);
    while (self->jobs > 0 && error == 0) {
        error = pthread_cond_timedwait(&self->done, &self->lock, &until);
    }
    self->closed = true;
    const bool is_last = self->jobs == 0;
    pthread_mutex_unlock(&self->lock);
    if (is_last) {
        keeper_free(self);
    }
}

static void job_end(job_t *job)
{
    black_box_keeper_t *keeper = job->keeper;
    black_box_close(&job->box);
    free(job);
    pthread_mutex_lock(&keeper->lock);
    keeper->jobs--;
    const bool is_last = keeper->closed && keeper->jobs == 0;
    pthread_cond_signal(&keeper->done);
    pthread_mutex_unlock(&keeper->lock);
    if (is_last) {
        keeper_free(keeper);
    }
}

static void log_lost(const job_t *job, const char *why)
{
    log_event(LOG_WARN, "black_box_lost", LOG_TEXT("child", job->name),
              LOG_TEXT("reason", job->reason), LOG_TEXT("error", why));
}

/* On a helper thread. */
static void write_box(host_job_t *host_job)
{
    job_t *job = (job_t *)host_job;
    char path[BLACK_BOX_PATH_MAX];
    black_box_copy_t copy;
    trp_status_t status = black_box_copy(&job->box, &copy);
    if (status == TRP_OK) {
        status = black_box_save(job->keeper->folder, &job->owner, &copy, path);
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
    job_end(job);
}

static trp_text_t copy_text(char *to, size_t size, trp_text_t text)
{
    const size_t kept = text.size < size - 1 ? text.size : size - 1;
    memcpy(to, text.data, kept);
    to[kept] = '\0';
    return (trp_text_t){to, kept};
}

static job_t *job_make(black_box_keeper_t *keeper, const black_box_t *box, const box_owner_t *owner)
{
    job_t *job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->host.run = write_box;
        job->keeper = keeper;
        job->box = *box;
        job->owner = *owner;
        job->owner.pid = copy_text(job->pid, sizeof(job->pid), owner->pid);
        job->owner.name = copy_text(job->name, sizeof(job->name), owner->name);
        job->owner.class = copy_text(job->class, sizeof(job->class), owner->class);
        job->owner.reason = copy_text(job->reason, sizeof(job->reason), owner->reason);
    }
    return job;
}

void black_box_keep(black_box_keeper_t *keeper, black_box_t *box, const box_owner_t *owner)
{
    job_t *job = job_make(keeper, box, owner);
    if (job == NULL) {
        black_box_close(box);
        log_event(LOG_WARN, "black_box_lost", LOG_TEXT("error", "out of memory"));
        return;
    }
    *box = (black_box_t){.head = NULL};
    pthread_mutex_lock(&keeper->lock);
    keeper->jobs++;
    pthread_mutex_unlock(&keeper->lock);
    const trp_status_t status = keeper->host->offload(keeper->host->user, &job->host);
    if (status != TRP_OK) {
        log_lost(job, status == TRP_BUSY ? "too many are being written" : "no thread to write it");
        job_end(job);
    }
}
