/* SPDX-License-Identifier: MIT */
/* Clients of a Majordomo port: frames over the simulated net, each answer counted against its
 * call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/base/majordomo.h"
#include "tests/sim/sim.h"

#define CALLS_MAX  4096
#define ANSWER_MAX 4096
#define ID_SIZE    16

struct trp_sim_client {
    trp_sim_client_t *next;
    trp_sim_t *sim;
    char name[SIM_NAME_MAX];
    sim_place_t place;
    void *medium, *socket;
    bool answered[CALLS_MAX];
    uint32_t calls, answers, refusals;
    bool is_cut; /* its connection ended, ever: what was under way is lost */
    bool reconnects;
    const char *endpoint;
    char last[ANSWER_MAX];
};

/* The number that we gave the call stands in the options frame, which the router sends back. */
static bool read_number(zmq_msg_t *frame, uint32_t *number)
{
    char id[ID_SIZE] = "";
    const char *data = zmq_msg_data(frame);
    const size_t size = zmq_msg_size(frame);
    const char *mark = memchr(data, '#', size);
    if (mark == NULL || (size_t)(data + size - mark) < 7) {
        return false;
    }
    memcpy(id, mark + 1, 6);
    *number = (uint32_t)strtoul(id, NULL, 10);
    return true;
}

static void keep_body(trp_sim_client_t *client, zmq_msg_t *frame)
{
    const size_t size = zmq_msg_size(frame);
    const char *data = zmq_msg_data(frame);
    snprintf(client->last, sizeof(client->last), "%.*s",
             (int)(size < ANSWER_MAX ? size : ANSWER_MAX - 1), data);
    client->refusals += memmem(data, size, "\"error\"", 7) != NULL;
}

static void on_frames(void *user, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)peer;
    trp_sim_client_t *client = user;
    uint32_t number = 0;
    if (count < 5 || !read_number(&frames[3], &number) || number >= client->calls) {
        trp_sim_fail(client->sim, "%s got %zu frames that answer nothing", client->name, count);
        return;
    }
    if (client->answered[number] && client->sim->options.faults.double_share > 0) {
        return; /* what was sent twice is done twice */
    }
    if (client->answered[number]) {
        trp_sim_fail(client->sim, "%s: call %u was answered twice", client->name, number);
        return;
    }
    client->answered[number] = true;
    client->answers++;
    keep_body(client, &frames[4]);
    sim_trace_add(client->sim, client->name, NULL, "answer to call %u", number);
}

static void on_down(void *user, const trp_peer_t *peer)
{
    (void)peer;
    trp_sim_client_t *client = user;
    client->is_cut = client->reconnects = true;
}

/* As libzmq's clients do: to wait until somebody listens is no error. */
static void open_socket(trp_sim_client_t *client)
{
    char error[256] = "no memory";
    const trp_transport_options_t options = {
        .events = {.frames = on_frames, .peer_down = on_down, .user = client}};
    if ((client->medium == NULL && transport_sim.open(&client->place, &client->medium) != TRP_OK) ||
        transport_sim.connect(client->medium, client->endpoint, &options, &client->socket, error) !=
            TRP_OK) {
        trp_sim_fail(client->sim, "client %s: %s", client->name, error);
    }
}

trp_sim_client_t *trp_sim_client(trp_sim_t *sim, const char *name, const char *endpoint)
{
    trp_sim_client_t *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        abort();
    }
    client->sim = sim;
    snprintf(client->name, sizeof(client->name), "%s", name);
    client->place = (sim_place_t){.net = sim->net, .name = client->name};
    client->next = sim->clients;
    sim->clients = client;
    client->endpoint = endpoint;
    open_socket(client);
    return client;
}

static void set_frame(zmq_msg_t *frame, const void *data, size_t size)
{
    if (zmq_msg_init_size(frame, size) != 0) {
        abort();
    }
    memcpy(zmq_msg_data(frame), data, size);
}

static void set_options(zmq_msg_t *frame, uint32_t number, int64_t deadline_ms)
{
    char id[ID_SIZE];
    trp_writer_t writer;
    size_t size = 0;
    snprintf(id, sizeof(id), "#%06u", number % 1000000u);
    trp_writer_init(&writer);
    trp_write_map(&writer, deadline_ms > 0 ? 2 : 1);
    trp_put_text(&writer, "id", id);
    if (deadline_ms > 0) {
        trp_put_int(&writer, "deadline_ms", deadline_ms);
    }
    const void *data = trp_writer_data(&writer, &size);
    if (zmq_msg_init_size(frame, size + 4) != 0) {
        abort();
    }
    memcpy(zmq_msg_data(frame), "TRP1", 4);
    memcpy((char *)zmq_msg_data(frame) + 4, data, size);
    trp_writer_fini(&writer);
}

void trp_sim_call(trp_sim_client_t *client, const char *tool, const char *json, int64_t deadline_ms)
{
    zmq_msg_t frames[5];
    if (client->calls == CALLS_MAX) {
        trp_sim_fail(client->sim, "%s: too many calls", client->name);
        return;
    }
    set_frame(&frames[0], "MDPC02", 6);
    set_frame(&frames[1], "\x01", 1);
    set_frame(&frames[2], tool, strlen(tool));
    set_options(&frames[3], client->calls++, deadline_ms);
    set_frame(&frames[4], json, strlen(json));
    sim_trace_add(client->sim, client->name, NULL, "call %u %s %s", client->calls - 1, tool, json);
    if (client->socket == NULL || transport_sim.send(client->socket, NULL, frames, 5) != TRP_OK) {
        client->is_cut = true;
        for (size_t i = 0; i < 5; i++) {
            (void)zmq_msg_close(&frames[i]);
        }
    }
}

uint32_t trp_sim_calls(const trp_sim_client_t *client)
{
    return client->calls;
}

uint32_t trp_sim_answers(const trp_sim_client_t *client)
{
    return client->answers;
}

uint32_t trp_sim_refusals(const trp_sim_client_t *client)
{
    return client->refusals;
}

const char *trp_sim_last_answer(const trp_sim_client_t *client)
{
    return client->last;
}

/* ---- the world's part ---- */

bool sim_client_ready(const trp_sim_t *sim)
{
    for (const trp_sim_client_t *client = sim->clients; client != NULL; client = client->next) {
        if (sim_net_ready(sim->net, &client->place)) {
            return true;
        }
    }
    return false;
}

void sim_client_step(trp_sim_t *sim)
{
    for (trp_sim_client_t *client = sim->clients; client != NULL; client = client->next) {
        if (client->socket != NULL) {
            (void)transport_sim.pump(client->socket, 1, -1);
        }
        if (client->reconnects) {
            client->reconnects = false;
            transport_sim.close(&client->socket);
            open_socket(client);
        }
    }
}

/* At the end each call has its answer, unless it or its answer was lost with a process. */
void sim_client_check(trp_sim_t *sim)
{
    bool whole = sim->lost == 0;
    for (const sim_machine_t *machine = sim->machines; machine != NULL; machine = machine->next) {
        whole &= !machine->was_killed && machine->node != NULL;
    }
    for (const trp_sim_client_t *client = sim->clients; client != NULL && whole;
         client = client->next) {
        if (!client->is_cut && client->answers != client->calls) {
            trp_sim_fail(sim, "%s: %u calls, %u answers", client->name, client->calls,
                         client->answers);
        }
    }
}

void sim_client_free_all(trp_sim_t *sim)
{
    while (sim->clients != NULL) {
        trp_sim_client_t *client = sim->clients;
        sim->clients = client->next;
        transport_sim.close(&client->socket);
        transport_sim.shut(&client->medium);
        free(client);
    }
}
