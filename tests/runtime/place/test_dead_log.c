/* SPDX-License-Identifier: MIT */
#include "runtime/place/dead_log.h"

#include <string.h>

#include "runtime/log.h"
#include "tests/runtime/fixture.h"

typedef struct line {
    char msg[32], why[18];
    int level;
    int64_t count, total, first_ms, last_ms;
} line_t;

static line_t lines[64];
static int line_count;
static probe_t a, b;
static trp_pid_t log_pid;

static void note_line(void *user, int level, const log_field_t *fields)
{
    (void)user;
    line_t line = {.level = level};
    for (; fields->kind != LOG_KIND_END; fields++) {
        if (strcmp(fields->key, "msg") == 0) {
            snprintf(line.msg, sizeof(line.msg), "%s", fields->value.text);
        } else if (strcmp(fields->key, "why") == 0) {
            snprintf(line.why, sizeof(line.why), "%s", fields->value.text);
        } else if (strcmp(fields->key, "count") == 0) {
            line.count = fields->value.integer;
        } else if (strcmp(fields->key, "total") == 0) {
            line.total = fields->value.integer;
        } else if (strcmp(fields->key, "first_ms") == 0) {
            line.first_ms = fields->value.integer;
        } else if (strcmp(fields->key, "last_ms") == 0) {
            line.last_ms = fields->value.integer;
        }
    }
    cr_assert_lt(line_count, 64, "the log is flooded");
    lines[line_count++] = line;
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void open_node(void)
{
    node_open(false);
    log_redirect(note_line, NULL);
    trp_spawn_t spawn = {.class = &dead_log_class, .depth_max = DEAD_LOG_DEPTH};
    cr_assert_eq(runtime_spawn(node, &spawn, &log_pid), TRP_OK);
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.depth_max = 1, .overflow = TRP_OVERFLOW_DROP_NEW});
    node_settle();
    probe_do(&a, stop);
}

static void close_node(void)
{
    log_redirect(NULL, NULL);
    node_close();
}

TestSuite(dead_log, .init = open_node, .fini = close_node);

Test(dead_log, the_first_dead_letter_is_logged_at_once)
{
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();

    cr_assert_eq(line_count, 1);
    cr_assert_str_eq(lines[0].msg, "dead_letters");
    cr_assert_str_eq(lines[0].why, "stale");
    cr_assert_eq(lines[0].level, LOG_INFO);
    cr_assert_eq(lines[0].count, 1);
}

Test(dead_log, a_storm_is_one_line_with_its_exact_count_and_times)
{
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();
    for (int i = 0; i < 100000; i++) { /* far more than its mailbox holds */
        cr_assert_eq(probe_note(&a, i), TRP_OK);
        if (i == 50000) {
            node_advance_ms(4000);
        }
    }
    node_advance_ms(DEAD_LOG_MS);

    cr_assert_eq(line_count, 2);
    cr_assert_eq(lines[1].count, 100000);
    cr_assert_eq(lines[1].total, 100001);
    cr_assert_geq(lines[1].last_ms - lines[1].first_ms, 4000);
}

Test(dead_log, a_quiet_node_writes_nothing_and_keeps_no_timer)
{
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();

    node_advance_ms(DEAD_LOG_MS);
    node_advance_ms(DEAD_LOG_MS);

    cr_assert_eq(line_count, 1);
    cr_assert_eq(node->workers[0].wheel.count, 0);
}

Test(dead_log, after_a_quiet_time_the_next_is_logged_at_once_again)
{
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();
    node_advance_ms(DEAD_LOG_MS);
    node_advance_ms(1);

    cr_assert_eq(probe_note(&a, 2), TRP_OK);
    node_settle();

    cr_assert_eq(line_count, 2);
}

Test(dead_log, drops_have_a_line_of_their_own)
{
    cr_assert_eq(probe_note(&b, 1), TRP_OK);
    cr_assert_eq(probe_note(&b, 2), TRP_OK);
    node_settle();

    cr_assert_eq(line_count, 1);
    cr_assert_str_eq(lines[0].msg, "messages_dropped");
    cr_assert_str_eq(lines[0].why, "drop_new");
    cr_assert_eq(lines[0].level, LOG_WARN);
}

static trp_status_t fail(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_FAILED;
}

Test(dead_log, another_subscriber_that_fails_takes_nothing_from_it)
{
    static const trp_class_t failing = {.name = "failing", .receive = fail};
    trp_pid_t pid;
    cr_assert_eq(runtime_spawn(node, &(trp_spawn_t){.class = &failing}, &pid), TRP_OK);
    cr_assert_eq(group_listen(&node->groups, pid), TRP_OK);

    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();

    cr_assert_eq(line_count, 1);
}
