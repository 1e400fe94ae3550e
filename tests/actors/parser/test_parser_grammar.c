/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/actors/parser/parser_fixture.h"

Test(parser_grammar, each_tells_its_version_and_an_abi_that_the_library_knows)
{
    for (size_t i = 0; i < PARSER_LANGUAGES; i++) {
        const parser_grammar_t *grammar = fixture_grammar(parser_languages[i].id);

        cr_expect_eq(strspn(grammar->version, "0123456789."), strlen(grammar->version));
        cr_expect_gt(strlen(grammar->version), 4u, "%s", parser_languages[i].id);
        cr_expect_geq(grammar->abi, TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION);
        cr_expect_leq(grammar->abi, TREE_SITTER_LANGUAGE_VERSION);
    }
}

Test(parser_grammar, a_missing_file_is_named_with_the_command_that_makes_it)
{
    parser_grammar_t grammar;
    char fault[PARSER_FAULT_MAX];

    trp_status_t status =
        parser_grammar_open(&grammar, parser_language_by_id(fixture_text("go")), "/nowhere", fault);

    cr_expect_eq(status, TRP_NOT_FOUND);
    cr_expect_not_null(strstr(fault, "/nowhere/go.so"));
    cr_expect_not_null(strstr(fault, "./dev build"));
    parser_grammar_close(&grammar);
}

static void expect_unsupported(const char *folder)
{
    parser_grammar_t grammar;
    char fault[PARSER_FAULT_MAX];

    trp_status_t status =
        parser_grammar_open(&grammar, parser_language_by_id(fixture_text("go")), folder, fault);

    cr_expect_eq(status, TRP_UNSUPPORTED);
    cr_expect_not_null(strstr(fault, folder), "%s", fault);
    cr_expect_not_null(strstr(fault, "./dev build"), "%s", fault);
    parser_grammar_close(&grammar);
}

Test(parser_grammar, a_file_that_is_no_grammar_is_refused)
{
    char folder[] = "/tmp/troupe-grammar-XXXXXX", path[128], real[PARSER_PATH_MAX];
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/go.so", folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs("no shared object", file);
    (void)fclose(file);

    expect_unsupported(folder);
    cr_assert_eq(unlink(path), 0);
    parser_grammar_folder(real);
    (void)strncat(real, "/json.so", sizeof(real) - strlen(real) - 1);
    cr_assert_eq(symlink(real, path), 0); /* a grammar, but of another language */
    expect_unsupported(folder);

    (void)unlink(path);
    (void)rmdir(folder);
}

Test(parser_grammar, the_environment_names_the_folder)
{
    char folder[PARSER_PATH_MAX];

    (void)setenv("TROUPE_GRAMMARS", "/some/where", 1);
    parser_grammar_folder(folder);
    (void)unsetenv("TROUPE_GRAMMARS");

    cr_expect_str_eq(folder, "/some/where");
}

static bool stop_at_once(void *arg)
{
    ++*(int *)arg;
    return true;
}

Test(parser_grammar, a_parse_that_is_stopped_leaves_the_parser_fit_for_the_next)
{
    trp_text_t code = fixture_repeat("int f(void) { return 1 + (2 * 3); }\n", 2000);
    parser_grammar_t *grammar = fixture_grammar("c");
    int asked = 0;
    const parser_limits_t limits = {INT64_MAX, stop_at_once, &asked};
    TSTree *tree;

    trp_status_t status = parser_grammar_parse(grammar, code, &limits, &tree);

    cr_expect_eq(status, TRP_TIMEOUT);
    cr_expect_null(tree);
    cr_expect_eq(asked, 1);
    tree = fixture_parse("c", fixture_text("int x;"));
    cr_expect_eq(ts_node_end_byte(ts_tree_root_node(tree)), 6);
    ts_tree_delete(tree);
    free((char *)code.data);
}

Test(parser_grammar, a_parse_over_its_memory_is_ended_and_its_memory_given_back)
{
    const int64_t cap = (int64_t)4 << 20;
    trp_text_t code = fixture_repeat("(", 1 << 20);
    parser_grammar_t *grammar = fixture_grammar("javascript");
    const parser_limits_t limits = {.memory_max_bytes = cap};
    TSTree *tree;

    trp_status_t status = parser_grammar_parse(grammar, code, &limits, &tree);

    cr_expect_eq(status, TRP_TOO_LARGE);
    cr_expect_null(tree);
    tree = fixture_parse("javascript", fixture_text("1;"));
    cr_expect_not(ts_node_has_error(ts_tree_root_node(tree)));
    ts_tree_delete(tree);
    free((char *)code.data);
}

Test(parser_grammar, a_byte_order_mark_is_skipped_and_its_bytes_count)
{
    TSTree *tree = fixture_parse("javascript", fixture_text("\xEF\xBB\xBFx;"));

    TSNode statement = ts_node_child(ts_tree_root_node(tree), 0);

    cr_expect_not(ts_node_has_error(ts_tree_root_node(tree)));
    cr_expect_eq(ts_node_start_byte(statement), 3);
    cr_expect_eq(ts_node_start_point(statement).column, 3);
    ts_tree_delete(tree);
}

Test(parser_grammar, a_nul_in_the_text_is_text_and_not_its_end)
{
    static const char code[] = "x = '\0';\ny = 2;";

    TSTree *tree = fixture_parse("javascript", (trp_text_t){code, sizeof(code) - 1});

    cr_expect_eq(ts_node_end_byte(ts_tree_root_node(tree)), sizeof(code) - 1);
    cr_expect_eq(ts_node_named_child_count(ts_tree_root_node(tree)), 2);
    ts_tree_delete(tree);
}
