/* SPDX-License-Identifier: MIT */
#include "runtime/place/worker_ask.h"

#include <string.h>

#define ASK_NS 5000000000LL /* for an answer of the node, whose edge may be busy */

static trp_status_t send_ask(worker_root_t *root, const runtime_question_t *question, int64_t id)
{
    char pid[TRP_PID_TEXT_MAX];
    (void)trp_pid_format(question->pid, pid);
    const bool tells = question->what == LINK_TELL;
    const link_ask_t ask = {.id = id,
                            .what = (int)question->what,
                            .name = {question->name, strlen(question->name)},
                            .has_pid = !trp_pid_is_none(question->pid),
                            .pid = {pid, strlen(pid)},
                            .has_tag = tells,
                            .tag = question->tag,
                            .has_data = tells,
                            .data = {question->data, question->size}};
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_schema_write(&link_ask_schema, &ask, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t status =
        body == NULL ? TRP_NO_MEMORY : channel_send(&root->channel, WIRE_ASK, body, size);
    trp_writer_fini(&writer);
    return status;
}

/* In a handler, whose thread then handles what comes over the link; that only queues messages. The
 * node answers from its edge, which never waits for us. What an actor gives
 * back needs no answer. */
trp_status_t worker_ask(void *user, runtime_question_t *question)
{
    worker_root_t *root = user;
    if (root->leaving) {
        return TRP_GONE;
    }
    if (question->name[0] != '\0' && strnlen(question->name, TRP_NAME_MAX) == TRP_NAME_MAX) {
        return TRP_INVALID;
    }
    const bool asks = question->what == LINK_WHEREIS || question->what == LINK_MEMBERS;
    if (asks && root->options.wait == NULL) {
        return TRP_UNSUPPORTED;
    }
    const bool waits = question->what != LINK_LEAVE && question->what != LINK_UNREGISTER &&
                       root->options.wait != NULL;
    const int64_t id = waits ? ++root->question_id : 0;
    trp_status_t status = send_ask(root, question, id);
    if (status != TRP_OK || !waits) {
        return status;
    }
    const int64_t until_ns = runtime_now_ns(root->options.runtime) + ASK_NS;
    root->question = question;
    root->answer = TRP_TIMEOUT;
    while (root->question != NULL && !root->leaving &&
           runtime_now_ns(root->options.runtime) < until_ns) {
        root->options.wait(root->options.user, until_ns);
    }
    status = root->question == NULL ? root->answer : root->leaving ? TRP_GONE : TRP_TIMEOUT;
    root->question = NULL;
    return status;
}

trp_status_t worker_ask_answer(worker_root_t *root, const wire_reader_t *reader)
{
    trp_document_t document;
    trp_fault_t fault;
    link_answer_t answer;
    const trp_text_t body = {reader->body, reader->body_size};
    if (trp_schema_unpack(&link_answer_schema, body, &document, &answer, &fault) != TRP_OK) {
        return TRP_PROTOCOL;
    }
    runtime_question_t *question = root->question;
    if (question != NULL && answer.id == root->question_id) {
        const size_t came = answer.pids.size / sizeof(trp_pid_t);
        const size_t fits = came < question->max ? came : question->max;
        if (fits > 0) {
            memcpy(question->pids, answer.pids.data, fits * sizeof(trp_pid_t));
        }
        question->count = (size_t)answer.count;
        root->answer = (trp_status_t)answer.status;
        root->question = NULL;
    }
    trp_document_fini(&document);
    return TRP_OK;
}
