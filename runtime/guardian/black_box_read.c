/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/black_box_read.h"

#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN       8u
#define NEARLY_FULL 16 /* a limit counts as reached from 15/16 of it on */

static bool is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

/* All that the other members of a copy are taken from: the head, once. */
static bool read_head(black_box_copy_t *copy)
{
    black_box_head_t head;
    if (copy->size < sizeof(head) + BLACK_BOX_START) {
        return false;
    }
    memcpy(&head, copy->bytes, sizeof(head));
    const size_t rest = copy->size - sizeof(head) - BLACK_BOX_START;
    if (head.magic != BLACK_BOX_MAGIC || head.version != BLACK_BOX_VERSION ||
        head.ring_size != rest || !is_power_of_two(head.ring_size) ||
        head.start_size > BLACK_BOX_START) {
        return false;
    }
    copy->start = copy->bytes + sizeof(head);
    copy->start_size = head.start_size;
    copy->ring = copy->start + BLACK_BOX_START;
    copy->ring_size = head.ring_size;
    copy->at = head.oldest;
    copy->end = head.written;
    copy->turn = head.turn;
    copy->since_ns = head.since_ns;
    copy->failed = head.failed;
    copy->enforced = head.enforced;
    copy->memory_max = head.memory_max;
    memcpy(&copy->death, &head.death, sizeof(copy->death));
    if (copy->at > copy->end || copy->end - copy->at > copy->ring_size || copy->at % ALIGN != 0) {
        copy->is_damaged = true;
        copy->at = copy->end;
    }
    return true;
}

trp_status_t black_box_parse(void *bytes, size_t size, black_box_copy_t *copy)
{
    memset(copy, 0, sizeof(*copy));
    copy->bytes = bytes;
    copy->size = size;
    if (!read_head(copy)) {
        memset(copy, 0, sizeof(*copy));
        return TRP_INVALID;
    }
    return TRP_OK;
}

/* How much of the ring was ever written, by the copied head: most boxes never come round, and
 * memory that nobody has touched is best left so. */
static size_t ring_used(const unsigned char *head, const black_box_t *box)
{
    uint64_t written;
    memcpy(&written, head + offsetof(black_box_head_t, written), sizeof(written));
    return written < box->ring_size ? (size_t)written : box->ring_size;
}

trp_status_t black_box_copy(const black_box_t *box, black_box_copy_t *copy)
{
    memset(copy, 0, sizeof(*copy));
    if (box->head == NULL) {
        return TRP_INVALID;
    }
    unsigned char *bytes = calloc(1, box->size);
    if (bytes == NULL) {
        return TRP_NO_MEMORY;
    }
    memcpy(bytes, box->head, sizeof(*box->head) + BLACK_BOX_START);
    memcpy(bytes + sizeof(*box->head) + BLACK_BOX_START, box->ring, ring_used(bytes, box));
    const trp_status_t status = black_box_parse(bytes, box->size, copy);
    if (status != TRP_OK) {
        free(bytes);
    }
    return status;
}

void black_box_copy_free(black_box_copy_t *copy)
{
    free(copy->bytes);
    free(copy->scratch);
    memset(copy, 0, sizeof(*copy));
}

static void take(const black_box_copy_t *copy, uint64_t at, void *to, size_t size)
{
    const size_t from = (size_t)(at & (copy->ring_size - 1));
    const size_t first = size < copy->ring_size - from ? size : copy->ring_size - from;
    memcpy(to, copy->ring + from, first);
    memcpy((unsigned char *)to + first, copy->ring, size - first);
}

/* The bytes behind a record's fixed part, in one piece: copied when they lie around the end of
 * the ring. */
static const void *piece(black_box_copy_t *copy, uint64_t at, size_t size)
{
    const size_t from = (size_t)(at & (copy->ring_size - 1));
    if (from + size <= copy->ring_size) {
        return copy->ring + from;
    }
    unsigned char *scratch = realloc(copy->scratch, size);
    if (scratch == NULL) {
        return NULL;
    }
    copy->scratch = scratch;
    take(copy, at, scratch, size);
    return scratch;
}

static trp_pid_t pid_of(const uint32_t from[4])
{
    return (trp_pid_t){
        .node = from[0], .slot = from[1], .generation = from[2], .incarnation = from[3]};
}

static bool damaged(black_box_copy_t *copy)
{
    copy->is_damaged = true;
    copy->at = copy->end;
    return false;
}

static bool read_item(black_box_copy_t *copy, const black_box_record_t *record, uint64_t at,
                      black_box_item_t *item)
{
    black_box_message_t note;
    size_t fixed = 0;
    *item = (black_box_item_t){
        .kind = record->kind, .turn = record->turn, .epoch_ms = record->epoch_ms};
    if (record->kind != BLACK_BOX_LOG) {
        if (record->size < sizeof(note)) {
            return false;
        }
        take(copy, at, &note, sizeof(note));
        fixed = sizeof(note);
        item->from = pid_of(note.from);
        item->to = pid_of(note.to);
        item->request_id = note.request_id;
        item->tag = note.tag;
        item->flags = note.flags;
        item->whole = note.size;
    }
    item->size = record->size - fixed;
    if (record->kind == BLACK_BOX_LOG) {
        item->whole = item->size;
    }
    item->data = piece(copy, at + fixed, item->size);
    return item->data != NULL && item->whole >= item->size;
}

bool black_box_next(black_box_copy_t *copy, black_box_item_t *item)
{
    black_box_record_t record;
    const uint64_t left = copy->end - copy->at;
    if (left == 0) {
        return false;
    }
    if (left < sizeof(record)) {
        return damaged(copy);
    }
    take(copy, copy->at, &record, sizeof(record));
    const uint64_t size = ((uint64_t)record.size + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
    if (size > left - sizeof(record) || record.kind == 0 || record.kind >= BLACK_BOX_KIND_END ||
        !read_item(copy, &record, copy->at + sizeof(record), item)) {
        return damaged(copy);
    }
    copy->at += sizeof(record) + size;
    return true;
}

/* ---- the reason ---- */

static uint64_t limit_of(const black_box_copy_t *copy)
{
    return (uint64_t)copy->memory_max;
}

/* Whether its death came of a refused allocation: then the last error was that, or it had come
 * close to the limit. A signal that somebody sent comes of nothing here. */
static bool is_out_of_memory(const black_box_copy_t *copy, int number)
{
    const black_box_death_t *death = &copy->death;
    if (copy->memory_max <= 0 || death->sender != 0 ||
        (number != SIGSEGV && number != SIGABRT && number != SIGBUS)) {
        return false;
    }
    const uint64_t limit = limit_of(copy);
    return death->error == ENOMEM || death->data_bytes >= limit - limit / NEARLY_FULL;
}

static trp_reason_t system_call_reason(int number)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    const trp_reason_t reason =
        trp_reason(TRP_REASON_SECCOMP, number, name == NULL ? "unknown system call" : name);
    free(name);
    return reason;
}

trp_reason_t black_box_reason(const black_box_copy_t *copy, const trp_reason_t *reason)
{
    const black_box_death_t *death = &copy->death;
    char text[TRP_REASON_TEXT_MAX];
    if (reason->kind == TRP_REASON_ERROR && reason->code == TRP_NO_MEMORY && copy->memory_max > 0) {
        return trp_reason(TRP_REASON_MEMORY, 0, "a handler was refused memory");
    }
    if (reason->kind != TRP_REASON_SIGNAL || death->signal != (uint32_t)reason->code) {
        return *reason; /* no handler ran, or it wrote of another death */
    }
    if (reason->code == SIGSYS && death->system_call >= 0) {
        return system_call_reason(death->system_call);
    }
    if (is_out_of_memory(copy, reason->code)) {
        snprintf(text, sizeof(text), "%" PRIu64 " of %" PRIu64 " KiB",
                 death->data_bytes / 1024 % UINT32_MAX, limit_of(copy) / 1024 % UINT32_MAX);
        return trp_reason(TRP_REASON_MEMORY, reason->code, text);
    }
    if (death->sender != 0) {
        snprintf(text, sizeof(text), "sent by process %d", death->sender);
        return trp_reason(TRP_REASON_SIGNAL, reason->code, text);
    }
    if (reason->code != SIGABRT) {
        snprintf(text, sizeof(text), "at address 0x%" PRIx64, death->address);
        return trp_reason(TRP_REASON_SIGNAL, reason->code, text);
    }
    return *reason;
}
