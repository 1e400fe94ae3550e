/* SPDX-License-Identifier: MIT */
/* Majordomo's frames, of clients and of workers, versions 0.1 (RFC 7) and 0.2 (RFC 18) on one port.
 * Pure: frames in, meaning out.
 *
 *     0.1 request and reply:  "", MDPC01, service, [options,] body ...
 *     0.2 request:            MDPC02, 0x01, service, [options,] body ...
 *     0.2 reply:              MDPC02, 0x02 or 0x03 (partial, final), service, [options,] body ...
 *     0.1 worker:             "", MDPW01, command, ...
 *     0.2 worker:             MDPW02, command, ...
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
    MAJORDOMO_WORKER,  /* a worker's command */
} majordomo_kind_t;

/** The numbers differ between the versions: never share one table. */
typedef enum majordomo_command {
    MAJORDOMO_READY,
    MAJORDOMO_WORK, /* REQUEST: from the broker to a worker */
    MAJORDOMO_PARTIAL,
    MAJORDOMO_FINAL, /* 0.1: REPLY */
    MAJORDOMO_HEARTBEAT,
    MAJORDOMO_DISCONNECT,
    MAJORDOMO_COMMANDS
} majordomo_command_t;

#define TASK_OPTIONS_FIELDS(F)                                                   \
    F(OPT_STRING, id, _, 1, 64, "echoed in the reply")                           \
    F(OPT_INT, deadline_ms, _, 1, 86400000, "ms left for the whole task")        \
    F(OPT_STRING, key, _, 1, 64, "key of the worker that should serve it")       \
    F(OPT_STRING, idem, _, 1, 128, "idempotency key: the same one is done once") \
    F(OPT_INT, priority, _, 0, 9, "higher goes first; 4 where it is not said")   \
    F(OPT_BOOL, stream, _, 0, 1, "partial answers: false with the last one, true of each attempt")

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
    zmq_msg_t *frames; /* all after the service, what looks like options, too */
    size_t frame_count;
} majordomo_request_t;

/** One command of a worker. Points into the frames. */
typedef struct majordomo_worker {
    majordomo_version_t version;
    majordomo_command_t command;
    trp_text_t service; /* READY */
    trp_text_t address; /* PARTIAL, FINAL: what the request named as its client */
    zmq_msg_t *body;    /* PARTIAL, FINAL: frames of the answer */
    size_t body_count;
} majordomo_worker_t;

/** A message taken apart. */
typedef struct majordomo_message {
    majordomo_request_t request; /* MAJORDOMO_REQUEST */
    majordomo_worker_t worker;   /* MAJORDOMO_WORKER */
} majordomo_message_t;

/** Says what the frames are, and fills the member of `message` that this is. */
majordomo_kind_t majordomo_parse(zmq_msg_t *frames, size_t count, majordomo_message_t *message);

#define MAJORDOMO_REPLY_FRAMES 6

/** What a reply needs to know of its request. */
typedef struct majordomo_reply {
    majordomo_version_t version;
    trp_text_t service;
    trp_text_t id;    /* of the options frame; data NULL: the request had none */
    bool has_options; /* the request had an options frame */
    uint32_t attempt; /* whose partial answers, told where the request said `stream`; 0: none */
    bool has_parts;   /* of the last answer, told there, too, and to who was sent any: ... */
    uint32_t parts;   /* ... how many were sent of this attempt */
} majordomo_reply_t;

/** The options frame of a request with so much time left in its deadline, for who gets it next.
 * False: no memory (`frame` is not made) */
bool majordomo_shrink(zmq_msg_t *frame, zmq_msg_t *options, int64_t left_ms);

/** Makes the frames of a reply; `body` is moved in. Returns their number, 0: no memory (`body`
 * untouched). */
size_t majordomo_compose(const majordomo_reply_t *reply, zmq_msg_t *body,
                         zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES]);

/** The frames of a reply before its body; `final`: else PARTIAL (0.2). Returns their number, 0: no
 * memory. */
size_t majordomo_head(const majordomo_reply_t *reply, bool final,
                      zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES]);

/** The frames of a command to a worker: HEARTBEAT, DISCONNECT, or WORK up to its body. Returns
 * their number, 0: no memory. */
size_t majordomo_order(majordomo_version_t version, majordomo_command_t command,
                       const trp_text_t *address, zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES]);

/** The words of a command, for logs. */
const char *majordomo_command_name(majordomo_command_t command);

#endif
