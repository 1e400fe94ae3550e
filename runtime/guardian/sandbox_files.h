/* SPDX-License-Identifier: MIT */
/* Which files a worker may touch, by Landlock's system calls; the C library has none for them. In
 * the child of a guardian. */
#ifndef TRP_RUNTIME_SANDBOX_FILES_H
#define TRP_RUNTIME_SANDBOX_FILES_H

#include <stdbool.h>

#include "runtime/limits.h"

/** Whether the limits have a rule for files. */
bool sandbox_files_wanted(const trp_limits_t *limits);

/** Allows what the limits name and nothing else. False: the kernel does not do it. Needs "no new
 * privileges", or the right to administer. */
bool sandbox_files(const trp_limits_t *limits);

#endif
