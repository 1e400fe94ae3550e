/* SPDX-License-Identifier: MIT */
/* The tables of functions by which a runtime is extended: transports (here) and placements
 * (trp_placement_t of runtime/runtime.h). A backend is a file of static functions and one constant
 * table at its end. All slots are called on the thread that opened the medium; none blocks. */
#ifndef TRP_RUNTIME_PLUGIN_H
#define TRP_RUNTIME_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

#include "messages/api.h"
#include "messages/status.h"

#define TRP_FRAMES_MAX 1024 /* frames of one message; one with more is dropped and counted */

/** A peer's address on a socket that has many: a value, may be kept. */
typedef struct trp_peer {
    uint8_t size;
    uint8_t id[255];
} trp_peer_t;

/** What a socket reports; called from `pump` only. A socket may be closed from inside of them. */
typedef struct trp_transport_events {
    /** One message: `count` frames (may be moved from; what is left is closed after). */
    void (*frames)(void *user, const trp_peer_t *peer, zmq_msg_t *frames, size_t count);
    /** The connection of a tracked peer ended, and all that it had sent was reported; may be
     * NULL. */
    void (*peer_down)(void *user, const trp_peer_t *peer);
    void *user;
} trp_transport_events_t;

typedef struct trp_transport_options {
    int mode;                 /* of an ipc file; 0 = as it comes */
    int64_t message_max;      /* bytes of one frame; 0 = no limit */
    int queue_max;            /* messages waiting for one peer; 0 = no limit */
    int linger_ms;            /* for what is queued at close */
    int listener;             /* bind: a listening socket to serve instead, not ours; 0 = none */
    const trp_peer_t *self;   /* connect: our address at the peer */
    const char *curve_secret; /* bind: Z85, who connects needs a key; NULL = anybody may */
    trp_transport_events_t events;
} trp_transport_options_t;

typedef struct trp_transport {
    const char *name;

    /** What all sockets of one thread share; `how` is the backend's own, NULL: as usual. errors:
     * TRP_NO_MEMORY, TRP_SYSTEM */
    trp_status_t (*open)(const void *how, void **medium);
    /** A medium for another thread: what one of the two binds under inproc:// the other reaches.
     * Both are shut; the last one waits. NULL for a backend of one thread. errors: TRP_NO_MEMORY */
    trp_status_t (*join)(void *medium, void **joined);
    /** owns: clears the pointer; every socket must be closed before. Waits for lingering ones. */
    void (*shut)(void **medium);

    /** A socket for many peers. `error` of 256 bytes. errors: TRP_EXISTS, TRP_INVALID,
     * TRP_SYSTEM */
    trp_status_t (*bind)(void *medium, const char *endpoint, const trp_transport_options_t *options,
                         void **socket, char *error);
    /** A socket for one peer; tracked. errors: the same */
    trp_status_t (*connect)(void *medium, const char *endpoint,
                            const trp_transport_options_t *options, void **socket, char *error);
    /** Clears the pointer. Removes an ipc file that it made. */
    void (*close)(void **socket);

    /** The endpoint with the port that was picked; valid while the socket lives. */
    const char *(*endpoint)(const void *socket);

    /** All frames are moved on TRP_OK, untouched otherwise. errors: TRP_GONE, TRP_BUSY */
    trp_status_t (*send)(void *socket, const trp_peer_t *peer, zmq_msg_t *frames, size_t count);

    /** peer_down will be reported for the peer that `frame` came from. errors: TRP_NO_MEMORY */
    trp_status_t (*track)(void *socket, const trp_peer_t *peer, zmq_msg_t *frame);

    /** Reports at most `budget` messages, and what ended. `descriptor`: which of its descriptors is
     * readable; -1: none, but after a send there may be messages all the same. Returns how many
     * reports it made; `budget` or more: call again before waiting. */
    unsigned (*pump)(void *socket, unsigned budget, int descriptor);

    /** Descriptors to poll for reading. Returns their number. NULL for a backend that has none: its
     * sockets are pumped at each turn, and nobody waits for them. */
    unsigned (*descriptors)(const void *socket, int descriptors[2]);

    /** Messages that broke the protocol and were dropped. */
    uint64_t (*dropped)(const void *socket);
} trp_transport_t;

#endif
