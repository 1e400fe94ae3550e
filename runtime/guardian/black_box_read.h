/* SPDX-License-Identifier: MIT */
/* Reads a black box as what it is: bytes that a process wrote which may have gone mad, and may
 * still write. All is copied first, then checked; nothing in it is believed. Any thread. */
#ifndef TRP_RUNTIME_BLACK_BOX_READ_H
#define TRP_RUNTIME_BLACK_BOX_READ_H

#include "messages/pid.h"
#include "messages/reason.h"
#include "runtime/guardian/black_box.h"

/** A copy of a box. owns: black_box_copy_free */
typedef struct black_box_copy {
    unsigned char *bytes;
    size_t size;
    const unsigned char *start; /* link_start, packed; `start_size` 0: it is not there */
    size_t start_size;
    const unsigned char *ring;
    uint32_t ring_size;
    uint64_t at, end; /* positions of the next record and behind the last one */
    uint64_t turn, failed;
    int64_t since_ns; /* monotonic; 0: nothing in hand */
    uint32_t enforced;
    int64_t memory_max;
    black_box_death_t death;
    bool is_damaged;        /* the chain of records was found broken */
    unsigned char *scratch; /* a record's bytes that lay around the end of the ring */
} black_box_copy_t;

/** One record; `data` belongs to the copy and is valid until the next call. */
typedef struct black_box_item {
    black_box_kind_t kind;
    uint64_t turn;
    int64_t epoch_ms;
    trp_pid_t from, to; /* of messages and timers: */
    uint64_t request_id;
    uint16_t tag, flags;
    size_t whole; /* bytes of the payload; `size` of them are here */
    const void *data;
    size_t size;
} black_box_item_t;

/** Copies a box that is mapped. errors: TRP_NO_MEMORY, TRP_INVALID (not one of this version) */
TRP_MUST_USE trp_status_t black_box_copy(const black_box_t *box, black_box_copy_t *copy);

/** From bytes of any origin, a file. owns: `bytes`, malloc'd, are taken on TRP_OK. errors:
 * TRP_INVALID */
TRP_MUST_USE trp_status_t black_box_parse(void *bytes, size_t size, black_box_copy_t *copy);
void black_box_copy_free(black_box_copy_t *copy);

/** The next record, oldest first; false behind the last one. */
bool black_box_next(black_box_copy_t *copy, black_box_item_t *item);

/** The reason that the box adds to what the wait status says: address, system call, limit. */
trp_reason_t black_box_reason(const black_box_copy_t *copy, const trp_reason_t *reason);

#endif
