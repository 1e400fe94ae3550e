/* SPDX-License-Identifier: MIT */
#include "runtime/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static int saved;
static int reader;

/* What is written to standard error from here on is read by captured(). */
static void capture(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
}

static ssize_t captured(char *text, size_t size)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t got = read(reader, text, size - 1);
    close(reader);
    text[got < 0 ? 0 : got] = '\0';
    return got;
}

Test(log, a_line_is_one_json_object_with_pino_names)
{
    char text[8192];
    capture();

    log_event(LOG_WARN, "worker_exited", LOG_TEXT("child", "parser.1"), LOG_INT("os_pid", 42),
              LOG_REAL("load", 0.5), LOG_FLAG("clean", false));

    captured(text, sizeof(text));
    json_t *line = json_loads(text, 0, NULL);
    cr_assert_not_null(line, "%s", text);
    cr_assert_eq(json_integer_value(json_object_get(line, "level")), 40);
    cr_assert_str_eq(json_string_value(json_object_get(line, "msg")), "worker_exited");
    cr_assert_str_eq(json_string_value(json_object_get(line, "child")), "parser.1");
    cr_assert_eq(json_integer_value(json_object_get(line, "os_pid")), 42);
    cr_assert_float_eq(json_real_value(json_object_get(line, "load")), 0.5, 1e-9);
    cr_assert(json_is_false(json_object_get(line, "clean")));
    cr_assert_eq(json_integer_value(json_object_get(line, "pid")), getpid());
    cr_assert(json_is_integer(json_object_get(line, "time")));
    cr_assert(json_is_string(json_object_get(line, "hostname")));
    cr_assert_eq(text[strlen(text) - 1], '\n');
    json_decref(line);
}

Test(log, full_pipe_without_a_reader_loses_lines_and_says_how_many, .timeout = 10)
{
    static char text[1 << 20];
    capture();
    cr_assert_gt(fcntl(reader, F_SETPIPE_SZ, 8192), 0);

    for (int i = 0; i < 200; i++) {
        log_event(LOG_WARN, "filler", LOG_INT("i", i));
    }
    cr_assert_gt(read(reader, text, sizeof(text)), 0);
    log_event(LOG_WARN, "after");

    ssize_t size = captured(text, sizeof(text));
    cr_assert_gt(size, 0);
    cr_assert_not_null(strstr(text, "\"after\""), "%s", text);
    cr_assert_not_null(strstr(text, "\"log_lines_lost\",\"lines\":"), "%s", text);
}

Test(log, lines_that_a_full_disk_does_not_take_are_counted)
{
    char text[8192];
    capture();
    const int pipe_end = dup(STDERR_FILENO);
    const int full = open("/dev/full", O_WRONLY);

    cr_assert(full >= 0 && dup2(full, STDERR_FILENO) >= 0);
    log_event(LOG_WARN, "first");
    log_event(LOG_WARN, "second");
    cr_assert(dup2(pipe_end, STDERR_FILENO) >= 0);
    log_event(LOG_WARN, "after");

    cr_assert_gt(captured(text, sizeof(text)), 0);
    cr_expect_not_null(strstr(text, "\"after\""), "%s", text);
    cr_expect_not_null(strstr(text, "\"log_lines_lost\",\"lines\":2"), "%s", text);
    (void)close(full);
    (void)close(pipe_end);
}

Test(log, hostile_text_stays_one_line_of_json)
{
    char text[8192];
    capture();

    log_event(LOG_ERROR, "bad", LOG_TEXT("text", "a\"b\\c\nd\x01 \xff\xc3\x28 \xc3\xa9"));

    captured(text, sizeof(text));
    json_t *line = json_loads(text, 0, NULL);
    cr_assert_not_null(line, "%s", text);
    cr_assert_str_eq(json_string_value(json_object_get(line, "text")),
                     "a\"b\\c\nd\x01 \xef\xbf\xbd\xef\xbf\xbd( \xc3\xa9");
    json_decref(line);
}

Test(log, a_long_line_is_cut_between_fields)
{
    static char huge[6000];
    memset(huge, 'x', sizeof(huge) - 1);
    char text[8192];
    capture();

    log_event(LOG_ERROR, "long", LOG_TEXT("huge", huge), LOG_INT("after", 1));

    ssize_t size = captured(text, sizeof(text));
    json_t *line = json_loads(text, 0, NULL);
    cr_assert_leq(size, 4096);
    cr_assert_not_null(line, "%s", text);
    cr_assert_null(json_object_get(line, "huge"));
    cr_assert_eq(json_integer_value(json_object_get(line, "after")), 1);
    json_decref(line);
}

Test(log, below_the_threshold_nothing_is_written)
{
    char text[64] = "";
    log_level_set(LOG_WARN);
    capture();

    log_event(LOG_INFO, "quiet");
    log_event(LOG_WARN, "");

    cr_assert_gt(captured(text, sizeof(text)), 0);
    cr_assert_null(strstr(text, "quiet"));
    cr_assert(!log_enabled(LOG_INFO));
    cr_assert(log_enabled(LOG_WARN));
}
