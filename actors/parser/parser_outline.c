/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "actors/parser/parser_write.h"

#define NAME_MAX_BYTES 120 /* of a name that is shown */

/* Which node types declare something. */
static const struct kind {
    const char *type;
    bool outer_only; /* shown only outside of other declarations: not the variables of functions */
    bool with_body;  /* without one it is a use, not a declaration */
} kinds[] = {
    {"abstract_class_declaration", false, false},
    {"abstract_method_signature", false, false},
    {"class_declaration", false, false},
    {"class_definition", false, false},
    {"const_item", true, false},
    {"const_spec", true, false},
    {"declaration", true, false},
    {"enum_declaration", false, false},
    {"enum_item", false, false},
    {"enum_specifier", false, true},
    {"function_declaration", false, false},
    {"function_definition", false, false},
    {"function_item", false, false},
    {"function_signature", false, false},
    {"function_signature_item", false, false},
    {"generator_function_declaration", false, false},
    {"impl_item", false, false},
    {"interface_declaration", false, false},
    {"internal_module", false, false},
    {"macro_definition", false, false},
    {"method_declaration", false, false},
    {"method_definition", false, false},
    {"method_elem", false, false},
    {"method_signature", false, false},
    {"mod_item", false, false},
    {"pair", false, false}, /* JSON's; see find_kind */
    {"preproc_def", true, false},
    {"preproc_function_def", true, false},
    {"public_field_definition", false, false},
    {"static_item", true, false},
    {"struct_item", false, false},
    {"struct_specifier", false, true},
    {"trait_item", false, false},
    {"type_alias", false, false},
    {"type_alias_declaration", false, false},
    {"type_definition", true, false},
    {"type_item", false, false},
    {"type_spec", false, false},
    {"union_item", false, false},
    {"union_specifier", false, true},
    {"var_spec", true, false},
    {"variable_declarator", true, false},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct walk {
    trp_text_t code;
    const parser_form_t *form;
    parser_text_t *text;
    TSTreeCursor cursor;
    int64_t depth;   /* of the cursor */
    int64_t *opened; /* depths of the declarations around the cursor's node */
    size_t count, capacity;
    int64_t nodes;               /* lines written */
    const struct kind **kind_of; /* by symbol; NULL: declares nothing */
    uint32_t symbols;
    bool truncated;
};

static int compare_kind(const void *key, const void *row)
{
    return strcmp(key, ((const struct kind *)row)->type);
}

/* Looks the language's symbols up in the table once, so that a node costs one access. */
static bool find_kinds(struct walk *walk, const TSLanguage *language)
{
    bool is_json = ts_language_symbol_for_name(language, "document", 8, true) != 0;

    walk->symbols = ts_language_symbol_count(language);
    walk->kind_of = calloc(walk->symbols, sizeof(const struct kind *));
    if (walk->kind_of == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < walk->symbols; i++) {
        const char *name = ts_language_symbol_name(language, (TSSymbol)i);
        bool is_named = ts_language_symbol_type(language, (TSSymbol)i) == TSSymbolTypeRegular;
        if (is_named && (is_json || strcmp(name, "pair") != 0)) {
            walk->kind_of[i] = bsearch(name, kinds, KINDS, sizeof(kinds[0]), compare_kind);
        }
    }
    return true;
}

static TSNode child_of(TSNode node, const char *field)
{
    return ts_node_child_by_field_name(node, field, (uint32_t)strlen(field));
}

/* What a declaration names: a null node when nothing. C hides it under nested declarators. */
static TSNode name_of(TSNode node)
{
    static const char *const fields[] = {"name", "key", "declarator", "type"};
    TSNode name = child_of(node, fields[0]);

    for (size_t i = 1; ts_node_is_null(name) && i < sizeof(fields) / sizeof(fields[0]); i++) {
        name = child_of(node, fields[i]);
    }
    while (!ts_node_is_null(name)) {
        TSNode inner = child_of(name, "declarator");
        if (ts_node_is_null(inner)) {
            break;
        }
        name = inner;
    }
    return name;
}

static void put_point(parser_text_t *text, TSPoint point)
{
    parser_text_number(text, point.row);
    parser_text_put(text, ":");
    parser_text_number(text, point.column);
}

/* A name on one line, cut between characters. */
static void put_name(struct walk *walk, TSNode name)
{
    const char *data = walk->code.data + ts_node_start_byte(name);
    size_t size = ts_node_end_byte(name) - ts_node_start_byte(name);

    if (size > NAME_MAX_BYTES) {
        size = NAME_MAX_BYTES;
        while (size > 0 && ((unsigned char)data[size] & 0xC0) == 0x80) {
            size--;
        }
    }
    for (size_t i = 0; i < size; i++) {
        char byte = (unsigned char)data[i] < 0x20 ? ' ' : data[i];
        parser_text_add(walk->text, &byte, 1);
    }
}

static void put_line(struct walk *walk, TSNode node, TSNode name)
{
    for (size_t i = 0; i < walk->count; i++) {
        parser_text_put(walk->text, "  ");
    }
    parser_text_put(walk->text, ts_node_type(node));
    parser_text_put(walk->text, " ");
    put_name(walk, name);
    if (walk->form->ranges) {
        parser_text_put(walk->text, " ");
        put_point(walk->text, ts_node_start_point(node));
        parser_text_put(walk->text, "-");
        put_point(walk->text, ts_node_end_point(node));
    }
    parser_text_put(walk->text, "\n");
}

static void open_level(struct walk *walk)
{
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity > 0 ? walk->capacity * 2 : 16;
        int64_t *opened = realloc(walk->opened, capacity * sizeof(*opened));
        if (opened == NULL) {
            walk->text->status = TRP_NO_MEMORY;
            return;
        }
        walk->opened = opened;
        walk->capacity = capacity;
    }
    walk->opened[walk->count++] = walk->depth;
}

static void visit(struct walk *walk)
{
    TSNode node = ts_tree_cursor_current_node(&walk->cursor);
    TSSymbol symbol = ts_node_grammar_symbol(node);

    while (walk->count > 0 && walk->opened[walk->count - 1] >= walk->depth) {
        walk->count--;
    }
    const struct kind *kind = symbol < walk->symbols ? walk->kind_of[symbol] : NULL;
    if (kind == NULL || (kind->outer_only && walk->count > 0) ||
        (kind->with_body && ts_node_is_null(child_of(node, "body")))) {
        return;
    }
    TSNode name = name_of(node);
    if (ts_node_is_null(name)) {
        return;
    }
    if ((int64_t)walk->count > walk->form->depth_max || walk->nodes >= walk->form->nodes_max) {
        walk->truncated = true;
        return;
    }
    put_line(walk, node, name);
    walk->nodes++;
    open_level(walk);
}

/* Moves to the next node in order of the text. */
static bool advance(struct walk *walk)
{
    if (ts_tree_cursor_goto_first_child(&walk->cursor)) {
        walk->depth++;
        return true;
    }
    while (!ts_tree_cursor_goto_next_sibling(&walk->cursor)) {
        if (!ts_tree_cursor_goto_parent(&walk->cursor)) {
            return false;
        }
        walk->depth--;
    }
    return true;
}

trp_status_t parser_write_outline(const TSTree *tree, trp_text_t code, const parser_form_t *form,
                                  parser_text_t *text, bool *truncated)
{
    struct walk walk = {.code = code, .form = form, .text = text};
    uint32_t steps = 0;

    *truncated = false;
    if (!find_kinds(&walk, ts_tree_language(tree))) {
        return TRP_NO_MEMORY;
    }
    walk.cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
    do {
        visit(&walk);
        if (parser_form_is_over(form, &steps)) {
            text->status = TRP_TIMEOUT;
        }
    } while (text->status == TRP_OK && advance(&walk));
    ts_tree_cursor_delete(&walk.cursor);
    free(walk.opened);
    free(walk.kind_of);
    *truncated = walk.truncated;
    return text->status;
}
