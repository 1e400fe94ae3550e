/* SPDX-License-Identifier: MIT */
/* Offsets of the frame that messages/wire.h draws, and the bytes of its integers. */
#ifndef TRP_MESSAGES_WIRE_LAYOUT_H
#define TRP_MESSAGES_WIRE_LAYOUT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "messages/pid.h"

#define WIRE_MAGIC 0x4c505254u /* "TRPL" */

enum {
    WIRE_HEAD_MAGIC = 0,
    WIRE_HEAD_VERSION = 4,
    WIRE_HEAD_KIND = 5,
    WIRE_HEAD_COUNT = 6,
    WIRE_HEAD_BYTES = 8,
    WIRE_HEAD_FRAMES = 12,
    WIRE_HEAD_MESSAGES_HANDLED = 16,
    WIRE_HEAD_BYTES_HANDLED = 24,
    WIRE_HEAD_SIZE = 32,

    WIRE_ITEM_TO = 0,
    WIRE_ITEM_FROM = 16,
    WIRE_ITEM_REQUEST = 32,
    WIRE_ITEM_DEADLINE = 40,
    WIRE_ITEM_TRACE = 48,
    WIRE_ITEM_TAG = 52,
    WIRE_ITEM_FLAGS = 54,
    WIRE_ITEM_APART = 55,
    WIRE_ITEM_BYTES = 56,
    WIRE_ITEM_ZERO = 60,
    WIRE_ITEM_SIZE = 64,
};

#define WIRE_FLAGS ((unsigned int)(TRP_ENVELOPE_REPLY | TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_URGENT))

static inline void wire_put16(unsigned char *to, uint16_t value)
{
    value = htole16(value);
    memcpy(to, &value, sizeof(value));
}

static inline void wire_put32(unsigned char *to, uint32_t value)
{
    value = htole32(value);
    memcpy(to, &value, sizeof(value));
}

static inline void wire_put64(unsigned char *to, uint64_t value)
{
    value = htole64(value);
    memcpy(to, &value, sizeof(value));
}

static inline uint16_t wire_get16(const unsigned char *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof(value));
    return le16toh(value);
}

static inline uint32_t wire_get32(const unsigned char *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof(value));
    return le32toh(value);
}

static inline uint64_t wire_get64(const unsigned char *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof(value));
    return le64toh(value);
}

static inline void wire_put_pid(unsigned char *to, trp_pid_t pid)
{
    wire_put32(to, pid.node);
    wire_put32(to + 4, pid.slot);
    wire_put32(to + 8, pid.generation);
    wire_put32(to + 12, pid.incarnation);
}

static inline trp_pid_t wire_get_pid(const unsigned char *from)
{
    return (trp_pid_t){wire_get32(from), wire_get32(from + 4), wire_get32(from + 8),
                       wire_get32(from + 12)};
}

#endif
