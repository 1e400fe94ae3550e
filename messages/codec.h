/* SPDX-License-Identifier: MIT */
/* Bodies in and out: a bounded reader for MessagePack and JSON (both become one msgpack_object
 * tree), and a writer. Bytes from outside are scanned before memory is reserved: a length that lies
 * is refused. No thread affinity. */
#ifndef TRP_MESSAGES_CODEC_H
#define TRP_MESSAGES_CODEC_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "messages/api.h"
#include "messages/status.h"

#define TRP_DEPTH_MAX       32   /* levels of maps and arrays in a body from outside */
#define TRP_REPLY_DEPTH_MAX 4096 /* levels in a value of our own: trees in replies are deep */

/* Values and member names of one body. An item of one byte becomes 24 bytes here and, from JSON, up
 * to 150 while it is read: this bounds what a body can claim to about 75 MB beside its own bytes,
 * whatever its size. A race of 1000 timeline rows and 40 entrants, the largest body that the tools
 * allow, has 260,000. */
#define TRP_ITEMS_MAX 524288

/** A string that is not NUL-terminated; points into the document that it was read from. */
typedef struct trp_text {
    const char *data;
    size_t size;
} trp_text_t;

/** What is wrong with a body or a member, for whoever sent it. All texts are NUL-terminated and
 * well-formed.
 * shape: `path`    "money[3].hold_pct"; "" = the body as a whole
 *        `rule`    what should hold, in words
 *        `value`   a scalar as JSON text cut between characters, `map`, `array`, `missing`; or ""
 *        `offset`  byte at which the fault begins, in the body or in the text at `path`; for
 *                  faults of JSON's syntax the byte behind what shows it */
typedef struct trp_fault {
    const char *message; /* name of the schema, or "" */
    char path[192];
    char rule[128];
    char value[81];
    bool is_body; /* no map of either form, truncated or ill-formed: E_BAD_BODY */
    bool has_offset;
    size_t offset;
} trp_fault_t;

typedef enum trp_form { TRP_FORM_MSGPACK, TRP_FORM_JSON } trp_form_t;

/** Form of a body by its first byte (PROTOCOLS: 0x80-0x8f, 0xde, 0xdf; `{` after white space or
 * BOM). errors: TRP_PAYLOAD, neither */
TRP_API TRP_MUST_USE trp_status_t trp_form_detect(const void *data, size_t size, trp_form_t *form);

/** A decoded body. owns: `zone` holds all of it; strings of MessagePack point into the caller's
 * bytes. */
typedef struct trp_document {
    trp_form_t form;
    msgpack_object root; /* always a map */
    msgpack_zone zone;
} trp_document_t;

/** Decodes one map. Refused with a fault: neither form, not a map, truncated, text after the value,
 * a member twice, lone surrogate, ill-formed UTF-8 in JSON, NaN or infinity, more than
 * TRP_DEPTH_MAX levels, counts beyond the bytes. owns: on success the caller ends it with
 * trp_document_fini; `data` must outlive it. errors: TRP_PAYLOAD, TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_document_init(trp_document_t *document, const void *data,
                                                    size_t size, trp_fault_t *fault);
TRP_API void trp_document_fini(trp_document_t *document);

/** Bounded check of MessagePack bytes: exactly one value, depth and counts possible. `bad` gets the
 * offset. */
TRP_API TRP_MUST_USE trp_status_t trp_msgpack_check(const void *data, size_t size, size_t *bad);

/** Exactly one sound MessagePack value of our own making: up to TRP_REPLY_DEPTH_MAX levels, any
 * number of items. */
TRP_API bool trp_msgpack_is_value(const void *data, size_t size);

/** The member `name` of a map, or NULL. */
TRP_API const msgpack_object *trp_member(const msgpack_object *map, const char *name);

/** First ill-formed byte of UTF-8 text: its offset, or `size` when the text is well-formed. */
TRP_API size_t trp_utf8_check(const char *data, size_t size);

/** Builds MessagePack. A failed allocation is kept and told by trp_writer_take: no check after each
 * write. */
typedef struct trp_writer {
    msgpack_sbuffer buffer;
    bool failed;
} trp_writer_t;

TRP_API void trp_writer_init(trp_writer_t *writer);
TRP_API void trp_writer_fini(trp_writer_t *writer);
TRP_API void trp_write_map(trp_writer_t *writer, size_t members);
TRP_API void trp_write_array(trp_writer_t *writer, size_t items);
TRP_API void trp_write_key(trp_writer_t *writer, const char *key); /* = trp_write_text */
TRP_API void trp_write_text(trp_writer_t *writer, const char *text);
TRP_API void trp_write_string(trp_writer_t *writer, const char *data, size_t size);
TRP_API void trp_write_bytes(trp_writer_t *writer, const void *data, size_t size);
TRP_API void trp_write_int(trp_writer_t *writer, int64_t value);
TRP_API void trp_write_real(trp_writer_t *writer, double value);
TRP_API void trp_write_bool(trp_writer_t *writer, bool value);
TRP_API void trp_write_nil(trp_writer_t *writer);
TRP_API void trp_write_object(trp_writer_t *writer, const msgpack_object *object);

/** One member of a map: its key, then its value. */
TRP_API void trp_put_text(trp_writer_t *writer, const char *key, const char *text);
TRP_API void trp_put_string(trp_writer_t *writer, const char *key, trp_text_t text);
TRP_API void trp_put_int(trp_writer_t *writer, const char *key, int64_t value);
TRP_API void trp_put_real(trp_writer_t *writer, const char *key, double value);
TRP_API void trp_put_bool(trp_writer_t *writer, const char *key, bool value);

/** One value that is encoded already. */
TRP_API void trp_write_raw(trp_writer_t *writer, const void *encoded, size_t size);

/** A map or array whose count is not known yet: begin, write, then end with the count and begin's
 * mark. */
TRP_API size_t trp_write_map_begin(trp_writer_t *writer);
TRP_API void trp_write_map_end(trp_writer_t *writer, size_t mark, size_t members);
TRP_API size_t trp_write_array_begin(trp_writer_t *writer);
TRP_API void trp_write_array_end(trp_writer_t *writer, size_t mark, size_t items);

/** What was written so far; valid until the next write. NULL: nothing was, or a write has failed */
TRP_API const void *trp_writer_data(const trp_writer_t *writer, size_t *size);

/** Moves all into `message` and empties the writer; more than 1 KiB without a copy.
 * owns: `message` is initialised by this call, empty on an error. errors: TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_writer_take(trp_writer_t *writer, zmq_msg_t *message);

/** One MessagePack value as JSON text (reals read back as the same double); malloc'd,
 * NUL-terminated, `size` without the NUL. Bytes become base64. bounds: TRP_REPLY_DEPTH_MAX levels
 * errors: TRP_PAYLOAD (not exactly one value, an extension, a name that is no string, ill-formed
 * UTF-8), TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_json_from_msgpack(const void *data, size_t size, char **json,
                                                        size_t *json_size);
TRP_API TRP_MUST_USE trp_status_t trp_json_from_object(const msgpack_object *object, char **json,
                                                       size_t *json_size);

/** JSON text of any kind (also scalars) as MessagePack into `writer`. errors: TRP_PAYLOAD with
 * `fault` */
TRP_API TRP_MUST_USE trp_status_t trp_json_to_msgpack(const char *json, size_t size,
                                                      trp_writer_t *writer, trp_fault_t *fault);

#endif
