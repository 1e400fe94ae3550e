/* SPDX-License-Identifier: MIT */
/* Who may use the Majordomo port: the node's secret key and the file of its clients' keys. Both are
 * read with the configuration and never again. Internal to the configuration, but for
 * config_keypair_write. */
#ifndef TRP_RUNTIME_CONFIG_KEYS_H
#define TRP_RUNTIME_CONFIG_KEYS_H

#include "runtime/config/config.h"

/** Reads majordomo.curve_secret and majordomo.keys, where they are set. A fault in one of the files
 * is told with that file's name and line. errors: TRP_CONFIG with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t config_keys_load(config_t *config, const option_table_t *table,
                                           config_fault_t *fault);

/** Makes a pair of CURVE keys and writes them to a new file that only its owner can read, in the
 * form of czmq's certificates. `public_key` gets the public one. errors: TRP_EXISTS, TRP_SYSTEM
 * (errno says why) */
TRP_MUST_USE trp_status_t config_keypair_write(const char *path,
                                               char public_key[CONFIG_KEY_SIZE + 1]);

#endif
