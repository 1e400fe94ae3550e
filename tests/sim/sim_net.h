/* SPDX-License-Identifier: MIT */
/* The simulated network and the transport `sim` over it: connections that keep their order, and
 * whose messages take the time, and meet the fate, that their owner decides. What a socket may ask
 * of it is runtime/plugin.h; it has no descriptors, so nobody waits for it.
 *
 *     sender --leaves--> wire --due--> receiver's inbox, in order of (due, sequence)
 *
 * A place is a process: when it crashes, what had not left it is lost, what had comes before the
 * news of its end. One thread. Frames are owned by the net until they are reported. */
#ifndef TRP_TESTS_SIM_NET_H
#define TRP_TESTS_SIM_NET_H

#include "runtime/plugin.h"

#define SIM_NEVER INT64_MAX

typedef struct sim_net sim_net_t;

/** Who holds a socket; `how` of the transport's open. Must outlive the medium. */
typedef struct sim_place {
    sim_net_t *net;
    const char *name; /* what partitions and traces call it */
} sim_place_t;

/** What becomes of one message. */
typedef struct sim_fate {
    int64_t leaves_ns; /* until it has left its sender's process */
    int64_t delay_ns;  /* after that */
    bool lost;
    bool twice;  /* a copy follows */
    bool passes; /* may arrive before what was sent earlier */
} sim_fate_t;

typedef struct sim_way {
    const char *from, *to; /* names of places */
    const char *endpoint;
    size_t frames, bytes;
} sim_way_t;

typedef enum sim_net_event {
    SIM_NET_SENT,
    SIM_NET_LOST,
    SIM_NET_CAME,
    SIM_NET_DOWN
} sim_net_event_t;

/** What the net asks its owner; `fate`, `blocked` and `told` may be NULL. */
typedef struct sim_net_options {
    int64_t (*now_ns)(void *user);
    sim_fate_t (*fate)(void *user, const sim_way_t *way);
    /** Whether nothing gets through from one place to another now; what is on its way waits. */
    bool (*blocked)(void *user, const char *from, const char *to);
    void (*told)(void *user, sim_net_event_t event, const sim_way_t *way);
    void *user;
} sim_net_options_t;

/** NULL: no memory. */
sim_net_t *sim_net_create(const sim_net_options_t *options);

/** After all mediums are shut. Clears the pointer. */
void sim_net_destroy(sim_net_t **net);

/** The process `place` is gone without a word. Its sockets are silent from here on; close them. */
void sim_net_crash(sim_net_t *net, const sim_place_t *place);

/** Whether a socket of the place has something to report now. */
bool sim_net_ready(const sim_net_t *net, const sim_place_t *place);

/** When the next thing becomes due anywhere, later than now; SIM_NEVER: nothing will by itself. */
int64_t sim_net_next_ns(const sim_net_t *net);

/** Messages that were sent and not reported, in all. */
size_t sim_net_count(const sim_net_t *net);

extern const trp_transport_t transport_sim;

#endif
