/* SPDX-License-Identifier: MIT */
#include "actors/match/match_score.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t match_answer_time(const match_settings_t *settings, int64_t time_ms, int64_t after_ms,
                          int64_t rtt_ms)
{
    if (after_ms >= time_ms) {
        return time_ms;
    }
    int64_t t_ms = after_ms - least(rtt_ms / 2, settings->rtt_compensation_cap_ms);
    return t_ms < 0 ? 0 : t_ms;
}

int64_t match_points(const match_settings_t *settings, int64_t base, int64_t time_ms, int64_t t_ms)
{
    if (!settings->speed || t_ms < settings->free_window_ms) {
        return base;
    }
    return (base * (2 * time_ms - t_ms) + time_ms) / (2 * time_ms);
}

int64_t match_bonus(const match_settings_t *settings, int64_t base, uint32_t streak)
{
    if (base == 0 || streak < 2) {
        return 0;
    }
    return least(settings->streak_cap, settings->streak_step * ((int64_t)streak - 1));
}

int64_t match_share(int64_t points, uint32_t right, uint32_t wrong, uint32_t correct_count)
{
    return right <= wrong ? 0 : points * (right - wrong) / correct_count;
}

int64_t match_mean(int64_t sum, int64_t count)
{
    return count == 0 ? 0 : (2 * sum + count) / (2 * count);
}
