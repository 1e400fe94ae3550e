/* SPDX-License-Identifier: MIT */
#include "runtime/config/config_lines.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1024 * 1024)

typedef struct scan {
    config_lines_t *lines;
    config_fault_t *fault;
    int line;
    int depth;                         /* of the last name */
    size_t path_end[CONFIG_DEPTH_MAX]; /* where the path of each level ends */
    char path[CONFIG_PATH_MAX];
} scan_t;

static trp_status_t refuse(scan_t *scan, const char *rule)
{
    scan->fault->line = scan->line;
    snprintf(scan->fault->rule, sizeof(scan->fault->rule), "%s", rule);
    return TRP_CONFIG;
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("$-_@.&+/", c) != NULL);
}

static config_line_t *find(const config_lines_t *lines, const char *path)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strcmp(lines->rows[i].path, path) == 0) {
            return &lines->rows[i];
        }
    }
    return NULL;
}

static trp_status_t add(config_lines_t *lines, const char *path, int line)
{
    if (lines->count == lines->capacity) {
        size_t capacity = lines->capacity == 0 ? 64 : 2 * lines->capacity;
        config_line_t *rows = realloc(lines->rows, capacity * sizeof(*rows));
        if (rows == NULL) {
            return TRP_NO_MEMORY;
        }
        lines->rows = rows;
        lines->capacity = capacity;
    }
    config_line_t *row = &lines->rows[lines->count++];
    snprintf(row->path, sizeof(row->path), "%s", path);
    row->line = line;
    return TRP_OK;
}

trp_status_t config_lines_override(config_lines_t *lines, const char *path)
{
    config_line_t *row = find(lines, path);
    if (row != NULL) {
        row->line = CONFIG_LINE_SET;
        return TRP_OK;
    }
    return add(lines, path, CONFIG_LINE_SET);
}

/* Puts the name of this level into the path. */
static trp_status_t push_name(scan_t *scan, int depth, const char *name, size_t size)
{
    size_t start = depth == 0 ? 0 : scan->path_end[depth - 1];
    size_t dot = depth == 0 ? 0 : 1;
    if (start + dot + size >= sizeof(scan->path)) {
        return refuse(scan, "shorter names: a path has at most 255 bytes");
    }
    if (dot == 1) {
        scan->path[start] = '.';
    }
    memcpy(scan->path + start + dot, name, size);
    scan->path_end[depth] = start + dot + size;
    scan->path[scan->path_end[depth]] = '\0';
    scan->depth = depth;
    if (find(scan->lines, scan->path) != NULL) {
        snprintf(scan->fault->option, sizeof(scan->fault->option), "%s", scan->path);
        return refuse(scan, "only once in its section");
    }
    return add(scan->lines, scan->path, scan->line);
}

/* After the name: nothing, a comment, or `= value` with its quotes closed. */
static trp_status_t check_value(scan_t *scan, const char *at, const char *end)
{
    while (at < end && isblank((unsigned char)*at)) {
        at++;
    }
    if (at == end || *at == '#') {
        return TRP_OK;
    }
    if (*at != '=') {
        return refuse(scan, "`name` or `name = value`");
    }
    at++;
    while (at < end && isblank((unsigned char)*at)) {
        at++;
    }
    if (at < end && (*at == '"' || *at == '\'') &&
        memchr(at + 1, *at, (size_t)(end - at - 1)) == NULL) {
        return refuse(scan, "a closing quote");
    }
    return TRP_OK;
}

static trp_status_t scan_line(scan_t *scan, const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at == ' ') {
        at++;
    }
    if (at == end || *at == '#' || *at == '\r') {
        return TRP_OK;
    }
    size_t indent = (size_t)(at - start);
    if (*at == '\t' || indent % 4 != 0) {
        return refuse(scan, "an indentation of 4 spaces for each level");
    }
    int depth = (int)(indent / 4);
    if (depth > scan->depth + 1 || depth >= CONFIG_DEPTH_MAX) {
        return refuse(scan, "at most one level deeper than the line before");
    }
    const char *name = at;
    while (at < end && is_name(*at)) {
        at++;
    }
    if (at == name) {
        return refuse(scan, "a name of letters, digits and $-_@.&+/");
    }
    trp_status_t status = push_name(scan, depth, name, (size_t)(at - name));
    return status == TRP_OK ? check_value(scan, at, end) : status;
}

trp_status_t config_lines_read(const char *text, config_lines_t *lines, config_fault_t *fault)
{
    scan_t scan = {.lines = lines, .fault = fault, .line = 1, .depth = -1};
    *lines = (config_lines_t){0};
    while (*text != '\0') {
        const char *end = strchrnul(text, '\n');
        trp_status_t status = scan_line(&scan, text, end);
        if (status != TRP_OK) {
            config_lines_free(lines);
            return status;
        }
        scan.line++;
        text = *end == '\n' ? end + 1 : end;
    }
    return TRP_OK;
}

void config_lines_free(config_lines_t *lines)
{
    free(lines->rows);
    *lines = (config_lines_t){0};
}

int config_lines_find(const config_lines_t *lines, const char *path)
{
    char prefix[CONFIG_PATH_MAX];
    snprintf(prefix, sizeof(prefix), "%s", path);
    for (;;) {
        const config_line_t *row = find(lines, prefix);
        char *dot = strrchr(prefix, '.');
        if (row != NULL || dot == NULL) {
            return row == NULL ? 0 : row->line;
        }
        *dot = '\0';
    }
}

trp_status_t config_lines_file(const char *path, char **text, config_fault_t *fault)
{
    FILE *file = fopen(path, "re");
    char *bytes = file == NULL ? NULL : malloc(FILE_MAX + 1);
    if (bytes == NULL) {
        snprintf(fault->rule, sizeof(fault->rule), "a file that can be read: %s", strerror(errno));
        if (file != NULL) {
            fclose(file);
        }
        return TRP_CONFIG;
    }
    size_t size = fread(bytes, 1, FILE_MAX + 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || size > FILE_MAX || memchr(bytes, '\0', size) != NULL) {
        snprintf(fault->rule, sizeof(fault->rule), "%s",
                 failed ? "a file, not a folder" : "a text file of at most 1 MiB");
        free(bytes);
        return TRP_CONFIG;
    }
    bytes[size] = '\0';
    *text = bytes;
    return TRP_OK;
}
