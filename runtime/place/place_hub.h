/* SPDX-License-Identifier: MIT */
/* The hub of a node: the ROUTER to which all its worker processes connect, the one to which the
 * threads of actors do (over inproc), and the conversation with the guardian that forks and ends
 * the processes. Edge thread only. */
#ifndef TRP_RUNTIME_PLACE_HUB_H
#define TRP_RUNTIME_PLACE_HUB_H

#include "runtime/guardian/black_box_keeper.h"
#include "runtime/guardian/guardian.h"
#include "runtime/place/guardian_port.h"
#include "runtime/place/place_link.h"

#define HUB_LINK_NAME "link" /* the ROUTER's file in the run directory */

typedef struct place_hub place_hub_t;

typedef struct hub_options {
    trp_runtime_t *runtime;
    edge_t *edge;
    guardian_child_t child; /* what the node knows of itself */
    const char *box_folder; /* of black boxes; NULL: in the run directory */
    guardian_port_t *guardian;
    /** The guardian asks the node to stop. */
    void (*stop)(void *user, int signal);
    /** ... to read its configuration again; may be NULL. */
    void (*reload)(void *user);
    void *user;
} hub_options_t;

/** errors: those of edge_bind, with `error` */
TRP_MUST_USE trp_status_t hub_open(const hub_options_t *options, place_hub_t **hub,
                                   char error[256]);

/** After the runtime has ended and before its edge. Clears the pointer. */
void hub_close(place_hub_t **hub);

/** A link for a new process or thread of the actor `proxy`: index, incarnation, token and a
 * process's black box are made, nothing is started yet. errors: TRP_FULL (too many), TRP_NO_MEMORY,
 * TRP_SYSTEM (no descriptor) */
TRP_MUST_USE trp_status_t hub_link(place_hub_t *hub, trp_place_t place, trp_pid_t proxy,
                                   const trp_limits_t *limits, place_link_t **link);

/** Where threads of this process connect: an inproc endpoint, valid while the hub lives. */
const char *hub_thread_endpoint(const place_hub_t *hub);

/** Forgets a worker that has ended. Clears the pointer. */
void hub_unlink(place_hub_t *hub, place_link_t **link);

/** Asks the guardian for the process. program: "" = a fork of ours. errors: TRP_GONE, TRP_BUSY */
TRP_MUST_USE trp_status_t hub_spawn(place_hub_t *hub, const place_link_t *link,
                                    const char *program);

/** Asks the guardian to send it a signal. */
void hub_kill(place_hub_t *hub, const place_link_t *link, int signal);

/** Of the black boxes of workers that died. */
black_box_keeper_t *hub_box_keeper(const place_hub_t *hub);

/** The link's channel is flushed at the end of this turn. */
void hub_touch(place_hub_t *hub, place_link_t *link);

/** Calls `each` for every link, by index. */
void hub_each(const place_hub_t *hub, void (*each)(void *user, const place_link_t *link),
              void *user);

#endif
