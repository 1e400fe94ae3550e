/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "messages/codec_internal.h"

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

size_t json_lead(const char *text, size_t size)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t at = size >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    while (at < size && is_space(text[at])) {
        at++;
    }
    return at;
}

int json_scan_next(json_scan_t *scan)
{
    while (scan->at < scan->size && is_space(scan->text[scan->at])) {
        scan->at++;
    }
    if (scan->at >= scan->size) {
        return -1;
    }
    char first = scan->text[scan->at++];
    if (first != '"') {
        return (unsigned char)first;
    }
    while (scan->at < scan->size && scan->text[scan->at] != '"') {
        scan->at += scan->text[scan->at] == '\\' ? 2 : 1;
    }
    scan->at = scan->at < scan->size ? scan->at + 1 : scan->size;
    return '"';
}

/* `text` is a run of characters of a number; true when it is an integer that int64_t can't hold. */
static bool is_too_large(const char *text, size_t size)
{
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    size_t count = size - negative;
    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
    }
    const char *limit = negative ? "9223372036854775808" : "9223372036854775807";
    return count > strlen(limit) || (count == strlen(limit) && memcmp(digits, limit, count) > 0);
}

static size_t number_size(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && text[length] != '\0' && strchr("+-.eE0123456789", text[length])) {
        length++;
    }
    return length;
}

char *json_widen(const char *text, size_t size, size_t *widened)
{
    char *copy = malloc(size + size / 19 * 2 + 2); /* such an integer has 19 digits or more */
    if (copy == NULL) {
        return NULL;
    }
    json_scan_t scan = {.text = text, .size = size};
    size_t used = 0;
    size_t copied = 0;
    for (int byte = json_scan_next(&scan); byte >= 0; byte = json_scan_next(&scan)) {
        if (byte != '-' && (byte < '0' || byte > '9')) {
            continue;
        }
        const char *number = text + scan.at - 1;
        size_t length = number_size(number, size - (scan.at - 1));
        scan.at += length - 1;
        if (is_too_large(number, length)) {
            memcpy(copy + used, text + copied, scan.at - copied);
            used += scan.at - copied;
            copied = scan.at;
            memcpy(copy + used, ".0", 2);
            used += 2;
        }
    }
    memcpy(copy + used, text + copied, size - copied);
    *widened = used + size - copied;
    return copy;
}
