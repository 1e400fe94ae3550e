/* SPDX-License-Identifier: MIT */
/* The verb `classes`: what each class of this process costs. */
#include "supervisor/control/inquiry.h"

typedef struct rows {
    trp_writer_t writer;
    size_t count;
} rows_t;

static void write_class(void *user, const runtime_class_info_t *info)
{
    rows_t *rows = user;
    trp_write_map(&rows->writer, 9);
    trp_put_text(&rows->writer, "class", info->name);
    trp_put_text(&rows->writer, "runs", info->is_proxy ? "elsewhere" : "here");
    trp_put_int(&rows->writer, "actors", info->actors);
    trp_put_int(&rows->writer, "handled", (int64_t)info->handled);
    trp_put_int(&rows->writer, "busy_ns", (int64_t)info->busy_ns);
    trp_put_int(&rows->writer, "sampled", (int64_t)info->sampled);
    trp_put_int(&rows->writer, "queue_p50_ns", (int64_t)info->queue_p50_ns);
    trp_put_int(&rows->writer, "queue_p99_ns", (int64_t)info->queue_p99_ns);
    trp_put_int(&rows->writer, "queue_max_ns", (int64_t)info->queue_max_ns);
    rows->count++;
}

void inquiry_classes(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    rows_t rows = {.count = 0};
    trp_writer_init(&rows.writer);
    const size_t mark = trp_write_array_begin(&rows.writer);
    runtime_classes(runtime_of(ctx), write_class, &rows);
    trp_write_array_end(&rows.writer, mark, rows.count);
    inquiry_answer(inquiry, ctx, &rows.writer);
}
