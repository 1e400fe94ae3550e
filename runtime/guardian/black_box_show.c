/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/black_box_show.h"

#include <string.h>

#include "runtime/limits.h"

#define TEXT_MAX 512  /* bytes of a payload that are shown as text */
#define MAP_MAX  4096 /* of one that is shown as a map */
#define NS_OF_MS 1000000

static const char *const enforced[] = {
#define ROW(name, text, more) text,
    TRP_ENFORCED_MAP(ROW)
#undef ROW
};

static void write_pid(trp_writer_t *writer, const char *key, trp_pid_t pid)
{
    char text[TRP_PID_TEXT_MAX];
    trp_put_text(writer, key, trp_pid_is_none(pid) ? "" : trp_pid_format(pid, text));
}

/* A payload that is one whole map is shown as one, text as text; of all else only the size. */
static void write_payload(trp_writer_t *writer, const black_box_item_t *item)
{
    trp_document_t document;
    trp_fault_t fault;
    const bool is_whole = item->size == item->whole && item->size > 0 && item->size <= MAP_MAX;
    trp_write_key(writer, "payload");
    if (is_whole && trp_document_init(&document, item->data, item->size, &fault) == TRP_OK) {
        const bool is_map = document.root.type == MSGPACK_OBJECT_MAP;
        if (is_map) {
            trp_write_object(writer, &document.root);
        }
        trp_document_fini(&document);
        if (is_map) {
            return;
        }
    }
    const size_t shown = item->size < TEXT_MAX ? item->size : TEXT_MAX;
    const size_t good = trp_utf8_check(item->data, shown);
    if (shown > 0 && good + 4 > shown && memchr(item->data, '\0', good) == NULL) {
        trp_write_string(writer, item->data, good); /* cut inside of a character, at most */
    } else {
        trp_write_nil(writer);
    }
}

static void write_message(trp_writer_t *writer, const black_box_item_t *item)
{
    trp_write_map(writer, 9);
    trp_put_text(writer, "kind", item->kind == BLACK_BOX_TIMER ? "timer" : "message");
    trp_put_int(writer, "turn", (int64_t)item->turn);
    trp_put_int(writer, "time", item->epoch_ms);
    trp_put_int(writer, "tag", item->tag);
    write_pid(writer, "from", item->from);
    trp_put_int(writer, "request_id", (int64_t)(item->request_id & INT64_MAX));
    trp_put_int(writer, "size", (int64_t)item->whole);
    trp_put_int(writer, "kept", (int64_t)item->size);
    write_payload(writer, item);
}

static void write_line(trp_writer_t *writer, const black_box_item_t *item)
{
    trp_write_map(writer, 4);
    trp_put_text(writer, "kind", "log");
    trp_put_int(writer, "turn", (int64_t)item->turn);
    trp_put_int(writer, "time", item->epoch_ms);
    const size_t good = trp_utf8_check(item->data, item->size);
    trp_put_string(writer, "line", (trp_text_t){item->data, good});
}

static void write_records(trp_writer_t *writer, black_box_copy_t *copy)
{
    black_box_item_t item;
    size_t count = 0;
    trp_write_key(writer, "records");
    const size_t mark = trp_write_array_begin(writer);
    while (black_box_next(copy, &item)) {
        if (item.kind == BLACK_BOX_LOG) {
            write_line(writer, &item);
        } else {
            write_message(writer, &item);
        }
        count++;
    }
    trp_write_array_end(writer, mark, count);
}

/* The task in hand: its number, which is that of a record, and how long it has been there. */
static void write_hand(trp_writer_t *writer, const black_box_copy_t *copy, int64_t now_ns)
{
    trp_write_key(writer, "in_hand");
    if (copy->since_ns == 0) {
        trp_write_nil(writer);
        return;
    }
    trp_write_map(writer, 2);
    trp_put_int(writer, "turn", (int64_t)(copy->turn & INT64_MAX));
    trp_put_int(writer, "for_ms",
                now_ns > copy->since_ns ? (now_ns - copy->since_ns) / NS_OF_MS : 0);
}

static void write_death(trp_writer_t *writer, const black_box_copy_t *copy)
{
    const black_box_death_t *death = &copy->death;
    trp_write_key(writer, "death");
    if (death->signal == 0) {
        trp_write_nil(writer);
        return;
    }
    trp_write_map(writer, 7);
    trp_put_int(writer, "sender", death->sender);
    trp_put_int(writer, "signal", death->signal);
    trp_put_int(writer, "code", death->code);
    trp_put_int(writer, "address", (int64_t)(death->address & INT64_MAX));
    trp_put_int(writer, "system_call", death->system_call);
    trp_put_int(writer, "errno", death->error);
    trp_put_int(writer, "data_bytes", (int64_t)(death->data_bytes & INT64_MAX));
}

/* ---- limits ---- */

static void write_asked(trp_writer_t *writer, const trp_limits_t *limits)
{
    static const char *const seccomp[] = {"basic", "strict", "off"};
    trp_write_key(writer, "limits");
    trp_write_map(writer, 8);
    trp_put_int(writer, "memory", limits->memory);
    trp_put_int(writer, "cpu_s", limits->cpu_s);
    trp_put_int(writer, "files", limits->files);
    trp_put_int(writer, "processes", limits->processes);
    trp_put_text(writer, "seccomp", seccomp[limits->seccomp % TRP_SECCOMP_COUNT]);
    trp_put_bool(writer, "no_new_privs", limits->new_privs == 0);
    trp_put_text(writer, "read_paths", limits->read_paths);
    trp_put_text(writer, "write_paths", limits->write_paths);
}

/* What was asked for and does not hold. */
static void write_advisory(trp_writer_t *writer, const trp_limits_t *limits, uint32_t mask)
{
    const bool files = limits->read_paths[0] != '\0' || limits->write_paths[0] != '\0';
    const struct {
        const char *name;
        bool asked;
        uint32_t by; /* any of these holds it */
    } rows[] = {
        {"memory", limits->memory > 0, TRP_ENFORCED_MEMORY_CGROUP | TRP_ENFORCED_MEMORY_DATA},
        {"cpu_s", limits->cpu_s > 0, TRP_ENFORCED_CPU},
        {"files", limits->files > 0, TRP_ENFORCED_FILES},
        {"processes", limits->processes >= 0,
         TRP_ENFORCED_NO_PROCESSES | TRP_ENFORCED_PROCESSES_COUNT},
        {"processes_end", limits->processes != 0, TRP_ENFORCED_PROCESSES_END},
        {"no_new_privs", limits->new_privs == 0, TRP_ENFORCED_NO_NEW_PRIVS},
        {"seccomp", limits->seccomp == TRP_SECCOMP_STRICT, TRP_ENFORCED_SECCOMP_STRICT},
        {"paths", files, TRP_ENFORCED_LANDLOCK},
    };
    size_t count = 0;
    trp_write_key(writer, "advisory");
    const size_t mark = trp_write_array_begin(writer);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].asked && (mask & rows[i].by) == 0) {
            trp_write_text(writer, rows[i].name);
            count++;
        }
    }
    trp_write_array_end(writer, mark, count);
}

static void write_enforced(trp_writer_t *writer, uint32_t mask)
{
    size_t count = 0;
    trp_write_key(writer, "enforced");
    const size_t mark = trp_write_array_begin(writer);
    for (unsigned i = 0; i < TRP_ENFORCED_COUNT; i++) {
        if ((mask & 1u << i) != 0) {
            trp_write_text(writer, enforced[i]);
            count++;
        }
    }
    trp_write_array_end(writer, mark, count);
}

/* ---- all ---- */

void black_box_show(const box_owner_t *owner, black_box_copy_t *copy, const trp_limits_t *limits,
                    int64_t now_ns, trp_writer_t *writer)
{
    trp_write_map(writer, 12 + (limits != NULL ? 2 : 0));
    trp_put_string(writer, "pid", owner->pid);
    trp_put_string(writer, "name", owner->name);
    trp_put_string(writer, "class", owner->class);
    trp_put_int(writer, "os_pid", owner->os_pid);
    trp_put_bool(writer, "alive", now_ns != 0);
    trp_put_string(writer, "reason", owner->has_reason ? owner->reason : (trp_text_t){"", 0});
    trp_put_int(writer, "ended_ms", owner->has_ended_ms ? owner->ended_ms : 0);
    if (limits != NULL) {
        write_asked(writer, limits);
        write_advisory(writer, limits, copy->enforced);
    }
    write_enforced(writer, copy->enforced);
    write_hand(writer, copy, now_ns);
    write_death(writer, copy);
    write_records(writer, copy);
    trp_put_bool(writer, "damaged", copy->is_damaged);
}
