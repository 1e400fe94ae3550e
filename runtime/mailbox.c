/* SPDX-License-Identifier: MIT */
#include "runtime/mailbox.h"

#include <stddef.h>

#define RUNNING 0ull
#define ASLEEP  1ull
#define CLOSED  2ull

/* A list's word: the number of messages that the runner is to charge, and where the newest is. */
#define PLACE_BITS  41 /* of an address of 48 bits that is a multiple of an envelope's size */
#define PLACE_SHIFT 7
#define PLACE_MASK  ((1ull << PLACE_BITS) - 1)
#define INBOX_MAX   ((1ull << (64 - PLACE_BITS)) - 1)

#define COUNT_SHIFT 40
#define BYTES_MASK  ((1ull << COUNT_SHIFT) - 1)

_Static_assert(TRP_ENVELOPE_SIZE == 1 << PLACE_SHIFT, "the low bits of its address are zero");
_Static_assert(sizeof(uintptr_t) == 8, "the word has room for both");
_Static_assert(MAILBOX_COUNT_MAX <= INBOX_MAX, "no bound is beyond what the word can count");

static trp_envelope_t *list_of(uint64_t word)
{
    return word <= CLOSED ? NULL
                          : (trp_envelope_t *)(uintptr_t)((word & PLACE_MASK) << PLACE_SHIFT);
}

static uint64_t inbox_of(uint64_t word)
{
    return word >> PLACE_BITS;
}

static uint64_t word_of(const trp_envelope_t *newest, uint64_t inbox)
{
    return inbox << PLACE_BITS | (uint64_t)(uintptr_t)newest >> PLACE_SHIFT;
}

void mailbox_init(mailbox_t *mailbox)
{
    /* Relaxed: the cell is published by the table's high-water mark. */
    atomic_store_explicit(&mailbox->word, CLOSED, memory_order_relaxed);
    atomic_store_explicit(&mailbox->urgent, CLOSED, memory_order_relaxed);
    atomic_store_explicit(&mailbox->charge, 0, memory_order_relaxed);
}

void mailbox_open(mailbox_t *mailbox, uint32_t count_max, uint64_t bytes_max)
{
    uint64_t count = count_max < MAILBOX_COUNT_MAX ? count_max : MAILBOX_COUNT_MAX;
    uint64_t bytes = bytes_max < MAILBOX_BYTES_MAX ? bytes_max : MAILBOX_BYTES_MAX;
    /* Relaxed: a late sender to the former actor may see either bound. */
    atomic_store_explicit(&mailbox->limit, count << COUNT_SHIFT | bytes, memory_order_relaxed);
    /* Release: whoever pushes sees the cell as the spawner made it. */
    atomic_store_explicit(&mailbox->urgent, RUNNING, memory_order_release);
    atomic_store_explicit(&mailbox->word, RUNNING, memory_order_release);
}

/* Newest first -> oldest first. `*charge` gets what nobody has charged yet. */
static mailbox_taken_t reverse(trp_envelope_t *newest, uint64_t *charge)
{
    mailbox_taken_t taken = {.last = newest};
    uint64_t sum = 0;
    while (newest != NULL) {
        trp_envelope_t *next = newest->next;
        __builtin_prefetch(next);
        newest->next = taken.first;
        taken.flags |= newest->flags;
        if ((newest->flags & (TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_CHARGED)) == 0) {
            sum += 1ull << COUNT_SHIFT | newest->inline_size;
        }
        taken.first = newest;
        newest = next;
    }
    *charge = sum;
    return taken;
}

trp_envelope_t *mailbox_close(mailbox_t *mailbox)
{
    /* Acquire: what each pusher wrote into its envelope. Release: a sender that finds CLOSED and
     * reports its receiver dead comes after all that the actor did. */
    uint64_t word = atomic_exchange_explicit(&mailbox->word, CLOSED, memory_order_acq_rel);
    uintptr_t urgent = atomic_exchange_explicit(&mailbox->urgent, CLOSED, memory_order_acq_rel);
    uint64_t charge = 0;
    mailbox_taken_t normal = reverse(list_of(word), &charge);
    mailbox_credit(mailbox, 0 - charge);
    mailbox_taken_t first = reverse(urgent == CLOSED ? NULL : (trp_envelope_t *)urgent, &charge);
    if (first.first == NULL) {
        return normal.first;
    }
    first.last->next = normal.first;
    return first.first;
}

uint64_t mailbox_charge_of(const trp_envelope_t *envelope)
{
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) != 0) {
        return 0;
    }
    uint64_t size = envelope->inline_size;
    if ((envelope->flags & TRP_ENVELOPE_SHARED) != 0) {
        size = zmq_msg_size(&envelope->payload.message);
    }
    return (1ull << COUNT_SHIFT) | size;
}

bool mailbox_charge(mailbox_t *mailbox, uint64_t charge)
{
    /* Acquire: the charge of what is no longer in the word, as has_room explains. */
    uint64_t inbox = inbox_of(atomic_load_explicit(&mailbox->word, memory_order_acquire));
    /* Relaxed: a sum; nothing is published by it. */
    uint64_t before = atomic_fetch_add_explicit(&mailbox->charge, charge, memory_order_relaxed);
    uint64_t limit = atomic_load_explicit(&mailbox->limit, memory_order_relaxed);
    if ((before >> COUNT_SHIFT) + inbox < limit >> COUNT_SHIFT &&
        (before & BYTES_MASK) + inbox * TRP_INLINE_MAX + (charge & BYTES_MASK) <=
            (limit & BYTES_MASK)) {
        return true;
    }
    mailbox_credit(mailbox, charge);
    return false;
}

void mailbox_credit(mailbox_t *mailbox, uint64_t charge)
{
    atomic_fetch_sub_explicit(&mailbox->charge, charge, memory_order_relaxed);
}

/* Whether the word and the charge leave room for one more message inside its envelope. */
static bool has_room(const mailbox_t *mailbox, uint64_t word, uint64_t limit)
{
    /* Relaxed: the word was read before with acquire, and who emptied it charged that before; what
     * else changes the charge now does not know of us either. */
    uint64_t charge = atomic_load_explicit(&mailbox->charge, memory_order_relaxed);
    uint64_t inbox = inbox_of(word);
    return (charge >> COUNT_SHIFT) + inbox < limit >> COUNT_SHIFT &&
           (charge & BYTES_MASK) + (inbox + 1) * TRP_INLINE_MAX <= (limit & BYTES_MASK);
}

/* Whether messages inside their envelopes may pass the bound of bytes before that of the count. */
static bool is_tight(uint64_t limit)
{
    return (limit & BYTES_MASK) < (limit >> COUNT_SHIFT) * TRP_INLINE_MAX;
}

static mailbox_pushed_t post_charged(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    uint64_t charge = mailbox_charge_of(envelope);
    if (!mailbox_charge(mailbox, charge)) {
        return MAILBOX_FULL;
    }
    envelope->flags |= TRP_ENVELOPE_CHARGED;
    mailbox_pushed_t pushed = mailbox_push(mailbox, envelope);
    if (pushed == MAILBOX_SHUT) {
        mailbox_credit(mailbox, charge);
    }
    return pushed;
}

mailbox_pushed_t mailbox_post(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    uint64_t limit = atomic_load_explicit(&mailbox->limit, memory_order_relaxed);
    if ((envelope->flags & TRP_ENVELOPE_SHARED) != 0 || is_tight(limit)) {
        return post_charged(mailbox, envelope);
    }
    envelope->flags &= (uint8_t)~TRP_ENVELOPE_CHARGED;
    /* Acquire, release: as in mailbox_push. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_acquire);
    for (;;) {
        if (word == CLOSED) {
            return MAILBOX_SHUT;
        }
        if (!has_room(mailbox, word, limit)) {
            return MAILBOX_FULL;
        }
        envelope->next = list_of(word);
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word,
                                                  word_of(envelope, inbox_of(word) + 1),
                                                  memory_order_acq_rel, memory_order_acquire)) {
            return word == ASLEEP ? MAILBOX_WOKE : MAILBOX_PUSHED;
        }
    }
}

mailbox_pushed_t mailbox_push(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    /* Acquire, here and when the exchange fails: who finds CLOSED comes after all that the actor
     * did, so that the DOWN we send ourselves stands behind the actor's last messages to us. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_acquire);
    for (;;) {
        if (word == CLOSED) {
            return MAILBOX_SHUT;
        }
        envelope->next = list_of(word);
        /* Release: the envelope, to the runner that takes the list. Acquire: when this push wakes,
         * the cell as its last runner left it before mailbox_sleep, since we schedule it. */
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word,
                                                  word_of(envelope, inbox_of(word)),
                                                  memory_order_acq_rel, memory_order_acquire)) {
            return word == ASLEEP ? MAILBOX_WOKE : MAILBOX_PUSHED;
        }
    }
}

mailbox_pushed_t mailbox_push_urgent(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    uintptr_t urgent = atomic_load_explicit(&mailbox->urgent, memory_order_acquire);
    do {
        if (urgent == CLOSED) {
            return MAILBOX_SHUT;
        }
        envelope->next = (trp_envelope_t *)urgent;
        /* Sequentially consistent, here, below and in mailbox_sleep: either the runner that falls
         * asleep sees this envelope, or we see that it sleeps. */
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->urgent, &urgent, (uintptr_t)envelope,
                                                    memory_order_seq_cst, memory_order_acquire));
    uint64_t asleep = ASLEEP;
    return atomic_compare_exchange_strong_explicit(&mailbox->word, &asleep, RUNNING,
                                                   memory_order_seq_cst, memory_order_seq_cst)
               ? MAILBOX_WOKE
               : MAILBOX_PUSHED;
}

mailbox_taken_t mailbox_take(mailbox_t *mailbox)
{
    /* Relaxed: the exchange acquires what each pusher wrote into its envelope. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    uint64_t added = 0;
    for (;;) {
        uint64_t inbox = inbox_of(word);
        if (inbox > 1 && inbox > added) { /* before they leave the word: nobody finds less */
            mailbox_credit(mailbox,
                           0 - mailbox_sum(inbox - added, (inbox - added) * TRP_INLINE_MAX));
            added = inbox;
        }
        /* Release: a sender that finds it empty finds the charge as well. */
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word, RUNNING,
                                                  memory_order_acq_rel, memory_order_relaxed)) {
            break;
        }
    }
    uint64_t charge = 0;
    mailbox_taken_t taken = reverse(list_of(word), &charge);
    taken.excess = mailbox_sum(added, added * TRP_INLINE_MAX) - charge;
    return taken;
}

trp_envelope_t *mailbox_take_urgent(mailbox_t *mailbox)
{
    /* Acquire: as mailbox_take. */
    return (trp_envelope_t *)atomic_exchange_explicit(&mailbox->urgent, RUNNING,
                                                      memory_order_acquire);
}

bool mailbox_has_urgent(const mailbox_t *mailbox)
{
    /* Relaxed: a hint; mailbox_take_urgent acquires. */
    return atomic_load_explicit(&mailbox->urgent, memory_order_relaxed) != RUNNING;
}

bool mailbox_sleep(mailbox_t *mailbox)
{
    uint64_t word = RUNNING;
    /* Release (in seq_cst): the cell as we leave it, to the sender that wakes it. */
    if (!atomic_compare_exchange_strong_explicit(&mailbox->word, &word, ASLEEP,
                                                 memory_order_seq_cst, memory_order_relaxed)) {
        return false;
    }
    uintptr_t urgent = atomic_load_explicit(&mailbox->urgent, memory_order_seq_cst);
    if (urgent == RUNNING || urgent == CLOSED) {
        return true;
    }
    /* An urgent push came between: whoever turns the word back runs the cell. Acquire: if another
     * runner had it in between, the cell as that one left it. */
    word = ASLEEP;
    return !atomic_compare_exchange_strong_explicit(&mailbox->word, &word, RUNNING,
                                                    memory_order_acquire, memory_order_relaxed);
}

uint32_t mailbox_depth(const mailbox_t *mailbox)
{
    /* Relaxed, both: for display. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    uint64_t charge = atomic_load_explicit(&mailbox->charge, memory_order_relaxed);
    return mailbox_count(charge) + (uint32_t)inbox_of(word);
}

bool mailbox_is_asleep(const mailbox_t *mailbox)
{
    /* Relaxed: for display. */
    return atomic_load_explicit(&mailbox->word, memory_order_relaxed) == ASLEEP;
}
