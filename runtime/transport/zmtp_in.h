/* SPDX-License-Identifier: MIT */
/* Bytes of a ZeroMQ connection, in whatever pieces they come, made into messages. Knows no
 * descriptor. One thread. */
#ifndef TRP_RUNTIME_ZMTP_IN_H
#define TRP_RUNTIME_ZMTP_IN_H

#include "runtime/transport/zmtp.h"

typedef enum zmtp_event {
    ZMTP_IN_HUNGRY,  /* all bytes were taken */
    ZMTP_IN_OPEN,    /* `peer` is known */
    ZMTP_IN_MESSAGE, /* `frames` has one: take it, then zmtp_in_clear */
    ZMTP_IN_PING,    /* `pong` has the answer */
    ZMTP_IN_BROKEN,  /* no ZMTP, a frame above its limit, no memory: of no use any more */
} zmtp_event_t;

typedef enum zmtp_stage { ZMTP_GREETS, ZMTP_INTRODUCES, ZMTP_TALKS } zmtp_stage_t;

typedef struct zmtp_in {
    const char *type;   /* of the socket that may be at the other end */
    uint64_t frame_max; /* bytes; 0 = no limit */
    zmtp_stage_t stage;
    trp_peer_t peer;
    uint8_t head[ZMTP_GREETING_SIZE]; /* what has come of a greeting or a header */
    size_t head_used;
    bool in_body;
    zmtp_header_t header;
    zmq_msg_t body; /* while in_body */
    size_t filled;
    zmq_msg_t *frames;
    size_t count, room;
    bool is_too_many;
    uint64_t dropped; /* messages of too many frames */
    uint8_t pong[ZMTP_PONG_MAX];
    size_t pong_size;
} zmtp_in_t;

/** type: static text. */
void zmtp_in_init(zmtp_in_t *in, const char *type, int64_t frame_max);
void zmtp_in_fini(zmtp_in_t *in);

/** Takes bytes until something happens; `used`: how many of them. */
zmtp_event_t zmtp_in_take(zmtp_in_t *in, const uint8_t *bytes, size_t size, size_t *used);

/** The rest of a large body, to be received right into it; NULL: nothing is, use zmtp_in_take. */
uint8_t *zmtp_in_room(zmtp_in_t *in, size_t *size);
/** That many bytes were received there. */
zmtp_event_t zmtp_in_filled(zmtp_in_t *in, size_t size);

/** After ZMTP_IN_MESSAGE: closes what is left of its frames. */
void zmtp_in_clear(zmtp_in_t *in);

#endif
