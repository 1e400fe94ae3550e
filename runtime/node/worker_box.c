/* SPDX-License-Identifier: MIT */
#include "runtime/node/worker_box.h"

#include <unistd.h>

#include "runtime/guardian/black_box_catch.h"
#include "runtime/log.h"

static black_box_t box;
static pid_t writer; /* the box has one writer; threads of libraries and of handlers may log, too */

static void answer_probes(void *arg)
{
    black_box_answer(arg);
}

/* Not before: getting ready is a race, as the first message of an understudy is; and who has had
 * none owes nothing. */
void worker_box_ready(void)
{
    static host_thread_t *probe;
    if (probe == NULL && box.head != NULL &&
        host_os.thread_start(host_os.user, answer_probes, &box, &probe) != TRP_OK) {
        log_event(LOG_WARN, "probe_not_started");
    }
}

static void begin(void *user, const trp_envelope_t *message)
{
    (void)user;
    worker_box_ready();
    black_box_begin(&box, message);
}

static void end(void *user, trp_status_t status)
{
    (void)user;
    black_box_end(&box);
    if (status == TRP_NO_MEMORY) {
        /* Relaxed: a count. */
        atomic_fetch_add_explicit(&box.head->failed, 1, memory_order_relaxed);
    }
}

static const runtime_observer_t observer = {.begin = begin, .end = end};

static void keep_line(const char *line, size_t size)
{
    if (gettid() == writer) {
        black_box_log(&box, line, size);
    }
}

void worker_box_open(const guardian_child_t *child)
{
    if (child->fd < 0 || black_box_open(child->fd, &box) != TRP_OK) {
        return;
    }
    (void)close(child->fd);
    writer = gettid();
    black_box_catch(&box);
    log_copy_to(keep_line);
}

const runtime_observer_t *worker_box_observer(void)
{
    return box.head == NULL ? NULL : &observer;
}
