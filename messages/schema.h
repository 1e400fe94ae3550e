/* SPDX-License-Identifier: MIT */
/* Messages declared once, as a table of fields with bounds: struct, pack, unpack, validation, JSON
 * form, JSON Schema and documentation derive from it. No thread affinity; schemas are constants.
 *
 *     #define GREETING_FIELDS(F)                                \
 *         F(STRING, name, _, 1, 64, "whom to greet")            \
 *         F(OPT_INT, times, _, 1, 10, "how often; default 1")
 *     TRP_SCHEMA_DECLARE(greeting, GREETING_FIELDS)             in the header: greeting_t,
 *                                                               greeting_schema
 *     TRP_SCHEMA_DEFINE(greeting, 0x1001, 0, GREETING_FIELDS, "asks for a greeting")  in one .c
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
    TRP_SCHEMA_FIXED = 1u << 0, /* travels as the native struct inside a process */
    TRP_SCHEMA_OPEN = 1u << 1,  /* unknown members are ignored instead of refused */
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

/** trp_schema_read from bytes (MessagePack or JSON map): decodes into `document`, which must outlive
 * `*out`, as the bytes must. owns: on success the caller ends the document with trp_document_fini;
 * on an error there is none. */
TRP_API TRP_MUST_USE trp_status_t trp_schema_unpack(const trp_schema_t *schema, trp_text_t bytes,
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

/* A row of the table. It stands inside a function, where `self_t` is the struct and `self_flags`
 * are the schema's flags. */
#define TRP_ROW(kind, m, arg, low, high, words) \
    {.name = #m,                                \
     .text = words,                             \
     .min = (double)(low),                      \
     .max = (double)(high),                     \
     .offset = offsetof(self_t, m),             \
     TRP_ROW_##kind(m, arg)},

#define TRP_ROW_PLAIN(is)      .kind = TRP_FIELD_##is, .aux = SIZE_MAX
#define TRP_ROW_COUNTED(is, m) .kind = TRP_FIELD_##is, .aux = offsetof(self_t, m##_count)
#define TRP_ROW_MAYBE(is, m) \
    .kind = TRP_FIELD_##is, .optional = true, .aux = offsetof(self_t, has_##m)
#define TRP_ROW_BOOL(m, arg)        TRP_ROW_PLAIN(BOOL)
#define TRP_ROW_INT(m, arg)         TRP_ROW_PLAIN(INT)
#define TRP_ROW_REAL(m, arg)        TRP_ROW_PLAIN(REAL)
#define TRP_ROW_STRING(m, arg)      TRP_ROW_PLAIN(STRING)
#define TRP_ROW_TEXT(m, arg)        TRP_ROW_PLAIN(TEXT)
#define TRP_ROW_BYTES(m, arg)       TRP_ROW_PLAIN(BYTES)
#define TRP_ROW_ENUM(m, arg)        TRP_ROW_PLAIN(ENUM), .choices = arg
#define TRP_ROW_MESSAGE(m, arg)     TRP_ROW_PLAIN(MESSAGE), .of = &arg##_schema
#define TRP_ROW_LIST(m, arg)        TRP_ROW_COUNTED(LIST, m), .of = &arg##_schema
#define TRP_ROW_TEXTS(m, arg)       TRP_ROW_COUNTED(TEXTS, m)
#define TRP_ROW_ANY(m, arg)         TRP_ROW_PLAIN(ANY)
#define TRP_ROW_OPT_BOOL(m, arg)    TRP_ROW_MAYBE(BOOL, m)
#define TRP_ROW_OPT_INT(m, arg)     TRP_ROW_MAYBE(INT, m)
#define TRP_ROW_OPT_REAL(m, arg)    TRP_ROW_MAYBE(REAL, m)
#define TRP_ROW_OPT_STRING(m, arg)  TRP_ROW_MAYBE(STRING, m)
#define TRP_ROW_OPT_TEXT(m, arg)    TRP_ROW_MAYBE(TEXT, m)
#define TRP_ROW_OPT_BYTES(m, arg)   TRP_ROW_MAYBE(BYTES, m)
#define TRP_ROW_OPT_ENUM(m, arg)    TRP_ROW_MAYBE(ENUM, m), .choices = arg
#define TRP_ROW_OPT_MESSAGE(m, arg) TRP_ROW_PLAIN(MESSAGE), .optional = true, .of = &arg##_schema
#define TRP_ROW_OPT_LIST(m, arg)    TRP_ROW_COUNTED(LIST, m), .optional = true, .of = &arg##_schema
#define TRP_ROW_OPT_TEXTS(m, arg)   TRP_ROW_COUNTED(TEXTS, m), .optional = true
#define TRP_ROW_OPT_ANY(m, arg)     TRP_ROW_PLAIN(ANY), .optional = true

/* Bounds may have a fraction; only gcc compares those in a static assertion. */
#ifdef __clang__
#define TRP_IN_ORDER(low, high) 1
#else
#define TRP_IN_ORDER(low, high) ((low) <= (high))
#endif

#define TRP_CHECK(kind, m, arg, low, high, words)                               \
    _Static_assert(TRP_IN_ORDER(low, high), #m ": min is above max");           \
    _Static_assert((self_flags & TRP_SCHEMA_FIXED) == 0 || TRP_IS_FIXED_##kind, \
                   #m ": a fixed schema has only BOOL, INT, REAL and ENUM");    \
    _Static_assert(sizeof(words) > 1, #m ": its text is missing");
#define TRP_IS_FIXED_BOOL        1
#define TRP_IS_FIXED_INT         1
#define TRP_IS_FIXED_REAL        1
#define TRP_IS_FIXED_ENUM        1
#define TRP_IS_FIXED_STRING      0
#define TRP_IS_FIXED_TEXT        0
#define TRP_IS_FIXED_BYTES       0
#define TRP_IS_FIXED_MESSAGE     0
#define TRP_IS_FIXED_LIST        0
#define TRP_IS_FIXED_TEXTS       0
#define TRP_IS_FIXED_ANY         0
#define TRP_IS_FIXED_OPT_BOOL    1
#define TRP_IS_FIXED_OPT_INT     1
#define TRP_IS_FIXED_OPT_REAL    1
#define TRP_IS_FIXED_OPT_ENUM    1
#define TRP_IS_FIXED_OPT_STRING  0
#define TRP_IS_FIXED_OPT_TEXT    0
#define TRP_IS_FIXED_OPT_BYTES   0
#define TRP_IS_FIXED_OPT_MESSAGE 0
#define TRP_IS_FIXED_OPT_LIST    0
#define TRP_IS_FIXED_OPT_TEXTS   0
#define TRP_IS_FIXED_OPT_ANY     0

#define TRP_COUNT(kind, m, arg, low, high, words) +1

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
