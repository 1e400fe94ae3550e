/* SPDX-License-Identifier: MIT */
/* Majordomo's frames, client side, versions 0.1 (RFC 7) and 0.2 (RFC 18) on one port. Pure: frames
 * in, meaning out.
 *
 *     0.1   request: "", MDPC01, service, [options,] body        reply: "", MDPC01, service,
 * [options,] body 0.2   request: MDPC02, 0x01, service, [options,] body      reply: MDPC02, 0x03,
 * service, [options,] body
 *
 * The options frame is `TRP1` and a MessagePack map; a reply to a request that had one has one too,
 * with its `id`. */
#ifndef TRP_ACTORS_MAJORDOMO_H
#define TRP_ACTORS_MAJORDOMO_H

#include <zmq.h>

#include "messages/schema.h"

typedef enum majordomo_version { MAJORDOMO_01, MAJORDOMO_02 } majordomo_version_t;

typedef enum majordomo_kind {
    MAJORDOMO_JUNK,    /* fits no message: dropped and counted */
    MAJORDOMO_REQUEST, /* a client's request */
    MAJORDOMO_WORKER,  /* a command of a worker: not served yet, answered with DISCONNECT */
} majordomo_kind_t;

#define TASK_OPTIONS_FIELDS(F)                                             \
    F(OPT_STRING, id, _, 1, 64, "echoed in the reply")                     \
    F(OPT_INT, deadline_ms, _, 1, 86400000, "ms left for the whole task")  \
    F(OPT_STRING, key, _, 1, 64, "key of the worker that should serve it") \
    F(OPT_INT, priority, _, 0, 9, "higher goes first; 4 where it is not said")

/** What an options frame says. */
TRP_SCHEMA_DECLARE(task_options, TASK_OPTIONS_FIELDS)

/** One request, taken apart. Points into the frames. */
typedef struct majordomo_request {
    majordomo_version_t version;
    trp_text_t service;
    const void *options; /* the map after TRP1; NULL: no options frame */
    size_t options_size;
    zmq_msg_t *body;   /* the first body frame; NULL: none */
    size_t body_count; /* body frames; our tools want one */
} majordomo_request_t;

/** Says what the frames are; fills `request` for MAJORDOMO_REQUEST, only `version` for
 * MAJORDOMO_WORKER. */
majordomo_kind_t majordomo_parse(zmq_msg_t *frames, size_t count, majordomo_request_t *request);

#define MAJORDOMO_REPLY_FRAMES 5

/** What a reply needs to know of its request. */
typedef struct majordomo_reply {
    majordomo_version_t version;
    trp_text_t service;
    trp_text_t id;    /* of the options frame; data NULL: the request had none */
    bool has_options; /* the request had an options frame */
} majordomo_reply_t;

/** Makes the frames of a reply; `body` is moved in. Returns their number, 0: no memory (`body`
 * untouched). */
size_t majordomo_compose(const majordomo_reply_t *reply, zmq_msg_t *body,
                         zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES]);

/** Makes the DISCONNECT to a worker. Returns the number of frames. */
size_t majordomo_disconnect(majordomo_version_t version, zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES]);

#endif
