/* SPDX-License-Identifier: MIT */
/* The asking side of the control socket, for commands: finds the node, sends one request, waits for
 * its answer. One thread; a ZeroMQ context for each call. */
#ifndef TRP_SUPERVISOR_CLIENT_H
#define TRP_SUPERVISOR_CLIENT_H

#include "supervisor/command/command.h"

#define CLIENT_ENDPOINT_MAX 300

/** An answer: `result` is inside of the document. */
typedef struct client_answer {
    const msgpack_object *result;
    trp_document_t document;
    zmq_msg_t body;
} client_answer_t;

/** Where the node listens: --control, $TROUPE_CONTROL, or the one node in the user's run directory.
 * False: it has said on standard error what is wrong and what to do. */
bool client_find(const command_call_t *call, char endpoint[CLIENT_ENDPOINT_MAX]);

/** Sends the map in `request` (taken) and waits `timeout_ms` for {ok, result | error}. False: it
 * has said what is wrong. owns: client_answer_fini */
bool client_ask(const command_call_t *call, trp_writer_t *request, int timeout_ms,
                client_answer_t *answer);

/** Who is told of partial answers; `part` is a member of `answer`. */
typedef struct client_parts {
    void (*on_part)(void *user, const msgpack_object *answer, const msgpack_object *part);
    void *user;
} client_parts_t;

/** The same with partial answers, NULL: without; `timeout_ms` is for each of them. */
bool client_ask_parts(const command_call_t *call, trp_writer_t *request, int timeout_ms,
                      const client_parts_t *parts, client_answer_t *answer);

/** client_ask for a verb without members. */
bool client_ask_verb(const command_call_t *call, const char *verb, client_answer_t *answer);
void client_answer_fini(client_answer_t *answer);

/** Members of a row: "" or 0 when absent or of another type. The text is kept until the next 16
 * calls. */
const char *client_text(const msgpack_object *row, const char *member);
int64_t client_int(const msgpack_object *row, const char *member);

#endif
