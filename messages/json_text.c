/* SPDX-License-Identifier: MIT */
#include "messages/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/utf8.h"

size_t json_real(double value, char text[JSON_REAL_MAX])
{
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) { /* 17 always do */
        length = snprintf(text, JSON_REAL_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    size_t size = (size_t)length;
    char *comma = strchr(text, ','); /* a locale's decimal sign */
    if (comma != NULL) {
        *comma = '.';
    }
    if (strspn(text, "-0123456789") == size) {
        memcpy(text + size, ".0", 3); /* 100 would read back as an integer */
        size += 2;
    }
    return size;
}

size_t json_character(const char *data, size_t size, char text[JSON_CHARACTER_MAX])
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";
    unsigned char first = (unsigned char)data[0];
    const char *known = first == 0 ? NULL : strchr(plain, first);
    if (known != NULL) {
        snprintf(text, JSON_CHARACTER_MAX, "\\%c", letter[known - plain]);
        return 1;
    }
    if (first < 0x20) {
        snprintf(text, JSON_CHARACTER_MAX, "\\u%04x", first);
        return 1;
    }
    size_t length = utf8_character(data, size);
    utf8_copy(text, JSON_CHARACTER_MAX, data, length == 0 ? 1 : length);
    return length == 0 ? 1 : length;
}

size_t json_base64(const void *data, size_t size, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;
    char *out = to;
    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at;
        unsigned int group = (unsigned int)bytes[at] << 16;
        group |= left > 1 ? (unsigned int)bytes[at + 1] << 8 : 0;
        group |= left > 2 ? (unsigned int)bytes[at + 2] : 0;
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    return (size_t)(out - to);
}
