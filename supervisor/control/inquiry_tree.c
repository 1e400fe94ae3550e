/* SPDX-License-Identifier: MIT */
/* The verb `tree`: tables of all supervisors, asked one by one, then written as one nested map. */
#include <stdlib.h>
#include <string.h>

#include "messages/supervisor.h"
#include "supervisor/control/inquiry.h"
#include "supervisor/control/names.h"
#include "supervisor/supervisor.h"

#define SUPERVISOR_COUNT_MAX 1024
#define DEPTH_MAX            8

/* A supervisor's table: asked for, then filled. */
typedef struct table {
    trp_pid_t pid;
    bool is_filled;
    trp_document_t document; /* holds the texts of `children` */
    zmq_msg_t bytes;         /* holds those of the document */
    children_t children;
} table_t;

/* Where an actor runs: the operating system's pid, which only the runtime knows. */
typedef struct place {
    trp_pid_t pid;
    int32_t os_pid;
} place_t;

struct inquiry_tree {
    table_t *tables; /* in the order in which they are asked for; the first is the root's */
    size_t count, next;
    place_t *places;
    size_t place_count, place_capacity;
};

void inquiry_tree_free(inquiry_tree_t **tree)
{
    if (*tree == NULL) {
        return;
    }
    for (size_t i = 0; i < (*tree)->count; i++) {
        if ((*tree)->tables[i].is_filled) {
            trp_document_fini(&(*tree)->tables[i].document);
            zmq_msg_close(&(*tree)->tables[i].bytes);
        }
    }
    free((*tree)->tables);
    free((*tree)->places);
    free(*tree);
    *tree = NULL;
}

/* ---- asking ---- */

static void enqueue(inquiry_tree_t *tree, trp_pid_t pid)
{
    if (tree->count < SUPERVISOR_COUNT_MAX) {
        tree->tables[tree->count++] = (table_t){.pid = pid};
    }
}

static void ask_next(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    inquiry->asked = "a supervisor";
    trp_request_t request = {.to = inquiry->tree->tables[inquiry->tree->next].pid,
                             .tag = TRP_TAG_CHILDREN_WHICH,
                             .timeout_ms = INQUIRY_ASK_MS};
    inquiry_ask(inquiry, ctx, &request, TRP_TAG_CHILDREN);
}

void inquiry_tree_begin(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    inquiry->tree = calloc(1, sizeof(*inquiry->tree));
    if (inquiry->tree != NULL) {
        inquiry->tree->tables = calloc(SUPERVISOR_COUNT_MAX, sizeof(*inquiry->tree->tables));
    }
    if (inquiry->tree == NULL || inquiry->tree->tables == NULL) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "out of memory");
        return;
    }
    enqueue(inquiry->tree, trp_whereis(ctx, TREE_ROOT));
    ask_next(inquiry, ctx);
}

/* ---- where actors run ---- */

static void note_place(void *user, const actor_info_t *info)
{
    inquiry_tree_t *tree = user;
    if (tree->place_count == tree->place_capacity) {
        size_t capacity = tree->place_capacity == 0 ? 256 : tree->place_capacity * 2;
        place_t *places = realloc(tree->places, capacity * sizeof(*places));
        if (places == NULL) {
            return; /* its os_pid is left out */
        }
        tree->places = places;
        tree->place_capacity = capacity;
    }
    tree->places[tree->place_count++] = (place_t){info->pid, info->os_pid};
}

static int by_pid(const void *a, const void *b)
{
    return memcmp(&((const place_t *)a)->pid, &((const place_t *)b)->pid, sizeof(trp_pid_t));
}

static int32_t os_pid_of(const inquiry_tree_t *tree, trp_pid_t pid)
{
    place_t key = {.pid = pid};
    const place_t *place = tree->place_count == 0 ? NULL
                                                  : bsearch(&key, tree->places, tree->place_count,
                                                            sizeof(*tree->places), by_pid);
    return place == NULL ? 0 : place->os_pid;
}

/* ---- writing ---- */

static const char *const states[] = {"idle", "backoff", "queued", "starting", "up", "stopping"};
static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};
static const char *const restarts[] = {"permanent", "transient", "temporary"};

static trp_pid_t pid_of(const trp_text_t *text)
{
    char copy[TRP_PID_TEXT_MAX];
    trp_pid_t pid = TRP_PID_NONE;
    if (text->size >= sizeof(copy)) {
        return pid;
    }
    memcpy(copy, text->data, text->size);
    copy[text->size] = '\0';
    return trp_pid_parse(copy, &pid) == TRP_OK ? pid : TRP_PID_NONE;
}

static const table_t *table_of(const inquiry_tree_t *tree, trp_pid_t pid)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->tables[i].is_filled && trp_pid_equal(tree->tables[i].pid, pid)) {
            return &tree->tables[i];
        }
    }
    return NULL;
}

static void write_children(trp_writer_t *writer, const inquiry_tree_t *tree, const table_t *table,
                           int depth);

/* What a row has beside its children: 11 members. */
static void write_row(trp_writer_t *writer, const inquiry_tree_t *tree, const child_info_t *row)
{
    trp_pid_t pid = row->has_pid ? pid_of(&row->pid) : TRP_PID_NONE;
    char text[TRP_PID_TEXT_MAX];
    trp_put_string(writer, "id", row->id);
    trp_put_text(writer, "pid", row->has_pid ? trp_pid_format(pid, text) : "");
    trp_put_string(writer, "class", row->class);
    trp_put_text(writer, "place", runtime_place_name((trp_place_t)row->place));
    trp_put_int(writer, "os_pid", os_pid_of(tree, pid));
    trp_put_text(writer, "state", states[row->state]);
    trp_put_text(writer, "restart", restarts[row->restart]);
    trp_put_int(writer, "restarts", row->restarts);
    trp_put_int(writer, "next_ms", row->next_ms);
    trp_put_bool(writer, "quarantined", row->is_quarantined);
    trp_write_key(writer, "last_reason");
    trp_write_string(writer, row->has_last_reason ? row->last_reason.data : "",
                     row->has_last_reason ? row->last_reason.size : 0);
}

static void write_child(trp_writer_t *writer, const inquiry_tree_t *tree, const child_info_t *row,
                        int depth)
{
    const table_t *table =
        row->type == 1 && row->has_pid ? table_of(tree, pid_of(&row->pid)) : NULL;
    if (table == NULL || depth == DEPTH_MAX) {
        trp_write_map(writer, 11);
        write_row(writer, tree, row);
        return;
    }
    trp_write_map(writer, 13);
    write_row(writer, tree, row);
    write_children(writer, tree, table, depth + 1);
}

/* Two members. */
static void write_children(trp_writer_t *writer, const inquiry_tree_t *tree, const table_t *table,
                           int depth)
{
    trp_put_text(writer, "strategy", strategies[table->children.strategy]);
    trp_write_key(writer, "children");
    trp_write_array(writer, table->children.children_count);
    for (size_t i = 0; i < table->children.children_count; i++) {
        write_child(writer, tree, &table->children.children[i], depth);
    }
}

static void write_tree(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    inquiry_tree_t *tree = inquiry->tree;
    trp_writer_t result;
    char pid[TRP_PID_TEXT_MAX];
    runtime_each(runtime_of(ctx), note_place, tree);
    if (tree->place_count > 0) {
        qsort(tree->places, tree->place_count, sizeof(*tree->places), by_pid);
    }

    trp_writer_init(&result);
    trp_write_map(&result, 6);
    trp_put_text(&result, "id", TREE_ROOT);
    trp_put_text(&result, "pid", trp_pid_format(tree->tables[0].pid, pid));
    trp_put_text(&result, "class", trp_supervisor_class.name);
    trp_put_int(&result, "os_pid", os_pid_of(tree, tree->tables[0].pid));
    write_children(&result, tree, &tree->tables[0], 0);
    inquiry_answer(inquiry, ctx, &result);
}

/* ---- a reply ---- */

static trp_status_t fill(table_t *table, const trp_envelope_t *reply)
{
    size_t size = 0;
    const void *data = trp_message_data(reply, &size);
    trp_fault_t fault;
    if (zmq_msg_init_size(&table->bytes, size) != 0) {
        return TRP_NO_MEMORY;
    }
    memcpy(zmq_msg_data(&table->bytes), data, size);
    trp_text_t bytes = {zmq_msg_data(&table->bytes), size};
    trp_status_t status =
        trp_schema_unpack(&children_schema, bytes, &table->document, &table->children, &fault);
    if (status != TRP_OK) {
        zmq_msg_close(&table->bytes);
        return status;
    }
    table->is_filled = true;
    return TRP_OK;
}

void inquiry_tree_reply(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_envelope_t *reply)
{
    inquiry_tree_t *tree = inquiry->tree;
    table_t *table = &tree->tables[tree->next];
    trp_status_t status = fill(table, reply);
    if (status != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_INTERNAL", "a supervisor's table: %s",
                     trp_status_text(status));
        return;
    }
    for (size_t i = 0; i < table->children.children_count; i++) {
        const child_info_t *row = &table->children.children[i];
        if (row->type == 1 && row->has_pid) {
            enqueue(tree, pid_of(&row->pid));
        }
    }
    if (++tree->next < tree->count) {
        ask_next(inquiry, ctx);
    } else {
        write_tree(inquiry, ctx);
    }
}
