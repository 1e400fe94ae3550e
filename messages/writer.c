/* SPDX-License-Identifier: MIT */
#include "messages/writer.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256  /* bytes of the first allocation */
#define COPY_MAX     1024 /* smaller ones are copied: one allocation less, and the buffer stays */
#define HEAD_BYTES   5    /* of a map or array with a 32-bit count */

char *writer_grow(trp_writer_t *writer, size_t size)
{
    msgpack_sbuffer *buffer = &writer->buffer;
    if (writer->failed || size > SIZE_MAX / 4 - buffer->size) {
        writer->failed = true;
        return NULL;
    }
    size_t capacity = buffer->alloc == 0 ? CAPACITY_MIN : buffer->alloc;
    while (capacity - buffer->size < size) {
        capacity *= 2;
    }
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        writer->failed = true;
        return NULL;
    }
    buffer->data = data;
    buffer->alloc = capacity;
    buffer->size += size;
    return data + buffer->size - size;
}

void trp_writer_init(trp_writer_t *writer)
{
    writer->failed = false;
    msgpack_sbuffer_init(&writer->buffer);
}

void trp_writer_fini(trp_writer_t *writer)
{
    msgpack_sbuffer_destroy(&writer->buffer);
    msgpack_sbuffer_init(&writer->buffer);
}

/* A tag, and a number behind it as so many bytes, the highest first. */
static void put_tag(trp_writer_t *writer, unsigned char tag, uint64_t number, unsigned bytes)
{
    char *place = writer_reserve(writer, 1 + bytes);
    if (place != NULL) {
        *place++ = (char)tag;
        for (unsigned shift = 8 * bytes; shift > 0; shift -= 8) {
            *place++ = (char)(number >> (shift - 8));
        }
    }
}

/* The tags of a kind of value with a length or count; 0: it has no such form. */
typedef struct heads {
    unsigned char tiny, tiny_max; /* in the tag itself */
    unsigned char tag8, tag16, tag32;
} heads_t;

static const heads_t map_heads = {0x80, 15, 0, 0xde, 0xdf};
static const heads_t array_heads = {0x90, 15, 0, 0xdc, 0xdd};
static const heads_t string_heads = {0xa0, 31, 0xd9, 0xda, 0xdb};
static const heads_t bytes_heads = {0, 0, 0xc4, 0xc5, 0xc6};

static void put_head(trp_writer_t *writer, const heads_t *heads, size_t count)
{
    if (heads->tiny != 0 && count <= heads->tiny_max) {
        put_tag(writer, (unsigned char)(heads->tiny | count), 0, 0);
    } else if (heads->tag8 != 0 && count <= UINT8_MAX) {
        put_tag(writer, heads->tag8, count, 1);
    } else if (count <= UINT16_MAX) {
        put_tag(writer, heads->tag16, count, 2);
    } else {
        put_tag(writer, heads->tag32, count, 4);
    }
}

void trp_write_map(trp_writer_t *writer, size_t members)
{
    put_head(writer, &map_heads, members);
}

void trp_write_array(trp_writer_t *writer, size_t items)
{
    put_head(writer, &array_heads, items);
}

void trp_write_key(trp_writer_t *writer, const char *key)
{
    trp_write_text(writer, key);
}

void trp_write_text(trp_writer_t *writer, const char *text)
{
    trp_write_string(writer, text, strlen(text));
}

void trp_write_string(trp_writer_t *writer, const char *data, size_t size)
{
    put_head(writer, &string_heads, size);
    writer_append(writer, data, size);
}

void trp_write_bytes(trp_writer_t *writer, const void *data, size_t size)
{
    put_head(writer, &bytes_heads, size);
    writer_append(writer, data, size);
}

static void put_uint(trp_writer_t *writer, uint64_t value)
{
    if (value < 0x80) {
        put_tag(writer, (unsigned char)value, 0, 0);
    } else if (value <= UINT8_MAX) {
        put_tag(writer, 0xcc, value, 1);
    } else if (value <= UINT16_MAX) {
        put_tag(writer, 0xcd, value, 2);
    } else if (value <= UINT32_MAX) {
        put_tag(writer, 0xce, value, 4);
    } else {
        put_tag(writer, 0xcf, value, 8);
    }
}

void trp_write_int(trp_writer_t *writer, int64_t value)
{
    const uint64_t bits = (uint64_t)value;
    if (value >= 0) {
        put_uint(writer, bits);
    } else if (value >= -32) {
        put_tag(writer, (unsigned char)bits, 0, 0);
    } else if (value >= INT8_MIN) {
        put_tag(writer, 0xd0, bits, 1);
    } else if (value >= INT16_MIN) {
        put_tag(writer, 0xd1, bits, 2);
    } else if (value >= INT32_MIN) {
        put_tag(writer, 0xd2, bits, 4);
    } else {
        put_tag(writer, 0xd3, bits, 8);
    }
}

void trp_write_real(trp_writer_t *writer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    put_tag(writer, 0xcb, bits, sizeof(bits));
}

void trp_write_bool(trp_writer_t *writer, bool value)
{
    put_tag(writer, value ? 0xc3 : 0xc2, 0, 0);
}

void trp_write_nil(trp_writer_t *writer)
{
    put_tag(writer, 0xc0, 0, 0);
}

static int packer_write(void *user, const char *data, size_t size)
{
    trp_writer_t *writer = user;
    writer_append(writer, data, size);
    return writer->failed ? -1 : 0;
}

void trp_write_object(trp_writer_t *writer, const msgpack_object *object)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, writer, packer_write);
    msgpack_pack_object(&packer, *object);
}

void trp_put_text(trp_writer_t *writer, const char *key, const char *text)
{
    trp_write_key(writer, key);
    trp_write_text(writer, text);
}

void trp_put_string(trp_writer_t *writer, const char *key, trp_text_t text)
{
    trp_write_key(writer, key);
    trp_write_string(writer, text.data, text.size);
}

void trp_put_int(trp_writer_t *writer, const char *key, int64_t value)
{
    trp_write_key(writer, key);
    trp_write_int(writer, value);
}

void trp_put_real(trp_writer_t *writer, const char *key, double value)
{
    trp_write_key(writer, key);
    trp_write_real(writer, value);
}

void trp_put_bool(trp_writer_t *writer, const char *key, bool value)
{
    trp_write_key(writer, key);
    trp_write_bool(writer, value);
}

void trp_write_raw(trp_writer_t *writer, const void *encoded, size_t size)
{
    writer_append(writer, encoded, size);
}

/* The count is written last, so its head has the widest form whatever the count will be. */
static size_t begin(trp_writer_t *writer, unsigned char tag)
{
    size_t mark = writer->buffer.size;
    const unsigned char head[HEAD_BYTES] = {tag};
    writer_append(writer, head, sizeof(head));
    return mark;
}

static void end(trp_writer_t *writer, size_t mark, size_t count)
{
    if (!writer->failed) {
        for (size_t i = 1; i < HEAD_BYTES; i++) {
            writer->buffer.data[mark + i] = (char)(count >> (8 * (HEAD_BYTES - 1 - i)));
        }
    }
}

size_t trp_write_map_begin(trp_writer_t *writer)
{
    return begin(writer, 0xdf);
}

void trp_write_map_end(trp_writer_t *writer, size_t mark, size_t members)
{
    end(writer, mark, members);
}

size_t trp_write_array_begin(trp_writer_t *writer)
{
    return begin(writer, 0xdd);
}

void trp_write_array_end(trp_writer_t *writer, size_t mark, size_t items)
{
    end(writer, mark, items);
}

const void *trp_writer_data(const trp_writer_t *writer, size_t *size)
{
    *size = writer->failed ? 0 : writer->buffer.size;
    return writer->failed ? NULL : writer->buffer.data;
}

static void release(void *data, void *hint)
{
    (void)hint;
    free(data);
}

/* Hands the buffer itself over, without the room that doubling left at its end: a message may wait
 * long in a mailbox. */
static trp_status_t take_buffer(trp_writer_t *writer, zmq_msg_t *message)
{
    msgpack_sbuffer *buffer = &writer->buffer;
    char *data = realloc(buffer->data, buffer->size);
    if (data != NULL) {
        buffer->data = data;
        buffer->alloc = buffer->size;
    }
    if (zmq_msg_init_data(message, buffer->data, buffer->size, release, NULL) != 0) {
        return TRP_NO_MEMORY;
    }
    msgpack_sbuffer_init(buffer);
    return TRP_OK;
}

trp_status_t trp_writer_take(trp_writer_t *writer, zmq_msg_t *message)
{
    trp_status_t status = writer->failed ? TRP_NO_MEMORY : TRP_OK;
    size_t size = writer->buffer.size;
    if (status == TRP_OK && size > COPY_MAX) {
        status = take_buffer(writer, message);
    } else if (status == TRP_OK) {
        status = zmq_msg_init_size(message, size) == 0 ? TRP_OK : TRP_NO_MEMORY;
        if (status == TRP_OK && size != 0) {
            memcpy(zmq_msg_data(message), writer->buffer.data, size);
        }
    }
    if (status != TRP_OK) {
        zmq_msg_init(message);
    }
    writer->buffer.size = 0;
    writer->failed = false;
    return status;
}
