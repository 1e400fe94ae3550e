/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/actors/parser/parser_fixture.h"

typedef trp_status_t text_writer(const TSTree *tree, trp_text_t code, const parser_form_t *form,
                                 parser_text_t *text, bool *truncated);

/* What a writer makes of a text, NUL-terminated and malloc'd. */
static char *shown(text_writer *write, const char *language, const char *source,
                   const parser_form_t *form, bool *truncated)
{
    trp_text_t code = fixture_text(source);
    TSTree *tree = fixture_parse(language, code);
    parser_text_t text;

    parser_text_init(&text, SIZE_MAX / 2);
    cr_assert_eq(write(tree, code, form, &text, truncated), TRP_OK);
    parser_text_add(&text, "", 1);
    ts_tree_delete(tree);
    return text.data;
}

static void expect_sexp(const char *source, parser_form_t form, const char *expected, bool cut)
{
    bool truncated;

    char *text = shown(parser_write_sexp, "json", source, &form, &truncated);

    cr_expect_str_eq(text, expected);
    cr_expect_eq(truncated, cut, "%s", expected);
    free(text);
}

Test(parser_write, a_sexp_is_cut_at_a_depth_and_says_so)
{
    parser_form_t form = fixture_everything;

    form.depth_max = 1;
    expect_sexp("[1, [2]]", form, "(document (array))", true);
    form.depth_max = 3;
    expect_sexp("[1, [2]]", form, "(document (array (number) (array (number))))", false);
    form.depth_max = 0;
    expect_sexp("", form, "(document)", false);
}

Test(parser_write, a_sexp_is_cut_after_so_many_nodes_and_says_so)
{
    parser_form_t form = fixture_everything;

    form.nodes_max = 3;
    expect_sexp("[1, [2], 3]", form, "(document (array (number)))", true);
    form.nodes_max = 6;
    expect_sexp("[1, [2], 3]", form, "(document (array (number) (array (number)) (number)))",
                false);
}

Test(parser_write, a_sexp_shows_ranges_and_text_when_asked_to)
{
    parser_form_t form = fixture_everything;

    form.ranges = true;
    form.include_text = true;

    expect_sexp(
        "[\n 12]", form,
        "(document [0, 0] - [1, 4] (array [0, 0] - [1, 4] (number [1, 1] - [1, 3] \"12\")))",
        false);
}

Test(parser_write, a_text_over_its_bound_is_refused_by_every_writer)
{
    trp_text_t code = fixture_text("{\"a\": [1, 2, 3]}");
    TSTree *tree = fixture_parse("json", code);
    parser_form_t form = fixture_everything;
    parser_text_t text;
    trp_writer_t writer;
    bool truncated;

    parser_text_init(&text, 20);
    cr_expect_eq(parser_write_sexp(tree, code, &form, &text, &truncated), TRP_TOO_LARGE);
    parser_text_fini(&text);
    parser_text_init(&text, 5);
    cr_expect_eq(parser_write_outline(tree, code, &form, &text, &truncated), TRP_TOO_LARGE);
    parser_text_fini(&text);
    form.size_max = 50;
    trp_writer_init(&writer);
    cr_expect_eq(parser_write_json(tree, code, &form, &writer, &truncated), TRP_TOO_LARGE);
    trp_writer_fini(&writer);
    ts_tree_delete(tree);
}

static void expect_json(const char *source, parser_form_t form, const char *expected, bool cut)
{
    trp_text_t code = fixture_text(source);
    TSTree *tree = fixture_parse("javascript", code);
    trp_writer_t writer;
    bool truncated = !cut;
    char *json = NULL;
    size_t size = 0, json_size = 0;

    form.size_max = SIZE_MAX / 2;
    trp_writer_init(&writer);
    cr_assert_eq(parser_write_json(tree, code, &form, &writer, &truncated), TRP_OK);
    const void *data = trp_writer_data(&writer, &size);
    cr_assert_eq(trp_json_from_msgpack(data, size, &json, &json_size), TRP_OK);

    cr_expect_str_eq(json, expected);
    cr_expect_eq(truncated, cut, "%s", expected);
    free(json);
    trp_writer_fini(&writer);
    ts_tree_delete(tree);
}

Test(parser_write, json_has_type_field_range_and_children_of_every_node)
{
    parser_form_t form = fixture_everything;

    form.ranges = true;

    expect_json("x;", form,
                "{\"t\":\"program\",\"s\":[0,0,0],\"e\":[0,2,2],\"c\":["
                "{\"t\":\"expression_statement\",\"s\":[0,0,0],\"e\":[0,2,2],\"c\":["
                "{\"t\":\"identifier\",\"s\":[0,0,0],\"e\":[0,1,1],\"c\":[]},"
                "{\"t\":\";\",\"s\":[0,1,1],\"e\":[0,2,2],\"c\":[]}]}]}",
                false);
}

Test(parser_write, json_leaves_out_what_the_form_leaves_out)
{
    parser_form_t form = fixture_everything;

    form.named_only = true;
    form.include_text = true;
    expect_json("a.b;", form,
                "{\"t\":\"program\",\"c\":[{\"t\":\"expression_statement\",\"c\":["
                "{\"t\":\"member_expression\",\"c\":["
                "{\"t\":\"identifier\",\"n\":\"object\",\"text\":\"a\",\"c\":[]},"
                "{\"t\":\"property_identifier\",\"n\":\"property\",\"text\":\"b\",\"c\":[]}]}]}]}",
                false);
    form.include_text = false;
    form.depth_max = 1;
    expect_json("a.b; c;", form,
                "{\"t\":\"program\",\"c\":[{\"t\":\"expression_statement\",\"c\":[]},"
                "{\"t\":\"expression_statement\",\"c\":[]}]}",
                true);
    form.depth_max = INT64_MAX;
    form.nodes_max = 2;
    expect_json("a.b; c;", form,
                "{\"t\":\"program\",\"c\":[{\"t\":\"expression_statement\",\"c\":[]}]}", true);
}

Test(parser_write, json_marks_what_is_missing)
{
    expect_json("if (1 {}", fixture_everything,
                "{\"t\":\"program\",\"c\":[{\"t\":\"if_statement\",\"c\":[{\"t\":\"if\",\"c\":[]},"
                "{\"t\":\"parenthesized_expression\",\"n\":\"condition\",\"c\":["
                "{\"t\":\"(\",\"c\":[]},{\"t\":\"number\",\"c\":[]},"
                "{\"t\":\")\",\"missing\":true,\"c\":[]}]},"
                "{\"t\":\"statement_block\",\"n\":\"consequence\",\"c\":["
                "{\"t\":\"{\",\"c\":[]},{\"t\":\"}\",\"c\":[]}]}]}]}",
                false);
}

Test(parser_write, json_of_everything_counts_as_many_nodes_as_the_tree)
{
    trp_text_t code = fixture_file("actors/parser/parser_json.c");
    cr_assert_not_null(code.data);
    TSTree *tree = fixture_parse("c", code);
    parser_form_t form = fixture_everything;
    trp_writer_t writer;
    bool truncated;
    char *json = NULL;
    size_t size = 0, json_size = 0, nodes = 0;

    form.size_max = SIZE_MAX / 2;
    trp_writer_init(&writer);
    cr_assert_eq(parser_write_json(tree, code, &form, &writer, &truncated), TRP_OK);
    const void *data = trp_writer_data(&writer, &size);
    cr_assert_eq(trp_json_from_msgpack(data, size, &json, &json_size), TRP_OK);
    for (const char *at = json; (at = strstr(at, "{\"t\":")) != NULL; at++) {
        nodes++;
    }

    cr_expect_eq(nodes, ts_node_descendant_count(ts_tree_root_node(tree)));
    free(json);
    trp_writer_fini(&writer);
    ts_tree_delete(tree);
    free((char *)code.data);
}

static void expect_outline(const char *language, const char *source, const char *expected)
{
    bool truncated;

    char *text = shown(parser_write_outline, language, source, &fixture_everything, &truncated);

    cr_expect_str_eq(text, expected);
    cr_expect_not(truncated);
    free(text);
}

Test(parser_write, an_outline_shows_what_a_text_declares_and_how_it_nests)
{
    expect_outline("javascript", "const a = 1; class B { m() { const c = 2; function d() {} } }",
                   "variable_declarator a\nclass_declaration B\n  method_definition m\n"
                   "    function_declaration d\n");
    expect_outline("typescript", "interface I { m(): void } enum E { A } type T = I;",
                   "interface_declaration I\n  method_signature m\nenum_declaration E\n"
                   "type_alias_declaration T\n");
    expect_outline("python", "class A:\n  def f(self):\n    x = 1\n",
                   "class_definition A\n  function_definition f\n");
    expect_outline("c",
                   "struct s { int x; };\n#define M 1\nstatic int *f(struct s *p) { int y; }\n",
                   "struct_specifier s\npreproc_def M\nfunction_definition f\n");
    expect_outline("go", "package p\ntype T struct{}\nfunc (t T) M() {}\nfunc f() {}\n",
                   "type_spec T\nmethod_declaration M\nfunction_declaration f\n");
    expect_outline("rust", "struct S; impl S { fn f() {} } mod m { const C: u8 = 1; }",
                   "struct_item S\nimpl_item S\n  function_item f\nmod_item m\n");
    expect_outline("json", "{\"a\": {\"b\": 1}}", "pair \"a\"\n  pair \"b\"\n");
    expect_outline("json", "", "");
}

Test(parser_write, an_outline_is_cut_by_depth_and_by_count_and_says_so)
{
    parser_form_t form = fixture_everything;
    bool truncated;

    form.depth_max = 0;
    form.ranges = true;
    char *text = shown(parser_write_outline, "json", "{\"a\": {\"b\": 1}}", &form, &truncated);

    cr_expect_str_eq(text, "pair \"a\" 0:1-0:14\n");
    cr_expect(truncated);
    free(text);
    form.depth_max = INT64_MAX;
    form.nodes_max = 1;
    text = shown(parser_write_outline, "json", "{\"a\": {\"b\": 1}}", &form, &truncated);
    cr_expect_str_eq(text, "pair \"a\" 0:1-0:14\n");
    cr_expect(truncated);
    free(text);
}
