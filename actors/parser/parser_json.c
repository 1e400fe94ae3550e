/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "actors/parser/parser_write.h"

/* A node whose children are being written. */
struct level {
    size_t mark;  /* of its array */
    size_t items; /* written to it */
};

struct walk {
    trp_text_t code;
    const parser_form_t *form;
    trp_writer_t *writer;
    TSTreeCursor cursor;
    struct level *levels;
    size_t count, capacity;
    int64_t nodes; /* written so far */
    bool truncated;
};

static void write_point(trp_writer_t *writer, const char *key, TSPoint point, uint32_t byte)
{
    trp_write_key(writer, key);
    trp_write_array(writer, 3);
    trp_write_int(writer, point.row);
    trp_write_int(writer, point.column);
    trp_write_int(writer, byte);
}

/* All members of the cursor's node but the children, and the key of those. */
static void write_head(struct walk *walk, TSNode node)
{
    trp_writer_t *writer = walk->writer;
    const char *field = ts_tree_cursor_current_field_name(&walk->cursor);
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    bool is_missing = ts_node_is_missing(node);
    bool has_text = walk->form->include_text && ts_node_child_count(node) == 0;

    trp_write_map(writer,
                  2u + (field != NULL) + (walk->form->ranges ? 2u : 0u) + has_text + is_missing);
    trp_put_text(writer, "t", ts_node_type(node));
    if (field != NULL) {
        trp_put_text(writer, "n", field);
    }
    if (walk->form->ranges) {
        write_point(writer, "s", ts_node_start_point(node), start);
        write_point(writer, "e", ts_node_end_point(node), end);
    }
    if (has_text) {
        trp_write_key(writer, "text");
        trp_write_string(writer, walk->code.data + start, end - start);
    }
    if (is_missing) {
        trp_put_bool(writer, "missing", true);
    }
    trp_write_key(writer, "c");
}

static trp_status_t push(struct walk *walk)
{
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity > 0 ? walk->capacity * 2 : 64;
        struct level *levels = realloc(walk->levels, capacity * sizeof(*levels));
        if (levels == NULL) {
            return TRP_NO_MEMORY;
        }
        walk->levels = levels;
        walk->capacity = capacity;
    }
    walk->levels[walk->count++] = (struct level){trp_write_array_begin(walk->writer), 0};
    return TRP_OK;
}

/* Writes the cursor's node and opens its children, unless the form leaves it out. */
static trp_status_t enter(struct walk *walk, bool *is_open)
{
    TSNode node = ts_tree_cursor_current_node(&walk->cursor);

    *is_open = false;
    if (walk->form->named_only && walk->count > 0 && !ts_node_is_named(node)) {
        return TRP_OK;
    }
    if ((int64_t)walk->count > walk->form->depth_max || walk->nodes >= walk->form->nodes_max) {
        walk->truncated = true;
        return TRP_OK;
    }
    write_head(walk, node);
    walk->nodes++;
    if (walk->count > 0) {
        walk->levels[walk->count - 1].items++;
    }
    *is_open = true;
    return push(walk);
}

static void leave(struct walk *walk)
{
    const struct level *level = &walk->levels[--walk->count];

    trp_write_array_end(walk->writer, level->mark, level->items);
}

/* Moves the cursor to the next node in order of the text, closing what ends on the way. False at
 * the end of the tree. `is_open`: the cursor's node is being written, so its children come first.
 */
static bool advance(struct walk *walk, bool is_open)
{
    if (is_open) {
        if (ts_tree_cursor_goto_first_child(&walk->cursor)) {
            return true;
        }
        leave(walk);
    }
    while (walk->count > 0) {
        if (ts_tree_cursor_goto_next_sibling(&walk->cursor)) {
            return true;
        }
        (void)ts_tree_cursor_goto_parent(&walk->cursor);
        leave(walk);
    }
    return false;
}

trp_status_t parser_write_json(const TSTree *tree, trp_text_t code, const parser_form_t *form,
                               trp_writer_t *writer, bool *truncated)
{
    struct walk walk = {.code = code, .form = form, .writer = writer};
    size_t before, now;
    uint32_t steps = 0;
    trp_status_t status;
    bool is_open;

    (void)trp_writer_data(writer, &before);
    walk.cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
    do {
        status = enter(&walk, &is_open);
        (void)trp_writer_data(writer, &now);
        if (status == TRP_OK && now - before > form->size_max) {
            status = TRP_TOO_LARGE;
        } else if (status == TRP_OK && parser_form_is_over(form, &steps)) {
            status = TRP_TIMEOUT;
        }
    } while (status == TRP_OK && !(walk.truncated && walk.nodes >= form->nodes_max) &&
             advance(&walk, is_open));
    while (walk.count > 0) {
        leave(&walk);
    }
    ts_tree_cursor_delete(&walk.cursor);
    free(walk.levels);
    *truncated = walk.truncated;
    return status;
}
