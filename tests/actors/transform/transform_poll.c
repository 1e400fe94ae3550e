/* SPDX-License-Identifier: MIT */
#include "tests/actors/transform/transform_poll.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/transform/transform_check.h"

static trp_status_t run(transform_poll_t *poll)
{
    race_data_t race;
    transform_settings_t settings;
    const transform_t *transform;
    trp_status_t status = trp_schema_read(&race_data_schema, &poll->input.root, &poll->input.zone,
                                          &race, &poll->fault);
    if (status == TRP_OK) {
        status = transform_check(&race, &poll->fault);
    }
    transform_settings_default(&settings);
    if (status == TRP_OK) {
        status = transform_run(&race, &settings, &poll->input.zone, &transform);
    }
    if (status != TRP_OK) {
        return status;
    }
    size_t size;
    trp_writer_init(&poll->written);
    transform_write(transform, (transform_timing_t){0, 0}, &poll->written);
    const void *data = trp_writer_data(&poll->written, &size);
    status = trp_document_init(&poll->result, data, size, &poll->fault);
    if (status != TRP_OK) {
        trp_writer_fini(&poll->written);
        return TRP_FAILED; /* what we wrote is no map */
    }
    return TRP_OK;
}

void transform_poll_run(transform_poll_t *poll, const void *body, size_t size)
{
    memset(poll, 0, sizeof(*poll));
    poll->status = trp_document_init(&poll->input, body, size, &poll->fault);
    if (poll->status != TRP_OK) {
        return;
    }
    poll->status = run(poll);
    if (poll->status != TRP_OK) {
        trp_document_fini(&poll->input);
    }
}

void transform_poll_end(transform_poll_t *poll)
{
    if (poll->status == TRP_OK) {
        trp_document_fini(&poll->result);
        trp_writer_fini(&poll->written);
        trp_document_fini(&poll->input);
    }
}

char *transform_poll_json(const transform_poll_t *poll)
{
    char *json = NULL;
    size_t size;
    return trp_json_from_object(&poll->result.root, &json, &size) == TRP_OK ? json : NULL;
}

const msgpack_object *transform_at(const msgpack_object *map, const char *path)
{
    const msgpack_object *at = map;
    while (at != NULL && *path != '\0') {
        if (*path == '[') {
            char *end;
            size_t index = strtoul(path + 1, &end, 10);
            bool is_there = at->type == MSGPACK_OBJECT_ARRAY && index < at->via.array.size;
            at = is_there ? &at->via.array.ptr[index] : NULL;
            path = end + 1;
            continue;
        }
        char name[80];
        path += *path == '.';
        size_t size = strcspn(path, ".[");
        snprintf(name, sizeof(name), "%.*s", (int)size, path);
        at = at->type == MSGPACK_OBJECT_MAP ? trp_member(at, name) : NULL;
        path += size;
    }
    return at;
}

double transform_number(const transform_poll_t *poll, const char *path, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, path);
    vsnprintf(text, sizeof(text), path, arguments);
    va_end(arguments);
    const msgpack_object *value = transform_at(&poll->result.root, text);
    if (value == NULL) {
        return NAN;
    }
    switch (value->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return (double)value->via.u64;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return (double)value->via.i64;
    case MSGPACK_OBJECT_FLOAT64:
        return value->via.f64;
    default:
        return NAN;
    }
}

bool transform_says(const transform_poll_t *poll, const char *text, const char *path, ...)
{
    char where[160];
    va_list arguments;
    va_start(arguments, path);
    vsnprintf(where, sizeof(where), path, arguments);
    va_end(arguments);
    const msgpack_object *value = transform_at(&poll->result.root, where);
    if (value == NULL) {
        return false;
    }
    if (text == NULL) {
        return value->type == MSGPACK_OBJECT_NIL;
    }
    return value->type == MSGPACK_OBJECT_STR && value->via.str.size == strlen(text) &&
           memcmp(value->via.str.ptr, text, strlen(text)) == 0;
}

bool transform_near(double number, double expected)
{
    return fabs(number - expected) <= 1e-9 * fabs(expected);
}

char *transform_replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *result = NULL;
    if (at != NULL &&
        asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0) {
        return NULL;
    }
    return result;
}
