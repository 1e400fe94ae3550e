/* SPDX-License-Identifier: MIT */
/* Black boxes of workers that have ended, as files of one folder: written by a thread of the node
 * (black_box_keeper.h), read by commands and by the control socket as foreign input.
 *
 * shape: "TRPBOX1\n", u32 little-endian size of the owner, box_owner (messages/black_box.h), then
 * the box as it was in memory */
#ifndef TRP_RUNTIME_BLACK_BOX_FILE_H
#define TRP_RUNTIME_BLACK_BOX_FILE_H

#include "messages/black_box.h"
#include "runtime/guardian/black_box_read.h"

#define BLACK_BOX_FOLDER   "boxes" /* in the run directory, where no other is configured */
#define BLACK_BOX_FILES    64      /* kept; the oldest goes first */
#define BLACK_BOX_PATH_MAX 512

/** Writes a file of the folder, which is made when missing, and removes the oldest ones.
 * errors: TRP_SYSTEM (errno), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t black_box_save(const char *folder, const box_owner_t *owner,
                                         const black_box_copy_t *copy,
                                         char path[BLACK_BOX_PATH_MAX]);

/** A file that was read. owns: black_box_file_free */
typedef struct black_box_file {
    unsigned char *bytes;
    trp_document_t document; /* of the owner */
    box_owner_t owner;
    black_box_copy_t copy;
} black_box_file_t;

/** errors: TRP_SYSTEM (errno), TRP_INVALID (not such a file), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t black_box_load(const char *path, black_box_file_t *file);
void black_box_file_free(black_box_file_t *file);

/** The newest file of a worker, by its pid, its name, or its process's number. errors:
 * TRP_NOT_FOUND */
TRP_MUST_USE trp_status_t black_box_find(const char *folder, const char *who,
                                         char path[BLACK_BOX_PATH_MAX]);

/** Removes the files of the folder and the folder. */
void black_box_remove_all(const char *folder);

#endif
