/* SPDX-License-Identifier: MIT */
/* Proxies: the cells that stand in the node for actors that live elsewhere, with the same pid; what
 * they are sent is forwarded over a channel. What is at the other end of it, a process or a thread,
 * is the carrier's business. Edge thread only. */
#ifndef TRP_RUNTIME_PLACE_PROXY_H
#define TRP_RUNTIME_PLACE_PROXY_H

#include "runtime/place/place_hub.h"

/** What is to be started. Valid during the call. */
typedef struct place_birth {
    const trp_class_t *class;
    const char *program; /* "" or the option of the spawn */
    const void *args;
    size_t args_size;
    const char *origin; /* trp_spawn_t.origin */
} place_birth_t;

/** How an actor of a place is carried: by a process, a thread, a client. */
typedef struct place_carrier {
    const char *name; /* "process" */
    trp_place_t place;
    bool ends_with_bye; /* after its goodbye nothing is heard of it; else link.exited is set */
    const char *late;   /* why it has not ended within its grace, if so; NULL: it always ends */
    bool may_stick;     /* ... since a handler in this process does not return */

    /** Starts it; it says hello over the link. errors: the start failed with it */
    trp_status_t (*start)(void *user, place_link_t *link, const place_birth_t *birth);
    /** There was no link for it, or `start` failed. May be NULL. */
    void (*failed)(void *user, const place_birth_t *birth, trp_status_t status);
    /** Ends it by force, once: `exited`, or its goodbye, follows. */
    void (*end)(void *user, place_link_t *link);
    /** Why it ended; true: of the force of `end`. */
    bool (*reason)(const place_link_t *link, trp_reason_t *reason);
    /** The link is about to be forgotten: it has ended, or is written off. May be NULL. */
    void (*release)(void *user, place_link_t *link);
} place_carrier_t;

typedef struct place_proxies_options {
    place_hub_t *hub;
    const trp_class_t *const *classes; /* NULL-terminated: those that the place can run */
    uint32_t start_ms;                 /* until an actor must be ready */
    int64_t grace_ms;                  /* from `end` until it is written off */
    const place_carrier_t *carrier;
    void *carrier_user;
} place_proxies_options_t;

typedef struct place_proxies place_proxies_t;

/** errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t place_proxies_open(const place_proxies_options_t *options,
                                             place_proxies_t **place);

/** Makes it the carrier's place of `runtime`. Before any actor is spawned. */
void place_proxies_install(place_proxies_t *place, trp_runtime_t *runtime);

/** As trp_spawn in that place, with no spawner; any thread. errors: also TRP_UNSUPPORTED (class),
 * TRP_TOO_LARGE (args) */
TRP_MUST_USE trp_status_t place_proxies_spawn(place_proxies_t *place, trp_runtime_t *runtime,
                                              const trp_spawn_t *spawn, trp_pid_t *pid);

/** After the runtime has ended. Clears the pointer. */
void place_proxies_close(place_proxies_t **place);

#endif
