/* SPDX-License-Identifier: MIT */
#include "actors/router/base/refusal.h"

#include <stdarg.h>
#include <stdio.h>

void refusal_init(refusal_t *refusal, const char *code, const char *message, ...)
{
    trp_writer_init(&refusal->members);
    refusal->count = 0;
    refusal->code = code;
    va_list arguments;
    va_start(arguments, message);
    vsnprintf(refusal->message, sizeof(refusal->message), message, arguments);
    va_end(arguments);
}

trp_writer_t *refusal_member(refusal_t *refusal, const char *key)
{
    refusal->count++;
    trp_write_key(&refusal->members, key);
    return &refusal->members;
}

void refusal_text(refusal_t *refusal, const char *key, const char *value)
{
    trp_write_text(refusal_member(refusal, key), value);
}

void refusal_int(refusal_t *refusal, const char *key, int64_t value)
{
    trp_write_int(refusal_member(refusal, key), value);
}

void refusal_fault(refusal_t *refusal, const trp_fault_t *fault)
{
    refusal_text(refusal, "path", fault->path);
    refusal_text(refusal, "rule", fault->rule);
    refusal_text(refusal, "value", fault->value);
    if (fault->has_offset) {
        refusal_int(refusal, "offset", (int64_t)fault->offset);
    }
}

trp_status_t refusal_take(refusal_t *refusal, zmq_msg_t *map)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_map(&writer, 2 + refusal->count);
    trp_put_text(&writer, "code", refusal->code);
    trp_put_text(&writer, "message", refusal->message);
    size_t size = 0;
    const void *members = trp_writer_data(&refusal->members, &size);
    trp_write_raw(&writer, members, size);
    writer.failed |= refusal->members.failed;
    trp_status_t status = trp_writer_take(&writer, map);
    trp_writer_fini(&writer);
    trp_writer_fini(&refusal->members);
    return status;
}
