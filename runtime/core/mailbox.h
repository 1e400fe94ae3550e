/* SPDX-License-Identifier: MIT */
/* A mailbox: many senders, one runner. One word is the inbox and the right to run at once:
 *
 *     word        means                                 push makes it     who must schedule
 *     RUNNING     someone runs or queues it, empty      the list          nobody
 *     a list      the same, newest envelope first       the list + 1      nobody
 *     ASLEEP      nobody runs it, empty                 the list          the sender (MAILBOX_WOKE)
 *     CLOSED      no actor                              -                 - (MAILBOX_SHUT)
 *
 * A second word is the urgent lane (kill): a list, looked at by the runner before each message.
 *
 * What is queued counts against the mailbox's bounds. A list's word also has the number of its
 * messages, so that a sender needs one atomic act, the push itself, for a message that travels
 * inside its envelope; the runner adds them to the charge when it takes the list. Until then each
 * counts as the bytes of an envelope's payload. Larger messages are charged by their sender before
 * the push (TRP_ENVELOPE_CHARGED), and all are when the bound of bytes is so low that it matters.
 * The sum may be too high for a moment while the runner takes a list, and too low by one message
 * for each thread that sends at that moment.
 *
 * The memory is never unmapped (cells are type-stable), so a late sender does no harm: what it
 * pushes to the next actor of the cell is recognised by its generation and dropped by the
 * runner. */
#ifndef TRP_RUNTIME_MAILBOX_H
#define TRP_RUNTIME_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "messages/envelope.h"

#define MAILBOX_COUNT_MAX 0x7fffffu          /* messages: 23 of the 24 bits of the charge */
#define MAILBOX_BYTES_MAX ((1ull << 39) - 1) /* bytes: 39 of its 40 bits */

typedef struct mailbox {
    _Atomic uint64_t charge; /* count << 40 | bytes, without the inbox: only added and subtracted */
    _Atomic uint64_t limit;  /* the same form; an atomic since late senders read it */
    _Atomic uint64_t word;
    _Atomic(uintptr_t) urgent; /* looked at before each message: in a cell on the runner's line */
} mailbox_t;

typedef enum mailbox_pushed {
    MAILBOX_PUSHED,
    MAILBOX_WOKE,
    MAILBOX_SHUT,
    MAILBOX_FULL,
} mailbox_pushed_t;

/** Makes it closed, before the cell is known to anybody. */
void mailbox_init(mailbox_t *mailbox);

/** Opens it for a new actor, as RUNNING: the opener must schedule the cell. The charge is not
 * touched: late senders may still give theirs back. */
void mailbox_open(mailbox_t *mailbox, uint32_t count_max, uint64_t bytes_max);

/** Closes it and takes all that is in it, oldest first, urgent ones before. Runner only. */
trp_envelope_t *mailbox_close(mailbox_t *mailbox);

/** What an envelope costs; 0 for signals, which are exempt from bounds. */
uint64_t mailbox_charge_of(const trp_envelope_t *envelope);

/** Adds the charge if the bounds allow. */
bool mailbox_charge(mailbox_t *mailbox, uint64_t charge);

/** Gives back a charge: by the failed sender, or by who took the envelope. */
void mailbox_credit(mailbox_t *mailbox, uint64_t charge);

static inline uint32_t mailbox_count(uint64_t charge)
{
    return (uint32_t)(charge >> 40);
}

static inline uint64_t mailbox_bytes(uint64_t charge)
{
    return charge & ((1ull << 40) - 1);
}

/** The charge of `count` envelopes with `bytes` in all. */
static inline uint64_t mailbox_sum(uint64_t count, uint64_t bytes)
{
    return count << 40 | bytes;
}

/** Hands over what is charged already, or never is. owns: the mailbox's unless MAILBOX_SHUT. */
mailbox_pushed_t mailbox_push(mailbox_t *mailbox, trp_envelope_t *envelope);
mailbox_pushed_t mailbox_push_urgent(mailbox_t *mailbox, trp_envelope_t *envelope);

/** What the runner took. */
typedef struct mailbox_taken {
    trp_envelope_t *first, *last; /* oldest first */
    unsigned flags;               /* all that its envelopes have */
    uint64_t excess;              /* added to the charge beyond what the list costs, modulo 2^64 */
} mailbox_taken_t;

/** Takes the inbox. A list with a single message is not charged: who is about to handle it would
 * give that back at once. Runner only. */
mailbox_taken_t mailbox_take(mailbox_t *mailbox);

/** Takes the urgent lane, newest first; NULL: empty. Runner only. */
trp_envelope_t *mailbox_take_urgent(mailbox_t *mailbox);

/** Messages that are queued, for display. */
uint32_t mailbox_depth(const mailbox_t *mailbox);

/** Whether the urgent lane has something; for the runner, and as a hint for others. */
bool mailbox_has_urgent(const mailbox_t *mailbox);

/** The urgent lane as it is, newest first, not taken. Runner only. */
const trp_envelope_t *mailbox_peek_urgent(const mailbox_t *mailbox);

/** Ends the run: false when something has come and the runner must go on. After true the runner
 * must not touch the cell. */
bool mailbox_sleep(mailbox_t *mailbox);

bool mailbox_is_asleep(const mailbox_t *mailbox);

/** The same as mailbox_post, by charging the message first. */
mailbox_pushed_t mailbox_post_charged(mailbox_t *mailbox, trp_envelope_t *envelope);

/* ---- what each message passes through ---- */

#define MAILBOX_RUNNING 0ull
#define MAILBOX_ASLEEP  1ull
#define MAILBOX_CLOSED  2ull

/* A list's word: the number of messages that the runner is to charge, and where the newest is. */
#define MAILBOX_PLACE_BITS \
    41 /* of an address of 48 bits that is a multiple of an envelope's size */
#define MAILBOX_PLACE_SHIFT 7
#define MAILBOX_PLACE_MASK  ((1ull << MAILBOX_PLACE_BITS) - 1)
#define MAILBOX_INBOX_MAX   ((1ull << (64 - MAILBOX_PLACE_BITS)) - 1)

_Static_assert(TRP_ENVELOPE_SIZE == 1 << MAILBOX_PLACE_SHIFT,
               "the low bits of its address are zero");
_Static_assert(sizeof(uintptr_t) == 8, "the word has room for both");
_Static_assert(MAILBOX_COUNT_MAX <= MAILBOX_INBOX_MAX,
               "no bound is beyond what the word can count");

static inline trp_envelope_t *mailbox_list_of(uint64_t word)
{
    return word <= MAILBOX_CLOSED
               ? NULL
               : (trp_envelope_t *)(uintptr_t)((word & MAILBOX_PLACE_MASK) << MAILBOX_PLACE_SHIFT);
}

static inline uint64_t mailbox_inbox_of(uint64_t word)
{
    return word >> MAILBOX_PLACE_BITS;
}

static inline uint64_t mailbox_word_of(const trp_envelope_t *newest, uint64_t inbox)
{
    return inbox << MAILBOX_PLACE_BITS | (uint64_t)(uintptr_t)newest >> MAILBOX_PLACE_SHIFT;
}

/* Whether the word and the charge leave room for one more message inside its envelope. */
static inline bool mailbox_has_room(const mailbox_t *mailbox, uint64_t word, uint64_t limit)
{
    /* Relaxed: the word was read before with acquire, and who emptied it charged that before; what
     * else changes the charge now does not know of us either. */
    uint64_t charge = atomic_load_explicit(&mailbox->charge, memory_order_relaxed);
    uint64_t inbox = mailbox_inbox_of(word);
    return mailbox_count(charge) + inbox < mailbox_count(limit) &&
           mailbox_bytes(charge) + (inbox + 1) * TRP_INLINE_MAX <= mailbox_bytes(limit);
}

/* Whether messages inside their envelopes may pass the bound of bytes before that of the count. */
static inline bool mailbox_is_tight(uint64_t limit)
{
    return mailbox_bytes(limit) < (uint64_t)mailbox_count(limit) * TRP_INLINE_MAX;
}

/** Hands over a message if the bounds allow. owns: the mailbox's unless MAILBOX_SHUT or
 * MAILBOX_FULL. */
static inline mailbox_pushed_t mailbox_post(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    uint64_t limit = atomic_load_explicit(&mailbox->limit, memory_order_relaxed);
    if ((envelope->flags & TRP_ENVELOPE_SHARED) != 0 || mailbox_is_tight(limit)) {
        return mailbox_post_charged(mailbox, envelope);
    }
    envelope->flags &= (uint8_t)~TRP_ENVELOPE_CHARGED;
    /* Acquire, release: as in mailbox_push. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_acquire);
    for (;;) {
        if (word == MAILBOX_CLOSED) {
            return MAILBOX_SHUT;
        }
        if (!mailbox_has_room(mailbox, word, limit)) {
            return MAILBOX_FULL;
        }
        envelope->next = mailbox_list_of(word);
        if (atomic_compare_exchange_weak_explicit(
                &mailbox->word, &word, mailbox_word_of(envelope, mailbox_inbox_of(word) + 1),
                memory_order_acq_rel, memory_order_acquire)) {
            return word == MAILBOX_ASLEEP ? MAILBOX_WOKE : MAILBOX_PUSHED;
        }
    }
}

#endif
