/* SPDX-License-Identifier: MIT */
/* Inside of the class `match`: the state of a worker's root, and its tool match_create. */
#ifndef TRP_ACTORS_MATCH_HOST_H
#define TRP_ACTORS_MATCH_HOST_H

#include "actors/match/match_bank.h"
#include "actors/match/match_logic.h"
#include "actors/tool.h"

#define MATCH_KEY_SIZE (2 + 2 * 16 + 1) /* "m-" or nothing, and up to 32 hexadecimal digits */

typedef struct match_entry {
    char id[MATCH_KEY_SIZE];
    trp_pid_t pid;
    bool is_over; /* gets no more tasks */
} match_entry_t;

typedef struct match_host {
    match_settings_t settings;
    match_bank_file_t bank;
    match_entry_t *matches;
    size_t match_count, match_max;
    int64_t report_ms;
    uint64_t report_timer; /* 0: it has had no match since the last report */
    trp_pid_t router;      /* who sent the last task: wants to know which keys are free again */
} match_host_t;

/** The match with this id that still takes tasks, or NULL. */
match_entry_t *match_host_find(const match_host_t *host, trp_text_t id);

/** What `ps` shows of the root. */
void match_host_describe(trp_ctx_t *ctx, const match_host_t *host);

/** The tool match_create. */
trp_status_t match_host_create(tool_call_t *call, const void *request);

#endif
