/* SPDX-License-Identifier: MIT */
/* Messages declared once, as a table of fields with bounds: struct, pack, unpack, validation, JSON
 * form, JSON Schema and documentation derive from it. No thread affinity; schemas are constants.
 *
 *     #define GREETING_FIELDS(F)                                                 \
 *         F(STRING, name, _, 1, 64, "whom to greet")                             \
 *         F(OPT_INT, times, _, 1, 10, "how often; default 1")
 *     TRP_SCHEMA_DECLARE(greeting, GREETING_FIELDS)          in the header: greeting_t,
 * greeting_schema TRP_SCHEMA_DEFINE(greeting, 0x1001, 0, GREETING_FIELDS, "asks for a greeting") in
 * one .c
 *
 * F(kind, member, arg, min, max, text). Kinds and their C members:
 *     BOOL    bool                     INT  int64_t, min..max          REAL  double, min..max (an
 * int is taken too) STRING  trp_text_t, min..max bytes of UTF-8 without U+0000       TEXT  the
 * same, U+0000 allowed BYTES   trp_text_t, min..max bytes (MessagePack bin or str)      ENUM  int,
 * index into arg "open|closed|final" MESSAGE arg_t by value           LIST arg_t *m; size_t
 * m_count, min..max items TEXTS   trp_text_t *m; size_t m_count (list of strings of 0..65535
 * bytes), min..max items ANY     const msgpack_object *   (checked only to be there) OPT_ before a
 * kind: the member may be null or absent; `bool has_m` says (OPT_MESSAGE: arg_t *, OPT_ANY: pointer
 * or NULL, OPT_LIST, OPT_TEXTS: count 0). A schema of only BOOL, INT, REAL and ENUM is of fixed
 * size: TRP_SCHEMA_FIXED. */
#ifndef TRP_MESSAGES_SCHEMA_H
#define TRP_MESSAGES_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/api.h"
#include "messages/codec.h"
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

typedef struct trp_field {
    const char *name;
    const char *text; /* documentation */
    trp_field_kind_t kind;
    bool optional;
    double min, max; /* value, bytes or items, by kind */
    size_t offset;   /* of the value in the struct */
    size_t
        aux; /* offset of has_m (OPT_ scalars and strings) or of m_count (lists); SIZE_MAX = none */
    const char *choices;    /* ENUM */
    const trp_schema_t *of; /* MESSAGE, LIST */
} trp_field_t;

enum {
    TRP_SCHEMA_FIXED = 1u << 0, /* travels as the native struct inside a process */
    TRP_SCHEMA_OPEN = 1u << 1,  /* unknown members are ignored instead of refused */
};

struct trp_schema {
    const char *name;
    const char *text;
    uint16_t tag; /* 0: only a part of other messages */
    uint16_t flags;
    size_t size; /* of the struct */
    const trp_field_t *fields;
    size_t field_count;
};

/** Checks a decoded map and fills `*out` (schema->size bytes; zeroed first). Strings point into the
 * document, lists and optional messages are allocated in `zone`. Names the first fault: schema,
 * path, rule, value. With `lenient` unknown members are ignored everywhere. errors: TRP_PAYLOAD,
 * TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_schema_read(const trp_schema_t *schema,
                                                  const msgpack_object *map, bool lenient,
                                                  msgpack_zone *zone, void *out,
                                                  trp_fault_t *fault);

/** The same from bytes (MessagePack or JSON map): decodes into `document`, which must outlive
 * `*out`. */
TRP_API TRP_MUST_USE trp_status_t trp_schema_unpack(const trp_schema_t *schema, const void *data,
                                                    size_t size, trp_document_t *document,
                                                    void *out, trp_fault_t *fault);

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

/* ---- the macros ---- */

#define TRP_MEMBER(kind, m, arg, min, max, text) TRP_MEMBER_##kind(m, arg)
#define TRP_MEMBER_BOOL(m, arg)                  bool m;
#define TRP_MEMBER_INT(m, arg)                   int64_t m;
#define TRP_MEMBER_REAL(m, arg)                  double m;
#define TRP_MEMBER_STRING(m, arg)                trp_text_t m;
#define TRP_MEMBER_TEXT(m, arg)                  trp_text_t m;
#define TRP_MEMBER_BYTES(m, arg)                 trp_text_t m;
#define TRP_MEMBER_ENUM(m, arg)                  int m;
#define TRP_MEMBER_MESSAGE(m, arg)               arg##_t m;
#define TRP_MEMBER_LIST(m, arg) \
    arg##_t *m;                 \
    size_t m##_count;
#define TRP_MEMBER_TEXTS(m, arg) \
    trp_text_t *m;               \
    size_t m##_count;
#define TRP_MEMBER_ANY(m, arg) const msgpack_object *m;
#define TRP_MEMBER_OPT_BOOL(m, arg) \
    bool m;                         \
    bool has_##m;
#define TRP_MEMBER_OPT_INT(m, arg) \
    int64_t m;                     \
    bool has_##m;
#define TRP_MEMBER_OPT_REAL(m, arg) \
    double m;                       \
    bool has_##m;
#define TRP_MEMBER_OPT_STRING(m, arg) \
    trp_text_t m;                     \
    bool has_##m;
#define TRP_MEMBER_OPT_TEXT(m, arg) \
    trp_text_t m;                   \
    bool has_##m;
#define TRP_MEMBER_OPT_BYTES(m, arg) \
    trp_text_t m;                    \
    bool has_##m;
#define TRP_MEMBER_OPT_ENUM(m, arg) \
    int m;                          \
    bool has_##m;
#define TRP_MEMBER_OPT_MESSAGE(m, arg) arg##_t *m;
#define TRP_MEMBER_OPT_LIST(m, arg) \
    arg##_t *m;                     \
    size_t m##_count;
#define TRP_MEMBER_OPT_TEXTS(m, arg) \
    trp_text_t *m;                   \
    size_t m##_count;
#define TRP_MEMBER_OPT_ANY(m, arg) const msgpack_object *m;

#define TRP_SCHEMA_DECLARE(schema, FIELDS) \
    typedef struct schema {                \
        FIELDS(TRP_MEMBER)                 \
    } schema##_t;                          \
    extern TRP_API const trp_schema_t schema##_schema;

#endif
