/* SPDX-License-Identifier: MIT */
/* The run directory and its lock, which says that one guardian lives there. Guardian only. */
#ifndef TRP_RUNTIME_GUARDIAN_DIR_H
#define TRP_RUNTIME_GUARDIAN_DIR_H

#include <stddef.h>

#include "messages/status.h"

/** Makes the directory (mode 0700) and takes its lock, which holds pid and name of its holder and
 * ends with the process. `error` of 256 bytes. errors: TRP_EXISTS (another guardian, named in
 * `error`), TRP_DENIED (the directory is not ours alone), TRP_SYSTEM */
TRP_MUST_USE trp_status_t guardian_dir_take(const char *path, const char *name, int *lock,
                                            char *error);

/** Removes the files of the directory, the lock last, and the directory. */
void guardian_dir_leave(const char *path, int lock);

/** Removes what a dead node left: sockets, but not the lock. */
void guardian_dir_sweep(const char *path);

#endif
