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
 *     bounds            never more queued than the bound; the charge is never negative, 0 at the end
 *     no lost wake      when all is quiet nothing is left in the mailbox
 *     progress          it does become quiet
 *
 * run: senders            -DFIRST_SENDER=1 -DSECOND_SENDER=1 -DKILLS=1
 * run: order [progress]   -DFIRST_SENDER=2 -DKILLS=1
 * run: bounds [progress]  -DFIRST_SENDER=2 -DSECOND_SENDER=2 -DLIMIT=1
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
#define LIMIT 4 /* envelopes */
#endif

/* The words' values; from ENVELOPE on: the newest of a list. */
#define RUNNING  0
#define ASLEEP   1
#define CLOSED   2
#define ENVELOPE 3
#define ENVELOPES 9
#define NONE 0

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
byte admitted = 0; /* charged and not yet handled */
bool settled[ENVELOPE + ENVELOPES];
byte last_of[5];
byte senders = 0; /* that are not done */
bool ended = false;

#define settle(m) assert(!settled[m]); settled[m] = true

inline schedule() /* @ scheduler.c scheduler_ready: keep_local(worker, cell) */
{
    atomic {
        assert(running == 0 && ready == 0 && ready_pinned == 0);
        if
        :: generation == 2 -> ready_pinned++ /* @ scheduler.c scheduler_ready: if (cell->pinned) */
        :: else -> ready++
        fi
    }
}

/* ---- senders ---- */

/* Pushes `m` to the actor of generation `to`. */
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
    :: open ->
        d_step { /* @ mailbox.c mailbox_charge: atomic_fetch_add_explicit(&mailbox->charge, charge */
            before = charge;
            charge++;
            if
            :: before < LIMIT -> admitted++; assert(admitted <= LIMIT)
            :: else
            fi
        }
        if
        :: before >= LIMIT ->
            d_step { charge--; settle(m) } /* @ mailbox.c mailbox_charge: mailbox_credit(mailbox, charge) */
        :: else -> push(m)
        fi
    :: else
    fi;
    if
    :: woke -> schedule() /* @ send.c deliver: case MAILBOX_WOKE: */
    :: else
    fi
}

inline push(m)
{
    seen = word; /* @ mailbox.c mailbox_push: uintptr_t word = atomic_load_explicit(&mailbox->word */
    do
    :: seen == CLOSED -> /* @ mailbox.c mailbox_push: return MAILBOX_SHUT */
        d_step {
            charge--; /* @ send.c deliver: mailbox_credit(&cell->mailbox, charge) */
            admitted--;
            settle(m)
        }
        break
    :: else ->
        next[m] = (seen >= ENVELOPE -> seen : NONE); /* @ mailbox.c mailbox_push: envelope->next = list_of(word) */
        atomic { /* @ mailbox.c mailbox_push: atomic_compare_exchange_weak_explicit(&mailbox->word, &word, (uintptr_t)envelope */
            if
            :: word == seen ->
                word = m;
                woke = (seen == ASLEEP); /* @ mailbox.c mailbox_push: return word == ASLEEP ? MAILBOX_WOKE : MAILBOX_PUSHED */
                break
            :: else -> seen = word
            fi
        }
    od
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
    :: seen == CLOSED -> /* @ mailbox.c mailbox_push_urgent: if (urgent == CLOSED) */
        atomic { settle(m); break }
    :: else ->
        next[m] = (seen >= ENVELOPE -> seen : NONE);
        atomic { /* @ mailbox.c mailbox_push_urgent: atomic_compare_exchange_weak_explicit(&mailbox->urgent, &urgent, (uintptr_t)envelope */
            if
            :: urgent == seen -> urgent = m; seen = RUNNING; break
            :: else -> seen = urgent
            fi
        }
    od;
    if
    :: seen != CLOSED ->
        atomic { /* @ mailbox.c mailbox_push_urgent: atomic_compare_exchange_strong_explicit(&mailbox->word, &asleep, RUNNING */
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
    urgent = RUNNING; /* @ mailbox.c mailbox_open: atomic_store_explicit(&mailbox->urgent, RUNNING */
    word = RUNNING; /* @ mailbox.c mailbox_open: atomic_store_explicit(&mailbox->word, RUNNING */
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
        :: !is_kill(m) && to_of(m) == generation -> owed++; admitted-- /* @ slice.c handle: owe(cell, mailbox_charge_of(envelope)) */
        :: !is_kill(m) && to_of(m) != generation -> charge--; admitted-- /* @ slice.c handle_foreign: mailbox_credit(&cell->mailbox, mailbox_charge_of(envelope)) */
        :: else
        fi;
        if
        :: to_of(m) == generation -> /* @ slice.c handle: if (!trp_pid_equal(envelope->to, cell->self)) */
            assert(!ended || generation == 2);
            assert(generation == 1 || edge);
            assert(last_of[sender_of(m)] < m);
            last_of[sender_of(m)] = m
        :: else
        fi;
        assert(charge >= 0)
    }
}

/* Reverses what begins with `newest` to an own list that begins with `oldest`. */
inline reverse(newest, oldest) /* @ mailbox.c mailbox_reverse: newest->next = oldest */
{
    oldest = NONE;
    do
    :: newest >= ENVELOPE ->
        rest = next[newest];
        next[newest] = oldest;
        oldest = newest;
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
        :: !is_kill(list) -> charge--; admitted--
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
        seen = word;
        word = CLOSED /* @ mailbox.c mailbox_close: atomic_exchange_explicit(&mailbox->word, CLOSED */
    }
    atomic {
        list = urgent;
        urgent = CLOSED /* @ mailbox.c mailbox_close: atomic_exchange_explicit(&mailbox->urgent, CLOSED */
    }
    d_step {
        bury(first); /* @ life.c life_end: bury(sender, cell, cell->first, reason) */
        reverse(seen, first);
        bury(first); /* @ life.c life_end: bury(sender, cell, queued, reason) */
        reverse(list, first);
        bury(first);
        charge = charge - owed; /* @ life.c settle_taken: mailbox_credit(&cell->mailbox, cell->owed + taken) */
        owed = 0;
        assert(charge >= 0);
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
        urgent = RUNNING; /* @ mailbox.c mailbox_take_urgent: atomic_exchange_explicit(&mailbox->urgent, RUNNING */
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
        :: to_of(seen) == generation -> seen = 0 /* @ place_process.c on_own_signal: message->tag == TRP_SIGNAL_KILL */
#endif
        :: to_of(seen) != generation -> seen = 0
        fi
    :: else -> break
    od
}

inline refill()
{
    d_step { /* @ slice.c refill: mailbox_reverse(mailbox_take(&cell->mailbox), &cell->last, &flags) */
        seen = word;
        word = RUNNING; /* @ mailbox.c mailbox_take: atomic_exchange_explicit(&mailbox->word, RUNNING */
        assert(seen == RUNNING || seen >= ENVELOPE);
        reverse(seen, first) /* @ slice.c refill: cell->first = mailbox_reverse( */
    }
}

/* Gives the right to run away, or keeps it when something has come; `gone`: not ours any more. */
inline fall_asleep()
{
    d_step {
        mine = generation; /* @ slice.c next_envelope: uint32_t generation = life_pid(worker->runtime, cell).generation */
        charge = charge - owed; /* @ slice.c next_envelope: settle(cell) */
        owed = 0;
        assert(charge >= 0)
    }
    atomic { /* @ mailbox.c mailbox_sleep: atomic_compare_exchange_strong_explicit(&mailbox->word, &word, ASLEEP */
        if
        :: word == RUNNING -> word = ASLEEP; running--; asleep = true
        :: else -> asleep = false
        fi
    }
    if
    :: asleep ->
        seen = urgent; /* @ mailbox.c mailbox_sleep: uintptr_t urgent = atomic_load_explicit(&mailbox->urgent, memory_order_seq_cst) */
        if
        :: seen == RUNNING || seen == CLOSED -> gone = true /* @ mailbox.c mailbox_sleep: if (urgent == RUNNING || urgent == CLOSED) */
        :: else ->
            atomic { /* @ mailbox.c mailbox_sleep: return !atomic_compare_exchange_strong_explicit(&mailbox->word, &word, RUNNING */
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
            charge = charge - owed; /* @ slice.c cell_run: settle(cell) */
            owed = 0;
            assert(charge >= 0);
            running--
        }
        schedule() /* @ slice.c cell_run: scheduler_again(worker, cell) */
    :: else
    fi
}

proctype worker(bool edge)
{
    bool gone, asleep;
    byte seen, list, rest, mine;
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
    assert(charge == 0 && admitted == 0)
}
