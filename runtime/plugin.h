/* SPDX-License-Identifier: MIT */
/* The tables of functions by which a runtime is extended: transports and stores (here) and
 * placements (trp_placement_t of runtime/core/runtime.h). A backend is a file of static functions
 * and one constant table at its end; tests/contract has what each must do. */
#ifndef TRP_RUNTIME_PLUGIN_H
#define TRP_RUNTIME_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

#include "messages/api.h"
#include "messages/codec.h"
#include "messages/status.h"

/* ---- transports: all slots are called on the thread that opened the medium; none blocks ---- */

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

/* ---- stores: keys with values, kept outside of actors; runtime/store.h is what actors see ---- */

/** What a key has. Bytes of who gave it out, valid until the next call on that handle. */
typedef struct trp_store_record {
    trp_text_t key;
    trp_text_t value;
    int64_t version; /* from 1 on */
    int64_t ttl_ms;  /* it does not exist any more after so long from now; 0: it stays */
} trp_store_record_t;

#define TRP_STORE_ANY (-1)

/** One write. Bytes of the caller, not of a record of this handle. */
typedef struct trp_store_write {
    trp_text_t key;   /* 1..TRP_STORE_KEY_MAX bytes */
    trp_text_t value; /* put: up to TRP_STORE_VALUE_MAX bytes */
    int64_t expect;   /* the version that the key has; 0: none, it does not exist; TRP_STORE_ANY */
    int64_t ttl_ms;   /* put: it does not exist any more after so long; 0: it stays */
} trp_store_write_t;

/** Which keys to read: those that begin with `prefix` and come after `after`, by their bytes. */
typedef struct trp_store_range {
    trp_text_t prefix;
    trp_text_t after; /* empty: from the first on */
} trp_store_range_t;

/** Hears of changes. Called on any thread, from within other slots too; never once `close` has
 * returned. Calls no slot. */
typedef struct trp_store_watch {
    /** Each write by whoever made it, in the order of their versions; `is_deleted`: a delete.
     * An empty key: some were missed, and what is watched is to be read again. What expires is not
     * told: a record says itself when it will. */
    void (*changed)(void *user, trp_text_t key, int64_t version, bool is_deleted);
    void *user;
} trp_store_watch_t;

typedef struct trp_store_options {
    const char *where;               /* a path, an address: the backend's own; NULL: its default */
    const void *how;                 /* more of that, for who knows the backend; mostly NULL */
    size_t size_max;                 /* bytes of keys and values together; 0 = 256 MiB */
    int64_t (*epoch_ms)(void *user); /* ms since 1970: the clock of what expires here */
    void *user;
} trp_store_options_t;

/** Slots of one handle are called one at a time, on any thread. A write is whole or not there. Each
 * write takes a version that is higher than all that were given before in this store, to whoever,
 * those of lost and deleted keys included: what was read once and expected later is never met by
 * something else.
 * errors, of all but close: TRP_SYSTEM (it failed, nothing was written), TRP_TIMEOUT (no answer: a
 * write may have been done), TRP_NO_MEMORY; and those that are named */
typedef struct trp_store {
    const char *name;
    bool blocks; /* slots may wait for a disk or a network: they are called on helper threads */

    /** errors: TRP_INVALID (where), TRP_BUSY (open elsewhere, and it can be once only) */
    trp_status_t (*open)(const trp_store_options_t *options, void **store);
    /** errors: TRP_NOT_FOUND, TRP_INVALID (key) */
    trp_status_t (*get)(void *store, trp_text_t key, trp_store_record_t *record);
    /** Seen by all who read after it; durable after the next `sync`, and maybe before. `version`:
     * of this write. errors: TRP_CONFLICT (`version`: the one that the key has, 0: none),
     * TRP_INVALID (key), TRP_TOO_LARGE (value), TRP_FULL */
    trp_status_t (*put)(void *store, const trp_store_write_t *write, int64_t *version);
    /** The same. Without `expect` a key that is not there is no error; version 0 then. errors:
     * TRP_CONFLICT, TRP_INVALID (key) */
    trp_status_t (*delete)(void *store, const trp_store_write_t *write, int64_t *version);
    /** Calls `each` in the order of keys until it returns false. It calls no slot. */
    trp_status_t (*scan)(void *store, const trp_store_range_t *range, void *user,
                         bool (*each)(void *user, const trp_store_record_t *record));
    /** One for each handle, of all keys; NULL: not any more. errors: TRP_UNSUPPORTED */
    trp_status_t (*watch)(void *store, const trp_store_watch_t *watch);
    /** What was written by this handle outlives the process, and what else the backend can outlive,
     * when it returns TRP_OK. */
    trp_status_t (*sync)(void *store);
    /** Clears the pointer. Does not sync. */
    void (*close)(void **store);
} trp_store_t;

/** In memory: it lives as long as its handle, and sync has nothing to do. Never blocks. */
extern TRP_API const trp_store_t trp_store_memory;

#endif
