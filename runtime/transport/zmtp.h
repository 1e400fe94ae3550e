/* SPDX-License-Identifier: MIT */
/* The words of ZMTP 3.1 (rfc.zeromq.org/spec/37) with the NULL mechanism, as bytes: what the two
 * ends of a ZeroMQ connection say before and around each frame. Pure. */
#ifndef TRP_RUNTIME_ZMTP_H
#define TRP_RUNTIME_ZMTP_H

#include "runtime/plugin.h"

#define ZMTP_GREETING_SIZE 64
#define ZMTP_SIGNATURE     0xff /* a greeting's first byte */
#define ZMTP_HEADER_MAX    9
#define ZMTP_READY_MAX     512 /* bytes of a READY of ours, header included */
#define ZMTP_COMMAND_MAX   1024
#define ZMTP_PONG_MAX      32

/** Of a frame's first byte. */
enum { ZMTP_MORE = 1, ZMTP_LONG = 2, ZMTP_COMMAND = 4 };

typedef struct zmtp_header {
    uint8_t flags;
    uint64_t size; /* bytes of the body */
} zmtp_header_t;

void zmtp_greeting(uint8_t greeting[ZMTP_GREETING_SIZE]);
/** Whether it is one of ZMTP 3 without security. */
bool zmtp_is_greeting(const uint8_t greeting[ZMTP_GREETING_SIZE]);

/** Writes what goes before a body of `size` bytes; `flags` without ZMTP_LONG. Returns its bytes. */
size_t zmtp_write_header(uint8_t header[ZMTP_HEADER_MAX], uint8_t flags, size_t size);
/** The bytes of the header that begins with `first`; 0: no frame begins so. */
size_t zmtp_header_size(uint8_t first);
/** `bytes` has zmtp_header_size of them. */
zmtp_header_t zmtp_read_header(const uint8_t *bytes);

/** The whole READY command of a socket of this type ("ROUTER", "DEALER"); `self` NULL: it has no
 * routing id. Returns its bytes. */
size_t zmtp_write_ready(uint8_t command[ZMTP_READY_MAX], const char *type, const trp_peer_t *self);

typedef enum zmtp_command {
    ZMTP_READY, /* `peer`: its routing id, of size 0 when it has none */
    ZMTP_PING,
    ZMTP_OTHER,    /* that need not be answered */
    ZMTP_NO_SENSE, /* or an ERROR: the connection has no use */
} zmtp_command_t;

/** A command's body. `type`: of the socket that may be at the other end. */
zmtp_command_t zmtp_read_command(const uint8_t *body, size_t size, const char *type,
                                 trp_peer_t *peer);

/** The whole answer to a PING's body. Returns its bytes. */
size_t zmtp_write_pong(uint8_t command[ZMTP_PONG_MAX], const uint8_t *ping, size_t size);

#endif
