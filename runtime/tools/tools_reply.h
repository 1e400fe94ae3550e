/* SPDX-License-Identifier: MIT */
/* What a reply says, read out of its bytes without a library for JSON or MessagePack: finds members
 * of maps and the ends of values. Pure. Bytes of any kind are safe to read; what is not well-formed
 * is no reply, though values are not looked at closer than it takes to find their ends. */
#ifndef TRP_RUNTIME_TOOLS_REPLY_H
#define TRP_RUNTIME_TOOLS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Encoded bytes of one value, inside others. */
typedef struct tools_span {
    const char *data;
    size_t size;
} tools_span_t;

#define TOOLS_CODE_SIZE    64
#define TOOLS_MESSAGE_SIZE 512

/** {success, result | error: {code, message, retry_after_ms}}. */
typedef struct tools_reply {
    bool success;
    tools_span_t value;               /* of result or error */
    char code[TOOLS_CODE_SIZE];       /* of an error; cut where it is longer ... */
    char message[TOOLS_MESSAGE_SIZE]; /* ... between two characters */
    int64_t retry_after_ms;           /* 0: not said */
} tools_reply_t;

/** False: no such map. */
bool tools_reply_read(const void *data, size_t size, tools_reply_t *reply);

/** The value of a member of a map, JSON or MessagePack. False: no map, or without that member. */
bool tools_find(tools_span_t map, const char *name, tools_span_t *value);

/** A member of a map that is a whole number and not negative; what is none counts as 0. */
int64_t tools_find_number(tools_span_t map, const char *name);

/** A string's bytes as text, cut to the buffer between two characters. False: no string. */
bool tools_text(tools_span_t value, char *text, size_t size);

#endif
