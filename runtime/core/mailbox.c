/* SPDX-License-Identifier: MIT */
#include "runtime/core/mailbox.h"

#include <stddef.h>

void mailbox_init(mailbox_t *mailbox)
{
    /* Relaxed: the cell is published by the table's high-water mark. */
    atomic_store_explicit(&mailbox->word, MAILBOX_CLOSED, memory_order_relaxed);
    atomic_store_explicit(&mailbox->urgent, MAILBOX_CLOSED, memory_order_relaxed);
    atomic_store_explicit(&mailbox->charge, 0, memory_order_relaxed);
}

void mailbox_open(mailbox_t *mailbox, uint32_t count_max, uint64_t bytes_max)
{
    uint64_t count = count_max < MAILBOX_COUNT_MAX ? count_max : MAILBOX_COUNT_MAX;
    uint64_t bytes = bytes_max < MAILBOX_BYTES_MAX ? bytes_max : MAILBOX_BYTES_MAX;
    /* Relaxed: a late sender to the former actor may see either bound. */
    atomic_store_explicit(&mailbox->limit, mailbox_sum(count, bytes), memory_order_relaxed);
    /* Release: whoever pushes sees the cell as the spawner made it. */
    atomic_store_explicit(&mailbox->urgent, MAILBOX_RUNNING, memory_order_release);
    atomic_store_explicit(&mailbox->word, MAILBOX_RUNNING, memory_order_release);
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
            sum += mailbox_sum(1, newest->inline_size);
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
    uint64_t word = atomic_exchange_explicit(&mailbox->word, MAILBOX_CLOSED, memory_order_acq_rel);
    uintptr_t urgent =
        atomic_exchange_explicit(&mailbox->urgent, MAILBOX_CLOSED, memory_order_acq_rel);
    uint64_t charge = 0;
    mailbox_taken_t normal = reverse(mailbox_list_of(word), &charge);
    mailbox_credit(mailbox, 0 - charge);
    mailbox_taken_t first =
        reverse(urgent == MAILBOX_CLOSED ? NULL : (trp_envelope_t *)urgent, &charge);
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
    return mailbox_sum(1, size);
}

bool mailbox_charge(mailbox_t *mailbox, uint64_t charge)
{
    /* Acquire: the charge of what is no longer in the word, as mailbox_has_room explains. */
    uint64_t inbox = mailbox_inbox_of(atomic_load_explicit(&mailbox->word, memory_order_acquire));
    /* Relaxed: a sum; nothing is published by it. */
    uint64_t before = atomic_fetch_add_explicit(&mailbox->charge, charge, memory_order_relaxed);
    uint64_t limit = atomic_load_explicit(&mailbox->limit, memory_order_relaxed);
    if (mailbox_count(before) + inbox < mailbox_count(limit) &&
        mailbox_bytes(before) + inbox * TRP_INLINE_MAX + mailbox_bytes(charge) <=
            mailbox_bytes(limit)) {
        return true;
    }
    mailbox_credit(mailbox, charge);
    return false;
}

void mailbox_credit(mailbox_t *mailbox, uint64_t charge)
{
    /* Relaxed: a sum; nothing is published by it. */
    atomic_fetch_sub_explicit(&mailbox->charge, charge, memory_order_relaxed);
}

mailbox_pushed_t mailbox_post_charged(mailbox_t *mailbox, trp_envelope_t *envelope)
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

mailbox_pushed_t mailbox_push(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    /* Acquire, here and when the exchange fails: who finds CLOSED comes after all that the actor
     * did, so that the DOWN we send ourselves stands behind the actor's last messages to us. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_acquire);
    for (;;) {
        if (word == MAILBOX_CLOSED) {
            return MAILBOX_SHUT;
        }
        envelope->next = mailbox_list_of(word);
        /* Release: the envelope, to the runner that takes the list. Acquire: when this push wakes,
         * the cell as its last runner left it before mailbox_sleep, since we schedule it. */
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word,
                                                  mailbox_word_of(envelope, mailbox_inbox_of(word)),
                                                  memory_order_acq_rel, memory_order_acquire)) {
            return word == MAILBOX_ASLEEP ? MAILBOX_WOKE : MAILBOX_PUSHED;
        }
    }
}

mailbox_pushed_t mailbox_push_urgent(mailbox_t *mailbox, trp_envelope_t *envelope)
{
    /* Acquire: as in mailbox_push. */
    uintptr_t urgent = atomic_load_explicit(&mailbox->urgent, memory_order_acquire);
    do {
        if (urgent == MAILBOX_CLOSED) {
            return MAILBOX_SHUT;
        }
        envelope->next = (trp_envelope_t *)urgent;
        /* Sequentially consistent, here, below and in mailbox_sleep: either the runner that falls
         * asleep sees this envelope, or we see that it sleeps. */
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->urgent, &urgent, (uintptr_t)envelope,
                                                    memory_order_seq_cst, memory_order_acquire));
    uint64_t asleep = MAILBOX_ASLEEP;
    return atomic_compare_exchange_strong_explicit(&mailbox->word, &asleep, MAILBOX_RUNNING,
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
        uint64_t inbox = mailbox_inbox_of(word);
        if (inbox > 1 && inbox > added) { /* before they leave the word: nobody finds less */
            mailbox_credit(mailbox,
                           0 - mailbox_sum(inbox - added, (inbox - added) * TRP_INLINE_MAX));
            added = inbox;
        }
        /* Release: a sender that finds it empty finds the charge as well. */
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word, MAILBOX_RUNNING,
                                                  memory_order_acq_rel, memory_order_relaxed)) {
            break;
        }
    }
    uint64_t charge = 0;
    mailbox_taken_t taken = reverse(mailbox_list_of(word), &charge);
    taken.excess = mailbox_sum(added, added * TRP_INLINE_MAX) - charge;
    return taken;
}

trp_envelope_t *mailbox_take_urgent(mailbox_t *mailbox)
{
    /* Acquire: as mailbox_take. */
    return (trp_envelope_t *)atomic_exchange_explicit(&mailbox->urgent, MAILBOX_RUNNING,
                                                      memory_order_acquire);
}

bool mailbox_has_urgent(const mailbox_t *mailbox)
{
    /* Relaxed: a hint; mailbox_take_urgent acquires. */
    return atomic_load_explicit(&mailbox->urgent, memory_order_relaxed) != MAILBOX_RUNNING;
}

const trp_envelope_t *mailbox_peek_urgent(const mailbox_t *mailbox)
{
    /* Acquire: as mailbox_take. */
    uintptr_t urgent = atomic_load_explicit(&mailbox->urgent, memory_order_acquire);
    return urgent == MAILBOX_CLOSED ? NULL : (const trp_envelope_t *)urgent;
}

bool mailbox_sleep(mailbox_t *mailbox)
{
    uint64_t word = MAILBOX_RUNNING;
    /* Release (in seq_cst): the cell as we leave it, to the sender that wakes it. */
    if (!atomic_compare_exchange_strong_explicit(&mailbox->word, &word, MAILBOX_ASLEEP,
                                                 memory_order_seq_cst, memory_order_relaxed)) {
        return false;
    }
    uintptr_t urgent = atomic_load_explicit(&mailbox->urgent, memory_order_seq_cst);
    if (urgent == MAILBOX_RUNNING || urgent == MAILBOX_CLOSED) {
        return true;
    }
    /* An urgent push came between: whoever turns the word back runs the cell. Acquire: if another
     * runner had it in between, the cell as that one left it. */
    word = MAILBOX_ASLEEP;
    return !atomic_compare_exchange_strong_explicit(&mailbox->word, &word, MAILBOX_RUNNING,
                                                    memory_order_acquire, memory_order_relaxed);
}

uint32_t mailbox_depth(const mailbox_t *mailbox)
{
    /* Relaxed, both: for display. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    uint64_t charge = atomic_load_explicit(&mailbox->charge, memory_order_relaxed);
    return mailbox_count(charge) + (uint32_t)mailbox_inbox_of(word);
}

bool mailbox_is_asleep(const mailbox_t *mailbox)
{
    /* Relaxed: for display. */
    return atomic_load_explicit(&mailbox->word, memory_order_relaxed) == MAILBOX_ASLEEP;
}
