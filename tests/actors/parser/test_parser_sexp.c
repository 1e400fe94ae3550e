/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/actors/parser/parser_fixture.h"

#define DEEP 100000 /* the library's own printer overflows at 30 000 */

static const struct sample {
    const char *language, *code, *sexp;
} samples[] = {
    {"javascript", "const x = 1;",
     "(program (lexical_declaration (variable_declarator name: (identifier) value: (number))))"},
    {"jsx", "<a b={c}/>;",
     "(program (expression_statement (jsx_self_closing_element name: (identifier) attribute: "
     "(jsx_attribute (property_identifier) (jsx_expression (identifier))))))"},
    {"typescript", "let x: number;",
     "(program (lexical_declaration (variable_declarator name: (identifier) type: "
     "(type_annotation (predefined_type)))))"},
    {"tsx", "let x = <T,>(y: T) => <p>{y}</p>;", NULL},
    {"json", "{\"a\": [1, null]}",
     "(document (object (pair key: (string (string_content)) value: (array (number) (null)))))"},
    {"python", "def f(x):\n    return x\n",
     "(module (function_definition name: (identifier) parameters: (parameters (identifier)) body: "
     "(block (return_statement (identifier)))))"},
    {"c", "int x;",
     "(translation_unit (declaration type: (primitive_type) declarator: (identifier)))"},
    {"go", "package main\n", "(source_file (package_clause (package_identifier)))"},
    {"rust", "fn f() {}\n",
     "(source_file (function_item name: (identifier) parameters: (parameters) body: (block)))"},
};

Test(parser_sexp, every_language_parses_a_small_sample_without_an_error)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        trp_text_t code = fixture_text(samples[i].code);

        TSTree *tree = fixture_parse(samples[i].language, code);

        cr_expect_not(ts_node_has_error(ts_tree_root_node(tree)), "%s", samples[i].language);
        char *sexp = fixture_sexp(tree, code);
        if (samples[i].sexp != NULL) {
            cr_expect_str_eq(sexp, samples[i].sexp);
        }
        free(sexp);
        ts_tree_delete(tree);
    }
}

static void expect_as_the_library(const char *language, trp_text_t code, const char *what)
{
    TSTree *tree = fixture_parse(language, code);
    char *expected = ts_node_string(ts_tree_root_node(tree));

    char *sexp = fixture_sexp(tree, code);

    cr_expect(strcmp(sexp, expected) == 0, "%s: %s: differs from the library's printer", language,
              what);
    free(sexp);
    ts_tree_delete(tree);
    free(expected);
}

static const struct file {
    const char *language, *path;
} files[] = {
    {"c", "messages/schema.h"},
    {"c", "messages/status.c"},
    {"c", "runtime/troupe.h"},
    {"c", "actors/parser/parser_sexp.c"},
    {"c", "vendor/tree-sitter/vendor/tree-sitter/lib/src/parser.c"},
    {"c", "vendor/tree-sitter/vendor/tree-sitter/lib/src/query.c"},
    {"javascript", "vendor/tree-sitter/index.js"},
    {"javascript", "vendor/tree-sitter-javascript/grammar.js"},
    {"javascript", "vendor/tree-sitter-rust/grammar.js"},
    {"typescript", "vendor/tree-sitter/tree-sitter.d.ts"},
    {"tsx", "vendor/tree-sitter/tree-sitter.d.ts"},
    {"json", "vendor/tree-sitter-c/src/grammar.json"},
    {"python", "actors/grammars/fetch.py"},
    {"python", "tests/tidy.py"},
    {"rust", "vendor/tree-sitter-rust/grammar.js"},     /* another language: all errors */
    {"go", "vendor/tree-sitter-javascript/grammar.js"}, /* the same */
    {"python", "vendor/tree-sitter/tree-sitter.d.ts"},  /* the same */
};

Test(parser_sexp, real_files_print_as_the_library_prints_them)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        trp_text_t code = fixture_file(files[i].path);
        cr_assert_not_null(code.data,
                           "%s is not there: tests run in the project's folder, after "
                           "./dev build",
                           files[i].path);

        expect_as_the_library(files[i].language, code, files[i].path);

        free((char *)code.data);
    }
}

Test(parser_sexp, every_beginning_of_a_sample_prints_as_the_library_prints_it)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        for (size_t size = 0; size <= strlen(samples[i].code); size++) {
            trp_text_t code = {samples[i].code, size};

            expect_as_the_library(samples[i].language, code, "cut off");
        }
    }
}

/* A small generator of its own: the same mutations on every machine. */
static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Cuts, doubles and overwrites spans of ASCII text. */
static void mutate(char *data, size_t *size, uint64_t *state)
{
    static const char alphabet[] = "{}()[]<>;:,.\"'`=+-*/\\#@ \n\tax0$";

    for (int change = 0; change < 8 && *size > 64; change++) {
        size_t at = next_random(state) % (*size - 32);
        size_t length = 1 + next_random(state) % 16;
        switch (next_random(state) % 3) {
        case 0:
            memmove(data + at, data + at + length, *size - at - length);
            *size -= length;
            break;
        case 1:
            memmove(data + at, data + next_random(state) % (*size - 32), length);
            break;
        default:
            for (size_t i = 0; i < length; i++) {
                data[at + i] = alphabet[next_random(state) % (sizeof(alphabet) - 1)];
            }
        }
    }
}

Test(parser_sexp, broken_text_prints_as_the_library_prints_it)
{
    static const struct file sources[] = {
        {"c", "messages/status.c"},
        {"javascript", "vendor/tree-sitter-json/grammar.js"},
        {"typescript", "vendor/tree-sitter-json/bindings/node/index.d.ts"},
        {"tsx", "vendor/tree-sitter-json/bindings/node/index.d.ts"},
        {"json", "vendor/tree-sitter-json/package.json"},
        {"python", "actors/grammars/fetch.py"},
        {"go", "vendor/tree-sitter-json/grammar.js"},
        {"rust", "vendor/tree-sitter-json/grammar.js"},
    };
    uint64_t state = 42;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        trp_text_t code = fixture_file(sources[i].path);
        cr_assert_not_null(code.data, "%s", sources[i].path);
        for (int round = 0; round < 20; round++) {
            char what[64];
            (void)snprintf(what, sizeof(what), "seed 42, round %d", round);

            mutate((char *)code.data, &code.size, &state);

            expect_as_the_library(sources[i].language, code, what);
        }
        free((char *)code.data);
    }
}

Test(parser_sexp, a_hundred_thousand_brackets_are_parsed_printed_and_freed)
{
    static const struct nest {
        const char *language, *open;
    } nests[] = {{"json", "["}, {"javascript", "["}, {"python", "("}};

    for (size_t i = 0; i < sizeof(nests) / sizeof(nests[0]); i++) {
        trp_text_t open = fixture_repeat(nests[i].open, DEEP);
        trp_text_t close = fixture_repeat(*nests[i].open == '[' ? "]" : ")", DEEP);
        char *data = malloc(2 * DEEP);
        memcpy(data, open.data, DEEP);
        memcpy(data + DEEP, close.data, DEEP);
        trp_text_t code = {data, 2 * DEEP};

        TSTree *tree = fixture_parse(nests[i].language, code);
        char *sexp = fixture_sexp(tree, code);

        size_t depth = 0, deepest = 0;
        for (const char *at = sexp; *at != '\0'; at++) {
            depth += *at == '(';
            deepest = depth > deepest ? depth : deepest;
            depth -= *at == ')';
        }
        cr_expect_geq(deepest, DEEP, "%s", nests[i].language);
        cr_expect_eq(depth, 0);
        free(sexp);
        ts_tree_delete(tree);
        free(data);
        free((char *)open.data);
        free((char *)close.data);
    }
}
