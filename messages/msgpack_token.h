/* SPDX-License-Identifier: MIT */
/* MessagePack as a flat row of tokens: what its readers build on. */
#ifndef TRP_MESSAGES_MSGPACK_TOKEN_H
#define TRP_MESSAGES_MSGPACK_TOKEN_H

#include <stddef.h>
#include <stdint.h>

/* What should hold, for faults. */
#define MSGPACK_WHOLE       "a whole MessagePack map"
#define MSGPACK_WELL_FORMED "well-formed MessagePack"

typedef enum token_kind {
    TOKEN_SCALAR, /* nil, true, false, integers, bin, ext */
    TOKEN_STRING,
    TOKEN_REAL,
    TOKEN_ARRAY,
    TOKEN_MAP
} token_kind_t;

typedef struct token {
    token_kind_t kind;
    size_t head;    /* bytes up to the payload */
    uint64_t body;  /* bytes of payload; they are there */
    uint64_t items; /* values inside: of a map, names and values; as announced, not checked */
} token_t;

/** The token at the beginning of `data`. Returns NULL, or what should hold: a constant. */
const char *msgpack_token_read(const unsigned char *data, size_t size, token_t *token);

static inline uint64_t msgpack_big_endian(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

#endif
