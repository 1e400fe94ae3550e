/* SPDX-License-Identifier: MIT */
#include "actors/parser/parser_grammar.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/parser/parser_meter.h"

#define FOLDERS_ABOVE 2 /* build/asan/tests/unit finds build/grammars */

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void parser_grammar_folder(char folder[PARSER_PATH_MAX])
{
    const char *named = getenv("TROUPE_GRAMMARS");
    char program[PATH_MAX];

    if (named != NULL && *named != '\0') {
        (void)snprintf(folder, PARSER_PATH_MAX, "%s", named);
        return;
    }

    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[size > 0 ? size : 0] = '\0';
    folder[0] = '\0';
    for (int above = 0; above <= FOLDERS_ABOVE; above++) {
        char *slash = strrchr(program, '/');
        if (slash == NULL) {
            break;
        }
        *slash = '\0';

        char candidate[PARSER_PATH_MAX];
        int length = snprintf(candidate, sizeof(candidate), "%s/grammars", program);
        bool fits = length > 0 && length < (int)sizeof(candidate);
        if (fits && (folder[0] == '\0' || is_folder(candidate))) {
            memcpy(folder, candidate,
                   sizeof(candidate)); /* the first one is named when none is there */
            if (is_folder(candidate)) {
                return;
            }
        }
    }
}

/* The version is a text in the object; what comes from elsewhere may have none but the numbers of
 * ABI 15. */
static void note_version(parser_grammar_t *grammar)
{
    const char *version = dlsym(grammar->object, "trp_grammar_version");
    const TSLanguageMetadata *numbers = ts_language_metadata(grammar->table);

    if (version != NULL) {
        (void)snprintf(grammar->version, sizeof(grammar->version), "%s", version);
    } else if (numbers != NULL) {
        (void)snprintf(grammar->version, sizeof(grammar->version), "%d.%d.%d",
                       numbers->major_version, numbers->minor_version, numbers->patch_version);
    }
    grammar->abi = ts_language_abi_version(grammar->table);
}

/* Finds the language in an open object and makes its parser. */
static trp_status_t attach(parser_grammar_t *grammar, const char *path,
                           char fault[PARSER_FAULT_MAX])
{
    char symbol[64];
    const TSLanguage *(*language)(void) = NULL;

    (void)snprintf(symbol, sizeof(symbol), "tree_sitter_%s", grammar->language->id);
    *(void **)&language = dlsym(grammar->object, symbol); /* POSIX's way round a cast ISO C lacks */
    if (language == NULL) {
        (void)snprintf(fault, PARSER_FAULT_MAX,
                       "%s is no grammar of %s; ./dev build makes the right one", path,
                       grammar->language->id);
        return TRP_UNSUPPORTED;
    }
    grammar->table = language();
    note_version(grammar);
    grammar->parser = ts_parser_new();
    if (!ts_parser_set_language(grammar->parser, grammar->table)) {
        (void)snprintf(fault, PARSER_FAULT_MAX,
                       "%s has ABI %u, and this parser knows %d to %d; ./dev build makes it anew",
                       path, grammar->abi, TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION,
                       TREE_SITTER_LANGUAGE_VERSION);
        return TRP_UNSUPPORTED;
    }
    return TRP_OK;
}

trp_status_t parser_grammar_open(parser_grammar_t *grammar, const parser_language_t *language,
                                 const char *folder, char fault[PARSER_FAULT_MAX])
{
    char path[PARSER_PATH_MAX + 64];

    parser_meter_install();
    *grammar = (parser_grammar_t){.language = language};
    fault[0] = '\0';
    (void)snprintf(path, sizeof(path), "%s/%s.so", folder, language->id);
    if (access(path, R_OK) != 0) {
        (void)snprintf(fault, PARSER_FAULT_MAX,
                       "the grammar %s is not there (%s); ./dev build makes it", path,
                       strerror(errno));
        return TRP_NOT_FOUND;
    }
    grammar->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (grammar->object == NULL) {
        (void)snprintf(fault, PARSER_FAULT_MAX, "%s; ./dev build makes it anew", dlerror());
        return TRP_UNSUPPORTED;
    }

    trp_status_t status = attach(grammar, path, fault);
    if (status != TRP_OK) {
        parser_grammar_close(grammar);
    }
    return status;
}

void parser_grammar_close(parser_grammar_t *grammar)
{
    if (grammar->parser != NULL) {
        ts_parser_delete(grammar->parser);
    }
    if (grammar->object != NULL) {
        (void)dlclose(grammar->object);
    }
    *grammar = (parser_grammar_t){.language = NULL};
}

/* What the callbacks of one parse share. */
struct progress {
    trp_text_t code;
    const parser_limits_t *limits;
    parser_meter_t meter;
    trp_status_t stopped; /* TRP_OK while it goes on */
};

static const char *read_code(void *arg, uint32_t at, TSPoint point, uint32_t *size)
{
    const struct progress *progress = arg;

    (void)point;
    if (at >= progress->code.size) {
        *size = 0;
        return "";
    }
    *size = (uint32_t)progress->code.size - at;
    return progress->code.data + at;
}

/* Called each 100 operations of the parser; true cancels. */
static bool is_over(TSParseState *state)
{
    struct progress *progress = state->payload;
    const parser_limits_t *limits = progress->limits;

    if (progress->meter.used_bytes > limits->memory_max_bytes) {
        progress->stopped = TRP_TOO_LARGE;
    } else if (limits->stop != NULL && limits->stop(limits->arg)) {
        progress->stopped = TRP_TIMEOUT;
    }
    return progress->stopped != TRP_OK;
}

trp_status_t parser_grammar_parse(parser_grammar_t *grammar, trp_text_t code,
                                  const parser_limits_t *limits, TSTree **tree)
{
    struct progress progress = {.code = code, .limits = limits, .stopped = TRP_OK};

    *tree = NULL;
    if (code.size > UINT32_MAX / 2) {
        return TRP_TOO_LARGE;
    }
    parser_meter_begin(&progress.meter);
    *tree = ts_parser_parse_with_options(
        grammar->parser, NULL,
        (TSInput){.payload = &progress, .read = read_code, .encoding = TSInputEncodingUTF8},
        (TSParseOptions){.payload = &progress, .progress_callback = is_over});
    if (*tree == NULL) {
        ts_parser_reset(grammar->parser); /* or the next parse would go on with this one */
    }
    parser_meter_end();
    if (*tree == NULL) {
        return progress.stopped != TRP_OK ? progress.stopped : TRP_FAILED;
    }
    return TRP_OK;
}
