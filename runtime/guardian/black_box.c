/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/black_box.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "messages/envelope_native.h"
#include "messages/system.h"

/* A record is at most this part of the ring, so that others leave a trail, too. */
#define PART_OF 4u

#define ALIGN           8u
#define RING_MIN        4096u
#define NS_OF_S         1000000000LL
#define NS_OF_MS        1000000LL
#define BOX_MAX         (1u << 30)
#define RUNTIME_TAG_MAX 0x00ffu /* see messages/system.h */

/* ---- the memory ---- */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return now.tv_sec * NS_OF_S + now.tv_nsec;
}

/* The largest power of two that fits. */
static uint32_t ring_size_of(size_t size)
{
    const size_t room = size - sizeof(black_box_head_t) - BLACK_BOX_START;
    uint32_t ring = RING_MIN;
    while ((size_t)ring * 2 <= room) {
        ring *= 2;
    }
    return ring;
}

static trp_status_t map(int fd, size_t size, black_box_t *box)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return TRP_SYSTEM;
    }
    box->head = memory;
    box->size = size;
    box->start = (unsigned char *)memory + sizeof(black_box_head_t);
    box->ring = box->start + BLACK_BOX_START;
    return TRP_OK;
}

trp_status_t black_box_make(size_t wanted, black_box_t *box, int *result)
{
    const size_t least = sizeof(black_box_head_t) + BLACK_BOX_START + RING_MIN;
    const size_t bounded = wanted > BOX_MAX ? BOX_MAX : wanted;
    const uint32_t ring = ring_size_of(bounded < least ? least : bounded);
    const size_t size = sizeof(black_box_head_t) + BLACK_BOX_START + ring;
    memset(box, 0, sizeof(*box));
    const int fd = memfd_create("troupe-black-box", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return TRP_SYSTEM;
    }
    if (ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
        map(fd, size, box) != TRP_OK) {
        const int code = errno;
        (void)close(fd);
        errno = code;
        return TRP_SYSTEM;
    }
    box->ring_size = ring;
    box->head->version = BLACK_BOX_VERSION;
    box->head->size = (uint32_t)size;
    box->head->ring_size = ring;
    box->head->death.system_call = -1;
    box->head->magic = BLACK_BOX_MAGIC;
    *result = fd;
    return TRP_OK;
}

trp_status_t black_box_open(int fd, black_box_t *box)
{
    struct stat found;
    memset(box, 0, sizeof(*box));
    if (fstat(fd, &found) != 0) {
        return TRP_SYSTEM;
    }
    const size_t least = sizeof(black_box_head_t) + BLACK_BOX_START + RING_MIN;
    if ((size_t)found.st_size < least || (size_t)found.st_size > BOX_MAX * 2ull) {
        return TRP_INVALID;
    }
    trp_status_t status = map(fd, (size_t)found.st_size, box);
    if (status != TRP_OK) {
        return status;
    }
    box->ring_size = ring_size_of(box->size);
    if (box->head->magic != BLACK_BOX_MAGIC || box->head->version != BLACK_BOX_VERSION ||
        box->head->size != box->size || box->head->ring_size != box->ring_size) {
        black_box_close(box);
        return TRP_INVALID;
    }
    return TRP_OK;
}

void black_box_close(black_box_t *box)
{
    if (box->head != NULL) {
        (void)munmap(box->head, box->size);
        memset(box, 0, sizeof(*box));
    }
}

void black_box_start(black_box_t *box, const void *start, size_t size)
{
    if (box->head != NULL && size <= BLACK_BOX_START) {
        memcpy(box->start, start, size);
        box->head->start_size = (uint32_t)size;
    }
}

/* ---- the ring ---- */

static uint64_t padded(uint64_t size)
{
    return (size + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
}

static void put(const black_box_t *box, uint64_t at, const void *data, size_t size)
{
    const size_t from = (size_t)(at & (box->ring_size - 1));
    const size_t first = size < box->ring_size - from ? size : box->ring_size - from;
    memcpy(box->ring + from, data, first);
    memcpy(box->ring, (const unsigned char *)data + first, size - first);
}

/* Moves `oldest` until there is room for `size` bytes behind `written`. A worker that has written
 * over its own box must not hang in here: a chain that can't be right begins anew. */
static void make_room(const black_box_t *box, uint64_t written, uint64_t size)
{
    black_box_head_t *head = box->head;
    uint64_t oldest = atomic_load_explicit(&head->oldest, memory_order_relaxed);
    if (oldest > written || written - oldest > box->ring_size || oldest % ALIGN != 0) {
        oldest = written;
    }
    while (oldest < written && written + size - oldest > box->ring_size) {
        uint32_t bytes; /* records are aligned, so its first member is in one piece */
        memcpy(&bytes, box->ring + (oldest & (box->ring_size - 1)), sizeof(bytes));
        oldest += sizeof(black_box_record_t) + padded(bytes);
    }
    atomic_store_explicit(&head->oldest, oldest < written ? oldest : written, memory_order_release);
}

/* Two parts, of which the second is cut to what a record may hold. */
static void append(const black_box_t *box, black_box_record_t *record, const void *fixed,
                   size_t fixed_size, trp_text_t rest)
{
    const size_t most = box->ring_size / PART_OF - sizeof(*record) - fixed_size;
    const size_t kept = rest.size < most ? rest.size : most;
    const uint64_t written =
        atomic_load_explicit(&box->head->written, memory_order_relaxed) & ~(uint64_t)(ALIGN - 1);
    record->size = (uint32_t)(fixed_size + kept);
    record->epoch_ms = clock_ns(CLOCK_REALTIME_COARSE) / NS_OF_MS;
    const uint64_t whole = sizeof(*record) + padded(record->size);
    make_room(box, written, whole);
    put(box, written, record, sizeof(*record));
    put(box, written + sizeof(*record), fixed, fixed_size);
    put(box, written + sizeof(*record) + fixed_size, rest.data, kept);
    /* Release: the record, to who reads up to here. */
    atomic_store_explicit(&box->head->written, written + whole, memory_order_release);
}

static void copy_pid(uint32_t to[4], trp_pid_t pid)
{
    to[0] = pid.node;
    to[1] = pid.slot;
    to[2] = pid.generation;
    to[3] = pid.incarnation;
}

/* A timer comes as a signal with the tag that its actor chose. */
static bool is_timer(const trp_envelope_t *message)
{
    const bool is_runtimes = message->tag <= RUNTIME_TAG_MAX;
    return (message->flags & TRP_ENVELOPE_SIGNAL) != 0 &&
           (!is_runtimes || message->tag == TRP_TAG_TIMEOUT || message->tag == TRP_TAG_STATE);
}

static void append_message(const black_box_t *box, const trp_envelope_t *message, uint64_t turn)
{
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    black_box_record_t record = {.kind = is_timer(message) ? BLACK_BOX_TIMER : BLACK_BOX_MESSAGE,
                                 .turn = turn};
    black_box_message_t note = {.request_id = message->request_id,
                                .size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
                                .tag = message->tag,
                                .flags = message->flags};
    copy_pid(note.from, message->from);
    copy_pid(note.to, message->to);
    append(box, &record, &note, sizeof(note), (trp_text_t){data, size});
}

/* As who replays it reads it: with no schema at hand. Without memory there is no record. */
static void append_packed(const black_box_t *box, const trp_envelope_t *message, uint64_t turn)
{
    trp_envelope_t *packed = envelope_copy(message);
    if (packed != NULL) {
        if (envelope_pack(packed) == TRP_OK) {
            append_message(box, packed, turn);
        }
        envelope_free(packed);
    }
}

void black_box_begin(black_box_t *box, const trp_envelope_t *message)
{
    if (box->head == NULL) {
        return;
    }
    black_box_head_t *head = box->head;
    /* Relaxed, all three: only this thread writes them; the node shows them. */
    const uint64_t turn = atomic_load_explicit(&head->turn, memory_order_relaxed) + 1;
    if (envelope_is_native(message)) {
        append_packed(box, message, turn);
    } else {
        append_message(box, message, turn);
    }
    atomic_store_explicit(&head->turn, turn, memory_order_relaxed);
    atomic_store_explicit(&head->since_ns, clock_ns(CLOCK_MONOTONIC), memory_order_relaxed);
}

void black_box_end(black_box_t *box)
{
    if (box->head != NULL) {
        /* Relaxed: as in black_box_begin. */
        atomic_store_explicit(&box->head->since_ns, 0, memory_order_relaxed);
    }
}

void black_box_log(black_box_t *box, const char *line, size_t size)
{
    if (box->head == NULL) {
        return;
    }
    const black_box_head_t *head = box->head;
    /* Relaxed, both: our own. */
    const bool busy = atomic_load_explicit(&head->since_ns, memory_order_relaxed) != 0;
    black_box_record_t record = {
        .kind = BLACK_BOX_LOG,
        .turn = busy ? atomic_load_explicit(&head->turn, memory_order_relaxed) : 0};
    append(box, &record, "", 0, (trp_text_t){line, size});
}

/* ---- the probe ---- */

/* The word is shared by two processes, so the futex is not a private one. */
static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    (void)syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

void black_box_ask(black_box_t *box)
{
    if (box->head != NULL) {
        /* Release: what the asker did before is seen by who answers. */
        atomic_fetch_add_explicit(&box->head->asked, 1, memory_order_release);
        futex(&box->head->asked, FUTEX_WAKE, INT_MAX);
    }
}

bool black_box_has_answered(const black_box_t *box)
{
    /* Acquire: what the worker did before it answered. Relaxed: our own count. */
    return box->head == NULL || atomic_load_explicit(&box->head->answered, memory_order_acquire) ==
                                    atomic_load_explicit(&box->head->asked, memory_order_relaxed);
}

_Noreturn void black_box_answer(black_box_t *box)
{
    for (;;) {
        /* Acquire, release: as black_box_ask and black_box_has_answered say. */
        const uint32_t asked = atomic_load_explicit(&box->head->asked, memory_order_acquire);
        atomic_store_explicit(&box->head->answered, asked, memory_order_release);
        futex(&box->head->asked, FUTEX_WAIT, asked);
    }
}
