/* SPDX-License-Identifier: MIT */
#include "actors/router/base/majordomo.h"

#include <string.h>

#include "actors/router/base/frame.h"

#define OPTIONS_MAGIC "TRP1"
#define SERVICE_MAX   255

enum { REQUEST_02 = 0x01, PARTIAL_02 = 0x02, FINAL_02 = 0x03 };

TRP_SCHEMA_DEFINE(task_options, 0, 0, TASK_OPTIONS_FIELDS, "options frame of a request")

static bool frame_is(zmq_msg_t *frame, const char *text)
{
    size_t size = strlen(text);
    return zmq_msg_size(frame) == size && memcmp(zmq_msg_data(frame), text, size) == 0;
}

static int frame_byte(zmq_msg_t *frame)
{
    return zmq_msg_size(frame) == 1 ? *(unsigned char *)zmq_msg_data(frame) : -1;
}

/* 1 to 255 bytes of UTF-8 without control characters. */
static bool is_service(const trp_text_t *name)
{
    if (name->size < 1 || name->size > SERVICE_MAX ||
        trp_utf8_check(name->data, name->size) != name->size) {
        return false;
    }
    for (size_t i = 0; i < name->size; i++) {
        unsigned char c = (unsigned char)name->data[i];
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)name->data[i + 1] < 0xa0)) {
            return false;
        }
    }
    return true;
}

/* The service and what follows it. */
static majordomo_kind_t parse_request(zmq_msg_t *frames, size_t count, majordomo_request_t *request)
{
    if (count < 1) {
        return MAJORDOMO_JUNK;
    }
    request->service = (trp_text_t){zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0])};
    if (!is_service(&request->service)) {
        return MAJORDOMO_JUNK;
    }
    request->frames = frames + 1;
    request->frame_count = count - 1;
    size_t at = 1;
    size_t magic = strlen(OPTIONS_MAGIC);
    if (at < count && zmq_msg_size(&frames[at]) >= magic &&
        memcmp(zmq_msg_data(&frames[at]), OPTIONS_MAGIC, magic) == 0) {
        request->options = (const char *)zmq_msg_data(&frames[at]) + magic;
        request->options_size = zmq_msg_size(&frames[at]) - magic;
        at++;
    }
    request->body = at < count ? &frames[at] : NULL;
    request->body_count = count - at;
    return MAJORDOMO_REQUEST;
}

/* Which command a number is: 0.1 knows no partial answers. */
static const majordomo_command_t commands_01[] = {MAJORDOMO_COMMANDS,  MAJORDOMO_READY,
                                                  MAJORDOMO_WORK,      MAJORDOMO_FINAL,
                                                  MAJORDOMO_HEARTBEAT, MAJORDOMO_DISCONNECT};
static const majordomo_command_t commands_02[] = {
    MAJORDOMO_COMMANDS, MAJORDOMO_READY,     MAJORDOMO_WORK,      MAJORDOMO_PARTIAL,
    MAJORDOMO_FINAL,    MAJORDOMO_HEARTBEAT, MAJORDOMO_DISCONNECT};

typedef struct command_table {
    const majordomo_command_t *commands;
    size_t count;
} command_table_t;

static const command_table_t command_tables[] = {
    [MAJORDOMO_01] = {commands_01, sizeof(commands_01) / sizeof(commands_01[0])},
    [MAJORDOMO_02] = {commands_02, sizeof(commands_02) / sizeof(commands_02[0])},
};

static majordomo_command_t command_of(majordomo_version_t version, int number)
{
    const command_table_t *table = &command_tables[version];
    return number > 0 && (size_t)number < table->count ? table->commands[number]
                                                       : MAJORDOMO_COMMANDS;
}

static unsigned char number_of(majordomo_version_t version, majordomo_command_t command)
{
    unsigned char number = 1;
    while (command_tables[version].commands[number] != command) {
        number++;
    }
    return number;
}

const char *majordomo_command_name(majordomo_command_t command)
{
    static const char *const names[] = {"READY",     "REQUEST",    "PARTIAL", "FINAL",
                                        "HEARTBEAT", "DISCONNECT", "?"};
    return names[command];
}

/* A client's address and an empty frame stand before the body. */
static bool parse_answer(zmq_msg_t *frames, size_t count, majordomo_worker_t *worker)
{
    if (count < 4 || zmq_msg_size(&frames[2]) != 0) {
        return false;
    }
    worker->address = (trp_text_t){zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1])};
    worker->body = &frames[3];
    worker->body_count = count - 3;
    return true;
}

/* A worker's command fits a message when its number and its frames do. */
static majordomo_kind_t parse_worker(zmq_msg_t *frames, size_t count, majordomo_worker_t *worker)
{
    bool fits = false;
    worker->command = command_of(worker->version, count >= 1 ? frame_byte(&frames[0]) : -1);
    switch (worker->command) {
    case MAJORDOMO_READY:
        fits = count == 2;
        if (fits) {
            worker->service = (trp_text_t){zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1])};
            fits = is_service(&worker->service);
        }
        break;
    case MAJORDOMO_WORK:
    case MAJORDOMO_PARTIAL:
    case MAJORDOMO_FINAL:
        fits = parse_answer(frames, count, worker);
        break;
    case MAJORDOMO_HEARTBEAT:
    case MAJORDOMO_DISCONNECT:
        fits = count == 1;
        break;
    case MAJORDOMO_COMMANDS:
        break;
    }
    return fits ? MAJORDOMO_WORKER : MAJORDOMO_JUNK;
}

majordomo_kind_t majordomo_parse(zmq_msg_t *frames, size_t count, majordomo_message_t *message)
{
    *message = (majordomo_message_t){0};
    bool old = count >= 2 && zmq_msg_size(&frames[0]) == 0;
    majordomo_version_t version = old ? MAJORDOMO_01 : MAJORDOMO_02;
    message->request.version = version;
    message->worker.version = version;
    if (old && frame_is(&frames[1], "MDPC01")) {
        return parse_request(frames + 2, count - 2, &message->request);
    }
    if (old) {
        return frame_is(&frames[1], "MDPW01")
                   ? parse_worker(frames + 2, count - 2, &message->worker)
                   : MAJORDOMO_JUNK;
    }
    if (count >= 2 && frame_is(&frames[0], "MDPC02") && frame_byte(&frames[1]) == REQUEST_02) {
        return parse_request(frames + 2, count - 2, &message->request);
    }
    return count >= 1 && frame_is(&frames[0], "MDPW02")
               ? parse_worker(frames + 1, count - 1, &message->worker)
               : MAJORDOMO_JUNK;
}

/* An options frame of what was written, which is ended. */
static bool set_options_frame(zmq_msg_t *frame, trp_writer_t *writer)
{
    size_t size = 0;
    const void *data = trp_writer_data(writer, &size);
    size_t magic = strlen(OPTIONS_MAGIC);
    bool done = !writer->failed && zmq_msg_init_size(frame, magic + size) == 0;
    if (done) {
        memcpy(zmq_msg_data(frame), OPTIONS_MAGIC, magic);
        memcpy((char *)zmq_msg_data(frame) + magic, data, size);
    }
    trp_writer_fini(writer);
    return done;
}

bool majordomo_shrink(zmq_msg_t *frame, zmq_msg_t *options, int64_t left_ms)
{
    const char *data = zmq_msg_data(options);
    const size_t magic = strlen(OPTIONS_MAGIC);
    trp_document_t document;
    trp_fault_t fault;
    trp_writer_t writer;
    if (zmq_msg_size(options) < magic ||
        trp_document_init(&document, data + magic, zmq_msg_size(options) - magic, &fault) !=
            TRP_OK) {
        return false;
    }
    const msgpack_object_map *map = &document.root.via.map;
    trp_writer_init(&writer);
    trp_write_map(&writer, map->size);
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object_kv *member = &map->ptr[i];
        trp_write_object(&writer, &member->key);
        if (trp_member(&document.root, "deadline_ms") == &member->val) {
            trp_write_int(&writer, left_ms);
        } else {
            trp_write_object(&writer, &member->val);
        }
    }
    trp_document_fini(&document);
    return set_options_frame(frame, &writer);
}

static bool set_options(zmq_msg_t *frame, const majordomo_reply_t *reply)
{
    const trp_text_t *id = &reply->id;
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_map(&writer, (uint32_t)(id->data != NULL) + (reply->attempt > 0) + reply->has_parts);
    if (id->data != NULL) { /* in front, where small clients look for it */
        trp_write_key(&writer, "id");
        trp_write_string(&writer, id->data, id->size);
    }
    if (reply->attempt > 0) {
        trp_put_int(&writer, "attempt", reply->attempt);
    }
    if (reply->has_parts) {
        trp_put_int(&writer, "parts", reply->parts);
    }
    return set_options_frame(frame, &writer);
}

static size_t drop_frames(zmq_msg_t *frames, size_t count)
{
    frames_close(frames, count);
    return 0;
}

/* Adds a frame behind the `n` that are there, or frees them all. Returns their number, 0: no
 * memory; 0 stays 0. */
static size_t add_frame(zmq_msg_t *frames, size_t n, const void *data, size_t size)
{
    return frame_set(&frames[n], data, size) ? n + 1 : drop_frames(frames, n);
}

/* The frames that tell version and side. */
static size_t begin(zmq_msg_t *frames, majordomo_version_t version, const char *magic)
{
    size_t n = version == MAJORDOMO_01 ? add_frame(frames, 0, NULL, 0) : 0;
    if (version == MAJORDOMO_01 && n == 0) {
        return 0;
    }
    return add_frame(frames, n, magic, strlen(magic));
}

size_t majordomo_head(const majordomo_reply_t *reply, bool final,
                      zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES])
{
    bool old = reply->version == MAJORDOMO_01;
    const unsigned char command = final ? FINAL_02 : PARTIAL_02;
    size_t n = begin(frames, reply->version, old ? "MDPC01" : "MDPC02");
    if (n > 0 && !old) {
        n = add_frame(frames, n, &command, 1);
    }
    if (n > 0) {
        n = add_frame(frames, n, reply->service.data, reply->service.size);
    }
    if (n > 0 && reply->has_options) {
        n = set_options(&frames[n], reply) ? n + 1 : drop_frames(frames, n);
    }
    return n;
}

size_t majordomo_compose(const majordomo_reply_t *reply, zmq_msg_t *body,
                         zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES])
{
    size_t n = majordomo_head(reply, true, frames);
    if (n == 0) {
        return 0;
    }
    zmq_msg_init(&frames[n]);
    zmq_msg_move(&frames[n], body);
    return n + 1;
}

size_t majordomo_order(majordomo_version_t version, majordomo_command_t command,
                       const trp_text_t *address, zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES])
{
    const unsigned char number = number_of(version, command);
    size_t n = begin(frames, version, version == MAJORDOMO_01 ? "MDPW01" : "MDPW02");
    if (n > 0) {
        n = add_frame(frames, n, &number, 1);
    }
    if (n > 0 && address != NULL) {
        n = add_frame(frames, n, address->data, address->size);
        n = n > 0 ? add_frame(frames, n, NULL, 0) : 0;
    }
    return n;
}
