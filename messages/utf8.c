/* SPDX-License-Identifier: MIT */
#include "messages/utf8.h"

#include <stdint.h>
#include <string.h>
#include <unistr.h>

#include "messages/codec.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

size_t utf8_character(const char *text, size_t left)
{
    int length = u8_mblen((const uint8_t *)text, left);
    if (length == 0) { /* U+0000 */
        return 1;
    }
    return length < 0 ? 0 : (size_t)length;
}

/* Bytes of ASCII at the beginning, eight at a time: most text is nothing else. */
static size_t ascii_size(const char *data, size_t size)
{
    size_t at = 0;
    for (uint64_t eight; size - at >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, data + at, sizeof(eight));
        if ((eight & 0x8080808080808080u) != 0) {
            break;
        }
    }
    return at;
}

size_t trp_utf8_check(const char *data, size_t size)
{
    const size_t ascii = ascii_size(data, size);
    const uint8_t *bytes = (const uint8_t *)data;
    const uint8_t *bad = u8_check(bytes + ascii, size - ascii);
    return bad == NULL ? size : (size_t)(bad - bytes);
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
