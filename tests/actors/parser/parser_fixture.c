/* SPDX-License-Identifier: MIT */
#include "tests/actors/parser/parser_fixture.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const parser_form_t fixture_everything = {.depth_max = INT64_MAX, .nodes_max = INT64_MAX};

parser_grammar_t *fixture_grammar(const char *id)
{
    static parser_grammar_t open[PARSER_LANGUAGES];
    char folder[PARSER_PATH_MAX], fault[PARSER_FAULT_MAX];
    const parser_language_t *language = parser_language_by_id(fixture_text(id));

    cr_assert_not_null(language, "no language %s", id);
    parser_grammar_t *grammar = &open[language - parser_languages];
    if (grammar->parser == NULL) {
        parser_grammar_folder(folder);
        cr_assert_eq(parser_grammar_open(grammar, language, folder, fault), TRP_OK, "%s", fault);
    }
    return grammar;
}

TSTree *fixture_parse(const char *id, trp_text_t code)
{
    const parser_limits_t limits = {.memory_max_bytes = (int64_t)1 << 32};
    TSTree *tree;

    cr_assert_eq(parser_grammar_parse(fixture_grammar(id), code, &limits, &tree), TRP_OK);
    return tree;
}

trp_text_t fixture_text(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

trp_text_t fixture_repeat(const char *piece, size_t count)
{
    size_t size = strlen(piece);
    char *data = malloc(size * count + 1);

    cr_assert_not_null(data);
    for (size_t i = 0; i < count; i++) {
        memcpy(data + i * size, piece, size);
    }
    return (trp_text_t){data, size * count};
}

trp_text_t fixture_file(const char *path)
{
    char *data = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return (trp_text_t){NULL, 0};
    }
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    size = (size_t)ftell(file);
    rewind(file);
    data = malloc(size + 1);
    cr_assert_not_null(data);
    cr_assert_eq(fread(data, 1, size, file), size);
    (void)fclose(file);
    return (trp_text_t){data, size};
}

char *fixture_sexp(const TSTree *tree, trp_text_t code)
{
    parser_text_t text;
    bool truncated;

    parser_text_init(&text, SIZE_MAX / 2);
    cr_assert_eq(parser_write_sexp(tree, code, &fixture_everything, &text, &truncated), TRP_OK);
    cr_assert_not(truncated);
    parser_text_add(&text, "", 1);
    return text.data;
}
