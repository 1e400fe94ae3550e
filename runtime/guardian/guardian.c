/* SPDX-License-Identifier: MIT */
/* The guardian's states, by its node:
 *
 *     RUNNING   --exit status-->  ENDING                 (the node decided)
 *               --signal------->  SWEEPING, or ENDING when stopping or given up
 *     SWEEPING  --no child left-> WAITING                (workers of a dead node end first)
 *     WAITING   --delay over--->  RUNNING                (a stop signal: ENDING)
 *     ENDING    --no child left-> done
 *
 * A child is known until its wait status is taken, so a kill never meets a reused pid. */
#include "runtime/guardian/guardian.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/guardian/guardian_deaths.h"
#include "runtime/guardian/guardian_dir.h"
#include "runtime/guardian/guardian_fork.h"
#include "runtime/guardian/guardian_listen.h"
#include "runtime/guardian/guardian_notify.h"
#include "runtime/guardian/guardian_queue.h"
#include "runtime/guardian/guardian_workers.h"
#include "runtime/log.h"

#define NODE_SILENT_NS (5 * 1000000000LL) /* a node that does not read for so long is killed */
#define NEVER          INT64_MAX
#define NS_OF_MS       1000000LL
#define STATUS_FAILED  1

typedef enum guardian_state {
    GUARDIAN_RUNNING,
    GUARDIAN_SWEEPING,
    GUARDIAN_WAITING,
    GUARDIAN_ENDING,
} guardian_state_t;

typedef struct guardian {
    const guardian_options_t *options;
    guardian_state_t state;
    int lock, signal_fd, node_fd, listener;
    pid_t node_pid; /* 0: none */
    uint32_t incarnation_max;
    guardian_workers_t workers;
    guardian_queue_t reports;
    guardian_notify_t notify;
    bool stopping, reloaded;
    int64_t stop_at_ns, start_at_ns;
    guardian_deaths_t deaths; /* of the node */
    int exit_status;
} guardian_t;

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void node_silent(const guardian_t *self)
{
    log_event(LOG_ERROR, "node_does_not_read", LOG_INT("os_pid", self->node_pid));
    (void)kill(-self->node_pid, SIGKILL);
}

static void report(guardian_t *self, const guardian_message_t *message)
{
    if (self->node_fd >= 0 &&
        !guardian_queue_push(&self->reports, self->node_fd, message, now_ns())) {
        node_silent(self);
    }
}

/* ---- children ---- */

static void kill_all(guardian_t *self)
{
    if (self->node_pid > 0) {
        (void)kill(-self->node_pid, SIGKILL);
    }
    guardian_workers_kill_all(&self->workers);
}

static void node_fd_close(guardian_t *self)
{
    if (self->node_fd >= 0) {
        (void)close(self->node_fd);
        self->node_fd = -1;
    }
    guardian_queue_clear(&self->reports);
}

static void end(guardian_t *self, int status)
{
    self->state = GUARDIAN_ENDING;
    self->exit_status = status;
    guardian_workers_kill_all(&self->workers);
}

static void node_start(guardian_t *self)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        log_event(LOG_FATAL, "node_not_started", LOG_TEXT("error", strerror(errno)));
        end(self, STATUS_FAILED);
        return;
    }
    const guardian_fork_t how = {
        .child = {.node = self->options->node,
                  .incarnation = ++self->incarnation_max,
                  .fd = pair[1],
                  .run_dir = self->options->run_dir,
                  .listener = self->listener,
                  .reloaded = self->reloaded,
                  .culprit = self->deaths.page,
                  .quarantine = &self->deaths.quarantine},
        .main = self->options->node_main,
        .user = self->options->user,
        .program = "",
    };
    self->node_fd = pair[0];
    culprit_share(self->deaths.page, true);
    const trp_status_t status = guardian_fork(&how, &self->node_pid);
    culprit_share(self->deaths.page, false); /* no worker says who is to blame */
    (void)close(pair[1]);
    if (status != TRP_OK) {
        log_event(LOG_FATAL, "node_not_started", LOG_TEXT("error", strerror(errno)));
        self->node_pid = 0;
        node_fd_close(self);
        end(self, STATUS_FAILED);
        return;
    }
    self->state = GUARDIAN_RUNNING;
}

static void worker_spawn(guardian_t *self, const guardian_message_t *request)
{
    guardian_message_t message = {.index = request->index, .incarnation = request->incarnation};
    pid_t os_pid = 0;
    message.value = guardian_workers_spawn(&self->workers, request, &os_pid);
    message.kind = message.value == 0 ? GUARDIAN_SPAWNED : GUARDIAN_REFUSED;
    message.os_pid = os_pid;
    report(self, &message);
}

/* ---- what happens ---- */

static void on_ready(guardian_t *self, const guardian_message_t *request)
{
    char lines[GUARDIAN_PROGRAM_MAX + 32];
    snprintf(lines, sizeof(lines), "READY=1\nSTATUS=%s", request->program);
    guardian_notify_send(&self->notify, lines);
}

/* Processes are forked from here, so the level holds here as well. */
static void on_reloaded(guardian_t *self, const guardian_message_t *request)
{
    if (request->value >= LOG_TRACE && request->value <= LOG_FATAL) {
        self->reloaded = true;
        log_level_set(request->value);
    }
    on_ready(self, request);
}

static void on_request(guardian_t *self, const guardian_message_t *request)
{
    if (request->kind == GUARDIAN_READY) {
        on_ready(self, request);
        return;
    }
    if (request->kind == GUARDIAN_RELOADED) {
        on_reloaded(self, request);
        return;
    }
    if (request->index == 0 || request->index > GUARDIAN_INDEX_MAX) {
        log_event(LOG_ERROR, "guardian_bad_request", LOG_INT("kind", request->kind),
                  LOG_INT("index", request->index));
        return;
    }
    if (request->incarnation > self->incarnation_max) {
        self->incarnation_max = request->incarnation;
    }
    if (request->kind == GUARDIAN_SPAWN) {
        worker_spawn(self, request);
    } else if (request->kind == GUARDIAN_KILL) {
        guardian_workers_kill(&self->workers, request);
    } else {
        log_event(LOG_ERROR, "guardian_bad_request", LOG_INT("kind", request->kind));
    }
}

static void read_requests(guardian_t *self)
{
    guardian_message_t request;
    for (int i = 0; i < 64 && self->node_fd >= 0; i++) {
        const trp_status_t status = guardian_receive(self->node_fd, &request);
        if (status == TRP_OK) {
            on_request(self, &request);
            if (request.box > 0) {
                (void)close(request.box); /* the worker has its own */
            }
        } else if (status == TRP_PROTOCOL) {
            log_event(LOG_ERROR, "guardian_bad_request");
        } else {
            if (status != TRP_BUSY) {
                node_fd_close(self); /* its wait status follows */
            }
            return;
        }
    }
}

static void on_node_exit(guardian_t *self, int wait_status)
{
    const int64_t now = now_ns();
    self->node_pid = 0;
    node_fd_close(self);
    if (WIFEXITED(wait_status)) {
        end(self, WEXITSTATUS(wait_status));
        return;
    }
    const int number = WTERMSIG(wait_status);
    if (self->stopping) {
        end(self, STATUS_FAILED);
        return;
    }
    int64_t delay_ns = 0;
    if (!guardian_deaths_note(&self->deaths, number, now, &delay_ns)) {
        end(self, STATUS_FAILED);
        return;
    }
    self->start_at_ns = now + delay_ns;
    self->state = GUARDIAN_SWEEPING;
    guardian_notify_send(&self->notify, "STATUS=the node died and is started again");
    guardian_workers_kill_all(&self->workers);
}

static void on_worker_exit(guardian_t *self, pid_t os_pid, int wait_status)
{
    guardian_worker_t worker;
    bool memory = false;
    if (!guardian_workers_take(&self->workers, os_pid, &worker, &memory)) {
        return;
    }
    const guardian_message_t message = {.kind = GUARDIAN_EXITED,
                                        .index = worker.index,
                                        .incarnation = worker.incarnation,
                                        .os_pid = os_pid,
                                        .value = wait_status,
                                        .memory = memory};
    report(self, &message);
}

/* Signals of ended children come together, so all that have ended are taken. While a child is a
 * zombie its group's number can't be reused: what it left behind ends then. */
static void reap(guardian_t *self)
{
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        int wait_status = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
            return;
        }
        (void)kill(-info.si_pid, SIGKILL);
        (void)waitpid(info.si_pid, &wait_status, 0);
        if (info.si_pid == self->node_pid) {
            on_node_exit(self, wait_status);
        } else {
            on_worker_exit(self, info.si_pid, wait_status);
        }
    }
}

static void on_stop(guardian_t *self, int number)
{
    if (self->stopping) {
        if (number == SIGINT) {
            log_event(LOG_WARN, "stop_at_once");
            kill_all(self);
        }
        return;
    }
    log_event(LOG_INFO, "stop", LOG_INT("signal", number));
    guardian_notify_send(&self->notify, "STOPPING=1\nSTATUS=finishing what was accepted");
    self->stopping = true;
    self->stop_at_ns = now_ns() + self->options->stop_ms * NS_OF_MS;
    if (self->state == GUARDIAN_RUNNING) {
        const guardian_message_t message = {.kind = GUARDIAN_STOP, .value = number};
        report(self, &message);
    } else {
        end(self, STATUS_FAILED); /* there is no node to drain */
    }
}

/* The node reads the file; one that is not there yet, when it starts. */
static void on_reload(guardian_t *self)
{
    const guardian_message_t message = {.kind = GUARDIAN_RELOAD};
    if (self->stopping) {
        return;
    }
    guardian_notify_reloading(&self->notify, now_ns());
    self->reloaded |= self->state != GUARDIAN_RUNNING;
    report(self, &message);
}

static void read_signals(guardian_t *self)
{
    struct signalfd_siginfo info;
    while (read(self->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            on_reload(self);
        } else if (info.ssi_signo != SIGCHLD) {
            on_stop(self, (int)info.ssi_signo);
        }
    }
    reap(self);
}

/* ---- the loop ---- */

static int64_t next_deadline(const guardian_t *self)
{
    int64_t next = NEVER;
    if (self->stopping && (self->node_pid > 0 || self->workers.count > 0)) {
        next = self->stop_at_ns;
    }
    if (self->state == GUARDIAN_WAITING && self->start_at_ns < next) {
        next = self->start_at_ns;
    }
    if (self->notify.watchdog_ns > 0 && self->notify.next_ns < next) {
        next = self->notify.next_ns;
    }
    if (self->reports.count > 0 && self->reports.since_ns + NODE_SILENT_NS < next) {
        next = self->reports.since_ns + NODE_SILENT_NS;
    }
    return next;
}

static void check_deadlines(guardian_t *self)
{
    const int64_t now = now_ns();
    guardian_notify_turn(&self->notify, now);
    if (self->stopping && now >= self->stop_at_ns &&
        (self->node_pid > 0 || self->workers.count > 0)) {
        log_event(LOG_ERROR, "stop_deadline", LOG_INT("stop_ms", self->options->stop_ms),
                  LOG_INT("workers", self->workers.count));
        self->stop_at_ns = now + self->options->stop_ms * NS_OF_MS + NS_OF_MS;
        kill_all(self);
    }
    if (self->reports.count > 0 && now >= self->reports.since_ns + NODE_SILENT_NS) {
        node_silent(self);
        node_fd_close(self);
    }
    if (self->state == GUARDIAN_SWEEPING && self->workers.count == 0) {
        guardian_dir_sweep(self->options->run_dir);
        self->state = GUARDIAN_WAITING;
    }
    if (self->state == GUARDIAN_WAITING && now >= self->start_at_ns) {
        node_start(self);
    }
}

static bool is_done(const guardian_t *self)
{
    return self->state == GUARDIAN_ENDING && self->node_pid == 0 && self->workers.count == 0;
}

static void turn(guardian_t *self)
{
    struct pollfd polled[2] = {
        {.fd = self->signal_fd, .events = POLLIN},
        {.fd = self->node_fd, .events = (short)(POLLIN | (self->reports.count > 0 ? POLLOUT : 0))},
    };
    const int64_t deadline = next_deadline(self);
    int wait_ms = -1;
    if (deadline != NEVER) {
        const int64_t left_ms = (deadline - now_ns() + NS_OF_MS - 1) / NS_OF_MS;
        wait_ms = left_ms < 0 ? 0 : (int)(left_ms > 60000 ? 60000 : left_ms);
    }
    (void)poll(polled, 2, wait_ms);
    if (self->node_fd >= 0 && (polled[1].revents & POLLOUT) != 0) {
        guardian_queue_flush(&self->reports, self->node_fd, now_ns());
    }
    /* Requests first: what a node asked for before it ended is known when its end is. */
    if (self->node_fd >= 0 && polled[1].revents != 0) {
        read_requests(self);
    }
    if (polled[0].revents != 0) {
        read_signals(self);
    }
    check_deadlines(self);
}

static bool open_signals(guardian_t *self, sigset_t *former)
{
    sigset_t heard;
    (void)sigemptyset(&heard);
    (void)sigaddset(&heard, SIGINT);
    (void)sigaddset(&heard, SIGTERM);
    (void)sigaddset(&heard, SIGHUP);
    (void)sigaddset(&heard, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &heard, former) != 0) {
        return false;
    }
    self->signal_fd = signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
    return self->signal_fd >= 0;
}

static bool guardian_init(guardian_t *self, const guardian_options_t *options)
{
    char error[256] = "";
    memset(self, 0, sizeof(*self));
    self->options = options;
    self->signal_fd = self->node_fd = -1;
    if (guardian_dir_take(options->run_dir, options->name, &self->lock, error) != TRP_OK) {
        log_event(LOG_FATAL, "run_dir_refused", LOG_TEXT("error", error));
        return false;
    }
    if (!guardian_workers_init(&self->workers, options) || !guardian_queue_init(&self->reports)) {
        log_event(LOG_FATAL, "out_of_memory");
        guardian_workers_fini(&self->workers);
        guardian_dir_leave(options->run_dir, self->lock);
        return false;
    }
    guardian_deaths_init(&self->deaths, options->quarantine_after, options->quarantine_window_s);
    guardian_dir_sweep(options->run_dir);
    return true;
}

int guardian_run(const guardian_options_t *options)
{
    guardian_t self;
    sigset_t former;
    log_ignore_signals();
    guardian_fill_standard_files();
    if (!guardian_init(&self, options)) {
        return STATUS_FAILED;
    }
    self.listener = guardian_listen_take();
    guardian_notify_open(&self.notify);
    if (open_signals(&self, &former)) {
        node_start(&self);
        while (!is_done(&self)) {
            turn(&self);
        }
        (void)close(self.signal_fd);
        (void)sigprocmask(SIG_SETMASK, &former, NULL);
    } else {
        log_event(LOG_FATAL, "no_signals", LOG_TEXT("error", strerror(errno)));
        self.exit_status = STATUS_FAILED;
    }
    guardian_notify_close(&self.notify);
    guardian_workers_fini(&self.workers); /* the next guardian's groups have the same names */
    guardian_dir_leave(options->run_dir, self.lock);
    guardian_queue_fini(&self.reports);
    guardian_deaths_fini(&self.deaths);
    return self.exit_status;
}
