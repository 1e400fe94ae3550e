/* SPDX-License-Identifier: MIT */
/* The table of a store in memory: keys in the order of their bytes, each with a value, a version
 * and maybe an end. One thread at a time. Times are the caller's, ms since 1970.
 *
 * source: a skip list (W. Pugh, 1990); its chance is its own, so that the same calls make the same
 * table. */
#ifndef TRP_RUNTIME_STORE_TABLE_H
#define TRP_RUNTIME_STORE_TABLE_H

#include "runtime/plugin.h"

typedef struct store_table store_table_t;

/** Versions begin above `version`. NULL: no memory */
store_table_t *store_table_make(size_t size_max, int64_t version);
void store_table_free(store_table_t **table);

/** As the slots of trp_store_t; the bytes of a record are the table's, until its next write. */
trp_status_t store_table_get(const store_table_t *table, trp_text_t key, int64_t now_ms,
                             trp_store_record_t *record);
trp_status_t store_table_put(store_table_t *table, const trp_store_write_t *write, int64_t now_ms,
                             int64_t *version);
trp_status_t store_table_delete(store_table_t *table, const trp_store_write_t *write,
                                int64_t now_ms, int64_t *version);

/** The first record of the range; ask again with its key as `after`. False: there is none. */
bool store_table_next(const store_table_t *table, const trp_store_range_t *range, int64_t now_ms,
                      trp_store_record_t *record);

/** The last version that was given out. */
int64_t store_table_version(const store_table_t *table);

/** Bytes of keys and values, expired ones that nobody has looked at included. */
size_t store_table_size(const store_table_t *table);

/** A table with the same records; its versions go on above `version`, or this table's when those
 * are higher. NULL: no memory */
store_table_t *store_table_copy(const store_table_t *table, int64_t version);

#endif
