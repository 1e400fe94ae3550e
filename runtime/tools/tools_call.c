/* SPDX-License-Identifier: MIT */
/* Calls of a client of tools, and what becomes of their answers. The frames are those of
 * docs/majordomo.md, version 0.2. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "runtime/tools/tools_state.h"

#define CLIENT          "MDPC02"
#define OPTIONS         "TRP1"
#define BROKER          "mmi."
#define TIMEOUT_MS      60000
#define TIMEOUT_MAX_MS  86400000
#define BUSY_MS         100 /* where the node does not say when to come again */
#define OPTIONS_SIZE    512 /* all of them together have less */
#define REPLY_HEAD_SIZE 3   /* magic, command, tool */

enum { REQUEST = 1, PARTIAL = 2, FINAL = 3 };

/* ---- a request ---- */

static bool set_text(char *to, size_t size, const char *from)
{
    const size_t length = from == NULL ? 0 : strlen(from);
    if (length >= size) {
        return false;
    }
    memcpy(to, from == NULL ? "" : from, length + 1);
    return true;
}

/* An idempotency key that nobody else has. */
static bool set_random(char text[129])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return true;
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

static void drop_body(tools_call_t *call)
{
    for (size_t i = 0; i < call->body_count; i++) {
        zmq_msg_close(&call->body[i]);
    }
    free(call->body);
    call->body = NULL;
    call->body_count = 0;
}

static bool set_body(tools_call_t *call, const trp_tools_request_t *request)
{
    const char *body = request->body == NULL ? "" : request->body;
    const size_t size = request->size > 0 ? request->size : strlen(body);
    call->body = malloc((request->more_count + 1) * sizeof(*call->body));
    if (call->body == NULL || !set_frame(&call->body[0], body, size)) {
        return false;
    }
    for (call->body_count = 1; call->body_count <= request->more_count; call->body_count++) {
        const trp_tools_frame_t *frame = &request->more[call->body_count - 1];
        if (!set_frame(&call->body[call->body_count], frame->data, frame->size)) {
            return false;
        }
    }
    return true;
}

/* A node has a bound for the frames of a message, too. */
static bool is_sound(const trp_tools_request_t *request)
{
    return request->tool != NULL && request->tool[0] != '\0' && request->timeout_ms >= 0 &&
           request->timeout_ms <= TIMEOUT_MAX_MS && request->priority <= 9 &&
           request->more_count < TOOLS_FRAMES_MAX - 8 &&
           !(request->plain && (request->retry || request->stream || request->idem != NULL));
}

static trp_status_t fill(tools_call_t *call, const trp_tools_request_t *request)
{
    if (!is_sound(request) || !set_text(call->tool, sizeof(call->tool), request->tool) ||
        !set_text(call->key, sizeof(call->key), request->key) ||
        !set_text(call->idem, sizeof(call->idem), request->idem)) {
        return TRP_INVALID;
    }
    call->retry = request->retry;
    call->stream = request->stream;
    call->plain = request->plain;
    call->has_priority = request->has_priority;
    call->priority = (unsigned char)request->priority;
    call->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
    call->deadline_ns = tools_now_ns() + call->timeout_ms * TOOLS_MS;
    if (call->retry && call->idem[0] == '\0' && !set_random(call->idem)) {
        return TRP_SYSTEM;
    }
    return set_body(call, request) ? TRP_OK : TRP_NO_MEMORY;
}

trp_status_t tools_call_new(trp_tools_t *tools, const trp_tools_request_t *request,
                            tools_call_t **made)
{
    tools_call_t *call = calloc(1, sizeof(*call));
    trp_status_t status = call == NULL ? TRP_NO_MEMORY : fill(call, request);
    if (status == TRP_OK) {
        call->id = tools->last_id + 1;
        HASH_ADD(hh, tools->calls, id, sizeof(call->id), call);
        status = call->hh.tbl != NULL ? TRP_OK : TRP_NO_MEMORY;
    }
    if (status != TRP_OK) {
        if (call != NULL) {
            drop_body(call);
        }
        free(call);
        return status;
    }
    tools->last_id++;
    tools->plain = call->plain ? call : NULL;
    *made = call;
    return TRP_OK;
}

static void free_answer(tools_answer_t *answer)
{
    for (size_t i = 0; i < answer->shown.frame_count; i++) {
        zmq_msg_close(&answer->frames[i]);
    }
    free(answer->frames);
    free(answer);
}

void tools_forget_shown(trp_tools_t *tools)
{
    if (tools->shown != NULL) {
        free_answer(tools->shown);
        tools->shown = NULL;
    }
}

void tools_call_free(trp_tools_t *tools, tools_call_t *call)
{
    while (call->first != NULL) {
        tools_answer_t *answer = call->first;
        LL_DELETE2(call->first, answer, later);
        DL_DELETE(tools->answers, answer);
        free_answer(answer);
    }
    HASH_DEL(tools->calls, call);
    tools->plain = tools->plain == call ? NULL : tools->plain;
    drop_body(call);
    free(call);
}

/* ---- sending ---- */

/* A text of MessagePack. */
static size_t put_text(unsigned char *at, const char *text)
{
    const size_t size = strlen(text);
    at[0] = 0xd9;
    at[1] = (unsigned char)size;
    memcpy(at + 2, text, size);
    return size + 2;
}

static size_t put_number(unsigned char *at, uint32_t number)
{
    at[0] = 0xce;
    for (size_t i = 1; i <= 4; i++) {
        at[i] = (unsigned char)(number >> (32 - 8 * i));
    }
    return 5;
}

static size_t put_texts(unsigned char *at, const char *name, const char *text)
{
    const size_t size = put_text(at, name);
    return size + put_text(at + size, text);
}

static size_t write_options(const tools_call_t *call, unsigned char options[OPTIONS_SIZE])
{
    const int64_t left_ms = (call->deadline_ns - tools_now_ns()) / TOOLS_MS;
    char id[21];
    snprintf(id, sizeof(id), "%llu", (unsigned long long)call->id);
    size_t used = sizeof(OPTIONS) - 1;
    memcpy(options, OPTIONS, used);
    options[used++] = (unsigned char)(0x82 + (call->key[0] != '\0') + (call->idem[0] != '\0') +
                                      call->has_priority + call->stream);
    used += put_texts(options + used, "id", id);
    used += put_text(options + used, "deadline_ms");
    used += put_number(options + used, left_ms > 0 ? (uint32_t)left_ms : 1);
    used += call->key[0] != '\0' ? put_texts(options + used, "key", call->key) : 0;
    used += call->idem[0] != '\0' ? put_texts(options + used, "idem", call->idem) : 0;
    if (call->has_priority) {
        used += put_text(options + used, "priority");
        used += put_number(options + used, call->priority);
    }
    if (call->stream) {
        used += put_text(options + used, "stream");
        options[used++] = 0xc3;
    }
    return used;
}

/* What is refused by the socket before its first frame went out can be sent later; in the midst of
 * a message nothing is refused. */
static bool send_bytes(trp_tools_t *tools, const void *data, size_t size)
{
    return zmq_send(tools->socket, data, size, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0;
}

static bool send_head(trp_tools_t *tools, const char *tool)
{
    const unsigned char command = REQUEST;
    return send_bytes(tools, CLIENT, strlen(CLIENT)) && send_bytes(tools, &command, 1) &&
           send_bytes(tools, tool, strlen(tool));
}

static bool send_body(trp_tools_t *tools, tools_call_t *call)
{
    bool sent = true;
    for (size_t i = 0; sent && i < call->body_count; i++) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        zmq_msg_copy(&frame, &call->body[i]);
        const int flags = ZMQ_DONTWAIT | (i + 1 < call->body_count ? ZMQ_SNDMORE : 0);
        sent = zmq_msg_send(&frame, tools->socket, flags) >= 0;
        if (!sent) {
            zmq_msg_close(&frame);
        }
    }
    return sent;
}

void tools_call_send(trp_tools_t *tools, tools_call_t *call)
{
    unsigned char options[OPTIONS_SIZE];
    call->attempt = call->came = 0;
    const size_t size = call->plain ? 0 : write_options(call, options);
    call->is_sent = send_head(tools, call->tool) &&
                    (size == 0 || send_bytes(tools, options, size)) && send_body(tools, call);
    if (call->is_sent && !call->retry) {
        drop_body(call);
    }
}

void tools_send_cancel(trp_tools_t *tools, const tools_call_t *call)
{
    char id[21];
    snprintf(id, sizeof(id), "%llu", (unsigned long long)call->id);
    if (tools->joined && call->is_sent && send_head(tools, "mmi.cancel")) {
        (void)zmq_send(tools->socket, id, strlen(id), ZMQ_DONTWAIT);
    }
}

/* ---- answers ---- */

static void keep(trp_tools_t *tools, tools_call_t *call, tools_answer_t *answer)
{
    DL_APPEND(tools->answers, answer);
    answer->later = NULL;
    if (call->first == NULL) {
        call->first = answer;
    } else {
        call->last->later = answer;
    }
    call->last = answer;
    if (answer->shown.kind != TRP_TOOLS_PART) {
        call->ended = true;
        drop_body(call);
    }
}

const trp_tools_answer_t *tools_take_answer(trp_tools_t *tools, tools_call_t *of)
{
    tools_answer_t *answer = of != NULL ? of->first : tools->answers;
    tools_call_t *call = NULL;
    HASH_FIND(hh, tools->calls, &answer->shown.call, sizeof(answer->shown.call), call);
    assert(call != NULL);                   /* it is kept while it has answers */
    LL_DELETE2(call->first, answer, later); /* the first of its call as well as of all */
    DL_DELETE(tools->answers, answer);
    if (call->ended && call->first == NULL) {
        tools_call_free(tools, call);
    }
    tools->shown = answer;
    return &answer->shown;
}

static tools_answer_t *new_answer(const tools_call_t *call, zmq_msg_t *frames, size_t count)
{
    tools_answer_t *answer = calloc(1, sizeof(*answer) + count * sizeof(answer->views[0]));
    zmq_msg_t *kept = count > 0 ? malloc(count * sizeof(*kept)) : NULL;
    if (answer == NULL || (count > 0 && kept == NULL)) {
        free(answer);
        free(kept);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&kept[i]);
        zmq_msg_move(&kept[i], &frames[i]);
        answer->views[i] = (trp_tools_frame_t){zmq_msg_data(&kept[i]), zmq_msg_size(&kept[i])};
    }
    answer->frames = kept;
    answer->shown = (trp_tools_answer_t){.call = call->id,
                                         .data = count > 0 ? answer->views[0].data : "",
                                         .size = count > 0 ? answer->views[0].size : 0,
                                         .frames = answer->views,
                                         .frame_count = count,
                                         .code = answer->reply.code,
                                         .message = answer->reply.message};
    return answer;
}

void tools_end(trp_tools_t *tools, tools_call_t *call, const char *code, const char *format, ...)
{
    tools_answer_t *answer = call->ended ? NULL : new_answer(call, NULL, 0);
    if (answer == NULL) {
        return; /* no memory: a later turn tries again */
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answer->reply.message, sizeof(answer->reply.message), format, arguments);
    va_end(arguments);
    snprintf(answer->reply.code, sizeof(answer->reply.code), "%s", code);
    answer->shown.kind = TRP_TOOLS_ERROR;
    keep(tools, call, answer);
}

static bool is_busy(const char *code)
{
    return strcmp(code, "E_BUSY") == 0 || strcmp(code, "E_RATE") == 0;
}

/* True: refused for now, and it has time to try again. */
static bool comes_again(trp_tools_t *tools, tools_call_t *call, const tools_reply_t *reply)
{
    const int64_t rest_ms = reply->retry_after_ms > 0 ? reply->retry_after_ms : BUSY_MS;
    const int64_t again_ns = tools_now_ns() + rest_ms * TOOLS_MS;
    if (!call->retry || !is_busy(reply->code) || again_ns >= call->deadline_ns) {
        return false;
    }
    call->send_ns = again_ns;
    call->is_sent = false;
    tools->is_unsent = true;
    return true;
}

/* The last answer: a reply map, or what a foreign tool says. */
static void take_last(trp_tools_t *tools, tools_call_t *call, tools_answer_t *answer)
{
    const size_t count = answer->shown.frame_count; /* partial answers stand before the last one */
    const trp_tools_frame_t *last = count > 0 ? &answer->views[count - 1] : NULL;
    const bool is_reply = last != NULL && tools_reply_read(last->data, last->size, &answer->reply);
    if (is_reply && !answer->reply.success && comes_again(tools, call, &answer->reply)) {
        free_answer(answer);
        return;
    }
    if (is_reply) {
        answer->shown.kind = answer->reply.success ? TRP_TOOLS_RESULT : TRP_TOOLS_ERROR;
        answer->shown.data = answer->reply.value.data;
        answer->shown.size = answer->reply.value.size;
        answer->shown.retry_after_ms = answer->reply.retry_after_ms;
    }
    keep(tools, call, answer);
}

static bool frame_is(zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size(frame) == strlen(text) &&
           memcmp(zmq_msg_data(frame), text, strlen(text)) == 0;
}

static bool frame_begins(zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size(frame) >= strlen(text) &&
           memcmp(zmq_msg_data(frame), text, strlen(text)) == 0;
}

static tools_span_t map_of(zmq_msg_t *options)
{
    const size_t magic = strlen(OPTIONS);
    return (tools_span_t){(const char *)zmq_msg_data(options) + magic,
                          zmq_msg_size(options) - magic};
}

/* Tells of which attempt an answer is, and how many of its partial answers did not come. */
static void count_parts(tools_call_t *call, tools_answer_t *answer, tools_span_t options)
{
    const int64_t attempt = tools_find_number(options, "attempt");
    if (attempt > 0 && attempt != call->attempt) {
        call->attempt = attempt;
        call->came = 0;
    }
    answer->shown.attempt = attempt;
    if (answer->shown.kind == TRP_TOOLS_PART) {
        call->came++;
    } else {
        const int64_t sent = tools_find_number(options, "parts");
        answer->shown.lost = sent > call->came ? sent - call->came : 0;
    }
}

/* The call that an options frame names; NULL: none that is under way. */
static tools_call_t *call_of(const trp_tools_t *tools, tools_span_t options)
{
    tools_span_t value;
    char text[24], *end = text;
    if (!tools_find(options, "id", &value) || !tools_text(value, text, sizeof(text))) {
        return NULL;
    }
    const uint64_t id = strtoull(text, &end, 10);
    tools_call_t *call = NULL;
    HASH_FIND(hh, tools->calls, &id, sizeof(id), call);
    return *end == '\0' && call != NULL && !call->ended && call->is_sent ? call : NULL;
}

void tools_take(trp_tools_t *tools, zmq_msg_t *frames, size_t count)
{
    const bool is_answer =
        count > REPLY_HEAD_SIZE && frame_is(&frames[0], CLIENT) && zmq_msg_size(&frames[1]) == 1;
    const unsigned char command = is_answer ? *(unsigned char *)zmq_msg_data(&frames[1]) : 0;
    tools_call_t *call = NULL;
    tools_span_t options = {.size = 0};
    size_t head = REPLY_HEAD_SIZE;
    if (command == PARTIAL || command == FINAL) {
        if (frame_begins(&frames[head], OPTIONS)) {
            options = map_of(&frames[head++]);
            call = call_of(tools, options);
        } else if (tools->plain != NULL && !tools->plain->ended && tools->plain->is_sent &&
                   frame_is(&frames[2], tools->plain->tool)) {
            call = tools->plain;
        } else if (frame_begins(&frames[2], BROKER)) {
            return; /* what became of a cancel is told by the call itself */
        }
    }
    tools_answer_t *answer = call == NULL ? NULL : new_answer(call, frames + head, count - head);
    if (answer == NULL) {
        tools->unexpected++;
    } else if (command == PARTIAL) {
        answer->shown.kind = TRP_TOOLS_PART;
        count_parts(call, answer, options);
        keep(tools, call, answer);
    } else {
        answer->shown.kind = TRP_TOOLS_RESULT;
        count_parts(call, answer, options);
        take_last(tools, call, answer);
    }
}
