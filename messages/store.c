/* SPDX-License-Identifier: MIT */
#include "messages/store.h"

TRP_SCHEMA_DEFINE(store_get, TRP_TAG_STORE_GET, 0, STORE_GET_FIELDS, "reads a value")
TRP_SCHEMA_DEFINE(store_put, TRP_TAG_STORE_PUT, 0, STORE_PUT_FIELDS, "writes a value")
TRP_SCHEMA_DEFINE(store_delete, TRP_TAG_STORE_DELETE, 0, STORE_DELETE_FIELDS, "deletes a key")
TRP_SCHEMA_DEFINE(store_scan, TRP_TAG_STORE_SCAN, 0, STORE_SCAN_FIELDS,
                  "reads all keys with a prefix, in order")
TRP_SCHEMA_DEFINE(store_watch, TRP_TAG_STORE_WATCH, 0, STORE_WATCH_FIELDS,
                  "from now on each change is told to who asks, until it ends")
TRP_SCHEMA_DEFINE(store_record, 0, 0, STORE_RECORD_FIELDS, "a key and what it has")
TRP_SCHEMA_DEFINE(store_answer, TRP_TAG_STORE_ANSWER, 0, STORE_ANSWER_FIELDS,
                  "answers each request to a store")
TRP_SCHEMA_DEFINE(store_changed, TRP_TAG_STORE_CHANGED, 0, STORE_CHANGED_FIELDS,
                  "tells who watches of a change")
