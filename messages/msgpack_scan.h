/* SPDX-License-Identifier: MIT */
/* A pass over MessagePack bytes that believes no length: item by item, with nothing reserved on
 * their word. Each item takes a byte at least, so what all open maps and arrays still lack can
 * never be more than the bytes that are left. */
#ifndef TRP_MESSAGES_MSGPACK_SCAN_H
#define TRP_MESSAGES_MSGPACK_SCAN_H

#include "messages/codec.h"

typedef enum token_kind {
    TOKEN_NIL,
    TOKEN_BOOL,
    TOKEN_UINT,
    TOKEN_INT,
    TOKEN_REAL,
    TOKEN_STRING,
    TOKEN_BYTES,
    TOKEN_EXTENSION,
    TOKEN_ARRAY,
    TOKEN_MAP,
    TOKEN_NONE /* 0xc1, which MessagePack never uses */
} token_kind_t;

/** One item: a name, a scalar, or the beginning of a map or array. What is said to be of some kinds
 * is set for those only. */
typedef struct token {
    token_kind_t kind;
    bool is_name;     /* of a member */
    bool is_value;    /* of a member */
    bool is_first;    /* in its map or array */
    bool is_inside;   /* of a map or array */
    uint64_t integer; /* UINT and BOOL; INT: the two's complement */
    double real;      /* REAL */
    const char *data; /* STRING and BYTES */
    size_t size;
    uint64_t items; /* inside an ARRAY or MAP; of a map, names and values; others: 0 */
} token_t;

typedef struct scan_level {
    uint64_t left; /* items that it still lacks */
    uint64_t items;
    bool is_map;
} scan_level_t;

typedef struct msgpack_scan {
    const unsigned char *data;
    size_t size;
    size_t at;
    size_t depth_max;
    uint64_t items_max;
    uint64_t items; /* seen so far */
    uint64_t owed;  /* announced and not seen yet, on all levels */
    size_t depth;   /* open maps and arrays */
    size_t closed;  /* by the last token: they still stand in `levels` above `depth` */
    scan_level_t *levels;
    size_t capacity;
    scan_level_t few[TRP_DEPTH_MAX]; /* levels without an allocation */
    trp_fault_t *fault;
} msgpack_scan_t;

/** Begins at the first byte. Levels and items are bounded as for bodies from outside; a caller that
 * knows better sets depth_max and items_max. */
void msgpack_scan_init(msgpack_scan_t *scan, const void *data, size_t size, trp_fault_t *fault);
void msgpack_scan_fini(msgpack_scan_t *scan);

/** The next item. Refused with a fault: truncated, a name that is no string, a number that is not
 * finite, too many levels or items. errors: TRP_PAYLOAD, TRP_NO_MEMORY */
trp_status_t msgpack_scan_next(msgpack_scan_t *scan, token_t *token);

/** The first value is complete. */
static inline bool msgpack_scan_is_done(const msgpack_scan_t *scan)
{
    return scan->items > 0 && scan->depth == 0;
}

#endif
