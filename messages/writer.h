/* SPDX-License-Identifier: MIT */
/* The writer as a plain growing buffer, for what else is built in it. */
#ifndef TRP_MESSAGES_WRITER_H
#define TRP_MESSAGES_WRITER_H

#include <string.h>

#include "messages/codec.h"

/** What writer_reserve does when there is not enough room. */
char *writer_grow(trp_writer_t *writer, size_t size);

/** Makes room for `size` bytes at the end and returns their place, valid until the next write. NULL
 * when out of memory: the writer has then failed for good. */
static inline char *writer_reserve(trp_writer_t *writer, size_t size)
{
    msgpack_sbuffer *buffer = &writer->buffer;
    if (writer->failed || size > buffer->alloc - buffer->size) {
        return writer_grow(writer, size);
    }
    char *place = buffer->data + buffer->size;
    buffer->size += size;
    return place;
}

static inline void writer_append(trp_writer_t *writer, const void *data, size_t size)
{
    char *place = writer_reserve(writer, size);
    if (place != NULL && size != 0) {
        memcpy(place, data, size);
    }
}

#endif
