/* SPDX-License-Identifier: MIT */
/* A kind of worker, to be copied; each step of CONTRIBUTING.md is marked. It is run by
 *     build/examples/words run examples/words/words.conf
 *     build/examples/words call words_count '{"text": "one two", "least": 4}' */
#include "actors/router/intake.h"
#include "actors/router/router.h"
#include "actors/tool.h"

/* 1. The request: struct, validation, JSON and documentation come of this table. */
#define WORDS_COUNT_FIELDS(F)                  \
    F(STRING, text, _, 0, 1048576, "the text") \
    F(OPT_INT, least, _, 1, 100, "letters of a word; default 1")

TRP_SCHEMA_DECLARE(words_count, WORDS_COUNT_FIELDS)
TRP_SCHEMA_DEFINE(words_count, 0, 0, WORDS_COUNT_FIELDS, "counts the words of a text")

/* 2. The tool: gets the request, validated; writes one value, or fails with a code. */
static trp_status_t count_words(tool_call_t *call, const void *request)
{
    const words_count_t *wish = request;
    int64_t least = wish->has_least ? wish->least : 1, words = 0, letters = 0;
    for (size_t i = 0; i <= wish->text.size; i++) {
        if (i < wish->text.size && (unsigned char)wish->text.data[i] > ' ') {
            letters++;
        } else {
            words += letters >= least;
            letters = 0;
        }
    }
    if (words == 0) {
        return tool_fail(call, "E_NO_WORDS", "no word has %lld letters", (long long)least);
    }
    trp_write_map(&call->result, 1);
    trp_put_int(&call->result, "words", words);
    return TRP_OK;
}

static const tool_t tools[] = {{"words_count", &words_count_schema, count_words}};
static const tool_table_t table = {.tools = tools, .count = 1};

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    trp_status_t status = tool_serve(ctx, state, message, &table);
    return status == TRP_UNSUPPORTED ? TRP_OK : status; /* no task: nothing for us */
}

static const trp_schema_t *const messages[] = {&task_run_schema, &words_count_schema, NULL};

/* 3. The class. `version` is part of the cache's key: raise it when results change. */
static const trp_class_t words_class = {.name = "words",
                                        .version = 1,
                                        .receive = receive,
                                        .messages = messages,
                                        .answers = tool_answers};

int main(int argc, char **argv)
{
    return trp_main(argc, argv,
                    (const trp_class_t *const[]){&router_class, &intake_class, &words_class, NULL});
}
