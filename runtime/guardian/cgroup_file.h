/* SPDX-License-Identifier: MIT */
/* The files of control groups (version 2): where our group is, and what its files say.
 * Guardian only, and the children that it forks. */
#ifndef TRP_RUNTIME_CGROUP_FILE_H
#define TRP_RUNTIME_CGROUP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUP_PATH_MAX 512

/** The folder of the group that we are in. False: there is no tree of version 2. `is_root`: it has
 * no group above it that we could see. */
bool cgroup_file_own(char path[CGROUP_PATH_MAX], bool *is_root);

/** False: the kernel did not take it. */
bool cgroup_file_write(const char *folder, const char *name, const char *text);
bool cgroup_file_write_number(const char *folder, const char *name, int64_t number);

/** The number behind `key ` in a file of such lines; 0: none. */
int64_t cgroup_file_number(const char *folder, const char *name, const char *key);

/** Whether a file of one line has the word, between blanks. */
bool cgroup_file_has_word(const char *folder, const char *name, const char *word);

/** Whether the file is there and may be written. */
bool cgroup_file_is_ours(const char *folder, const char *name);

/** Whether a file of numbers has this one and no other: cgroup.procs. */
bool cgroup_file_is_only(const char *folder, const char *name, int64_t number);

#endif
