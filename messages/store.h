/* SPDX-License-Identifier: MIT */
/* What an actor and a store say to each other: runtime/store.h has the calls. Each request has one
 * answer, STORE_ANSWER, also a watch, which is followed by STORE_CHANGED. */
#ifndef TRP_MESSAGES_STORE_H
#define TRP_MESSAGES_STORE_H

#include "messages/schema.h"

#define TRP_STORE_KEY_MAX   256           /* bytes */
#define TRP_STORE_VALUE_MAX (1024 * 1024) /* bytes */
#define TRP_STORE_SCAN_MAX  1000          /* records of one answer ... */
#define TRP_STORE_SCAN_SIZE (1024 * 1024) /* ... and bytes, unless one record alone has more */

enum {
    TRP_TAG_STORE_GET = 0x0700,
    TRP_TAG_STORE_PUT = 0x0701,
    TRP_TAG_STORE_DELETE = 0x0702,
    TRP_TAG_STORE_SCAN = 0x0703,
    TRP_TAG_STORE_WATCH = 0x0704,
    TRP_TAG_STORE_SYNC = 0x0705,    /* [] */
    TRP_TAG_STORE_ANSWER = 0x0706,  /* to each of them */
    TRP_TAG_STORE_CHANGED = 0x0707, /* to who watches */
};

#define STORE_KEY(F, words) F(BYTES, key, _, 1, TRP_STORE_KEY_MAX, words)
#define STORE_EXPECT(F)            \
    F(OPT_INT, expect, _, 0, 9e15, \
      "only if it has this version; 0: only if it does not exist; absent: in any case")
#define STORE_SYNC(F) \
    F(BOOL, sync, _, 0, 1, "answered when it is durable, and all that was written before it")

#define STORE_GET_FIELDS(F) STORE_KEY(F, "of the value")

#define STORE_PUT_FIELDS(F)                                                      \
    STORE_KEY(F, "to be written")                                                \
    F(BYTES, value, _, 0, TRP_STORE_VALUE_MAX, "what it has from then on")       \
    STORE_EXPECT(F)                                                              \
    F(OPT_INT, ttl_ms, _, 1, 1e12, "it is gone after so long; absent: it stays") \
    STORE_SYNC(F)

#define STORE_DELETE_FIELDS(F)    \
    STORE_KEY(F, "to be deleted") \
    STORE_EXPECT(F)               \
    STORE_SYNC(F)

#define STORE_SCAN_FIELDS(F)                                                  \
    F(BYTES, prefix, _, 0, TRP_STORE_KEY_MAX, "keys that begin with it")      \
    F(OPT_BYTES, after, _, 1, TRP_STORE_KEY_MAX, "only keys behind this one") \
    F(OPT_INT, limit, _, 1, TRP_STORE_SCAN_MAX, "so many records at most; default 1000")

#define STORE_WATCH_FIELDS(F)                                            \
    F(BYTES, prefix, _, 0, TRP_STORE_KEY_MAX, "keys that begin with it") \
    F(BOOL, stop, _, 0, 1, "not any more, whatever the prefix")

#define STORE_RECORD_FIELDS(F)                                            \
    F(BYTES, key, _, 1, TRP_STORE_KEY_MAX, "its key")                     \
    F(BYTES, value, _, 0, TRP_STORE_VALUE_MAX, "its value")               \
    F(INT, version, _, 1, 9e15, "higher than those of all writes before") \
    F(INT, ttl_ms, _, 0, 1e12, "gone after so long from now; 0: it stays")

#define STORE_ANSWER_FIELDS(F)                                                                    \
    F(INT, status, _, 0, 1000, "a trp_status_t: 0 is success")                                    \
    F(OPT_INT, version, _, 0, 9e15,                                                               \
      "get: of the value; put, delete: of this write; after a conflict: the one that the key "    \
      "has, 0 when it does not exist")                                                            \
    F(OPT_BYTES, value, _, 0, TRP_STORE_VALUE_MAX, "get: the value")                              \
    F(OPT_INT, ttl_ms, _, 0, 1e12, "get: gone after so long from now; 0: it stays")               \
    F(OPT_LIST, records, store_record, 0, TRP_STORE_SCAN_MAX, "scan: in the order of their keys") \
    F(OPT_BOOL, more, _, 0, 1, "scan: there are more, behind the last of these")                  \
    F(OPT_STRING, error, _, 1, 400, "what is wrong with a request that was not understood")

#define STORE_CHANGED_FIELDS(F)                                                    \
    F(BYTES, key, _, 0, TRP_STORE_KEY_MAX, "which has another value now, or none") \
    F(INT, version, _, 0, 9e15, "of the write")                                    \
    F(BOOL, deleted, _, 0, 1, "it was a delete")                                   \
    F(BOOL, missed, _, 0, 1, "no key: changes were missed, what is watched is to be read again")

TRP_SCHEMA_DECLARE(store_get, STORE_GET_FIELDS)
TRP_SCHEMA_DECLARE(store_put, STORE_PUT_FIELDS)
TRP_SCHEMA_DECLARE(store_delete, STORE_DELETE_FIELDS)
TRP_SCHEMA_DECLARE(store_scan, STORE_SCAN_FIELDS)
TRP_SCHEMA_DECLARE(store_watch, STORE_WATCH_FIELDS)
TRP_SCHEMA_DECLARE(store_record, STORE_RECORD_FIELDS)
TRP_SCHEMA_DECLARE(store_answer, STORE_ANSWER_FIELDS)
TRP_SCHEMA_DECLARE(store_changed, STORE_CHANGED_FIELDS)

#endif
