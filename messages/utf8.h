/* SPDX-License-Identifier: MIT */
/* UTF-8 by libunistring, strictly as RFC 3629 has it: no overlong forms, no surrogates, nothing
 * above U+10FFFF. */
#ifndef TRP_MESSAGES_UTF8_H
#define TRP_MESSAGES_UTF8_H

#include <stddef.h>

/** Bytes of the character that begins at `text` (1 to 4), or 0 when it is ill-formed or cut off.
 * bounds: reads at most `left` bytes; left >= 1 */
size_t utf8_character(const char *text, size_t left);

/** Copies text as a NUL-terminated string of at most `capacity` - 1 bytes, cut between characters.
 * What is ill-formed, and U+0000, becomes U+FFFD. Returns the length. */
size_t utf8_copy(char *to, size_t capacity, const char *text, size_t size);

#endif
