/* SPDX-License-Identifier: MIT */
/* The bank of questions of a worker, read from its file once. */
#ifndef TRP_ACTORS_MATCH_BANK_H
#define TRP_ACTORS_MATCH_BANK_H

#include "messages/match.h"

typedef struct match_bank_file {
    match_bank_t bank; /* questions_count 0: no bank */
    trp_document_t document;
    char *bytes;
} match_bank_file_t;

/** Reads and checks a bank (JSON or MessagePack, at most 64 MiB). An error is told in `error`, with
 * the file's name. owns: on success the caller ends it with match_bank_close. errors: TRP_CONFIG,
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t match_bank_open(match_bank_file_t *file, const char *path,
                                          char error[512]);
void match_bank_close(match_bank_file_t *file);

#endif
