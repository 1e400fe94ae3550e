/* SPDX-License-Identifier: MIT */
#include "runtime/mailbox.h"

#include <stddef.h>

#define RUNNING ((uintptr_t)0)
#define ASLEEP  ((uintptr_t)1)
#define CLOSED  ((uintptr_t)2)

#define COUNT_SHIFT 40
#define BYTES_MASK  ((1ull << COUNT_SHIFT) - 1)

static trp_envelope_t *list_of(uintptr_t word)
{
    return word <= CLOSED ? NULL : (trp_envelope_t *)word;
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

trp_envelope_t *mailbox_reverse(trp_envelope_t *newest, trp_envelope_t **last, unsigned *flags)
{
    trp_envelope_t *oldest = NULL;
    unsigned seen = 0;
    *last = newest;
    while (newest != NULL) {
        trp_envelope_t *next = newest->next;
        newest->next = oldest;
        seen |= newest->flags;
        oldest = newest;
        newest = next;
    }
    *flags = seen;
    return oldest;
}

trp_envelope_t *mailbox_close(mailbox_t *mailbox)
{
    /* Acquire: what each pusher wrote into its envelope. Release: a sender that finds CLOSED and
     * reports its receiver dead comes after all that the actor did. */
    uintptr_t word = atomic_exchange_explicit(&mailbox->word, CLOSED, memory_order_acq_rel);
    uintptr_t urgent = atomic_exchange_explicit(&mailbox->urgent, CLOSED, memory_order_acq_rel);
    trp_envelope_t *last = NULL;
    unsigned flags = 0;
    trp_envelope_t *normal = mailbox_reverse(list_of(word), &last, &flags);
    trp_envelope_t *first = mailbox_reverse(list_of(urgent), &last, &flags);
    if (first == NULL) {
        return normal;
    }
    last->next = normal;
    return first;
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
    /* Relaxed: a sum; nothing is published by it. */
    uint64_t before = atomic_fetch_add_explicit(&mailbox->charge, charge, memory_order_relaxed);
    uint64_t limit = atomic_load_explicit(&mailbox->limit, memory_order_relaxed);
    if (before >> COUNT_SHIFT < limit >> COUNT_SHIFT &&
        (before & BYTES_MASK) + (charge & BYTES_MASK) <= (limit & BYTES_MASK)) {
        return true;
    }
    mailbox_credit(mailbox, charge);
    return false;
}

void mailbox_credit(mailbox_t *mailbox, uint64_t charge)
{
    atomic_fetch_sub_explicit(&mailbox->charge, charge, memory_order_relaxed);
}

mailbox_pushed_t mailbox_push(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    /* Acquire, here and when the exchange fails: who finds CLOSED comes after all that the actor
     * did, so that the DOWN we send ourselves stands behind the actor's last messages to us. */
    uintptr_t word = atomic_load_explicit(&mailbox->word, memory_order_acquire);
    for (;;) {
        if (word == CLOSED) {
            return MAILBOX_SHUT;
        }
        envelope->next = list_of(word);
        /* Release: the envelope, to the runner that takes the list. Acquire: when this push wakes,
         * the cell as its last runner left it before mailbox_sleep, since we schedule it. */
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word, (uintptr_t)envelope,
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
        envelope->next = list_of(urgent);
        /* Sequentially consistent, here, below and in mailbox_sleep: either the runner that falls
         * asleep sees this envelope, or we see that it sleeps. */
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->urgent, &urgent, (uintptr_t)envelope,
                                                    memory_order_seq_cst, memory_order_acquire));
    uintptr_t asleep = ASLEEP;
    return atomic_compare_exchange_strong_explicit(&mailbox->word, &asleep, RUNNING,
                                                   memory_order_seq_cst, memory_order_seq_cst)
               ? MAILBOX_WOKE
               : MAILBOX_PUSHED;
}

trp_envelope_t *mailbox_take(mailbox_t *mailbox)
{
    /* Acquire: what each pusher wrote into its envelope before its push. */
    return list_of(atomic_exchange_explicit(&mailbox->word, RUNNING, memory_order_acquire));
}

trp_envelope_t *mailbox_take_urgent(mailbox_t *mailbox)
{
    /* Acquire: as mailbox_take. */
    return list_of(atomic_exchange_explicit(&mailbox->urgent, RUNNING, memory_order_acquire));
}

bool mailbox_has_urgent(const mailbox_t *mailbox)
{
    /* Relaxed: a hint; mailbox_take_urgent acquires. */
    return atomic_load_explicit(&mailbox->urgent, memory_order_relaxed) != RUNNING;
}

bool mailbox_sleep(mailbox_t *mailbox)
{
    uintptr_t word = RUNNING;
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

bool mailbox_is_asleep(const mailbox_t *mailbox)
{
    /* Relaxed: for display. */
    return atomic_load_explicit(&mailbox->word, memory_order_relaxed) == ASLEEP;
}
