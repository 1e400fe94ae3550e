/* SPDX-License-Identifier: MIT */
#include "runtime/transport/zmtp.h"

#include <string.h>

#define LONG_HEADER   9
#define SHORT_HEADER  2
#define SHORT_MAX     255
#define MECHANISM_AT  12
#define MECHANISM_MAX 20
#define PING_BEFORE   7 /* bytes of a PING before its context: a name, how long it holds */
#define CONTEXT_MAX   16

static const char ready[] = "\5READY", ping[] = "\4PING", pong[] = "\4PONG", error[] = "\5ERROR";

void zmtp_greeting(uint8_t greeting[ZMTP_GREETING_SIZE])
{
    memset(greeting, 0, ZMTP_GREETING_SIZE);
    greeting[0] = ZMTP_SIGNATURE; /* the signature ... */
    greeting[9] = 0x7f;
    greeting[10] = 3; /* ... and the version */
    greeting[11] = 1;
    memcpy(greeting + MECHANISM_AT, "NULL", 4);
}

bool zmtp_is_greeting(const uint8_t greeting[ZMTP_GREETING_SIZE])
{
    static const uint8_t null[MECHANISM_MAX] = "NULL";
    return greeting[0] == ZMTP_SIGNATURE && (greeting[9] & 1) != 0 && greeting[10] >= 3 &&
           memcmp(greeting + MECHANISM_AT, null, MECHANISM_MAX) == 0;
}

static void write_number(uint8_t *to, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
    }
}

static uint64_t read_number(const uint8_t *from, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++) {
        number = number << 8 | from[i];
    }
    return number;
}

size_t zmtp_write_header(uint8_t header[ZMTP_HEADER_MAX], uint8_t flags, size_t size)
{
    if (size <= SHORT_MAX) {
        header[0] = flags;
        header[1] = (uint8_t)size;
        return SHORT_HEADER;
    }
    header[0] = flags | ZMTP_LONG;
    write_number(header + 1, size, 8);
    return LONG_HEADER;
}

size_t zmtp_header_size(uint8_t first)
{
    const bool is_known = (first & ~(ZMTP_MORE | ZMTP_LONG | ZMTP_COMMAND)) == 0 &&
                          (first & (ZMTP_MORE | ZMTP_COMMAND)) != (ZMTP_MORE | ZMTP_COMMAND);
    if (!is_known) {
        return 0;
    }
    return (first & ZMTP_LONG) != 0 ? LONG_HEADER : SHORT_HEADER;
}

zmtp_header_t zmtp_read_header(const uint8_t *bytes)
{
    const bool is_long = (bytes[0] & ZMTP_LONG) != 0;
    return (zmtp_header_t){.flags = bytes[0],
                           .size = is_long ? read_number(bytes + 1, 8) : bytes[1]};
}

/* ---- commands ---- */

static uint8_t *write_property(uint8_t *at, const char *name, const void *value, size_t size)
{
    const size_t name_size = strlen(name);
    *at++ = (uint8_t)name_size;
    memcpy(at, name, name_size);
    write_number(at + name_size, size, 4);
    at += name_size + 4;
    memcpy(at, value, size);
    return at + size;
}

size_t zmtp_write_ready(uint8_t command[ZMTP_READY_MAX], const char *type, const trp_peer_t *self)
{
    uint8_t body[ZMTP_READY_MAX - ZMTP_HEADER_MAX];
    memcpy(body, ready, sizeof(ready) - 1);
    uint8_t *end = write_property(body + sizeof(ready) - 1, "Socket-Type", type, strlen(type));
    if (self != NULL) {
        end = write_property(end, "Identity", self->id, self->size);
    }
    const size_t size = (size_t)(end - body);
    const size_t header = zmtp_write_header(command, ZMTP_COMMAND, size);
    memcpy(command + header, body, size);
    return header + size;
}

static bool is_text(const uint8_t *bytes, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

/* One property: false: it makes no sense here. An id of 0 as its first byte is one that the other
 * side of a connection gives. */
static bool take_property(const uint8_t *name, size_t name_size, const uint8_t *value, size_t size,
                          trp_peer_t *peer)
{
    if (!is_text(name, name_size, "Identity")) {
        return true;
    }
    if (size > sizeof(peer->id) || (size > 0 && value[0] == 0)) {
        return false;
    }
    peer->size = (uint8_t)size;
    memcpy(peer->id, value, size);
    return true;
}

static zmtp_command_t read_properties(const uint8_t *at, const uint8_t *end, const char *type,
                                      trp_peer_t *peer)
{
    bool is_of_type = false;
    peer->size = 0;
    while (at < end) {
        const size_t name_size = *at++;
        const uint8_t *name = at;
        if ((size_t)(end - at) < name_size + 4) {
            return ZMTP_NO_SENSE;
        }
        const uint64_t size = read_number(at + name_size, 4);
        at += name_size + 4;
        if ((uint64_t)(end - at) < size ||
            !take_property(name, name_size, at, (size_t)size, peer)) {
            return ZMTP_NO_SENSE;
        }
        is_of_type |= is_text(name, name_size, "Socket-Type") && is_text(at, (size_t)size, type);
        at += size;
    }
    return is_of_type ? ZMTP_READY : ZMTP_NO_SENSE;
}

static bool begins(const uint8_t *body, size_t size, const char *name, size_t name_size)
{
    return size >= name_size && memcmp(body, name, name_size) == 0;
}

zmtp_command_t zmtp_read_command(const uint8_t *body, size_t size, const char *type,
                                 trp_peer_t *peer)
{
    if (begins(body, size, ready, sizeof(ready) - 1)) {
        return read_properties(body + sizeof(ready) - 1, body + size, type, peer);
    }
    if (begins(body, size, ping, sizeof(ping) - 1)) {
        return size >= PING_BEFORE && size <= PING_BEFORE + CONTEXT_MAX ? ZMTP_PING : ZMTP_NO_SENSE;
    }
    return begins(body, size, error, sizeof(error) - 1) ? ZMTP_NO_SENSE : ZMTP_OTHER;
}

size_t zmtp_write_pong(uint8_t command[ZMTP_PONG_MAX], const uint8_t *ping_body, size_t size)
{
    const size_t context = size - PING_BEFORE;
    const size_t header = zmtp_write_header(command, ZMTP_COMMAND, sizeof(pong) - 1 + context);
    memcpy(command + header, pong, sizeof(pong) - 1);
    memcpy(command + header + sizeof(pong) - 1, ping_body + PING_BEFORE, context);
    return header + sizeof(pong) - 1 + context;
}
