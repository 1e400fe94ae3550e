/* SPDX-License-Identifier: MIT */
#include "actors/parser/parser_language.h"

#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 256 /* of a first line that is looked at */

const parser_language_t parser_languages[PARSER_LANGUAGES] = {
    {"javascript", "jsx js", "js mjs cjs jsx", "node nodejs"},
    {"typescript", "ts", "ts mts cts", "deno ts-node bun"},
    {"tsx", "", "tsx", "tsx"},
    {"json", "", "json", ""},
    {"python", "py", "py pyi", "python pypy"},
    {"c", "", "c h", "tcc"},
    {"go", "golang", "go", ""},
    {"rust", "rs", "rs", "rust-script"},
};

const char *const parser_language_ids[] = {"javascript", "jsx", "typescript", "tsx",  "json",
                                           "python",     "c",   "go",         "rust", NULL};

static bool same(trp_text_t text, const char *word, size_t size)
{
    return text.size == size && size > 0 && strncasecmp(text.data, word, size) == 0;
}

/* Whether `text` is one of the words of a list. */
static bool is_listed(trp_text_t text, const char *list)
{
    while (*list != '\0') {
        size_t size = strcspn(list, " ");
        if (same(text, list, size)) {
            return true;
        }
        list += size;
        list += strspn(list, " ");
    }
    return false;
}

const parser_language_t *parser_language_by_id(trp_text_t id)
{
    for (size_t i = 0; i < PARSER_LANGUAGES; i++) {
        const parser_language_t *language = &parser_languages[i];
        if (same(id, language->id, strlen(language->id)) || is_listed(id, language->aliases)) {
            return language;
        }
    }
    return NULL;
}

/* The part of `text` behind the last of the separators; all of it when there is none. */
static trp_text_t behind_last(trp_text_t text, const char *separators)
{
    size_t at = text.size;

    while (at > 0 && strchr(separators, text.data[at - 1]) == NULL) {
        at--;
    }
    return (trp_text_t){text.data + at, text.size - at};
}

const parser_language_t *parser_language_by_filename(trp_text_t filename)
{
    trp_text_t base = behind_last(filename, "/\\");
    trp_text_t extension = behind_last(base, ".");

    if (extension.size == base.size) {
        return NULL; /* no dot */
    }
    for (size_t i = 0; i < PARSER_LANGUAGES; i++) {
        if (is_listed(extension, parser_languages[i].extensions)) {
            return &parser_languages[i];
        }
    }
    return NULL;
}

/* Takes the next word off a line. */
static trp_text_t next_word(trp_text_t *line)
{
    while (line->size > 0 && (*line->data == ' ' || *line->data == '\t')) {
        line->data++;
        line->size--;
    }

    trp_text_t word = {line->data, 0};
    while (line->size > 0 && *line->data != ' ' && *line->data != '\t') {
        line->data++;
        line->size--;
        word.size++;
    }
    return word;
}

/* The program that a line behind #! runs: past env, its options and assignments. */
static trp_text_t interpreter_of(trp_text_t line)
{
    trp_text_t name = behind_last(next_word(&line), "/");

    if (same(name, "env", 3)) {
        do {
            name = next_word(&line);
        } while (name.size > 0 && (*name.data == '-' || memchr(name.data, '=', name.size) != NULL));
        name = behind_last(name, "/");
    }
    while (name.size > 0 && strchr("0123456789.", name.data[name.size - 1]) != NULL) {
        name.size--;
    }
    return name;
}

const parser_language_t *parser_language_by_shebang(trp_text_t code)
{
    static const char mark[] = "\xEF\xBB\xBF";

    if (code.size >= 3 && memcmp(code.data, mark, 3) == 0) {
        code = (trp_text_t){code.data + 3, code.size - 3};
    }
    if (code.size < 2 || memcmp(code.data, "#!", 2) != 0) {
        return NULL;
    }

    trp_text_t line = {code.data + 2, 0};
    while (line.size < code.size - 2 && line.size < LINE_MAX_BYTES &&
           strchr("\r\n", line.data[line.size]) == NULL) {
        line.size++;
    }
    trp_text_t interpreter = interpreter_of(line);
    for (size_t i = 0; i < PARSER_LANGUAGES; i++) {
        if (is_listed(interpreter, parser_languages[i].interpreters)) {
            return &parser_languages[i];
        }
    }
    return NULL;
}
