/* SPDX-License-Identifier: MIT */
/* Messages declared once, as a table of fields with bounds: struct, pack, unpack, validation, JSON
 * form, JSON Schema and documentation derive from it. No thread affinity; schemas are constants.
 *
 *     #define GREETING_FIELDS(F)                                \
 *         F(STRING, name, _, 1, 64, "whom to greet")            \
 *         F(OPT_INT, times, _, 1, 10, "how often; default 1")
 *     // in the header: greeting_t and greeting_schema
 *     TRP_SCHEMA_DECLARE(greeting, GREETING_FIELDS)
 *     // in one .c file
 *     TRP_SCHEMA_DEFINE(greeting, 0x1001, 0, GREETING_FIELDS, "asks for a greeting")
 *
 * F(kind, member, arg, min, max, text). The kinds, what they hold, and their members in the struct:
 *
 *     BOOL     true or false                              bool m
 *     INT      an integer, min..max                       int64_t m
 *     REAL     a number, min..max; integers are taken too double m
 *     STRING   min..max bytes of UTF-8 without U+0000     trp_text_t m
 *     TEXT     the same, U+0000 allowed                   trp_text_t m
 *     BYTES    min..max bytes, MessagePack bin or str     trp_text_t m
 *     ENUM     one word of arg "open|closed|final"        int m, its index
 *     MESSAGE  a map of schema arg                        arg_t m
 *     LIST     min..max maps of schema arg                arg_t *m; size_t m_count
 *     TEXTS    min..max strings of 0..65535 bytes         trp_text_t *m; size_t m_count
 *     ANY      any value, not looked into                 const msgpack_object *m
 *
 * OPT_ before a kind: the member may be null or absent, which is the same. `bool has_m` says
 * whether it is there; OPT_MESSAGE (arg_t *m) and OPT_ANY are NULL and OPT_LIST and OPT_TEXTS have
 * count 0 instead. A schema of only BOOL, INT, REAL and ENUM is of fixed size and may be
 * TRP_SCHEMA_FIXED.
 *
 * The compiler refuses: a member twice, an unknown kind, min above max, more than TRP_FIELDS_MAX
 * members, and TRP_SCHEMA_FIXED on a schema with a member of another kind. */
#ifndef TRP_MESSAGES_SCHEMA_H
#define TRP_MESSAGES_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/api.h"
#include "messages/codec.h"
#include "messages/envelope.h"
#include "messages/schema_macros.h"
#include "messages/status.h"

typedef enum trp_field_kind {
    TRP_FIELD_BOOL,
    TRP_FIELD_INT,
    TRP_FIELD_REAL,
    TRP_FIELD_STRING,
    TRP_FIELD_TEXT,
    TRP_FIELD_BYTES,
    TRP_FIELD_ENUM,
    TRP_FIELD_MESSAGE,
    TRP_FIELD_LIST,
    TRP_FIELD_TEXTS,
    TRP_FIELD_ANY,
} trp_field_kind_t;

typedef struct trp_schema trp_schema_t;

#define TRP_FIELDS_MAX 64 /* members of one schema */

typedef struct trp_field {
    const char *name;
    const char *text; /* documentation */
    trp_field_kind_t kind;
    bool optional;
    double min, max;        /* value, bytes or items, by kind */
    size_t offset;          /* of the value in the struct */
    size_t aux;             /* offset of has_m or of m_count; SIZE_MAX = neither */
    const char *choices;    /* ENUM */
    const trp_schema_t *of; /* MESSAGE, LIST */
} trp_field_t;

enum {
    TRP_SCHEMA_FIXED = 1u << 0, /* travels as the struct inside a runtime: trp_send_struct */
    TRP_SCHEMA_OPEN = 1u << 1,  /* unknown members are ignored instead of refused */
    TRP_SCHEMA_UTF8 = 1u << 2,  /* of a whole message: an ill-formed string anywhere in it, read or
                                   not, is a fault of the body (path "") */
};

struct trp_schema {
    const char *name;
    const char *text;
    uint16_t tag; /* 0: only a part of other messages */
    uint16_t flags;
    size_t size; /* of the struct */
    size_t field_count;
    const trp_field_t *(*fields)(void); /* the table: field_count rows in order of declaration */
};

/** Checks a decoded map and fills `*out` (schema->size bytes; zeroed first). Strings point into the
 * document, lists and optional messages are allocated in `zone`. Names the first fault: schema,
 * path, rule, value. errors: TRP_PAYLOAD, TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_schema_read(const trp_schema_t *schema,
                                                  const msgpack_object *map, msgpack_zone *zone,
                                                  void *out, trp_fault_t *fault);

/** The same with unknown members ignored on all levels. */
TRP_API TRP_MUST_USE trp_status_t trp_schema_read_lenient(const trp_schema_t *schema,
                                                          const msgpack_object *map,
                                                          msgpack_zone *zone, void *out,
                                                          trp_fault_t *fault);

/** trp_schema_read from bytes (MessagePack or JSON map): decodes into `document`, which must
 * outlive `*out`, as the bytes must; its root may be empty, since a flat message is read without a
 * tree. owns: on success the caller ends the document with trp_document_fini; on an error there is
 * none. */
TRP_API TRP_MUST_USE trp_status_t trp_schema_unpack(const trp_schema_t *schema, trp_text_t bytes,
                                                    trp_document_t *document, void *out,
                                                    trp_fault_t *fault);

/** trp_schema_unpack of a message's payload. No message or an empty payload is an empty map: what
 * an init gets when its configuration says nothing. */
TRP_API TRP_MUST_USE trp_status_t trp_message_unpack(const trp_schema_t *schema,
                                                     const trp_envelope_t *message,
                                                     trp_document_t *document, void *out,
                                                     trp_fault_t *fault);

/** Writes the struct as a map of its members (absent optionals are left out). */
TRP_API void trp_schema_write(const trp_schema_t *schema, const void *value, trp_writer_t *writer);

/** trp_schema_write into a new zmq message. errors: TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_schema_pack(const trp_schema_t *schema, const void *value,
                                                  zmq_msg_t *message);

/** Writes the JSON Schema (2020-12) of a message, as a MessagePack map. */
TRP_API void trp_schema_describe(const trp_schema_t *schema, trp_writer_t *writer);

/** Markdown section of one message for docs/messages.md; malloc'd. NULL: no memory */
TRP_API char *trp_schema_document(const trp_schema_t *schema);

/** Fills a fault about one member; `value` may be NULL ("missing"). For rules that a table can't
 * say. */
TRP_API void trp_fault_set(trp_fault_t *fault, const msgpack_object *value, const char *path,
                           const char *rule);

/** In a header: the struct and its schema. */
#define TRP_SCHEMA_DECLARE(schema, FIELDS) \
    typedef struct schema {                \
        FIELDS(TRP_MEMBER)                 \
    } schema##_t;                          \
    extern TRP_API const trp_schema_t schema##_schema;

/** In one .c: the table. Rows need the struct's name for their offsets and only a function can give
 * it to all of them at once. */
#define TRP_SCHEMA_DEFINE(schema, number, marks, FIELDS, words)                            \
    static const trp_field_t *schema##_fields(void)                                        \
    {                                                                                      \
        typedef schema##_t self_t __attribute__((unused));                                 \
        enum { self_flags = (marks) };                                                     \
        FIELDS(TRP_CHECK)                                                                  \
        static const trp_field_t fields[] = {FIELDS(TRP_ROW)};                             \
        return fields;                                                                     \
    }                                                                                      \
    _Static_assert((0 FIELDS(TRP_COUNT)) <= TRP_FIELDS_MAX, #schema ": too many members"); \
    const trp_schema_t schema##_schema = {.name = #schema,                                 \
                                          .text = words,                                   \
                                          .tag = number,                                   \
                                          .flags = marks,                                  \
                                          .size = sizeof(schema##_t),                      \
                                          .field_count = 0 FIELDS(TRP_COUNT),              \
                                          .fields = schema##_fields};

#endif
