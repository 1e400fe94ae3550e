/* SPDX-License-Identifier: MIT */
#include "runtime/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tools/tools_state.h"

#define CALLS_MAX 65536
#define LINGER_MS 500 /* for what was sent last, as a cancel, to leave */

/* ---- one thread at a time ---- */

/* Acquires what the thread before left; false: it is still in a call. What that one was shown is
 * not valid any more. */
static bool enter(trp_tools_t *tools)
{
    return !atomic_exchange_explicit(&tools->busy, true, memory_order_acquire);
}

/* Releases all of it to the thread that comes next. */
static trp_status_t leave(trp_tools_t *tools, trp_status_t status)
{
    tools_arm(tools);
    atomic_store_explicit(&tools->busy, false, memory_order_release);
    return status;
}

/* ---- opening and closing ---- */

static void free_tools(trp_tools_t *tools)
{
    tools_forget_shown(tools);
    while (tools->calls != NULL) {
        tools_call_free(tools, tools->calls);
    }
    if (tools->wake >= 0) {
        close(tools->wake);
        close(tools->timer);
    }
    if (tools->context != NULL && tools->owns_context) {
        zmq_ctx_term(tools->context);
    }
    free(tools->endpoint);
    free(tools);
}

static bool set_key(char to[TRP_TOOLS_KEY_SIZE], const char *key)
{
    const bool fits = key != NULL && strlen(key) == TRP_TOOLS_KEY_SIZE - 1;
    if (fits) {
        memcpy(to, key, TRP_TOOLS_KEY_SIZE);
    }
    return fits;
}

static trp_status_t set_up(trp_tools_t *tools, const char *endpoint,
                           const trp_tools_options_t *options)
{
    tools->endpoint = strdup(endpoint);
    tools->context = options->context;
    tools->owns_context = options->context == NULL;
    if (tools->owns_context) {
        tools->context = zmq_ctx_new();
    }
    if (tools->endpoint == NULL || tools->context == NULL) {
        return TRP_NO_MEMORY;
    }
    if (options->server_key != NULL && !(set_key(tools->server_key, options->server_key) &&
                                         set_key(tools->public_key, options->public_key) &&
                                         set_key(tools->secret_key, options->secret_key))) {
        return TRP_INVALID;
    }
    return tools_open_link(tools);
}

trp_status_t trp_tools_open(const char *endpoint, const trp_tools_options_t *options,
                            trp_tools_t **tools)
{
    static const trp_tools_options_t none = {.context = NULL};
    trp_tools_t *made = calloc(1, sizeof(*made));
    *tools = NULL;
    if (made == NULL) {
        return TRP_NO_MEMORY;
    }
    made->wake = -1;
    made->timer = -1;
    const trp_status_t status = set_up(made, endpoint, options == NULL ? &none : options);
    if (status == TRP_OK) {
        *tools = made;
    } else {
        free_tools(made);
    }
    return status;
}

void trp_tools_close(trp_tools_t **tools)
{
    if (*tools != NULL) {
        tools_close_link(*tools, (*tools)->joined ? LINGER_MS : 0);
        free_tools(*tools);
        *tools = NULL;
    }
}

/* A line `name = "value"` of a file of keys. */
static bool read_key(const char *text, const char *name, char key[TRP_TOOLS_KEY_SIZE])
{
    const char *at = strstr(text, name);
    const char *begin = at == NULL ? NULL : strchr(at, '"');
    const char *end = begin == NULL ? NULL : strchr(begin + 1, '"');
    const bool fits = end != NULL && end - begin == TRP_TOOLS_KEY_SIZE;
    if (fits) {
        memcpy(key, begin + 1, TRP_TOOLS_KEY_SIZE - 1);
        key[TRP_TOOLS_KEY_SIZE - 1] = '\0';
    }
    return fits;
}

trp_status_t trp_tools_read_keys(const char *file, char public_key[TRP_TOOLS_KEY_SIZE],
                                 char secret_key[TRP_TOOLS_KEY_SIZE])
{
    char text[4096];
    FILE *stream = fopen(file, "r");
    if (stream == NULL) {
        return TRP_NOT_FOUND;
    }
    const size_t size = fread(text, 1, sizeof(text) - 1, stream);
    fclose(stream);
    text[size] = '\0';
    const bool has_both =
        read_key(text, "public-key", public_key) && read_key(text, "secret-key", secret_key);
    explicit_bzero(text, sizeof(text));
    return has_both ? TRP_OK : TRP_INVALID;
}

/* ---- calls ---- */

static trp_status_t start(trp_tools_t *tools, const trp_tools_request_t *request,
                          tools_call_t **call)
{
    tools_look(tools);
    if ((request->plain && tools->calls != NULL) || tools->plain != NULL) {
        return TRP_STATE;
    }
    if (HASH_COUNT(tools->calls) >= CALLS_MAX) {
        return TRP_FULL;
    }
    if (tools->socket == NULL) { /* it could not be opened anew */
        const trp_status_t status = tools_open_link(tools);
        if (status != TRP_OK) {
            return status;
        }
    }
    const trp_status_t status = tools_call_new(tools, request, call);
    if (status != TRP_OK) {
        return status;
    }
    if (tools->refused) {
        tools_end(tools, *call, "E_KEY", "%s refused the key", tools->endpoint);
    } else if (tools->joined) {
        tools_call_send(tools, *call);
    }
    tools->is_unsent |= !(*call)->is_sent;
    return TRP_OK;
}

trp_status_t trp_tools_start(trp_tools_t *tools, const trp_tools_request_t *request, uint64_t *call)
{
    tools_call_t *made = NULL;
    if (!enter(tools)) {
        return TRP_STATE;
    }
    tools_forget_shown(tools);
    const trp_status_t status = start(tools, request, &made);
    if (status == TRP_OK) {
        *call = made->id;
    }
    return leave(tools, status);
}

static tools_call_t *find(const trp_tools_t *tools, uint64_t id)
{
    tools_call_t *call = NULL;
    HASH_FIND(hh, tools->calls, &id, sizeof(id), call);
    return call;
}

static bool has_answer(const trp_tools_t *tools, const tools_call_t *call)
{
    return call != NULL ? call->first != NULL : tools->answers != NULL;
}

/* The next answer of a call, 0: of any, until then or until a signal was handled. */
static trp_status_t next(trp_tools_t *tools, uint64_t id, int64_t until_ns,
                         const trp_tools_answer_t **answer)
{
    for (bool is_over = false;;) {
        tools_call_t *call = id == 0 ? NULL : find(tools, id);
        if (id == 0 ? tools->calls == NULL : call == NULL) {
            return TRP_NOT_FOUND;
        }
        if (has_answer(tools, call)) {
            *answer = tools_take_answer(tools, call);
            return TRP_OK;
        }
        if (is_over) {
            return TRP_TIMEOUT;
        }
        tools_turn(tools);
        if (!has_answer(tools, call)) {
            const int64_t due = tools_due_ns(tools);
            is_over =
                until_ns <= tools_now_ns() || !tools_wait(tools, due < until_ns ? due : until_ns);
        }
    }
}

trp_status_t trp_tools_next(trp_tools_t *tools, uint64_t call, int64_t timeout_ms,
                            const trp_tools_answer_t **answer)
{
    if (!enter(tools)) {
        return TRP_STATE;
    }
    const bool is_bounded = timeout_ms >= 0 && timeout_ms < TOOLS_NEVER / TOOLS_MS / 2;
    tools_forget_shown(tools);
    return leave(tools,
                 next(tools, call,
                      is_bounded ? tools_now_ns() + timeout_ms * TOOLS_MS : TOOLS_NEVER, answer));
}

trp_status_t trp_tools_call(trp_tools_t *tools, const trp_tools_request_t *request,
                            const trp_tools_answer_t **answer)
{
    tools_call_t *call = NULL;
    if (!enter(tools)) {
        return TRP_STATE;
    }
    tools_forget_shown(tools);
    trp_status_t status = start(tools, request, &call);
    const uint64_t id = status == TRP_OK ? call->id : 0;
    const trp_tools_answer_t *last = NULL;
    while (status == TRP_OK && (last == NULL || last->kind == TRP_TOOLS_PART)) {
        tools_forget_shown(tools);
        while ((status = next(tools, id, TOOLS_NEVER, &last)) == TRP_TIMEOUT) {
        } /* by a signal: its own time limit ends it */
    }
    if (status == TRP_OK) {
        *answer = last;
        status = last->kind == TRP_TOOLS_RESULT ? TRP_OK : TRP_FAILED;
    }
    return leave(tools, status);
}

trp_status_t trp_tools_cancel(trp_tools_t *tools, uint64_t id)
{
    if (!enter(tools)) {
        return TRP_STATE;
    }
    tools_call_t *call = find(tools, id);
    if (call == NULL || call->ended) {
        return leave(tools, TRP_NOT_FOUND);
    }
    tools_end_now(tools, call, "E_CANCELLED", "cancelled by its client");
    return leave(tools, TRP_OK);
}

uint64_t trp_tools_unexpected(const trp_tools_t *tools)
{
    return tools->unexpected;
}
