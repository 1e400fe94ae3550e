/* SPDX-License-Identifier: MIT */
#include "messages/utf8.h"

#include <stdint.h>
#include <string.h>

#include "messages/codec.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Well-formed sequences (Unicode, table 3-7): the second byte is bounded by the first one. */
typedef struct lead {
    unsigned char first, last; /* of the lead byte */
    unsigned char length;
    unsigned char low, high; /* of the second byte */
} lead_t;

static const lead_t leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t utf8_character(const char *text, size_t left)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] < 0x80) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        const lead_t *lead = &leads[i];
        if (bytes[0] < lead->first || bytes[0] > lead->last) {
            continue;
        }
        if (left < lead->length || bytes[1] < lead->low || bytes[1] > lead->high) {
            return 0;
        }
        for (size_t k = 2; k < lead->length; k++) {
            if ((bytes[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return lead->length;
    }
    return 0;
}

size_t trp_utf8_check(const char *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint64_t word;
        if (size - at >= sizeof(word)) {
            memcpy(&word, data + at, sizeof(word));
            if ((word & 0x8080808080808080u) == 0) { /* eight characters of ASCII at once */
                at += sizeof(word);
                continue;
            }
        }
        size_t length = utf8_character(data + at, size - at);
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return size;
}

size_t utf8_copy(char *to, size_t capacity, const char *text, size_t size)
{
    size_t used = 0;
    size_t at = 0;
    while (at < size) {
        size_t length = utf8_character(text + at, size - at);
        bool bad = length == 0 || text[at] == '\0';
        const char *from = bad ? REPLACEMENT : text + at;
        size_t bytes = bad ? strlen(REPLACEMENT) : length;
        if (used + bytes >= capacity) {
            break;
        }
        memcpy(to + used, from, bytes);
        used += bytes;
        at += bad ? 1 : length;
    }
    to[used] = '\0';
    return used;
}
