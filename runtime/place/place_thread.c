/* SPDX-License-Identifier: MIT */
/* One thread's life:
 *
 *     start      on the edge: runtime, medium and socket are made, the thread begins
 *     body       hello; runs its runtime, parked in its socket; goodbye; done
 *     end        its runtime is stopped: it looks after each message, so it goes when its handler
 *                returns
 *     release    the proxy has finished: at the goodbye, or because the handler did not return
 *     reap       done and released: joined and freed
 *
 * A thread that never returns keeps what it has; the process ends without it. */
#include "runtime/place/place_thread.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/host.h"
#include "runtime/log.h"
#include "runtime/place/worker_root.h"

#define GRACE_MS    1000   /* for all of them, at the end of the node */
#define CELLS_MAX   65536u /* actors in one thread */
#define PUMP_BUDGET 128
#define NS_PER_MS   1000000LL
#define NS_PER_S    1000000000LL

/* What a thread touches at its very end; it outlives the place when one of them never ends. */
typedef struct gate {
    pthread_mutex_t lock;   /* a leaf but for the send to the reaper */
    trp_runtime_t *runtime; /* the node's; NULL: it ends */
    trp_pid_t reaper;
    host_word_t ended; /* threads so far; written under the lock */
} gate_t;

typedef struct thread {
    struct thread *next;
    gate_t *gate;
    trp_runtime_t *runtime;
    worker_root_t root;
    const trp_class_t *classes[2];
    const trp_transport_t *transport;
    void *medium, *socket;
    int descriptor, wake_fd;
    host_thread_t *id;
    _Atomic bool told; /* to end: what comes is of no use any more */
    bool done;         /* under the gate's lock: nothing of it is used by itself any more */
    bool released;     /* edge only */
    bool written_off;  /* edge only: released before it was done */
} thread_t;

struct place_threads {
    trp_runtime_t *runtime;
    edge_t *edge;
    place_hub_t *hub;
    gate_t *gate;
    thread_t *threads;
};

/* ---- in the thread ---- */

static trp_status_t send_frames(void *user, zmq_msg_t *frames, size_t count)
{
    const thread_t *thread = user;
    return thread->transport->send(thread->socket, NULL, frames, count);
}

static void on_frames(void *user, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)peer;
    thread_t *thread = user;
    /* Acquire: with what was done before it was told. */
    if (!atomic_load_explicit(&thread->told, memory_order_acquire)) {
        worker_root_receive(&thread->root, frames, count);
    }
}

static void on_failure(void *user, int status, const char *event)
{
    thread_t *thread = user;
    log_event(LOG_ERROR, event, LOG_INT("node", thread->root.options.node));
    const trp_reason_t reason = status == WORKER_PROTOCOL
                                    ? trp_reason(TRP_REASON_PROTOCOL, 0, event)
                                    : trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, event);
    worker_root_leave(&thread->root, &reason);
}

/* True: there was something. */
static bool look(thread_t *thread)
{
    worker_root_flush(&thread->root);
    return thread->transport->pump(thread->socket, PUMP_BUDGET, -1) > 0;
}

static void park_poll(void *user)
{
    (void)look(user);
}

/* The descriptor tells only once that something came: it is read empty before. */
static void park_wait(void *user, int64_t until_ns)
{
    thread_t *thread = user;
    if (look(thread)) {
        return;
    }
    struct pollfd polled[] = {{.fd = thread->descriptor, .events = POLLIN},
                              {.fd = thread->wake_fd, .events = POLLIN}};
    struct timespec limit = {0, 0};
    if (until_ns != HOST_FOREVER) {
        const int64_t left_ns = until_ns - runtime_now_ns(thread->runtime);
        if (left_ns > 0) {
            limit = (struct timespec){left_ns / NS_PER_S, left_ns % NS_PER_S};
        }
    }
    (void)ppoll(polled, 2, until_ns == HOST_FOREVER ? NULL : &limit, NULL);
    if (polled[1].revents != 0) {
        uint64_t count;
        (void)!read(thread->wake_fd, &count, sizeof(count));
    }
    (void)look(thread);
}

/* A result of trp_offload has come, or the runtime was stopped. */
static void park_wake(void *user)
{
    const thread_t *thread = user;
    const uint64_t one = 1;
    (void)!write(thread->wake_fd, &one, sizeof(one));
}

/* In a handler that asked the node something; nothing is answered to who has to end. */
static void wait_for_answer(void *user, int64_t until_ns)
{
    thread_t *thread = user;
    park_wait(thread, until_ns);
    /* Acquire: as in on_frames. */
    if (atomic_load_explicit(&thread->told, memory_order_acquire)) {
        worker_root_hang_up(&thread->root);
        park_wake(thread); /* for the park that this wake was meant for */
    }
}

static void tell_reaper(const gate_t *gate)
{
    trp_envelope_t *look_at_it = gate->runtime == NULL ? NULL : envelope_alloc();
    if (look_at_it == NULL) {
        return; /* it is found when the next one ends or starts */
    }
    look_at_it->to = gate->reaper;
    look_at_it->tag = TRP_SIGNAL_LOOK;
    look_at_it->flags = TRP_ENVELOPE_SIGNAL;
    if (runtime_send(gate->runtime, look_at_it) != TRP_OK) {
        envelope_free(look_at_it);
    }
}

static void say_done(thread_t *thread)
{
    gate_t *gate = thread->gate;
    pthread_mutex_lock(&gate->lock);
    thread->done = true;
    /* Relaxed: ordered by the lock; who sleeps on it looks again under the lock. */
    atomic_fetch_add_explicit(&gate->ended, 1, memory_order_relaxed);
    host_os.wake(host_os.user, &gate->ended);
    tell_reaper(gate);
    pthread_mutex_unlock(&gate->lock);
}

static void body(void *arg)
{
    thread_t *thread = arg;
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    const trp_reason_t lost = trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, "hello");
    host_probe_t *probe =
        NULL; /* with it comes a stack for signals: one may say that ours is full */
    (void)!host_os.probe_open(host_os.user, &probe);
    worker_root_begin(&thread->root);
    if (worker_root_hello(&thread->root, (int32_t)syscall(SYS_gettid)) != TRP_OK) {
        worker_root_leave(&thread->root, &lost);
    }
    runtime_run_edge(thread->runtime);
    worker_root_leave(&thread->root, &killed); /* if it has not left by itself */
    thread->transport->close(&thread->socket);
    thread->transport->shut(&thread->medium);
    host_os.probe_close(host_os.user, &probe);
    say_done(thread);
}

/* ---- making one ---- */

static trp_status_t open_runtime(thread_t *thread, const place_link_t *link, const char *origin)
{
    const runtime_options_t options = {
        .node = link->node,
        .incarnation = link->incarnation,
        .cells_max = CELLS_MAX,
        .slice_max = 1, /* each handler may take long: looked around after each */
        .origin = origin,
        .edge = {.user = thread, .poll = park_poll, .park = park_wait, .wake = park_wake}};
    trp_status_t status = runtime_create(&options, &thread->runtime);
    if (status != TRP_OK) {
        return status;
    }
    worker_root_options_t root = {.classes = thread->classes,
                                  .runtime = thread->runtime,
                                  .node = link->node,
                                  .incarnation = link->incarnation,
                                  .send = send_frames,
                                  .fail = on_failure,
                                  .wait = wait_for_answer,
                                  .user = thread};
    memcpy(root.token, link->token, sizeof(root.token));
    return worker_root_open(&thread->root, &root);
}

static trp_status_t open_socket(const place_threads_t *threads, thread_t *thread,
                                const place_link_t *link)
{
    char error[256];
    const trp_transport_options_t options = {
        .self = &link->peer, .linger_ms = -1, .events = {.frames = on_frames, .user = thread}};
    trp_status_t status = edge_join(threads->edge, &thread->transport, &thread->medium);
    if (status != TRP_OK) {
        return status;
    }
    status = thread->transport->connect(thread->medium, hub_thread_endpoint(threads->hub), &options,
                                        &thread->socket, error);
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "thread_not_started", LOG_TEXT("error", error));
        return status;
    }
    int descriptors[2] = {-1, -1};
    (void)thread->transport->descriptors(thread->socket, descriptors);
    thread->descriptor = descriptors[0];
    return TRP_OK;
}

/* All but the gate's part; it does not run. */
static void thread_free(thread_t *thread)
{
    runtime_destroy(&thread->runtime);
    worker_root_fini(&thread->root);
    if (thread->socket != NULL) {
        thread->transport->close(&thread->socket);
    }
    if (thread->medium != NULL) {
        thread->transport->shut(&thread->medium);
    }
    (void)close(thread->wake_fd);
    free(thread);
}

/* ---- reaping ---- */

static bool is_done(thread_t *thread)
{
    pthread_mutex_lock(&thread->gate->lock);
    const bool done = thread->done;
    pthread_mutex_unlock(&thread->gate->lock);
    return done;
}

/* Frees those that are done and of no use to their proxies. Returns how many are left. */
static uint32_t reap(place_threads_t *threads)
{
    uint32_t left = 0;
    for (thread_t **at = &threads->threads; *at != NULL;) {
        thread_t *thread = *at;
        if (!thread->released || !is_done(thread)) {
            at = &thread->next;
            left++;
            continue;
        }
        *at = thread->next;
        host_os.thread_join(host_os.user, &thread->id);
        if (thread->written_off) {
            log_event(LOG_WARN, "actor_returned", LOG_INT("node", thread->root.options.node));
            runtime_returned(threads->runtime);
        }
        thread_free(thread);
    }
    return left;
}

typedef struct reaper {
    place_threads_t *threads;
} reaper_t;

static trp_status_t reaper_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    memcpy(&((reaper_t *)state)->threads, trp_message_data(args, &size), sizeof(place_threads_t *));
    return TRP_OK;
}

static trp_status_t reaper_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)message;
    (void)reap(((reaper_t *)state)->threads);
    return TRP_OK;
}

static const trp_class_t reaper_class = {.name = "reaper",
                                         .version = 1,
                                         .state_size = sizeof(reaper_t),
                                         .init = reaper_init,
                                         .receive = reaper_receive,
                                         .flags = TRP_CLASS_EDGE};

/* The first thread brings it. */
static trp_status_t need_reaper(place_threads_t *threads)
{
    if (!trp_pid_is_none(threads->gate->reaper)) {
        return TRP_OK;
    }
    const trp_spawn_t spawn = {
        .class = &reaper_class, .args = &threads, .args_size = sizeof(threads)};
    return runtime_spawn(threads->runtime, &spawn, &threads->gate->reaper);
}

/* ---- the carrier ---- */

static trp_status_t start(void *user, place_link_t *link, const place_birth_t *birth)
{
    place_threads_t *threads = user;
    trp_status_t status = need_reaper(threads);
    if (status != TRP_OK) {
        return status;
    }
    thread_t *thread = calloc(1, sizeof(*thread));
    if (thread == NULL) {
        return TRP_NO_MEMORY;
    }
    thread->gate = threads->gate;
    thread->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (thread->wake_fd < 0) {
        free(thread);
        return TRP_SYSTEM;
    }
    thread->classes[0] = birth->class;
    status = open_runtime(thread, link, birth->origin);
    if (status == TRP_OK) {
        status = open_socket(threads, thread, link);
    }
    if (status == TRP_OK) {
        status = host_os.thread_start(host_os.user, body, thread, &thread->id);
    }
    if (status != TRP_OK) {
        thread_free(thread);
        return status;
    }
    thread->next = threads->threads;
    threads->threads = thread;
    link->carried = thread;
    return TRP_OK;
}

static void tell(thread_t *thread)
{
    /* Release: to the thread, which looks whether it is to end. */
    atomic_store_explicit(&thread->told, true, memory_order_release);
    runtime_stop(thread->runtime);
}

static void end(void *user, place_link_t *link)
{
    (void)user;
    tell(link->carried);
}

static bool reason_of(const place_link_t *link, trp_reason_t *reason)
{
    *reason = link->bye;
    return link->bye.kind == TRP_REASON_KILLED;
}

static void release(void *user, place_link_t *link)
{
    thread_t *thread = link->carried;
    thread->released = true;
    thread->written_off = !link->said_bye;
    if (is_done(thread)) {
        (void)reap(user);
    }
}

const place_carrier_t place_thread = {
    .name = "thread",
    .place = TRP_PLACE_THREAD,
    .ends_with_bye = true,
    .late = "stuck",
    .may_stick = true,
    .start = start,
    .end = end,
    .reason = reason_of,
    .release = release,
};

/* ---- life ---- */

trp_status_t place_threads_open(trp_runtime_t *runtime, edge_t *edge, place_hub_t *hub,
                                place_threads_t **result)
{
    place_threads_t *threads = calloc(1, sizeof(*threads));
    gate_t *gate = calloc(1, sizeof(*gate));
    if (threads == NULL || gate == NULL) {
        free(threads);
        free(gate);
        return TRP_NO_MEMORY;
    }
    pthread_mutex_init(&gate->lock, NULL);
    gate->runtime = runtime;
    *threads = (place_threads_t){.runtime = runtime, .edge = edge, .hub = hub, .gate = gate};
    *result = threads;
    return TRP_OK;
}

static trp_status_t start_in_pool(void *user, trp_runtime_t *runtime, const trp_spawn_t *spawn,
                                  trp_pid_t spawner, trp_pid_t *pid)
{
    (void)user;
    return runtime_spawn_for(runtime, spawn, spawner, pid);
}

void place_threads_in_pool(trp_runtime_t *runtime)
{
    const trp_placement_t row = {.name = place_thread.name, .start = start_in_pool};
    runtime_place(runtime, TRP_PLACE_THREAD, &row);
}

static uint32_t wait_for_all(place_threads_t *threads)
{
    gate_t *gate = threads->gate;
    const int64_t until_ns = host_os.now_ns(host_os.user) + GRACE_MS * NS_PER_MS;
    for (;;) {
        /* Acquire: pairs with nothing but the futex; what counts is looked at under the lock. */
        const uint32_t ended = atomic_load_explicit(&gate->ended, memory_order_acquire);
        const uint32_t left = reap(threads);
        if (left == 0 || host_os.now_ns(host_os.user) >= until_ns) {
            return left;
        }
        host_os.sleep(host_os.user, &gate->ended, ended, until_ns);
    }
}

uint32_t place_threads_stop(place_threads_t *threads)
{
    if (threads == NULL) {
        return 0;
    }
    gate_t *gate = threads->gate;
    pthread_mutex_lock(&gate->lock);
    gate->runtime = NULL;
    pthread_mutex_unlock(&gate->lock);
    for (thread_t *thread = threads->threads; thread != NULL; thread = thread->next) {
        tell(thread);
        thread->released = true;
    }
    const uint32_t left = wait_for_all(threads);
    if (left > 0) {
        log_event(LOG_ERROR, "threads_left_behind", LOG_INT("threads", left),
                  LOG_INT("grace_ms", GRACE_MS));
    }
    return left;
}

void place_threads_close(place_threads_t **pointer)
{
    place_threads_t *threads = *pointer;
    *pointer = NULL;
    if (threads == NULL) {
        return;
    }
    if (threads->threads == NULL) {
        pthread_mutex_destroy(&threads->gate->lock);
        free(threads->gate);
    }
    free(threads);
}
