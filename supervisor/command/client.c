/* SPDX-License-Identifier: MIT */
#include "supervisor/command/client.h"

#include <stdio.h>
#include <string.h>

#define ASK_MS 10000

/* What is asked, and who is told of partial answers. */
typedef struct question {
    const char *endpoint;
    zmq_msg_t request;
    int timeout_ms;              /* for each answer */
    const client_parts_t *parts; /* NULL: nobody */
} question_t;

/* Shows a partial answer. False: it is the last one. */
static bool show_part(const question_t *question, zmq_msg_t *body)
{
    trp_document_t document;
    trp_fault_t fault;
    if (question->parts == NULL ||
        trp_document_init(&document, zmq_msg_data(body), zmq_msg_size(body), &fault) != TRP_OK) {
        return false;
    }
    const msgpack_object *part = trp_member(&document.root, "part");
    if (part != NULL) {
        question->parts->on_part(question->parts->user, &document.root, part);
    }
    trp_document_fini(&document);
    return part != NULL;
}

/* One exchange with the node. Returns false when nothing came in time. */
static bool exchange(void *socket, question_t *question, zmq_msg_t *body)
{
    if (zmq_msg_send(&question->request, socket, 0) < 0) {
        return false;
    }
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    do {
        if (zmq_poll(&item, 1, question->timeout_ms) != 1 || zmq_msg_recv(body, socket, 0) < 0) {
            return false;
        }
    } while (show_part(question, body));
    return true;
}

typedef enum outcome { ANSWERED, SILENCE, NO_ENDPOINT } outcome_t;

/* Connects, exchanges, and leaves nothing open. */
static outcome_t talk(question_t *question, zmq_msg_t *body)
{
    outcome_t outcome = SILENCE;
    void *context = zmq_ctx_new();
    void *socket = context == NULL ? NULL : zmq_socket(context, ZMQ_DEALER);
    if (socket != NULL) {
        const int linger_ms = 0, unread_max = 16; /* the node keeps the others, and bounds them */
        zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
        zmq_setsockopt(socket, ZMQ_RCVHWM, &unread_max, sizeof(unread_max));
        if (zmq_connect(socket, question->endpoint) != 0) {
            outcome = NO_ENDPOINT;
        } else if (exchange(socket, question, body)) {
            outcome = ANSWERED;
        }
        zmq_close(socket);
    }
    if (context != NULL) {
        zmq_ctx_term(context);
    }
    return outcome;
}

/* Reads {ok, result | error}; the member that counts. */
static bool read_answer(const command_call_t *call, client_answer_t *answer)
{
    trp_fault_t fault;
    if (trp_document_init(&answer->document, zmq_msg_data(&answer->body),
                          zmq_msg_size(&answer->body), &fault) != TRP_OK) {
        command_fail(call, EXIT_FAILED, "the answer is no control answer: %s", fault.rule);
        return false;
    }
    const msgpack_object *ok = trp_member(&answer->document.root, "ok");
    const msgpack_object *error = trp_member(&answer->document.root, "error");
    answer->result = trp_member(&answer->document.root, "result");
    if (ok != NULL && ok->type == MSGPACK_OBJECT_BOOLEAN && ok->via.boolean &&
        answer->result != NULL) {
        return true;
    }
    command_fail(call, EXIT_FAILED, "%s: %s", client_text(error, "code"),
                 client_text(error, "message"));
    trp_document_fini(&answer->document);
    return false;
}

bool client_ask(const command_call_t *call, trp_writer_t *request, int timeout_ms,
                client_answer_t *answer)
{
    return client_ask_parts(call, request, timeout_ms, NULL, answer);
}

bool client_ask_parts(const command_call_t *call, trp_writer_t *request, int timeout_ms,
                      const client_parts_t *parts, client_answer_t *answer)
{
    char endpoint[CLIENT_ENDPOINT_MAX];
    question_t question = {.endpoint = endpoint, .timeout_ms = timeout_ms, .parts = parts};
    if (!client_find(call, endpoint)) {
        trp_writer_fini(request);
        return false;
    }
    trp_status_t status = trp_writer_take(request, &question.request);
    trp_writer_fini(request);
    if (status != TRP_OK) {
        command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
        return false;
    }
    zmq_msg_init(&answer->body);
    outcome_t outcome = talk(&question, &answer->body);
    zmq_msg_close(&question.request);
    if (outcome == NO_ENDPOINT) {
        command_fail(call, EXIT_FAILED,
                     "`%s` is no endpoint: one is ipc://PATH, as the ready line says", endpoint);
    } else if (outcome == SILENCE) {
        command_fail(call, EXIT_FAILED, "the node at %s did not answer within %d s", endpoint,
                     timeout_ms / 1000);
    } else if (read_answer(call, answer)) {
        return true;
    }
    zmq_msg_close(&answer->body);
    return false;
}

bool client_ask_verb(const command_call_t *call, const char *verb, client_answer_t *answer)
{
    trp_writer_t request;
    trp_writer_init(&request);
    trp_write_map(&request, 1);
    trp_put_text(&request, "cmd", verb);
    return client_ask(call, &request, ASK_MS, answer);
}

void client_answer_fini(client_answer_t *answer)
{
    trp_document_fini(&answer->document);
    zmq_msg_close(&answer->body);
}

const char *client_text(const msgpack_object *row, const char *member)
{
    static char texts[16][512]; /* a ring: a row's cells are used before it comes round */
    static unsigned next;
    const msgpack_object *value = row == NULL ? NULL : trp_member(row, member);
    if (value == NULL || value->type != MSGPACK_OBJECT_STR) {
        return "";
    }
    char *text = texts[next++ % 16];
    snprintf(text, sizeof(texts[0]), "%.*s", (int)value->via.str.size, value->via.str.ptr);
    return text;
}

int64_t client_int(const msgpack_object *row, const char *member)
{
    const msgpack_object *value = row == NULL ? NULL : trp_member(row, member);
    bool is_int = value != NULL && (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
                                    value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER);
    return is_int ? value->via.i64 : 0;
}
