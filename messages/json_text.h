/* SPDX-License-Identifier: MIT */
/* The small pieces of JSON text that the writer and the faults share. */
#ifndef TRP_MESSAGES_JSON_TEXT_H
#define TRP_MESSAGES_JSON_TEXT_H

#include <stddef.h>

#define JSON_REAL_MAX      32 /* bytes of a real, the NUL included */
#define JSON_CHARACTER_MAX 8  /* bytes of one character between quotes, the NUL included */

/** A text of 15 to 17 digits that reads back as the same double, with a fraction or an exponent:
 * "100.0". Returns its length. bounds: `value` is finite */
size_t json_real(double value, char text[JSON_REAL_MAX]);

/** The character that begins at `data` as it stands between quotes; an ill-formed byte becomes
 * U+FFFD. Returns the bytes taken (at least 1). bounds: size >= 1 */
size_t json_character(const char *data, size_t size, char text[JSON_CHARACTER_MAX]);

/** Base64 (RFC 4648) of `size` bytes; `to` has room for json_base64_size. Returns bytes written. */
size_t json_base64(const void *data, size_t size, char *to);

static inline size_t json_base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

#endif
