/* SPDX-License-Identifier: MIT */
#include "messages/msgpack_token.h"

/* Tags 0xc0 to 0xdf: what each one is, the bytes of its length, and the payload behind that. */
static const struct {
    token_kind_t kind;
    unsigned char length; /* bytes of the length or count field */
    unsigned char body;   /* fixed bytes of payload */
} tags[32] = {
    {TOKEN_SCALAR, 0, 0}, {TOKEN_SCALAR, 0, 0},  {TOKEN_SCALAR, 0, 0}, {TOKEN_SCALAR, 0, 0},
    {TOKEN_SCALAR, 1, 0}, {TOKEN_SCALAR, 2, 0},  {TOKEN_SCALAR, 4, 0}, /* bin */
    {TOKEN_SCALAR, 1, 1}, {TOKEN_SCALAR, 2, 1},  {TOKEN_SCALAR, 4, 1}, /* ext: a type byte */
    {TOKEN_REAL, 0, 4},   {TOKEN_REAL, 0, 8},                          /* float */
    {TOKEN_SCALAR, 0, 1}, {TOKEN_SCALAR, 0, 2},  {TOKEN_SCALAR, 0, 4}, {TOKEN_SCALAR, 0, 8},
    {TOKEN_SCALAR, 0, 1}, {TOKEN_SCALAR, 0, 2},  {TOKEN_SCALAR, 0, 4}, {TOKEN_SCALAR, 0, 8},
    {TOKEN_SCALAR, 0, 2}, {TOKEN_SCALAR, 0, 3},  {TOKEN_SCALAR, 0, 5}, /* fixext */
    {TOKEN_SCALAR, 0, 9}, {TOKEN_SCALAR, 0, 17}, {TOKEN_STRING, 1, 0}, {TOKEN_STRING, 2, 0},
    {TOKEN_STRING, 4, 0}, {TOKEN_ARRAY, 2, 0},   {TOKEN_ARRAY, 4, 0},  {TOKEN_MAP, 2, 0},
    {TOKEN_MAP, 4, 0},
};

const char *msgpack_token_read(const unsigned char *data, size_t size, token_t *token)
{
    if (size == 0) {
        return MSGPACK_WHOLE;
    }
    unsigned char tag = data[0];
    *token = (token_t){.kind = TOKEN_SCALAR, .head = 1};
    if (tag < 0x80 || tag >= 0xe0) {
        return NULL;
    }
    uint64_t count = tag & 0x0f;
    if (tag < 0x90) {
        token->kind = TOKEN_MAP;
    } else if (tag < 0xa0) {
        token->kind = TOKEN_ARRAY;
    } else if (tag < 0xc0) {
        token->kind = TOKEN_STRING;
        count = tag & 0x1f;
    } else if (tag == 0xc1) {
        return MSGPACK_WELL_FORMED;
    } else {
        size_t length = tags[tag - 0xc0].length;
        if (size < 1 + length) {
            return MSGPACK_WHOLE;
        }
        token->kind = tags[tag - 0xc0].kind;
        token->head = 1 + length;
        token->body = tags[tag - 0xc0].body;
        count = msgpack_big_endian(data + 1, length);
    }
    if (token->kind == TOKEN_ARRAY || token->kind == TOKEN_MAP) {
        token->items = token->kind == TOKEN_MAP ? 2 * count : count;
    } else {
        token->body += count;
    }
    return size - token->head < token->body ? MSGPACK_WHOLE : NULL;
}
