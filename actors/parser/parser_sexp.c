/* SPDX-License-Identifier: MIT */
/* The library's own printer is recursive and overflows the stack at 30 000 levels. A tree cursor
 * can't replace it: cursors pass over hidden nodes, and the printer shows hidden tokens that are
 * MISSING, the character of an UNEXPECTED one, and the fields of hidden parents. So this walks the
 * library's subtrees, which the pinned version makes safe and the tests compare with the library's
 * printer. */
#include "actors/parser/parser_write.h"

#include <assert.h>
#include <ctype.h>
#include <src/language.h>
#include <src/subtree.h>
#include <stdlib.h>

/* A subtree and how its parent has it. */
struct shown {
    Subtree node;
    TSSymbol alias; /* 0 = none */
    const char *field;
    Length start;
};

/* A subtree whose children are being printed. */
struct level {
    Subtree node;
    const Subtree *children;
    uint32_t child_count;
    const TSSymbol *aliases;
    const char *field; /* that a hidden node hands to its children */
    Length at;         /* end of what was printed of it */
    uint32_t child;    /* the next one */
    uint32_t place;    /* its index among those that are no extras */
    bool is_printed;   /* has a parenthesis to close */
};

struct walk {
    const TSLanguage *language;
    trp_text_t code;
    const parser_form_t *form;
    parser_text_t *text;
    struct level *levels;
    size_t count, capacity;
    int64_t depth; /* printed levels that are open */
    int64_t nodes; /* printed so far */
    bool truncated;
};

static void put_character(parser_text_t *text, int32_t character)
{
    switch (character) {
    case -1:
        parser_text_put(text, "INVALID");
        break;
    case '\0':
        parser_text_put(text, "'\\0'");
        break;
    case '\n':
        parser_text_put(text, "'\\n'");
        break;
    case '\t':
        parser_text_put(text, "'\\t'");
        break;
    case '\r':
        parser_text_put(text, "'\\r'");
        break;
    default:
        if (character > 0 && character < 128 && isprint(character)) {
            parser_text_add(text, (const char[]){'\'', (char)character, '\''}, 3);
        } else {
            parser_text_number(text, character);
        }
    }
}

static void put_point(parser_text_t *text, TSPoint point)
{
    parser_text_put(text, "[");
    parser_text_number(text, point.row);
    parser_text_put(text, ", ");
    parser_text_number(text, point.column);
    parser_text_put(text, "]");
}

static bool is_named(const struct walk *walk, const struct shown *shown)
{
    if (shown->alias != 0) {
        return ts_language_symbol_metadata(walk->language, shown->alias).named;
    }
    return ts_subtree_visible(shown->node) && ts_subtree_named(shown->node);
}

/* All of a node but its children and the closing parenthesis. */
static void print_head(struct walk *walk, const struct shown *shown)
{
    parser_text_t *text = walk->text;
    Subtree node = shown->node;
    Length end = length_add(shown->start, ts_subtree_size(node));

    if (walk->count > 0) {
        parser_text_put(text, " ");
        if (shown->field != NULL) {
            parser_text_put(text, shown->field);
            parser_text_put(text, ": ");
        }
    }
    if (ts_subtree_is_error(node) && ts_subtree_child_count(node) == 0 &&
        ts_subtree_size(node).bytes > 0) {
        parser_text_put(text, "(UNEXPECTED ");
        put_character(text, node.ptr->lookahead_char);
    } else {
        TSSymbol symbol = shown->alias != 0 ? shown->alias : ts_subtree_symbol(node);
        const char *name = ts_language_symbol_name(walk->language, symbol);
        bool is_missing = ts_subtree_missing(node);
        bool is_quoted =
            is_missing && !ts_subtree_named(node) && !(shown->alias != 0 && is_named(walk, shown));
        parser_text_put(text, is_missing ? "(MISSING " : "(");
        parser_text_put(text, is_quoted ? "\"" : "");
        parser_text_put(text, name);
        parser_text_put(text, is_quoted ? "\"" : "");
    }
    if (walk->form->ranges) {
        parser_text_put(text, " ");
        put_point(text, shown->start.extent);
        parser_text_put(text, " - ");
        put_point(text, end.extent);
    }
    if (walk->form->include_text && ts_subtree_child_count(node) == 0 &&
        !ts_subtree_missing(node)) {
        parser_text_put(text, " ");
        parser_text_quote(text, walk->code.data + shown->start.bytes,
                          end.bytes - shown->start.bytes);
    }
}

static struct level *push(struct walk *walk)
{
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity > 0 ? walk->capacity * 2 : 64;
        struct level *levels = realloc(walk->levels, capacity * sizeof(*levels));
        if (levels == NULL) {
            walk->text->status = TRP_NO_MEMORY;
            return NULL;
        }
        walk->levels = levels;
        walk->capacity = capacity;
    }
    return &walk->levels[walk->count++];
}

/* Prints a node's head and makes its children the next to be printed. A hidden node has no head. */
static void enter(struct walk *walk, const struct shown *shown)
{
    bool is_root = walk->count == 0;
    bool is_printed = is_root || ts_subtree_missing(shown->node) || is_named(walk, shown);

    if (is_printed) {
        if (walk->depth > walk->form->depth_max || walk->nodes >= walk->form->nodes_max) {
            walk->truncated = true;
            return;
        }
        print_head(walk, shown);
        walk->nodes++;
        walk->depth++;
    }
    struct level *level = push(walk);
    if (level != NULL) {
        *level = (struct level){
            .node = shown->node,
            .field = is_printed ? NULL : shown->field,
            .at = shown->start,
            .is_printed = is_printed,
        };
        if (ts_subtree_child_count(shown->node) > 0) {
            level->children = ts_subtree_children(shown->node);
            level->child_count = ts_subtree_child_count(shown->node);
            level->aliases =
                ts_language_alias_sequence(walk->language, shown->node.ptr->production_id);
        }
    }
}

/* Field of the child at a place: its parent's own, else what a hidden parent hands down. */
static const char *field_at(const struct walk *walk, const struct level *level)
{
    const TSFieldMapEntry *map, *end;

    ts_language_field_map(walk->language, level->node.ptr->production_id, &map, &end);
    for (; map < end; map++) {
        if (!map->inherited && map->child_index == level->place) {
            return walk->language->field_names[map->field_id];
        }
    }
    return level->field;
}

/* The next child of the innermost level. */
static struct shown next_child(const struct walk *walk, struct level *level)
{
    const Subtree *children = ts_subtree_children(level->node);
    assert(children != NULL);
    struct shown shown = {.node = children[level->child]};

    if (level->child > 0) {
        level->at = length_add(level->at, ts_subtree_padding(shown.node));
    }
    shown.start = level->at;
    level->at = length_add(level->at, ts_subtree_size(shown.node));
    level->child++;
    if (!ts_subtree_extra(shown.node)) {
        shown.alias = level->aliases != NULL ? level->aliases[level->place] : 0;
        shown.field = field_at(walk, level);
        level->place++;
    }
    return shown;
}

trp_status_t parser_write_sexp(const TSTree *tree, trp_text_t code, const parser_form_t *form,
                               parser_text_t *text, bool *truncated)
{
    TSNode root = ts_tree_root_node(tree);
    struct walk walk = {
        .language = ts_tree_language(tree), .code = code, .form = form, .text = text};
    struct shown first = {
        .node = *(const Subtree *)root.id,
        .start = {ts_node_start_byte(root), ts_node_start_point(root)},
    };

    uint32_t steps = 0;

    enter(&walk, &first);
    while (walk.count > 0 && text->status == TRP_OK) {
        if (parser_form_is_over(form, &steps)) {
            text->status = TRP_TIMEOUT;
        }
        struct level *level = &walk.levels[walk.count - 1];
        bool is_full = walk.nodes >= form->nodes_max && walk.truncated; /* nothing more to show */
        if (!is_full && level->child < level->child_count) {
            struct shown child = next_child(&walk, level);
            enter(&walk, &child);
            continue;
        }
        if (level->is_printed) {
            parser_text_put(text, ")");
            walk.depth--;
        }
        walk.count--;
    }
    free(walk.levels);
    *truncated = walk.truncated;
    return text->status;
}
