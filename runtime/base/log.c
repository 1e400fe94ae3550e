/* SPDX-License-Identifier: MIT */
#include "runtime/log.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "messages/codec.h"
#include "runtime/base/host.h"

#define LINE_MAX_BYTES 4096 /* PIPE_BUF: a pipe that polls as writable takes it whole */
#define READER_WAIT_MS 100  /* for a reader that lags; then lines are lost, not time */
#define LINE_TAIL      2    /* "}\n" */

typedef struct line {
    size_t size;
    char text[LINE_MAX_BYTES];
} line_t;

/* Relaxed: a threshold that is seen a little later is no fault, and nothing else hangs on it. */
static atomic_int threshold = LOG_INFO;
static atomic_llong lost; /* lines since the last one that was written */
static struct {
    void (*write)(void *user, int level, const log_field_t *fields);
    void *user;
} sink;
static void (*copy_line)(const char *line, size_t size); /* set before there are threads */

/* Appends bytes; false when they do not fit. */
static bool put(line_t *line, const char *bytes, size_t size)
{
    if (size > LINE_MAX_BYTES - LINE_TAIL - line->size) {
        return false;
    }
    memcpy(line->text + line->size, bytes, size);
    line->size += size;
    return true;
}

static bool put_escaped(line_t *line, unsigned char byte)
{
    char text[8];
    if (byte == '"' || byte == '\\') {
        snprintf(text, sizeof(text), "\\%c", byte);
    } else {
        snprintf(text, sizeof(text), "\\u%04x", byte);
    }
    return put(line, text, strlen(text));
}

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
static bool put_text(line_t *line, const char *text)
{
    size_t size = strlen(text);
    size_t good = trp_utf8_check(text, size); /* text[0..good) is well-formed */
    bool fits = put(line, "\"", 1);
    for (size_t i = 0; i < size && fits; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (i == good) {
            fits = put(line, "\\ufffd", 6);
            good = i + 1 + trp_utf8_check(text + i + 1, size - i - 1);
        } else if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f) {
            fits = put_escaped(line, byte);
        } else {
            fits = put(line, text + i, 1);
        }
    }
    return fits && put(line, "\"", 1);
}

static bool put_value(line_t *line, const log_field_t *field)
{
    char number[40];
    switch (field->kind) {
    case LOG_KIND_TEXT:
        return field->value.text == NULL ? put(line, "null", 4) : put_text(line, field->value.text);
    case LOG_KIND_INT:
        snprintf(number, sizeof(number), "%lld", (long long)field->value.integer);
        break;
    case LOG_KIND_REAL:
        snprintf(number, sizeof(number), isfinite(field->value.real) ? "%.9g" : "null",
                 field->value.real);
        break;
    case LOG_KIND_BOOL:
        snprintf(number, sizeof(number), "%s", field->value.integer != 0 ? "true" : "false");
        break;
    default:
        return false;
    }
    return put(line, number, strlen(number));
}

/* One member, or nothing of it: a line is cut between fields. */
static void put_field(line_t *line, const log_field_t *field)
{
    size_t before = line->size;
    if (!put(line, ",", 1) || !put_text(line, field->key) || !put(line, ":", 1) ||
        !put_value(line, field)) {
        line->size = before;
    }
}

static void put_head(line_t *line, int level)
{
    char host[65] = "";
    gethostname(host, sizeof(host) - 1);
    line->size = (size_t)snprintf(
        line->text, sizeof(line->text), "{\"level\":%d,\"time\":%lld,\"pid\":%ld", level,
        (long long)host_os.epoch_ms(host_os.user), (long)host_os.process_id(host_os.user));
    put_field(line, &LOG_TEXT("hostname", host));
}

bool log_enabled(int level)
{
    /* Relaxed: a line more or less when it is changed. */
    return level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* False: the line is lost, as on a full disk. */
static bool write_line(int level, const log_field_t *fields)
{
    line_t line;
    put_head(&line, level);
    for (const log_field_t *field = fields; field->kind != LOG_KIND_END; field++) {
        put_field(&line, field);
    }
    memcpy(line.text + line.size, "}\n", LINE_TAIL);
    if (copy_line != NULL) {
        copy_line(line.text, line.size + 1);
    }
    return write(STDERR_FILENO, line.text, line.size + LINE_TAIL) >= 0;
}

/* A node must not stand still because nobody reads its log. */
static bool has_room(void)
{
    struct pollfd polled = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&polled, 1, atomic_load(&lost) > 0 ? 0 : READER_WAIT_MS) != 0;
}

void log_ignore_signals(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

void log_write(int level, const log_field_t *fields)
{
    if (!log_enabled(level)) {
        return;
    }
    if (sink.write != NULL) {
        sink.write(sink.user, level, fields);
        return;
    }
    if (!has_room()) {
        atomic_fetch_add(&lost, 1);
        return;
    }
    if (!write_line(level, fields)) {
        atomic_fetch_add(&lost, 1);
        return;
    }
    long long count = atomic_load(&lost) > 0 && has_room() ? atomic_exchange(&lost, 0) : 0;
    if (count > 0 && !write_line(LOG_WARN, (const log_field_t[]){LOG_TEXT("msg", "log_lines_lost"),
                                                                 LOG_INT("lines", count),
                                                                 {.kind = LOG_KIND_END}})) {
        atomic_fetch_add(&lost, count);
    }
}

void log_redirect(void (*write)(void *user, int level, const log_field_t *fields), void *user)
{
    sink.write = write;
    sink.user = user;
}

void log_copy_to(void (*copy)(const char *line, size_t size))
{
    copy_line = copy;
}

void log_level_set(int level)
{
    /* Relaxed: nothing is published with it. */
    atomic_store_explicit(&threshold, level, memory_order_relaxed);
}
