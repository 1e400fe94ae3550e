/* SPDX-License-Identifier: MIT */
#include "actors/match/match_notice.h"

#include <stdlib.h>
#include <string.h>

void match_notify(match_t *match, const char *event, const match_player_t *player,
                  match_notice_writer_t write)
{
    trp_writer_t writer;
    size_t size;
    bool is_reveal = strcmp(event, MATCH_EVENT_NAME_REVEAL) == 0;
    trp_writer_init(&writer);
    write(match, player, &writer);
    const void *data = trp_writer_data(&writer, &size);
    void *kept = writer.failed ? NULL : malloc(size);
    match->version++;
    if (kept == NULL) {
        match->failed = true;
    } else {
        match_notice_t *notice = &match->notices[match->version % MATCH_NOTICES_MAX];
        free(notice->data);
        *notice = (match_notice_t){.version = match->version,
                                   .event = event,
                                   .epoch_ms = match->epoch_ms,
                                   .item = is_reveal ? match->current : -1,
                                   .data = memcpy(kept, data, size),
                                   .size = size};
    }
    trp_writer_fini(&writer);
}

const match_notice_t *match_notice(const match_t *match, uint64_t version)
{
    const match_notice_t *notice = &match->notices[version % MATCH_NOTICES_MAX];
    return version != 0 && notice->version == version ? notice : NULL;
}

void match_notices_free(match_t *match)
{
    for (size_t i = 0; i < MATCH_NOTICES_MAX; i++) {
        free(match->notices[i].data);
    }
}
