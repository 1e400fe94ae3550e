/* SPDX-License-Identifier: MIT */
/* What a RaceData must hold, and which path, rule and value a fault names. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "tests/actors/transform/transform_poll.h"

#define ROW(id, hold, more) \
    "{\"entrant_id\":\"" id "\",\"hold_pct\":" hold ",\"bet_pct\":50" more "}"
#define ENTRANT(id, number) \
    "{\"entrant_id\":\"" id "\",\"number\":" number ",\"name\":\"N\",\"scratched\":false}"
#define BEFORE(id, more)                                                                       \
    "{\"entrant_id\":\"" id "\",\"hold_pct\":50.0,\"bet_pct\":50.0,\"win_cents\":40,"          \
    "\"place_cents\":0,\"ewma_cpm\":null,\"odds\":{\"fixed_win\":2.5},\"recent\":[[1000,5000]" \
    "]" more "}"

static const char *const race =
    "{\"schema\":\"racedata/1\",\"race_id\":\"R\",\"start_time\":100000,\"polled_at\":2000,"
    "\"status\":\"open\",\"currency\":\"AUD\",\"takeout\":{\"win\":0.15,\"place\":0.2},"
    "\"pools\":[{\"type\":\"win\",\"total_cents\":100,\"status\":\"ok\"},"
    "{\"type\":\"place\",\"total_cents\":50}],"
    "\"money\":[" ROW("e1", "60", ",\"win_cents\":60") "," ROW(
        "e7", "40",
        ",\"win_cents\":40") "],"
                             "\"entrants\":[" ENTRANT("e1", "1") "," ENTRANT(
                                 "e7",
                                 "7") "],"
                                      "\"monte_carlo\":{\"draws\":10,\"seed\":3},"
                                      "\"previous\":{\"schema\":\"transformedrace/"
                                      "1\",\"race_id\":\"R\",\"polled_at\":1000,"
                                      "\"pools\":{\"win_cents\":80,\"place_cents\":0},"
                                      "\"entrants\":[" BEFORE("e1", "") "," BEFORE(
                                          "e7",
                                          ",\"unread\":1") "],"
                                                           "\"timeline\":[{\"bucket\":1,\"inc\":{"
                                                           "\"e1\":{\"win\":40,\"place\":0},"
                                                           "\"e7\":{\"win\":40,\"place\":0}}}]}}";

/* One change to the race above, and what is said of it. `value` NULL: the change is accepted. */
typedef struct change {
    const char *from, *to;
    const char *path, *value;
} change_t;

static const change_t changes[] = {
    /* accepted */
    {"", "", "", NULL},
    {"\"takeout\":{\"win\":0.15,\"place\":0.2},", "", "", NULL},
    {"\"win\":0.15", "\"win\":null", "", NULL},
    {"0.15", "0.99999", "", NULL},
    {",\"status\":\"ok\"", ",\"status\":null", "", NULL},
    {"\"draws\":10", "\"draws\":null", "", NULL},
    {"\"ewma_cpm\":null,", "", "", NULL},
    {"{\"fixed_win\":2.5}", "{}", "", NULL},
    {"\"polled_at\":2000", "\"polled_at\":1000", "", NULL},
    {"[[1000,5000]]", "[[1000,5000],[99999999999999,10000000]]", "", NULL},
    {"\"bucket\":1,", "\"bucket\":-0.5,", "", NULL},
    {"{\"win\":40,", "{\"win\":-9007199254740991,", "", NULL},
    {"\"currency\":\"AUD\"", "\"currency\":\"\"", "", NULL},
    {"[{\"bucket\":1,\"inc\":{\"e1\":{\"win\":40,\"place\":0},"
     "\"e7\":{\"win\":40,\"place\":0}}}]",
     "[]", "", NULL},
    /* members by themselves */
    {"racedata/1", "racedata/2", "schema", "\"racedata/2\""},
    {"\"schema\":\"racedata/1\",", "", "schema", "missing"},
    {"\"race_id\":\"R\",\"start", "\"race_id\":\"\",\"start", "race_id", "\"\""},
    {"\"race_id\":\"R\",\"start", "\"race_id\":7,\"start", "race_id", "7"},
    {"100000", "100000.0", "start_time", "100000.0"},
    {"100000", "-1", "start_time", "-1"},
    {"100000", "100000000000000", "start_time", "100000000000000"},
    {"\"open\"", "\"ope\"", "status", "\"ope\""},
    {"\"AUD\"", "\"AUDAUDAUDAUDAUDAU\"", "currency", "\"AUDAUDAUDAUDAUDAU\""},
    {"\"win\":0.15", "\"win\":1.0", "takeout.win", "1.0"},
    {"\"win\":0.15", "\"win\":15", "takeout.win", "15"},
    {"\"place\":0.2", "\"place\":1", "takeout.place", "1"},
    {"\"place\":0.2", "\"show\":0.2", "takeout.show", "0.2"},
    {"\"total_cents\":100,", "", "pools[0].total_cents", "missing"},
    {"\"total_cents\":100", "\"total_cents\":10000000000000", "pools[0].total_cents",
     "10000000000000"},
    {"\"hold_pct\":60", "\"hold_pct\":100.01", "money[0].hold_pct", "100.01"},
    {"\"hold_pct\":60", "\"hold_pct\":\"60\"", "money[0].hold_pct", "\"60\""},
    {"\"number\":7", "\"number\":0", "entrants[1].number", "0"},
    {"\"number\":7", "\"number\":7e0", "entrants[1].number", "7.0"},
    {"\"scratched\":false", "\"scratched\":0", "entrants[0].scratched", "0"},
    {"\"scratched\":false", "\"scratched\":false,\"tote_win\":0.5", "entrants[0].tote_win", "0.5"},
    {"\"name\":\"N\"", "\"name\":\"N\\u0000\"", "entrants[0].name", "\"N\\u0000\""},
    {"\"draws\":10", "\"draws\":0", "monte_carlo.draws", "0"},
    {"\"seed\":3", "\"seed\":9007199254740992", "monte_carlo.seed", "9007199254740992"},
    {"\"monte_carlo\":{", "\"extra\":[],\"monte_carlo\":{", "extra", "array"},
    {"\"monte_carlo\":{", "\"monte_carlo\":{\"more\":{},", "monte_carlo.more", "map"},
    /* several members together */
    {"\"type\":\"place\"", "\"type\":\"win\"", "pools[1].type", "\"win\""},
    {ENTRANT("e7", "7"), ENTRANT("e7", "1"), "entrants[1].number", "1"},
    {ENTRANT("e1", "1"), ENTRANT("e7", "1"), "entrants[1].entrant_id", "\"e7\""},
    {ROW("e7", "40", ",\"win_cents\":40"), ROW("e8", "40", ",\"win_cents\":40"),
     "money[1].entrant_id", "\"e8\""},
    {ROW("e7", "40", ",\"win_cents\":40"), ROW("e7", "40", ""), "money[1].win_cents", "missing"},
    {",\"win_cents\":60}", "}", "money[1].win_cents", "40"},
    {",\"win_cents\":40}", ",\"win_cents\":40,\"place_cents\":4}", "money[1].place_cents", "4"},
    {"\"win_cents\":40}", "\"win_cents\":9999999999940}", "money[1].win_cents", "9999999999940"},
    {"\"polled_at\":2000", "\"polled_at\":999", "polled_at", "999"},
    /* the last result */
    {"transformedrace/1", "racedata/1", "previous.schema", "\"racedata/1\""},
    {"\"race_id\":\"R\",\"polled", "\"race_id\":\"S\",\"polled", "previous.race_id", "\"S\""},
    {"\"pools\":{\"win_cents\":80,\"place_cents\":0},", "", "previous.pools", "missing"},
    {"\"win_cents\":80", "\"win_cents\":80.0", "previous.pools.win_cents", "80.0"},
    {"\"hold_pct\":50.0", "\"hold_pct\":100000.1", "previous.entrants[0].hold_pct", "100000.1"},
    {"\"fixed_win\":2.5", "\"fixed_win\":\"2.5\"", "previous.entrants[0].odds.fixed_win",
     "\"2.5\""},
    {BEFORE("e7", ",\"unread\":1"), BEFORE("e1", ""), "previous.entrants[1].entrant_id", "\"e1\""},
    {"\"recent\":[[1000,5000]]", "\"recent\":[]", "previous.entrants[0].recent", "array"},
    {"\"recent\":[[1000,5000]]", "\"recent\":null", "previous.entrants[0].recent", "null"},
    {",\"recent\":[[1000,5000]]", "", "previous.entrants[0].recent", "missing"},
    {"[[1000,5000]]", "[[1000,5000],[1,2,3]]", "previous.entrants[0].recent[1]", "array"},
    {"[[1000,5000]]", "[[1000,5000.0]]", "previous.entrants[0].recent[0]", "array"},
    {"[[1000,5000]]", "[[1000,10000001]]", "previous.entrants[0].recent[0]", "array"},
    {"[[1000,5000]]", "[[-1,5000]]", "previous.entrants[0].recent[0]", "array"},
    {"[[1000,5000]]", "[17]", "previous.entrants[0].recent[0]", "17"},
    {"\"bucket\":1", "\"bucket\":\"1\"", "previous.timeline[0].bucket", "\"1\""},
    {"\"inc\":{", "\"inc\":[],\"ink\":{", "previous.timeline[0].inc", "array"},
    {"\"e7\":{\"win\":40,", "\"e7\":{\"win\":1.5,", "previous.timeline[0].inc.e7.win", "1.5"},
    {"\"e7\":{\"win\":40,", "\"e7\":{", "previous.timeline[0].inc.e7.win", "missing"},
    {"\"e7\":{\"win\":40,\"place\":0}", "\"e7\":4", "previous.timeline[0].inc.e7", "4"},
    {"\"e7\":{\"win\":40,", "\"e7\":{\"win\":9007199254740992,", "previous.timeline[0].inc.e7.win",
     "9007199254740992"},
    {"\"inc\":{\"e1\"", "\"inc\":{\"\"", "previous.timeline[0].inc", "\"\""},
    /* the body itself */
    {"\"currency\":\"AUD\"", "\"currency\":\"AUD\",\"currency\":\"AUD\"", "", ""},
    {"\"win\":0.15", "\"win\":NaN", "", ""},
    {"\"currency\":\"AUD\"", "\"currency\":\"\\ud800\"", "", ""},
    {"{\"schema\":\"racedata/1\"", "[{\"schema\":\"racedata/1\"", "", ""},
};

static void check_change(const change_t *change)
{
    char *body = transform_replace(race, change->from, change->to);
    cr_assert_not_null(body, "%s", change->from);
    transform_poll_t poll;

    transform_poll_run(&poll, body, strlen(body));

    if (change->value == NULL) {
        cr_expect_eq(poll.status, TRP_OK, "%s: %s: %s", change->to, poll.fault.path,
                     poll.fault.rule);
    } else {
        cr_expect_eq(poll.status, TRP_PAYLOAD, "%s", change->to);
        cr_expect_str_eq(poll.fault.path, change->path, "%s: %s", change->to, poll.fault.path);
        cr_expect_str_eq(poll.fault.value, change->value, "%s: %s", change->to, poll.fault.value);
        cr_expect_str_neq(poll.fault.rule, "", "%s", change->to);
    }
    transform_poll_end(&poll);
    free(body);
}

Test(transform_rules, each_change_is_accepted_or_refused_at_its_path)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        check_change(&changes[i]);
    }
}

Test(transform_rules, text_after_the_map_is_refused)
{
    char *body = NULL;
    cr_assert(asprintf(&body, "%s 1", race) > 0);
    transform_poll_t poll;

    transform_poll_run(&poll, body, strlen(body));

    cr_expect_eq(poll.status, TRP_PAYLOAD);
    cr_expect_str_eq(poll.fault.path, "");
    cr_expect_str_eq(poll.fault.value, "");
    free(body);
}

/* The race as MessagePack with one byte of it, found by the text that it begins, ill-formed. */
static void check_broken_text(const char *text)
{
    trp_fault_t fault;
    trp_writer_t writer;
    size_t size;
    transform_poll_t poll;
    trp_writer_init(&writer);
    cr_assert_eq(trp_json_to_msgpack(race, strlen(race), &writer, &fault), TRP_OK);
    const char *written = trp_writer_data(&writer, &size);
    char *body = malloc(size);
    cr_assert_not_null(body);
    memcpy(body, written, size);
    char *at = memmem(body, size, text, strlen(text));
    cr_assert_not_null(at, "%s", text);
    *at = (char)0xff;

    transform_poll_run(&poll, body, size);

    cr_expect_eq(poll.status, TRP_PAYLOAD, "%s", text);
    cr_expect_str_eq(poll.fault.path, "", "%s", text);
    cr_expect_str_eq(poll.fault.value, "", "%s", text);
    free(body);
    trp_writer_fini(&writer);
}

Test(transform_rules, ill_formed_text_is_a_fault_of_the_body_wherever_it_stands)
{
    check_broken_text("AUD");    /* a string that is read */
    check_broken_text("unread"); /* a name that is not */
}

/* A body of chance: some bytes of a good one are others. */
static size_t mutate(char *body, size_t size, transform_chance_t *chance)
{
    static const char pieces[] = "{}[]\",:0123456789.-eE\\u\x00\xff\x80ntf";
    for (uint64_t n = transform_chance_next(chance) % 4 + 1; n > 0; n--) {
        size_t at = transform_chance_next(chance) % size;
        body[at] = transform_chance_next(chance) % 4 != 0
                       ? pieces[transform_chance_next(chance) % (sizeof(pieces) - 1)]
                       : (char)transform_chance_next(chance);
    }
    return transform_chance_next(chance) % 8 == 0 ? transform_chance_next(chance) % size : size;
}

/* Whatever comes is either computed or refused with a rule. */
static void check_mutants(const char *body, size_t size, uint64_t seed)
{
    transform_chance_t chance;
    transform_chance_init(&chance, seed);
    char *mutant = malloc(size);
    cr_assert_not_null(mutant);
    for (int i = 0; i < 4000; i++) {
        transform_poll_t poll;
        memcpy(mutant, body, size);
        size_t kept = mutate(mutant, size, &chance);
        char *exact = malloc(kept + 1); /* no byte beyond: the sanitizer sees a read past its end */
        cr_assert_not_null(exact);
        exact = realloc(memcpy(exact, mutant, kept), kept > 0 ? kept : 1);
        transform_poll_run(&poll, exact, kept);
        cr_expect(poll.status == TRP_OK || (poll.status == TRP_PAYLOAD && poll.fault.rule[0] != 0),
                  "seed %zu, body %d", (size_t)seed, i);
        transform_poll_end(&poll);
        free(exact);
    }
    free(mutant);
}

Test(transform_rules, mutated_json_is_computed_or_refused)
{
    check_mutants(race, strlen(race), 1);
}

Test(transform_rules, mutated_msgpack_is_computed_or_refused)
{
    trp_fault_t fault;
    trp_writer_t writer;
    size_t size;
    trp_writer_init(&writer);
    cr_assert_eq(trp_json_to_msgpack(race, strlen(race), &writer, &fault), TRP_OK);
    const void *body = trp_writer_data(&writer, &size);

    check_mutants(body, size, 2);

    trp_writer_fini(&writer);
}
