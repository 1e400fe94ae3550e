/* SPDX-License-Identifier: MIT */
/* What TRP_SCHEMA_DECLARE and TRP_SCHEMA_DEFINE of messages/schema.h make of each line of a table:
 * a member of the struct, a row of the table, checks for the compiler. Nobody else uses these. */
#ifndef TRP_MESSAGES_SCHEMA_MACROS_H
#define TRP_MESSAGES_SCHEMA_MACROS_H

/* ---- members ---- */

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

/* ---- rows ---- */

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

/* ---- checks ---- */

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

#endif
