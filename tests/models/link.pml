/* SPDX-License-Identifier: MIT */
/* The link between a node and one of its worker processes: hello, welcome, start, ready, data with
 * credit, reports, bye; a worker that is killed at any moment, a node that stops. The node's end and the
 * worker's are a thread each, so a step is one callback, or one flush at the end of a turn; the frames
 * between them are steps of others (libzmq's I/O thread, the kernel, the guardian); `@` as in
 * mailbox.pml. MESSAGES come for the worker's actor, of which the second is a signal; each that it
 * handles, it answers, unless SILENT. Holds:
 *     in order, once      what is forwarded comes once, in order, both ways, as long as both live
 *     credit              never more under way than the window; what is reported was sent; the proxy's
 *                         charge is what came less what was credited, so none is lost
 *     no starving         all that came is handled while the worker lives, however small the bounds
 *     hand-shake          no end ever gets a frame that its state does not allow
 *     bye last            no frame follows a goodbye
 *     death last          the proxy ends after all that the worker's kernel had sent was delivered
 *     progress            it comes to rest: no endless exchange of reports
 *
 * run: flow [progress]   -DMESSAGES=4 -DWINDOW=2 -DREPORT=1 -DDEPTH=3
 * run: wide [progress]   -DMESSAGES=6 -DWINDOW=4 -DREPORT=2 -DDEPTH=4
 * run: silent [progress] -DMESSAGES=6 -DWINDOW=4 -DREPORT=2 -DDEPTH=4 -DSILENT
 * run: small             -DMESSAGES=4 -DWINDOW=4 -DREPORT=1 -DDEPTH=2 -DSILENT
 * run: kill [progress]   -DMESSAGES=3 -DWINDOW=2 -DREPORT=1 -DDEPTH=3 -DKILL
 * run: bye [progress]    -DMESSAGES=3 -DWINDOW=2 -DREPORT=1 -DDEPTH=3 -DENDS
 * run: stop              -DMESSAGES=2 -DWINDOW=2 -DREPORT=1 -DDEPTH=3 -DENDS -DSTOP */

mtype = { HELLO, WELCOME, START, READY, DATA, ACCOUNT, BYE };       /* kinds of frames */
mtype = { AT_CLOSED, AT_GREETED, AT_STARTED, AT_READY, AT_ENDED }; /* states of a channel */

#define SIGNAL 2                                          /* this one needs no credit */
#define SLOTS 12                                          /* more than are ever under way */
#define count_of(n) ((n) >= SIGNAL -> (n) - 1 : (n))      /* of the first n those that are no signals */
#define BACK 2                                            /* answers that were not reported as delivered */

/* A frame: kind, first and last of its envelopes, and what its sender has handled. */
chan to_worker = [SLOTS] of { mtype, byte, byte, byte };
chan in_worker = [SLOTS] of { mtype, byte, byte, byte }; /* not yet out of its process */
chan to_node = [SLOTS] of { mtype, byte, byte, byte };

/* The node's end. */
mtype node_state = AT_CLOSED;
byte came = 0;       /* for the actor, ever */
byte forwarded = 0;  /* ... of these (with the signal) */
byte credited = 0;   /* messages that the worker has reported as handled */
byte delivered = 0;  /* answers that came, which the node handles at once */
byte told_worker = 0;
byte taken = 0;      /* the proxy's charge */
bool connected = false, down = false, exited = false, node_said_bye = false;
bool finished = false, node_ended = false;

/* The worker's. */
mtype worker_state = AT_CLOSED;
byte got = 0;        /* envelopes that were delivered */
byte done = 0;       /* ... and handled */
byte told_node = 0;  /* messages, as reported */
byte answered = 0;   /* answers that were sent */
byte flushed = 0;    /* ... and went out */
byte confirmed = 0;  /* ... and were reported as delivered */
bool has_start = false, root_runs = false, leaving = false, worker_said_bye = false;
bool dead = false;   /* the process is gone */

/* ---- the node ---- */

inline node_send(kind, from, to)
{
    assert(!node_said_bye && nfull(to_worker));
    if
    :: !dead -> to_worker!kind(from, to, delivered)
    :: else /* into the void */
    fi;
    told_worker = delivered /* @ channel.c channel_send: channel->reported = channel->handled */
}

/* May the next one go? */
#define has_credit() (forwarded + 1 == SIGNAL || \
                      count_of(forwarded) - credited < WINDOW) /* @ channel.c has_credit: messages < channel->options.window_messages */
#define node_flows() (node_state == AT_STARTED || node_state == AT_READY) /* @ channel.c channel_flush: channel->state != CHANNEL_STARTED && channel->state != CHANNEL_READY */

inline node_flush()
{
    first = forwarded;
    do
    :: forwarded < came && has_credit() -> forwarded++ /* @ channel.c fill_batch: if (!has_credit(channel, envelope, size)) */
    :: else -> break
    od;
    assert(count_of(forwarded) - credited <= WINDOW);
    if
    :: forwarded > first -> node_send(DATA, first + 1, forwarded) /* @ channel.c send_batch: wire_batch_seal(&channel->batch, &channel->handled */
    :: else
    fi;
    if
    :: delivered - told_worker >= 1 -> node_send(ACCOUNT, 0, 0) /* @ channel.c channel_flush: channel_send(channel, WIRE_REPORT */
    :: else
    fi;
    first = 0
}

/* What the worker says it has handled. */
inline node_take_report(report)
{
    assert(report >= credited); /* @ channel.c take_report: report->messages < before.messages */
    assert(report <= count_of(forwarded)); /* @ channel.c take_report: report->messages > channel->forwarded.messages */
    taken = taken - (report - credited); /* @ place_link.c credit: proxy_credit(link->runtime, link->proxy, (uint32_t)messages, bytes) */
    credited = report /* @ channel.c take_report: channel->credited = *report */
}

inline node_receive()
{
    to_node?kind(from, to, report);
    node_take_report(report);
    if
    :: kind == HELLO -> /* @ place_link.c on_hello: welcome(link) */
        assert(node_state == AT_CLOSED);
        node_send(WELCOME, 0, 0);
        node_send(START, 0, 0); /* @ place_link.c on_hello: channel_send(&link->channel, WIRE_START, start, size) */
        node_state = AT_STARTED; /* @ channel.c channel_send: channel->state = CHANNEL_STARTED */
        connected = true /* @ place_link.c on_hello: link->connected = true */
    :: kind == READY -> assert(node_state == AT_STARTED); node_state = AT_READY
    :: kind == DATA ->
        assert(node_flows());
        assert(from == delivered + 1);
        delivered = to /* @ place_link.c deliver: channel_handled(&link->channel, before.messages + 1 */
    :: kind == ACCOUNT -> assert(node_flows())
    :: kind == BYE -> assert(node_flows()); node_state = AT_ENDED /* @ place_link.c on_bye: link->said_bye = true */
    fi;
    atomic { kind = 0; from = 0; to = 0; report = 0 }
}

/* Dead letters, and the proxy's charge is settled. */
inline finish()
{
    assert(len(to_node) == 0 || !connected && len(to_node) == 1); /* a hello that nobody read */
    assert(taken == count_of(came) - credited);
    taken = 0; /* @ life.c settle_taken: mailbox_credit(&cell->mailbox, cell->owed + taken) */
    finished = true
}

active proctype node()
{
    mtype kind;
    byte from, to, report, first;
    do
    :: atomic { len(to_node) > 0 -> node_receive() }
    :: atomic { node_flows() && (forwarded < came && has_credit() || delivered > told_worker) ->
        node_flush() } /* @ place_hub.c flush: channel_flush(&link->channel) */
    :: atomic { dead && connected && !down && len(to_node) == 0 -> /* @ place_hub.c on_down: link->down = true */
        down = true }
    :: atomic { dead && !exited -> exited = true } /* @ place_hub.c on_report: link->exited = true */
    :: atomic { exited && !(connected && !down) -> /* @ place_proxy.c look_at_exit: if (link->connected && !link->down) */
        finish(); break }
#ifdef STOP
    :: atomic { !exited ->
        if
        :: connected && !down -> /* @ place_hub.c hub_close: if (link != NULL && link->connected && !link->down) */
            if
            :: !dead -> node_send(BYE, 0, 0) /* @ place_hub.c hub_close: channel_send(&link->channel, WIRE_BYE, NULL, 0) */
            :: else
            fi;
            node_said_bye = true;
            node_state = AT_ENDED
        :: else
        fi;
        break }
#endif
    od;
    node_ended = true
}

/* Sends to the actor while its mailbox has room. */
active proctype senders()
{
    do
    :: atomic { came < MESSAGES && (taken < DEPTH || came + 1 == SIGNAL) && !finished && !node_ended ->
        came++;
        if
        :: came != SIGNAL -> taken++ /* @ slice.c show: cell->life->taken += held */
        :: else
        fi }
    :: came == MESSAGES || finished || node_ended -> break
    od
}

/* ---- the worker ---- */

inline worker_send(kind, from, to)
{
    assert(!worker_said_bye && nfull(in_worker));
    in_worker!kind(from, to, count_of(done)); /* @ worker_root.c worker_root_flush: channel_handled(&root->channel, meter.messages - root->meter_at.messages */
    told_node = count_of(done)
}

#define report_is_due() (count_of(done) - told_node >= REPORT) /* @ channel.c report_is_due: channel->handled.messages - channel->reported.messages >= channel->options.report_messages */

inline worker_flush()
{
    if
    :: flushed < answered -> worker_send(DATA, flushed + 1, answered); flushed = answered
    :: else
    fi;
    if
    :: report_is_due() -> worker_send(ACCOUNT, 0, 0)
    :: else
    fi
}

inline leave()
{
    leaving = true; /* @ worker_root.c worker_root_leave: root->leaving = true */
    worker_flush(); /* @ worker_root.c worker_root_leave: channel_flush(&root->channel) */
    worker_send(BYE, 0, 0); /* @ worker_root.c worker_root_leave: channel_send(&root->channel, WIRE_BYE */
    worker_said_bye = true;
    worker_state = AT_ENDED /* @ channel.c channel_send: channel->state = CHANNEL_ENDED */
}

inline worker_receive()
{
    to_worker?kind(from, to, report);
    if
    :: leaving /* @ worker_root.c worker_root_receive: if (root->leaving) */
    :: else ->
        assert(report >= confirmed && report <= flushed);
        confirmed = report;
        if
        :: kind == WELCOME -> assert(worker_state == AT_CLOSED); worker_state = AT_GREETED
        :: kind == START -> assert(worker_state == AT_GREETED); worker_state = AT_STARTED; has_start = true /* @ worker_root.c worker_root_receive: keep_start(root, &reader) */
        :: kind == DATA -> assert(worker_state == AT_STARTED && from == got + 1); got = to /* @ worker_root.c deliver: pass_on(root, envelope) */
        :: kind == ACCOUNT -> assert(worker_state == AT_STARTED)
        :: kind == BYE -> leaving = true /* @ worker_root.c worker_root_receive: reader.kind == WIRE_BYE */
        fi
    fi;
    atomic { kind = 0; from = 0; to = 0; report = 0 }
}

active proctype worker()
{
    mtype kind;
    byte from, to, report;
    if
    :: atomic { !dead -> worker_send(HELLO, 0, 0) } /* @ worker_root.c worker_root_hello: WIRE_HELLO */
    :: dead
    fi;
    do
    :: dead -> break
    :: atomic { !dead && len(to_worker) > 0 -> worker_receive() }
    :: atomic { !dead && has_start && !leaving -> /* @ worker_root.c link_receive: message->tag == TRP_TAG_STARTED */
        has_start = false;
        root_runs = true;
        worker_flush();
        worker_send(READY, 0, 0) /* @ worker_root.c link_receive: channel_send(&root->channel, WIRE_READY, NULL, 0) */ }
#ifdef ENDS
    :: atomic { !dead && has_start && !leaving -> has_start = false; leave() } /* @ worker_root.c on_start: worker_root_leave(root, &reason) */
    :: atomic { !dead && root_runs && !leaving -> leave() } /* @ worker_root.c link_receive: worker_root_leave(root, &reason) */
#endif
    :: atomic { !dead && root_runs && !leaving && done < got && answered - confirmed < BACK ->
        done++; /* @ worker_root.c deliver: envelope->flags |= TRP_ENVELOPE_METERED */
        if
#ifndef SILENT
        :: done != SIGNAL -> answered++
#endif
        :: else
        fi }
    :: atomic { !dead && worker_state == AT_STARTED && (flushed < answered || report_is_due()) ->
        worker_flush() }
    :: atomic { !dead && leaving && len(in_worker) == 0 -> dead = true } /* its sockets linger */
    :: atomic { !dead && !leaving && node_ended && len(to_worker) == 0 -> dead = true } /* @ worker.c on_down: give_up(user, WORKER_LINK_LOST */
    od
}

/* What the worker's process has sent gets out of it, in order, as long as it lives. */
active proctype kernel()
{
    mtype kind;
    byte from, to, report;
end_kernel:
    do
    :: atomic { !dead && len(in_worker) > 0 -> in_worker?kind(from, to, report);
        to_node!kind(from, to, report);
        kind = 0; from = 0; to = 0; report = 0 }
    od
}

#ifdef KILL
active proctype killer()
{
    dead = true
}
#endif

init {
#if defined(KILL) || defined(ENDS)
    dead && (finished || node_ended);
#else
    came == MESSAGES && done == MESSAGES && flushed == answered &&
        len(to_node) == 0 && len(to_worker) == 0 && len(in_worker) == 0 && delivered == answered;
    assert(taken == count_of(MESSAGES) - credited);
    dead = true /* and the rest may end */
#endif
}
