/* SPDX-License-Identifier: MIT */
#include "actors/parser/parser_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 4096

void parser_text_init(parser_text_t *text, size_t size_max)
{
    *text = (parser_text_t){.size_max = size_max, .status = TRP_OK};
}

void parser_text_fini(parser_text_t *text)
{
    free(text->data);
    *text = (parser_text_t){.data = NULL};
}

static bool grow(parser_text_t *text, size_t wanted)
{
    size_t capacity = text->capacity > 0 ? text->capacity : CAPACITY_FIRST;

    while (capacity < wanted) {
        capacity *= 2;
    }
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
        text->status = TRP_NO_MEMORY;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void parser_text_add(parser_text_t *text, const char *data, size_t size)
{
    if (text->status != TRP_OK || size == 0) {
        return;
    }
    if (size > text->size_max - text->size) {
        text->status = TRP_TOO_LARGE;
        return;
    }
    if (text->size + size > text->capacity && !grow(text, text->size + size)) {
        return;
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

void parser_text_put(parser_text_t *text, const char *string)
{
    parser_text_add(text, string, strlen(string));
}

void parser_text_number(parser_text_t *text, long long number)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%lld", number);

    parser_text_add(text, digits, (size_t)length);
}

void parser_text_quote(parser_text_t *text, const char *data, size_t size)
{
    parser_text_put(text, "\"");
    size_t plain = 0; /* first byte that is not written yet */
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        parser_text_add(text, data + plain, i - plain);
        plain = i + 1;
        if (byte >= 0x20) {
            parser_text_add(text, (const char[]){'\\', (char)byte}, 2);
        } else {
            char escape[8];
            (void)snprintf(escape, sizeof(escape), "\\u%04x", byte);
            parser_text_put(text, escape);
        }
    }
    parser_text_add(text, data + plain, size - plain);
    parser_text_put(text, "\"");
}
