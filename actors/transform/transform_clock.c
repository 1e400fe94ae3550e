/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <stdio.h>
#include <string.h>

/* Division that rounds down, also below 0. */
static int64_t floor_div(int64_t number, int64_t by)
{
    return number / by - (number % by != 0 && number < 0);
}

double transform_bucket_of(int64_t tts_s)
{
    if (tts_s >= 60 * 60) {
        return 60;
    }
    if (tts_s >= 5 * 60) {
        return (double)(tts_s / (5 * 60) * 5);
    }
    if (tts_s >= 0) {
        return (double)(tts_s / 60);
    }
    if (tts_s >= -5 * 60) {
        return (double)floor_div(tts_s, 30) / 2;
    }
    return (double)floor_div(tts_s, 60);
}

static int64_t next_poll_ms(int64_t tts_s, int status)
{
    if (status == RACE_FINAL || status == RACE_ABANDONED) {
        return -1;
    }
    if (tts_s <= 5 * 60) {
        return 15000;
    }
    return tts_s <= 15 * 60 ? 30000 : 60000;
}

static const char *label_of(const transform_labels_t *labels, int64_t tts_s)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (tts_s > labels->rows[i].above_s) {
            return labels->rows[i].label;
        }
    }
    return labels->last;
}

void transform_clock(transform_t *transform)
{
    const race_data_t *race = transform->race;
    transform->tts_s = floor_div(race->start_time - race->polled_at, 1000);
    transform->bucket = transform_bucket_of(transform->tts_s);
    transform->interval = label_of(&transform->settings->labels, transform->tts_s);
    transform->next_poll_ms = next_poll_ms(transform->tts_s, race->status);
}

trp_status_t transform_labels_read(transform_labels_t *labels, trp_text_t text)
{
    char copy[256];
    char *rest = copy;
    memset(labels, 0, sizeof(*labels));
    if (text.size >= sizeof(copy) || memchr(text.data, '\0', text.size) != NULL) {
        return TRP_INVALID;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    for (char *row = strsep(&rest, ","); row != NULL; row = strsep(&rest, ",")) {
        int minutes, end = 0;
        if (rest == NULL) { /* the last one has no bound */
            return sscanf(row, " %15s %n", labels->last, &end) == 1 && row[end] == '\0'
                       ? TRP_OK
                       : TRP_INVALID;
        }
        if (labels->count == TRANSFORM_LABELS_MAX) {
            return TRP_INVALID;
        }
        size_t at = labels->count++;
        if (sscanf(row, " %5d %15s %n", &minutes, labels->rows[at].label, &end) != 2 ||
            row[end] != '\0') {
            return TRP_INVALID;
        }
        labels->rows[at].above_s = (int64_t)minutes * 60;
        if (at > 0 && labels->rows[at].above_s >= labels->rows[at - 1].above_s) {
            return TRP_INVALID;
        }
    }
    return TRP_INVALID;
}

void transform_settings_default(transform_settings_t *settings)
{
    *settings = (transform_settings_t){
        .takeout = -1,
        .labels = {.rows = {{30 * 60, "5m"}, {5 * 60, "1m"}, {3 * 60, "30s"}, {0, "15s"}},
                   .count = 4,
                   .last = "live"}};
}
