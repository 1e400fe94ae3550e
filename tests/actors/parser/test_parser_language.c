/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/parser/parser_language.h"

static const char *id_of(const parser_language_t *language)
{
    return language != NULL ? language->id : "none";
}

static trp_text_t text_of(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

struct pair {
    const char *given, *id;
};

Test(parser_language, ids_and_aliases_name_a_language_in_any_case)
{
    static const struct pair pairs[] = {
        {"javascript", "javascript"},
        {"jsx", "javascript"},
        {"js", "javascript"},
        {"JavaScript", "javascript"},
        {"typescript", "typescript"},
        {"ts", "typescript"},
        {"tsx", "tsx"},
        {"json", "json"},
        {"python", "python"},
        {"py", "python"},
        {"c", "c"},
        {"go", "go"},
        {"golang", "go"},
        {"rust", "rust"},
        {"rs", "rust"},
        {"", "none"},
        {"j", "none"},
        {"jsxx", "none"},
        {"jsx js", "none"},
        {"cobol", "none"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const parser_language_t *language = parser_language_by_id(text_of(pairs[i].given));

        cr_expect_str_eq(id_of(language), pairs[i].id, "'%s'", pairs[i].given);
    }
}

Test(parser_language, every_id_that_errors_list_is_supported)
{
    for (size_t i = 0; parser_language_ids[i] != NULL; i++) {
        cr_expect_not_null(parser_language_by_id(text_of(parser_language_ids[i])), "%s",
                           parser_language_ids[i]);
    }
}

Test(parser_language, file_names_name_a_language_by_their_ending)
{
    static const struct pair pairs[] = {
        {"a.js", "javascript"},
        {"a.mjs", "javascript"},
        {"a.cjs", "javascript"},
        {"src/a.b.jsx", "javascript"},
        {"a.ts", "typescript"},
        {"a.d.ts", "typescript"},
        {"a.mts", "typescript"},
        {"a.cts", "typescript"},
        {"a.tsx", "tsx"},
        {"a.json", "json"},
        {"a.py", "python"},
        {"a.pyi", "python"},
        {"a.c", "c"},
        {"a.h", "c"},
        {"A.H", "c"},
        {"a.go", "go"},
        {"a.rs", "rust"},
        {"C:\\x\\a.rs", "rust"},
        {"", "none"},
        {"c", "none"},
        {"a.", "none"},
        {"x.c/README", "none"},
        {"a.cpp", "none"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const parser_language_t *language = parser_language_by_filename(text_of(pairs[i].given));

        cr_expect_str_eq(id_of(language), pairs[i].id, "'%s'", pairs[i].given);
    }
}

Test(parser_language, the_first_line_names_a_language_by_its_interpreter)
{
    static const struct pair pairs[] = {
        {"#!/usr/bin/python3\n", "python"},
        {"#!/usr/bin/env python3.11\r\nx", "python"},
        {"#! /usr/bin/env -S deno run", "typescript"},
        {"#!/usr/bin/env X=1 node\n", "javascript"},
        {"\xEF\xBB\xBF#!/usr/bin/node\n", "javascript"},
        {"#!/bin/sh\npython", "none"},
        {"#!", "none"},
        {"#!\n", "none"},
        {"#!/usr/bin/env", "none"},
        {"#!/usr/bin/env -S", "none"},
        {" #!/usr/bin/node", "none"},
        {"#", "none"},
        {"", "none"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const parser_language_t *language = parser_language_by_shebang(text_of(pairs[i].given));

        cr_expect_str_eq(id_of(language), pairs[i].id, "'%s'", pairs[i].given);
    }
}
