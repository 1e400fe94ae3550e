/* SPDX-License-Identifier: MIT */
/* The mailbox word and the right to run its cell: push, take, close, the urgent lane, falling asleep
 * and waking, the end of an actor and the next one in the same cell. Two workers, senders to the
 * first actor, a kill of either; the second actor is pinned to worker 1.
 *
 * Each step is one atomic access of the code; behind `@` stands where: file in runtime/, function,
 * text in it. Holds:
 *     one runner        nobody runs or schedules a cell that somebody runs or has scheduled
 *     once              each envelope is handled, dead or refused, and only one of it, once
 *     in order          what one sender sent is handled in its order
 *     no use after end  nothing is shown to an actor that has ended, or to another than its own
 *     bounds            never more queued than the bound and one for each other sender; the charge is
 *                       never negative, and 0 at the end
 *     no lost wake      when all is quiet nothing is left in the mailbox
 *     progress          it does become quiet
 *
 * run: senders            -DFIRST_SENDER=1 -DSECOND_SENDER=1 -DKILLS=1
 * run: order [progress]   -DFIRST_SENDER=2 -DKILLS=1
 * run: bounds             -DFIRST_SENDER=2 -DSECOND_SENDER=2 -DLIMIT=2
 * run: large              -DFIRST_SENDER=2 -DSECOND_SENDER=1 -DLIMIT=2 -DLARGE=1
 * run: kills              -DFIRST_SENDER=1 -DKILLS=2
 * run: reuse              -DFIRST_SENDER=1 -DKILLS=1 -DREUSE */

#ifndef FIRST_SENDER
#define FIRST_SENDER 0
#endif
#ifndef SECOND_SENDER
#define SECOND_SENDER 0
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef LIMIT
#define LIMIT 4 /* messages */
#endif
#ifndef LARGE
#define LARGE 0 /* 1: the second sender's messages are charged before they are pushed */
#endif

/* The words' values; from ENVELOPE on: the newest of a list, and INBOX times the number of messages in
 * it that the runner is to charge. */
#define RUNNING    0
#define ASLEEP     1
#define CLOSED     2
#define ENVELOPE   3
#define ENVELOPES  9
#define INBOX      16
#define NONE       0
#define list_of(w) ((w) >= ENVELOPE -> (w) % INBOX : NONE) /* @ mailbox.h mailbox_list_of: word <= MAILBOX_CLOSED ? NULL */

/* Envelopes 3, 4 of the first sender, 5, 6 of the second, 7 the kill of the first actor; to the
 * second actor: 8 a message, 9 its kill; 11 another kill of the first. */
#define KILL_FIRST   7
#define KILL_SECOND  9
#define KILL_AGAIN   11
#define is_kill(m)   (m == KILL_FIRST || m == KILL_SECOND || m == KILL_AGAIN)
#define to_of(m)     (m == 8 || m == KILL_SECOND -> 2 : 1)
#define sender_of(m) ((m - ENVELOPE) / 2)

byte word = RUNNING, urgent = RUNNING; /* as mailbox_open left them: the cell is scheduled */
byte next[ENVELOPE + ENVELOPES];
byte first = NONE; /* the cell's own list, oldest first: cell->first */
byte generation = 1;
short charge = 0;
short owed = 0;

byte ready = 1, ready_pinned = 0; /* the run queue of both workers, and of worker 1 alone */

/* What the properties speak of. */
byte busy = 0;     /* workers that have taken the cell from a queue */
byte running = 0;  /* ... and may touch it */
byte queued = 0;   /* messages that were accepted and not yet handled */
bool charged[ENVELOPE + ENVELOPES];
bool settled[ENVELOPE + ENVELOPES];
byte last_of[5];
byte senders = 0; /* that are not done */
bool ended = false;

#define is_large(m) (LARGE && sender_of(m) == 1)
#define accept() queued++; assert(queued <= LIMIT + 1)
#define settle(m) assert(!settled[m]); settled[m] = true

inline schedule() /* @ scheduler.c scheduler_ready: keep_local(worker, cell) */
{
    atomic {
        assert(running == 0 && ready == 0 && ready_pinned == 0);
        if
        :: generation == 2 -> ready_pinned++ /* @ scheduler.c scheduler_ready: if (cell->held != 0) */
        :: else -> ready++
        fi
    }
}

/* ---- senders ---- */

/* Sends `m` to the actor of generation `to`. */
inline send(m, to)
{
    atomic { /* @ send.c deliver: memory_order_acquire) != generation */
        woke = false;
        open = (generation == to);
        if
        :: !open -> settle(m)
        :: else
        fi
    }
    if
    :: open && is_large(m) -> post_charged(m) /* @ mailbox.h mailbox_post: return mailbox_post_charged(mailbox, envelope) */
    :: open && !is_large(m) -> post(m)
    :: else
    fi;
    if
    :: woke -> schedule() /* @ send.c send_pushed: case MAILBOX_WOKE: */
    :: else
    fi
}

/* The push counts the message in the word: one exchange. */
inline post(m)
{
    seen = word; /* @ mailbox.h mailbox_post: uint64_t word = atomic_load_explicit(&mailbox->word */
    do
    :: seen == CLOSED -> /* @ mailbox.h mailbox_post: return MAILBOX_SHUT */
        atomic { settle(m); break }
    :: else ->
        atomic { before = charge; assert(before >= 0) } /* @ mailbox.h mailbox_has_room: atomic_load_explicit(&mailbox->charge */
        if
        :: before + seen / INBOX >= LIMIT -> /* @ mailbox.h mailbox_post: return MAILBOX_FULL */
            atomic { settle(m); break }
        :: else
        fi;
        atomic {
            next[m] = list_of(seen); /* @ mailbox.h mailbox_post: envelope->next = mailbox_list_of(word) */
            if
            :: word == seen ->
                word = (seen / INBOX + 1) * INBOX + m; /* @ mailbox.h mailbox_post: mailbox_word_of(envelope, mailbox_inbox_of(word) + 1) */
                woke = (seen == ASLEEP); /* @ mailbox.h mailbox_post: return word == MAILBOX_ASLEEP ? MAILBOX_WOKE : MAILBOX_PUSHED */
                accept();
                break
            :: else -> seen = word
            fi
        }
    od
}

/* A large one is charged first. */
inline post_charged(m)
{
    seen = word / INBOX; /* @ mailbox.c mailbox_charge: uint64_t inbox = mailbox_inbox_of(atomic_load_explicit(&mailbox->word */
    d_step { /* @ mailbox.c mailbox_charge: atomic_fetch_add_explicit(&mailbox->charge, charge */
        before = charge;
        assert(before >= 0);
        charge++
    }
    if
    :: before + seen >= LIMIT ->
        d_step { charge--; settle(m) } /* @ mailbox.c mailbox_charge: mailbox_credit(mailbox, charge) */
    :: else ->
        charged[m] = true; /* @ mailbox.c mailbox_post_charged: envelope->flags |= TRP_ENVELOPE_CHARGED */
        seen = word; /* @ mailbox.c mailbox_push: uint64_t word = atomic_load_explicit(&mailbox->word */
        do
        :: seen == CLOSED -> /* @ mailbox.c mailbox_push: return MAILBOX_SHUT */
            d_step { charge--; settle(m) } /* @ mailbox.c mailbox_post_charged: mailbox_credit(mailbox, charge) */
            break
        :: else ->
            atomic {
                next[m] = list_of(seen); /* @ mailbox.c mailbox_push: envelope->next = mailbox_list_of(word) */
                if
                :: word == seen ->
                    word = (seen / INBOX) * INBOX + m; /* @ mailbox.c mailbox_push: mailbox_word_of(envelope, mailbox_inbox_of(word)) */
                    woke = (seen == ASLEEP); /* @ mailbox.c mailbox_push: return word == MAILBOX_ASLEEP ? MAILBOX_WOKE : MAILBOX_PUSHED */
                    accept();
                    break
                :: else -> seen = word
                fi
            }
        od
    fi
}

/* Signals have no charge. */
inline send_kill(m, to)
{
    atomic {
        woke = false;
        open = (generation == to);
        if
        :: !open -> settle(m)
        :: else
        fi
    }
    if
    :: open -> push_urgent(m)
    :: else
    fi;
    if
    :: woke -> schedule()
    :: else
    fi
}

inline push_urgent(m)
{
    seen = urgent; /* @ mailbox.c mailbox_push_urgent: uintptr_t urgent = atomic_load_explicit(&mailbox->urgent */
    do
    :: seen == CLOSED -> /* @ mailbox.c mailbox_push_urgent: if (urgent == MAILBOX_CLOSED) */
        atomic { settle(m); break }
    :: else ->
        next[m] = list_of(seen); /* @ mailbox.c mailbox_push_urgent: envelope->next = (trp_envelope_t *)urgent */
        atomic { /* @ mailbox.c mailbox_push_urgent: atomic_compare_exchange_weak_explicit(&mailbox->urgent, &urgent, (uintptr_t)envelope */
            if
            :: urgent == seen -> urgent = m; seen = RUNNING; break
            :: else -> seen = urgent
            fi
        }
    od;
    if
    :: seen != CLOSED ->
        atomic { /* @ mailbox.c mailbox_push_urgent: atomic_compare_exchange_strong_explicit(&mailbox->word, &asleep, MAILBOX_RUNNING */
            if
            :: word == ASLEEP -> word = RUNNING; woke = true
            :: else
            fi
        }
    :: else
    fi
}

proctype sender(byte from, count)
{
    bool open, woke;
    short before;
    byte seen, sent = 0;
    do
    :: sent < count -> send(from + sent, 1); sent++
    :: else -> break
    od;
    senders--
}

proctype killer(byte m)
{
    bool open, woke;
    byte seen;
    send_kill(m, 1);
    senders--
}

/* Spawns the second actor into the cell, sends to it and kills it. */
proctype spawner()
{
    bool open, woke;
    short before;
    byte seen;
    ended; /* @ cell.c cell_take: table->free_first */
    urgent = RUNNING; /* @ mailbox.c mailbox_open: atomic_store_explicit(&mailbox->urgent, MAILBOX_RUNNING */
    word = RUNNING; /* @ mailbox.c mailbox_open: atomic_store_explicit(&mailbox->word, MAILBOX_RUNNING */
    schedule(); /* @ life.c life_spawn: scheduler_ready(runtime, sender->worker, cell) */
    send(8, 2);
    send_kill(KILL_SECOND, 2);
    senders--
}

/* ---- the runner ---- */

/* Shows one envelope to the actor; an envelope to a former one is dead. */
inline handle(m)
{
    d_step {
        settle(m);
        if
        :: !is_kill(m) && to_of(m) == generation -> owed++; queued-- /* @ slice.c handle: owe(worker, cell, mailbox_sum(1, envelope->inline_size)) */
        :: !is_kill(m) && to_of(m) != generation -> owed++; queued-- /* @ slice.c handle_foreign: owe(worker, cell, mailbox_charge_of(envelope)) */
        :: else
        fi;
        if
        :: to_of(m) == generation -> /* @ slice.c handle: if (!trp_pid_equal(envelope->to, cell->self)) */
            assert(!ended || generation == 2);
            assert(generation == 1 || edge);
            assert(last_of[sender_of(m)] < m);
            last_of[sender_of(m)] = m
        :: else
        fi
    }
}

/* Makes an own list, oldest first, of the one that begins with `newest`; `sum` gets the number of
 * messages in it that nobody has charged. */
inline reverse(newest) /* @ mailbox.c reverse: newest->next = taken.first */
{
    list = NONE;
    sum = 0;
    do
    :: newest >= ENVELOPE ->
        rest = next[newest];
        next[newest] = list;
        if
        :: !is_kill(newest) && !charged[newest] -> sum++ /* @ mailbox.c reverse: (TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_CHARGED)) == 0 */
        :: else
        fi;
        list = newest;
        newest = rest
    :: else -> break
    od;
    rest = 0
}

inline bury(list) /* @ life.c bury: mailbox_credit(&cell->mailbox, mailbox_charge_of(list)) */
{
    do
    :: list != NONE ->
        settle(list);
        if
        :: !is_kill(list) -> charge--; queued--
        :: else
        fi;
        list = next[list]
    :: else -> break
    od
}

/* The actor ends: the mailbox is closed, what was in it is dead, the cell is free for the next. */
inline end_actor()
{
    atomic {
        seen = list_of(word);
        word = CLOSED /* @ mailbox.c mailbox_close: atomic_exchange_explicit(&mailbox->word, MAILBOX_CLOSED */
    }
    atomic {
        kills = list_of(urgent);
        urgent = CLOSED /* @ mailbox.c mailbox_close: atomic_exchange_explicit(&mailbox->urgent, MAILBOX_CLOSED */
    }
    d_step {
        reverse(seen); /* @ mailbox.c mailbox_close: mailbox_taken_t normal = reverse(mailbox_list_of(word), &charge) */
        charge = charge + sum; /* @ mailbox.c mailbox_close: mailbox_credit(mailbox, 0 - charge) */
        bury(first); /* @ life.c wind_up: bury(sender, cell, cell->first, reason) */
        bury(list); /* @ life.c wind_up: bury(sender, cell, queued, reason) */
        bury(kills);
        charge = charge - owed; /* @ life.c settle_taken: mailbox_credit(&cell->mailbox, cell->owed + taken) */
        owed = 0;
        sum = 0;
        running--
    }
    atomic {
        generation++; /* @ cell.c cell_release: atomic_fetch_add_explicit(&cell->generation, 1 */
        ended = (generation == 2);
        gone = true
    }
}

/* Takes the urgent lane; the actor ends of it, or, as a proxy, only hears of it. */
inline handle_urgent()
{
    atomic {
        list = urgent;
        urgent = RUNNING; /* @ mailbox.c mailbox_take_urgent: atomic_exchange_explicit(&mailbox->urgent, MAILBOX_RUNNING */
        assert(list == RUNNING || list >= ENVELOPE)
    }
    do
    :: list != RUNNING ->
        handle(list);
        atomic {
            seen = list;
            list = next[list]
        }
        if
        :: to_of(seen) == generation -> atomic { bury(list); seen = 0 } end_actor(); break /* @ slice.c admit: case ADMIT_KILL: */
#ifndef REUSE
        :: to_of(seen) == generation -> seen = 0 /* @ place_proxy.c on_own_signal: message->tag == TRP_SIGNAL_KILL */
#endif
        :: to_of(seen) != generation -> seen = 0
        fi
    :: else -> break
    od
}

/* Takes the inbox; what the word counted is charged before it leaves the word, if there is more than
 * one. */
inline refill()
{
    seen = word; /* @ mailbox.c mailbox_take: uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed) */
    mine = 0;
    do
    :: true ->
        if
        :: seen / INBOX > 1 && seen / INBOX > mine -> /* @ mailbox.c mailbox_take: if (inbox > 1 && inbox > added) */
            d_step {
                charge = charge + seen / INBOX - mine; /* @ mailbox.c mailbox_take: 0 - mailbox_sum(inbox - added */
                mine = seen / INBOX /* @ mailbox.c mailbox_take: added = inbox */
            }
        :: else
        fi;
        atomic { /* @ mailbox.c mailbox_take: atomic_compare_exchange_weak_explicit(&mailbox->word, &word, MAILBOX_RUNNING */
            assert(word != ASLEEP && word != CLOSED);
            if
            :: word == seen -> word = RUNNING; break
            :: else -> seen = word
            fi
        }
    od;
    atomic {
        seen = list_of(seen);
        reverse(seen); /* @ mailbox.c mailbox_take: mailbox_taken_t taken = reverse(mailbox_list_of(word), &charge) */
        first = list; /* @ slice.c refill: cell->first = taken.first */
        owed = owed + mine - sum; /* @ slice.c refill: cell->owed += taken.excess */
        list = 0;
        mine = 0;
        sum = 0
    }
}

/* Gives the right to run away, or keeps it when something has come; `gone`: not ours any more. */
inline fall_asleep()
{
    d_step {
        mine = generation; /* @ slice.c next_envelope: uint32_t generation = life_pid(worker->runtime, cell).generation */
        charge = charge - owed; /* @ slice.c next_envelope: settle(worker, cell) */
        owed = 0
    }
    atomic { /* @ mailbox.c mailbox_sleep: atomic_compare_exchange_strong_explicit(&mailbox->word, &word, MAILBOX_ASLEEP */
        if
        :: word == RUNNING -> word = ASLEEP; running--; asleep = true
        :: else -> asleep = false
        fi
    }
    if
    :: asleep ->
        seen = urgent; /* @ mailbox.c mailbox_sleep: uintptr_t urgent = atomic_load_explicit(&mailbox->urgent, memory_order_seq_cst) */
        if
        :: seen == RUNNING || seen == CLOSED -> gone = true /* @ mailbox.c mailbox_sleep: if (urgent == MAILBOX_RUNNING || urgent == MAILBOX_CLOSED) */
        :: else ->
            atomic { /* @ mailbox.c mailbox_sleep: return !atomic_compare_exchange_strong_explicit(&mailbox->word, &word, MAILBOX_RUNNING */
                if
                :: word == ASLEEP -> word = RUNNING; asleep = false
                :: else -> gone = true
                fi
            }
            if
            :: !gone && generation != mine -> /* @ slice.c next_envelope: if (life_pid(worker->runtime, cell).generation != generation) */
                schedule(); /* @ slice.c next_envelope: scheduler_ready(worker->runtime, worker, cell) */
                gone = true
            :: !gone && generation == mine -> atomic { running++; assert(running == 1) }
            :: else
            fi
        fi
    :: else
    fi;
    d_step { seen = 0; mine = 0; asleep = false }
}

/* One slice of one message. */
inline cell_run()
{
    atomic { gone = false; running++; assert(running == 1) }
    if
    :: first == NONE -> refill() /* @ slice.c cell_run: if (cell->first == NULL && !refill(worker, cell)) */
    :: else
    fi;
    if
    :: urgent != RUNNING -> handle_urgent() /* @ slice.c cell_run: mailbox_has_urgent(&cell->mailbox) && !handle_urgent(worker, cell) */
    :: else
    fi;
    do
    :: !gone && first == NONE -> /* @ slice.c next_envelope: while (cell->first == NULL) */
        fall_asleep();
        if
        :: !gone && urgent != RUNNING -> handle_urgent() /* @ slice.c next_envelope: mailbox_has_urgent(&cell->mailbox) && !handle_urgent(worker, cell) */
        :: else
        fi;
        if
        :: !gone -> refill() /* @ slice.c next_envelope: if (!refill(worker, cell)) */
        :: else
        fi
    :: else -> break
    od;
    if
    :: !gone ->
        atomic {
            seen = first;
            first = next[first]; /* @ slice.c next_envelope: cell->first = envelope->next */
        }
        handle(seen);
        d_step {
            seen = 0;
            charge = charge - owed; /* @ slice.c cell_run: settle(worker, cell) */
            owed = 0;
            running--
        }
        schedule() /* @ slice.c cell_run: scheduler_again(worker, cell) */
    :: else
    fi
}

proctype worker(bool edge)
{
    bool gone, asleep;
    byte seen, list, kills, rest, mine, sum;
end_idle:
    do
    :: atomic { ready > 0 -> ready--; busy++ } cell_run(); busy--
    :: atomic { edge && ready_pinned > 0 -> ready_pinned--; busy++ } cell_run(); busy--
    od
}

/* ---- the world ---- */

init {
    atomic {
        run worker(false);
        run worker(true);
        senders = (FIRST_SENDER > 0 -> 1 : 0) + (SECOND_SENDER > 0 -> 1 : 0) + KILLS;
#ifdef REUSE
        senders++;
        run spawner();
#endif
        if
        :: FIRST_SENDER > 0 -> run sender(3, FIRST_SENDER)
        :: else
        fi;
        if
        :: SECOND_SENDER > 0 -> run sender(5, SECOND_SENDER)
        :: else
        fi;
        if
        :: KILLS > 0 -> run killer(KILL_FIRST)
        :: else
        fi;
        if
        :: KILLS > 1 -> run killer(KILL_AGAIN)
        :: else
        fi
    }
    /* quiet */
    senders == 0 && ready == 0 && ready_pinned == 0 && busy == 0;
    assert(FIRST_SENDER < 1 || settled[3]);
    assert(FIRST_SENDER < 2 || settled[4]);
    assert(SECOND_SENDER < 1 || settled[5]);
    assert(SECOND_SENDER < 2 || settled[6]);
    assert(KILLS < 1 || settled[KILL_FIRST]);
    assert(KILLS < 2 || settled[KILL_AGAIN]);
    assert(first == NONE && word < ENVELOPE && urgent < ENVELOPE);
    assert(charge == 0 && queued == 0)
}
