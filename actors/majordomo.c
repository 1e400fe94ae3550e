/* SPDX-License-Identifier: MIT */
#include "actors/majordomo.h"

#include <string.h>

#define OPTIONS_MAGIC "TRP1"
#define SERVICE_MAX   255

enum { REQUEST_02 = 0x01, FINAL_02 = 0x03 };

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

/* A worker's command fits a message when its number and its count of frames do. */
static majordomo_kind_t parse_worker(zmq_msg_t *frames, size_t count, int heartbeat)
{
    int command = count >= 1 ? frame_byte(&frames[0]) : -1;
    bool fits = (command == 1 && count == 2) ||
                (command >= 2 && command < heartbeat && count >= 3) ||
                (command >= heartbeat && command <= heartbeat + 1 && count == 1);
    return fits ? MAJORDOMO_WORKER : MAJORDOMO_JUNK;
}

majordomo_kind_t majordomo_parse(zmq_msg_t *frames, size_t count, majordomo_request_t *request)
{
    *request = (majordomo_request_t){0};
    if (count >= 2 && zmq_msg_size(&frames[0]) == 0) {
        request->version = MAJORDOMO_01;
        if (frame_is(&frames[1], "MDPC01")) {
            return parse_request(frames + 2, count - 2, request);
        }
        return frame_is(&frames[1], "MDPW01") ? parse_worker(frames + 2, count - 2, 4)
                                              : MAJORDOMO_JUNK;
    }
    request->version = MAJORDOMO_02;
    if (count >= 2 && frame_is(&frames[0], "MDPC02") && frame_byte(&frames[1]) == REQUEST_02) {
        return parse_request(frames + 2, count - 2, request);
    }
    return count >= 1 && frame_is(&frames[0], "MDPW02") ? parse_worker(frames + 1, count - 1, 5)
                                                        : MAJORDOMO_JUNK;
}

static bool set_frame(zmq_msg_t *frame, const void *data, size_t size)
{
    if (zmq_msg_init_size(frame, size) != 0) {
        return false;
    }
    if (size > 0) {
        memcpy(zmq_msg_data(frame), data, size);
    }
    return true;
}

static bool set_options(zmq_msg_t *frame, const trp_text_t *id)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_map(&writer, id->data != NULL ? 1 : 0);
    if (id->data != NULL) {
        trp_write_key(&writer, "id");
        trp_write_string(&writer, id->data, id->size);
    }
    size_t size = 0;
    const void *data = trp_writer_data(&writer, &size);
    size_t magic = strlen(OPTIONS_MAGIC);
    bool done = !writer.failed && zmq_msg_init_size(frame, magic + size) == 0;
    if (done) {
        memcpy(zmq_msg_data(frame), OPTIONS_MAGIC, magic);
        memcpy((char *)zmq_msg_data(frame) + magic, data, size);
    }
    trp_writer_fini(&writer);
    return done;
}

static size_t drop_frames(zmq_msg_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        zmq_msg_close(&frames[i]);
    }
    return 0;
}

size_t majordomo_compose(const majordomo_reply_t *reply, zmq_msg_t *body,
                         zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES])
{
    size_t n = 0;
    bool old = reply->version == MAJORDOMO_01;
    if (old ? !set_frame(&frames[n], NULL, 0) : !set_frame(&frames[n], "MDPC02", 6)) {
        return 0;
    }
    n++;
    const unsigned char final = FINAL_02;
    if (old ? !set_frame(&frames[n], "MDPC01", 6) : !set_frame(&frames[n], &final, 1)) {
        return drop_frames(frames, n);
    }
    n++;
    if (!set_frame(&frames[n], reply->service.data, reply->service.size)) {
        return drop_frames(frames, n);
    }
    n++;
    if (reply->has_options) {
        if (!set_options(&frames[n], &reply->id)) {
            return drop_frames(frames, n);
        }
        n++;
    }
    zmq_msg_init(&frames[n]);
    zmq_msg_move(&frames[n], body);
    return n + 1;
}

size_t majordomo_disconnect(majordomo_version_t version, zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES])
{
    size_t n = 0;
    const unsigned char command = version == MAJORDOMO_01 ? 0x05 : 0x06;
    if (version == MAJORDOMO_01 && !set_frame(&frames[n++], NULL, 0)) {
        return 0;
    }
    if (!set_frame(&frames[n], version == MAJORDOMO_01 ? "MDPW01" : "MDPW02", 6)) {
        return drop_frames(frames, n);
    }
    n++;
    return set_frame(&frames[n], &command, 1) ? n + 1 : drop_frames(frames, n);
}
