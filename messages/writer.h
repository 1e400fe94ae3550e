/* SPDX-License-Identifier: MIT */
/* The writer as a plain growing buffer, for what else is built in it. */
#ifndef TRP_MESSAGES_WRITER_H
#define TRP_MESSAGES_WRITER_H

#include "messages/codec.h"

/** Makes room for `size` bytes at the end and returns their place, valid until the next write. NULL
 * when out of memory: the writer has then failed for good. */
char *writer_reserve(trp_writer_t *writer, size_t size);

void writer_append(trp_writer_t *writer, const void *data, size_t size);

#endif
