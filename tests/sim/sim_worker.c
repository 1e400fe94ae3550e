/* SPDX-License-Identifier: MIT */
/* Foreign workers: programs that serve a tool by Majordomo 0.2. They answer when their time has
 * come, whoever waits for it by then, and come again when they are cut off or sent away. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define TASKS_MAX  64
#define FRAMES_MAX 16
#define BEAT_MS    500
#define BROKER_MS  3000 /* without a word of the broker: it connects again */

/* A task that it was given, until it is answered. */
typedef struct task {
    int64_t due_ns;
    zmq_msg_t frames[FRAMES_MAX]; /* the client's address, an empty frame, the body */
    size_t count;
} task_t;

struct trp_sim_worker {
    trp_sim_worker_t *next;
    trp_sim_t *sim;
    trp_sim_worker_spec_t spec;
    sim_place_t place;
    void *medium, *socket;
    task_t tasks[TASKS_MAX];
    size_t task_count;
    int64_t beat_ns, heard_ns;
    uint32_t given, answered;
    bool comes_again;
};

static void set_frame(zmq_msg_t *frame, const void *data, size_t size)
{
    if (zmq_msg_init_size(frame, size) != 0) {
        abort();
    }
    if (size > 0) {
        memcpy(zmq_msg_data(frame), data, size);
    }
}

/* What can't be sent is lost: the broker finds out by silence. */
static void give(trp_sim_worker_t *worker, zmq_msg_t *frames, size_t count)
{
    if (worker->socket == NULL ||
        transport_sim.send(worker->socket, NULL, frames, count) != TRP_OK) {
        for (size_t i = 0; i < count; i++) {
            (void)zmq_msg_close(&frames[i]);
        }
    }
}

static void say(trp_sim_worker_t *worker, const char *command, const char *service)
{
    zmq_msg_t frames[3];
    set_frame(&frames[0], "MDPW02", 6);
    set_frame(&frames[1], command, 1);
    if (service != NULL) {
        set_frame(&frames[2], service, strlen(service));
    }
    give(worker, frames, service == NULL ? 2 : 3);
}

/* ---- work ---- */

static void drop_task(trp_sim_worker_t *worker, size_t at)
{
    task_t *task = &worker->tasks[at];
    for (size_t i = 0; i < task->count; i++) {
        (void)zmq_msg_close(&task->frames[i]);
    }
    worker->task_count--;
    memmove(task, task + 1, (worker->task_count - at) * sizeof(*task));
}

/* MDPW02, FINAL, the address, an empty frame and the body, which comes back as it went. */
static void answer(trp_sim_worker_t *worker, size_t at)
{
    task_t *task = &worker->tasks[at];
    zmq_msg_t frames[FRAMES_MAX + 2];
    set_frame(&frames[0], "MDPW02", 6);
    set_frame(&frames[1], "\x04", 1);
    for (size_t i = 0; i < task->count; i++) {
        (void)zmq_msg_init(&frames[i + 2]);
        (void)zmq_msg_move(&frames[i + 2], &task->frames[i]);
    }
    give(worker, frames, task->count + 2);
    worker->answered++;
    sim_trace_add(worker->sim, worker->spec.name, NULL, "answers");
    drop_task(worker, at);
}

static void take(trp_sim_worker_t *worker, zmq_msg_t *frames, size_t count)
{
    if (worker->task_count == TASKS_MAX || count > FRAMES_MAX) {
        return;
    }
    task_t *task = &worker->tasks[worker->task_count++];
    const uint64_t most_ns = (uint64_t)(worker->spec.takes_ms * NS_PER_MS);
    task->due_ns = worker->sim->now_ns + (int64_t)sim_below(worker->sim->user_chance, most_ns);
    task->count = count;
    for (size_t i = 0; i < count; i++) {
        (void)zmq_msg_init(&task->frames[i]);
        (void)zmq_msg_move(&task->frames[i], &frames[i]);
    }
    worker->given++;
}

static void on_frames(void *user, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)peer;
    trp_sim_worker_t *worker = user;
    const char *command =
        count < 2 || zmq_msg_size(&frames[1]) != 1 ? "" : zmq_msg_data(&frames[1]);
    worker->heard_ns = worker->sim->now_ns;
    if (command[0] == 2 && count >= 5) {
        take(worker, frames + 2, count - 2);
    } else if (command[0] == 6) {
        worker->comes_again = true; /* what it works at, it answers all the same */
    } else if (command[0] != 5) {
        trp_sim_fail(worker->sim, "%s was sent %zu frames that mean nothing", worker->spec.name,
                     count);
    }
}

static void on_down(void *user, const trp_peer_t *peer)
{
    (void)peer;
    ((trp_sim_worker_t *)user)->comes_again = true;
}

/* ---- its connection ---- */

static void open_socket(trp_sim_worker_t *worker)
{
    char error[256] = "no memory";
    const trp_transport_options_t options = {
        .events = {.frames = on_frames, .peer_down = on_down, .user = worker}};
    if ((worker->medium == NULL && transport_sim.open(&worker->place, &worker->medium) != TRP_OK) ||
        transport_sim.connect(worker->medium, worker->spec.endpoint, &options, &worker->socket,
                              error) != TRP_OK) {
        trp_sim_fail(worker->sim, "worker %s: %s", worker->spec.name, error);
        return;
    }
    worker->comes_again = false;
    worker->heard_ns = worker->sim->now_ns;
    worker->beat_ns = worker->sim->now_ns + BEAT_MS * NS_PER_MS;
    say(worker, "\x01", worker->spec.tool);
}

trp_sim_worker_t *trp_sim_worker(trp_sim_t *sim, const trp_sim_worker_spec_t *spec)
{
    trp_sim_worker_t *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        abort();
    }
    worker->sim = sim;
    worker->spec = *spec;
    worker->place = (sim_place_t){.net = sim->net, .name = spec->name};
    worker->next = sim->workers;
    sim->workers = worker;
    open_socket(worker);
    return worker;
}

uint32_t trp_sim_worker_given(const trp_sim_worker_t *worker)
{
    return worker->given;
}

/* ---- the world's part ---- */

static int64_t due_ns(const trp_sim_worker_t *worker)
{
    int64_t due = worker->beat_ns;
    for (size_t i = 0; i < worker->task_count; i++) {
        due = worker->tasks[i].due_ns < due ? worker->tasks[i].due_ns : due;
    }
    return due;
}

/* At the end of a world they don't beat any more: it would never come to rest. */
static bool beats(const trp_sim_worker_t *worker)
{
    return !worker->sim->closing || worker->task_count > 0;
}

bool sim_worker_ready(const trp_sim_t *sim)
{
    for (const trp_sim_worker_t *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (sim_net_ready(sim->net, &worker->place) || worker->comes_again ||
            (beats(worker) && due_ns(worker) <= sim->now_ns)) {
            return true;
        }
    }
    return false;
}

int64_t sim_worker_next_ns(const trp_sim_t *sim)
{
    int64_t next = SIM_NEVER;
    for (const trp_sim_worker_t *worker = sim->workers; worker != NULL; worker = worker->next) {
        const int64_t due = beats(worker) ? due_ns(worker) : SIM_NEVER;
        next = due < next ? due : next;
    }
    return next;
}

static void step(trp_sim_worker_t *worker)
{
    const int64_t now = worker->sim->now_ns;
    if (worker->socket != NULL) {
        (void)transport_sim.pump(worker->socket, 1, -1);
    }
    if (worker->comes_again || now - worker->heard_ns > BROKER_MS * NS_PER_MS) {
        transport_sim.close(&worker->socket);
        open_socket(worker);
    }
    for (size_t i = 0; i < worker->task_count; i++) {
        if (worker->tasks[i].due_ns <= now) {
            answer(worker, i);
            break;
        }
    }
    if (worker->beat_ns <= now) {
        worker->beat_ns = now + BEAT_MS * NS_PER_MS;
        say(worker, "\x05", NULL);
    }
}

void sim_worker_step(trp_sim_t *sim)
{
    for (trp_sim_worker_t *worker = sim->workers; worker != NULL; worker = worker->next) {
        step(worker);
    }
}

const char *sim_worker_name(const trp_sim_t *sim, size_t number)
{
    const trp_sim_worker_t *worker = sim->workers;
    while (worker != NULL && number > 0) {
        worker = worker->next;
        number--;
    }
    return worker == NULL ? NULL : worker->spec.name;
}

void sim_worker_free_all(trp_sim_t *sim)
{
    while (sim->workers != NULL) {
        trp_sim_worker_t *worker = sim->workers;
        sim->workers = worker->next;
        while (worker->task_count > 0) {
            drop_task(worker, 0);
        }
        transport_sim.close(&worker->socket);
        transport_sim.shut(&worker->medium);
        free(worker);
    }
}
