/* SPDX-License-Identifier: MIT */
/* Whole races of chance, each result handed in with the next poll: what must hold at every poll. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/actors/transform/transform_poll.h"

#define RACES 40
#define POLLS 30

/* A race that goes on by chance. */
typedef struct story {
    transform_chance_t chance;
    int entrants;
    bool scratched[TRANSFORM_ENTRANTS_MAX];
    int64_t now, win, place;
    transform_poll_t last; /* from the second poll on */
    char *last_body;
} story_t;

static int64_t draw(story_t *story, int64_t below)
{
    return (int64_t)(transform_chance_next(&story->chance) % (uint64_t)below);
}

static void story_begin(story_t *story, uint64_t seed)
{
    *story = (story_t){.now = 1000000};
    transform_chance_init(&story->chance, seed);
    story->entrants = (int)draw(story, TRANSFORM_ENTRANTS_MAX) + 1;
}

/* The next poll as JSON: shares at random, totals that mostly grow, now and then a scratching. */
static char *story_body(story_t *story, const char *previous)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    story->now += draw(story, 4) * 15000;
    story->win = (story->win + draw(story, 400000000000)) % TRANSFORM_MONEY_MAX;
    story->place = (story->place + draw(story, 1000)) % TRANSFORM_MONEY_MAX;
    if (draw(story, 5) == 0) {
        story->scratched[draw(story, story->entrants)] = true;
    }
    story->scratched[0] = false; /* somebody runs */
    fprintf(
        out,
        "{\"schema\":\"racedata/1\",\"race_id\":\"R\",\"start_time\":1600000,\"polled_at\":%lld,"
        "\"status\":\"open\",\"currency\":\"AUD\",\"pools\":[{\"type\":\"win\","
        "\"total_cents\":%lld},{\"type\":\"place\",\"total_cents\":%lld}],\"money\":[",
        (long long)story->now, (long long)story->win, (long long)story->place);
    for (int i = 0; i < story->entrants; i++) {
        fprintf(out, "%s{\"entrant_id\":\"e%d\",\"hold_pct\":%lld.%02lld,\"bet_pct\":%lld}",
                i > 0 ? "," : "", i, (long long)draw(story, 100), (long long)draw(story, 99) + 1,
                (long long)draw(story, 100));
    }
    fputs("],\"entrants\":[", out);
    for (int i = 0; i < story->entrants; i++) {
        fprintf(out, "%s{\"entrant_id\":\"e%d\",\"number\":%d,\"name\":\"\",\"scratched\":%s}",
                i > 0 ? "," : "", i, TRANSFORM_ENTRANTS_MAX - i,
                story->scratched[i] ? "true" : "false");
    }
    fprintf(out, "],\"previous\":%s}", previous == NULL ? "null" : previous);
    fclose(out);
    return text;
}

static double sum_of(const transform_poll_t *poll, int entrants, const char *member)
{
    double sum = 0; /* below 2^53: exact */
    for (int i = 0; i < entrants; i++) {
        sum += transform_number(poll, "entrants[%d].%s", i, member);
    }
    return sum;
}

static double timeline_sum(const transform_poll_t *poll, int entrant)
{
    double sum = 0;
    const msgpack_object *timeline = transform_at(&poll->result.root, "timeline");
    for (size_t i = 0; i < timeline->via.array.size; i++) {
        sum += transform_number(poll, "timeline[%zu].inc.e%d.win", i, entrant);
    }
    return sum;
}

static void check_sums(const story_t *story, const transform_poll_t *poll)
{
    cr_expect_eq(sum_of(poll, story->entrants, "win_cents"), (double)story->win);
    cr_expect_eq(sum_of(poll, story->entrants, "place_cents"), (double)story->place);
    cr_expect_eq(sum_of(poll, story->entrants, "inc_win"),
                 transform_number(poll, "pools.win_growth"));
    cr_expect_eq(sum_of(poll, story->entrants, "inc_place"),
                 transform_number(poll, "pools.place_growth"));
    for (int i = 0; i < story->entrants; i++) {
        cr_expect_eq(timeline_sum(poll, i), transform_number(poll, "entrants[%d].win_cents", i));
    }
}

static void check_order(const transform_poll_t *poll)
{
    size_t count = transform_at(&poll->result.root, "timeline")->via.array.size;
    for (size_t i = 1; i < count; i++) {
        cr_expect_gt(transform_number(poll, "timeline[%zu].bucket", i - 1),
                     transform_number(poll, "timeline[%zu].bucket", i));
    }
}

static void story_poll(story_t *story, bool is_first)
{
    char *previous = is_first ? NULL : transform_poll_json(&story->last);
    char *body = story_body(story, previous);
    transform_poll_t poll;

    transform_poll_run(&poll, body, strlen(body));

    cr_assert_eq(poll.status, TRP_OK, "%s: %s (%s)", poll.fault.path, poll.fault.rule,
                 poll.fault.value);
    check_sums(story, &poll);
    check_order(&poll);
    free(previous);
    if (!is_first) {
        transform_poll_end(&story->last);
        free(story->last_body);
    }
    story->last = poll;
    story->last_body = body;
}

Test(transform_races, results_are_taken_back_and_every_cent_is_accounted_for)
{
    for (uint64_t seed = 0; seed < RACES; seed++) {
        story_t story;
        story_begin(&story, seed);
        for (int poll = 0; poll < POLLS; poll++) {
            story_poll(&story, poll == 0);
        }
        transform_poll_end(&story.last);
        free(story.last_body);
    }
}
