/* SPDX-License-Identifier: MIT */
/* The verb `ledger`: where every message of this process is. */
#include "supervisor/control/inquiry.h"

#define LOOK_MS   2  /* from one look at the books to the next ... */
#define LOOKS_MAX 50 /* ... while they do not add up */

typedef struct rows {
    trp_writer_t *writer;
    size_t count;
} rows_t;

/* An actor that has something in its books. */
static void write_actor(void *user, const actor_info_t *info)
{
    rows_t *rows = user;
    char pid[TRP_PID_TEXT_MAX];
    if (info->mailbox == 0 && info->died == 0 && info->refused == 0) {
        return;
    }
    trp_write_map(rows->writer, 7);
    trp_put_text(rows->writer, "pid", trp_pid_format(info->pid, pid));
    trp_put_text(rows->writer, "name", info->name);
    trp_put_text(rows->writer, "class", info->class_name);
    trp_put_int(rows->writer, "handled", (int64_t)info->handled);
    trp_put_int(rows->writer, "queued", info->mailbox);
    trp_put_int(rows->writer, "died", (int64_t)info->died);
    trp_put_int(rows->writer, "refused", (int64_t)info->refused);
    rows->count++;
}

/* What is in no column: in the hands of actors, or lost. Also below 0 while they work. */
static int64_t missing(const runtime_ledger_t *ledger)
{
    return (int64_t)(ledger->sent - ledger->handled - ledger->queued - ledger->refused -
                     ledger->dropped - ledger->dead);
}

/* The very message that brought this inquiry may still be in the control's hands, and the answer of
 * another in ours: so that a node at rest always adds up, it is given the time to put them down. */
static bool looks_again(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    return inquiry->looks++ < LOOKS_MAX &&
           trp_timer_start(ctx, LOOK_MS, 0, INQUIRY_TAG_LOOK, &inquiry->request) == TRP_OK;
}

void inquiry_ledger(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    runtime_ledger_t ledger;
    trp_writer_t writer;
    runtime_ledger(runtime_of(ctx), &ledger);
    if (missing(&ledger) != 0 && looks_again(inquiry, ctx)) {
        return;
    }
    trp_writer_init(&writer);
    trp_write_map(&writer, 9);
    trp_put_int(&writer, "sent", (int64_t)ledger.sent);
    trp_put_int(&writer, "handled", (int64_t)ledger.handled);
    trp_put_int(&writer, "queued", (int64_t)ledger.queued);
    trp_put_int(&writer, "refused", (int64_t)ledger.refused);
    trp_put_int(&writer, "dropped", (int64_t)ledger.dropped);
    trp_put_int(&writer, "dead", (int64_t)ledger.dead);
    trp_put_int(&writer, "missing", missing(&ledger));
    trp_write_key(&writer, "causes");
    trp_write_map(&writer, TRP_DEAD_COUNT);
    for (unsigned why = 0; why < TRP_DEAD_COUNT; why++) {
        trp_put_int(&writer, trp_dead_name(why), (int64_t)ledger.dead_by[why]);
    }
    trp_write_key(&writer, "actors");
    rows_t rows = {.writer = &writer};
    size_t mark = trp_write_array_begin(&writer);
    runtime_each(runtime_of(ctx), write_actor, &rows);
    trp_write_array_end(&writer, mark, rows.count);
    inquiry_answer(inquiry, ctx, &writer);
}
