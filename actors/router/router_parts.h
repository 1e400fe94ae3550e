/* SPDX-License-Identifier: MIT */
/* What the router's files do for each other, file by file. Edge thread only. */
#ifndef TRP_ACTORS_ROUTER_PARTS_H
#define TRP_ACTORS_ROUTER_PARTS_H

#include "actors/router/router_state.h"

/* ---- router_tasks.c ---- */

/** Of a generator whose numbers need not be secret. */
uint64_t router_random(router_t *router);
/** A fresh UUID. */
void router_make_id(router_t *router, char id[37]);
/** A task whose waiter has an id; its payload is empty. NULL: no memory */
task_t *task_new(router_t *router, service_t *service);
/** Takes it out of whatever it is in but its worker's tasks. */
void task_free(router_t *router, task_t *task);
/** Puts it into its pool's queue. False: no memory, it is in none. */
bool task_enqueue(task_t *task, bool in_front);
/** Moves it to the queue of the worker that holds its key. False: no memory, nothing changed. */
bool task_hold(task_t *task, worker_t *worker);
/** Takes it out of its queue; `served`: because its turn came. */
void task_dequeue(task_t *task, bool served);
/** The task whose `end` a heap gave. */
static inline task_t *task_of_end(heap_node_t *end)
{
    return (task_t *)((char *)end - offsetof(task_t, end));
}
/** When time alone changes a task. */
int64_t task_end(const task_t *task);
/** To be called when that moment changed. */
void task_note_end(task_t *task);
/** Bytes of the body. */
size_t task_bytes(task_t *task);
/** Takes away the waiter with the earliest deadline when another one is left. False: it is the last
 * one, and stays. owns: `gone` is the caller's (waiter_fini) */
bool task_next_waiter(task_t *task, waiter_t *gone);
/** One more who waits. owns: takes the origin's peer on success. False: no memory */
bool task_join(task_t *task, const waiter_t *waiter);
/** The same for the one whose answer goes there. */
bool task_take_waiter(task_t *task, const origin_t *origin, waiter_t *gone);
void waiter_fini(waiter_t *waiter);

/* ---- router_accept.c ---- */

/** What the intake found in a large body. */
typedef struct look {
    bool has_failed; /* it was not read */
    bool is_broken;  /* it is no sound map: what `fault` says */
    bool has_digest;
    char key[TRP_TASK_KEY_MAX + 1];
    cache_key_t digest;
    trp_fault_t fault;
} look_t;

/** A request before it is a task. */
struct request {
    origin_t origin;
    trp_text_t service;
    zmq_msg_t *first;  /* of the message, for its metadata; NULL: an actor's */
    zmq_msg_t *frames; /* after the service: [options,] body ... */
    size_t frame_count;
    size_t head_count; /* of these, before the body: a foreign tool's options frame */
    const void *body;  /* of tools of ours */
    size_t body_size;
    trp_form_t form;
    task_options_t options;
    zmq_msg_t *raw; /* the whole message; NULL: an actor's */
    size_t raw_count;
    const look_t *look;             /* NULL: not looked at by the intake */
    int64_t since_ns;               /* when it came; 0: now */
    bool is_shut;                   /* refused as busy: there was no room to let it wait */
    char key[TRP_TASK_KEY_MAX + 1]; /* of the task, from the options or the body; "" = none */
};

/** One message of a client or a worker on the Majordomo port. */
void router_on_message(void *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count);

/** What a request from inside says. */
typedef struct router_call {
    trp_text_t tool;
    trp_text_t body;
    trp_reply_address_t reply;
    task_options_t options; /* its id is of no use here */
} router_call_t;

/** A call by an actor (the control socket); answered with one TRP_TAG_CALL_RESULT. */
void router_accept_call(router_t *router, const router_call_t *call);

/** A message, or an actor's call (tool, options, body), that has waited for the intake. */
typedef struct arrival {
    zmq_msg_t *frames;
    size_t count;
    const look_t *look; /* NULL: it only waited behind another one */
    int64_t since_ns;
} arrival_t;

void router_serve_again(router_t *router, const edge_peer_t *peer, const arrival_t *arrival);
void router_call_again(router_t *router, trp_reply_address_t actor, const arrival_t *arrival);

/* ---- router_intake.c: bodies that the edge does not read ---- */

/** Lets a request wait until the intake has read its body. False: it need not wait. */
bool router_hold_for_look(router_t *router, request_t *request, const service_t *service);
/** Lets a message wait behind one of its client that waits; its frames are moved. False: it need
 * not, or (`is_shut`) there is no room. */
bool router_hold_behind(router_t *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count,
                        bool *is_shut);
/** Asks for what was not asked for yet; inside a callback of the actor. */
void router_ask_intake(router_t *router);
/** The intake's answer, or none in time. */
void router_on_looked(router_t *router, const trp_envelope_t *message);
/** For a restarted router: asks again. */
void router_look_anew(router_t *router);
void router_free_held(router_t *router);
/** The key of the task: from the options, the intake, or a small body. */
void router_find_key(request_t *request, const pool_t *pool);

/* ---- router_refuse.c: errors that the router itself gives ---- */

/** An error map being built for a task or a request that never became one. */
typedef struct refusal {
    trp_writer_t members;
    size_t count;
    const char *code;
    char message[256];
} refusal_t;

TRP_PRINTF(3, 4)
void refusal_init(refusal_t *refusal, const char *code, const char *message, ...);
void refusal_text(refusal_t *refusal, const char *key, const char *value);
void refusal_int(refusal_t *refusal, const char *key, int64_t value);
void refusal_fault(refusal_t *refusal, const trp_fault_t *fault);
/** A member whose value the caller writes. */
trp_writer_t *refusal_member(refusal_t *refusal, const char *key);
/** The error map, packed. owns: frees the refusal. errors: TRP_NO_MEMORY */
trp_status_t refusal_take(refusal_t *refusal, zmq_msg_t *map);

/* ---- router_unknown.c ---- */

void router_refuse_unknown(router_t *router, const request_t *request);

/* ---- router_answer.c ---- */

/** Answers all who wait for a task, once; it stays the caller's (task_free). `refusal` is
 * consumed. */
void router_refuse(router_t *router, task_t *task, refusal_t *refusal);
void router_answer(router_t *router, task_t *task, const task_done_t *done);
/** Answers one who waits, an actor, with a foreign tool's answer as a value of MessagePack. */
void router_answer_waiter(router_t *router, const task_t *task, const waiter_t *waiter,
                          trp_writer_t *value);
/** Answers a request with what a cache keeps. */
void router_answer_value(router_t *router, const request_t *request, service_t *service,
                         const cache_value_t *value);
/** Sends a client of the port frames of a reply, at the end of the turn. owns: the frames are moved
 */
/** What a reply to a client of the port begins with. */
majordomo_reply_t router_reply_to(const origin_t *origin, trp_text_t service);
void router_post(router_t *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count);
/** Such a reply could not be sent, and is dropped. */
void router_on_unsent(void *router, const edge_peer_t *peer, trp_status_t why);
/** Gives an actor its answer. owns: `body` */
void router_send_to_actor(router_t *router, const origin_t *origin, zmq_msg_t *body);
/** Refuses one of those who wait for a task. */
void router_refuse_waiter(router_t *router, const task_t *task, const waiter_t *waiter,
                          refusal_t *refusal);
/** An error for a request that never became a task. */
void router_refuse_origin(router_t *router, const origin_t *origin, trp_text_t service,
                          trp_form_t form, refusal_t *refusal);

/* ---- router_workers.c ---- */

/** A worker is ready, an actor. False: no memory, or it could not be watched. */
bool worker_add(pool_t *pool, trp_pid_t pid, trp_text_t name);
/** A worker without a pid, which the caller gives tasks. NULL: no memory */
worker_t *worker_add_foreign(pool_t *pool, foreign_t *foreign, const char *name);
/** Takes it out of all and frees it; it must have no task. */
void worker_remove(worker_t *worker);
worker_t *worker_find(const router_t *router, trp_pid_t pid);
static inline bool worker_has_place(const worker_t *worker)
{
    return !worker->leaving && !worker->is_understudy &&
           worker->member.load < (uint64_t)worker->pool->config->inflight_max;
}
/** To be called when a worker's tasks, keys or queue changed: keeps the lists of those that have
 * room, are idle, or have tasks of their own waiting. */
void worker_changed(worker_t *worker);
/** It gets nothing more. */
void worker_leave(worker_t *worker);
/** Workers that nobody has asked to leave. */
static inline uint32_t pool_staying(const pool_t *pool)
{
    return pool->worker_count - pool->leaving;
}

/** Workers at most; `max` below `min` is as `min`, also when one of them was changed. */
static inline uint32_t pool_max(const pool_t *pool)
{
    int64_t max = pool->config->max > pool->config->min ? pool->config->max : pool->config->min;
    return max > 0 ? (uint32_t)max : 1;
}

/* ---- router_figures.c ---- */

/** Adds an answer to the figures of its worker and pool, and logs it (debug). */
void pool_note_done(const task_t *task, const task_done_t *done);
/** Workers that are neither leaving nor ejected, without understudies. */
uint32_t pool_count_healthy(const pool_t *pool);

/* ---- router_health.c: workers that live and do not do their work ---- */

/** Judges a worker by an answer; one that could not be read is a fault. */
void worker_note_answer(worker_t *worker, const task_done_t *done);
void worker_note_broken(worker_t *worker);
/** When the next one that was ejected comes back; INT64_MAX: there is none. */
int64_t pool_readmits_at(const pool_t *pool);
/** Lets those come back whose time is over, or all when there is nobody else. */
void pool_readmit(pool_t *pool);
/** It was ejected so often that another one should take its place. */
bool worker_is_hopeless(const worker_t *worker);

/* ---- router_sequence.c: order for each key ---- */

/** Before a task is put into its pool's queue: the first of its key, or `is_held` now. False: no
 * memory. */
bool sequence_join(task_t *task);
/** Takes out one that is held. */
void sequence_take(task_t *task);
/** A task ends: the next one of its key has its turn. */
void sequence_leave(task_t *task);

/* ---- router_foreign.c: workers of other programs ---- */

/** One message of a worker on the Majordomo port. */
void router_on_worker(router_t *router, const edge_peer_t *peer, majordomo_worker_t *message,
                      zmq_msg_t *first);
/** A connection on the port ended. */
void router_on_peer_down(void *router, const edge_peer_t *peer);
/** Sends a task to a foreign worker. errors: TRP_GONE, TRP_BUSY, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t foreign_send(router_t *router, const worker_t *worker, task_t *task);
/** Tells a worker to leave and forgets it; its tasks are tried elsewhere. */
void foreign_disconnect(router_t *router, foreign_t *foreign, const char *why);
void router_on_beat(router_t *router);
void router_free_foreign(router_t *router);
/** Starts the heartbeats where there are foreign workers and they have not been started. */
void router_start_beats(router_t *router);
/** Sends all foreign workers away. */
void router_end_foreign(router_t *router);

/* ---- router_rollout.c, router_compare.c: a share of a tool's calls goes to a second pool ---- */

/** For the tools that the pool's rollout_tools name; their pools must be there. errors: TRP_CONFIG
 * (logged), TRP_NO_MEMORY */
trp_status_t router_make_rollouts(router_t *router, pool_t *pool);
void router_free_rollouts(router_t *router);
/** Changes share (percent) and mode, and begins to count anew. */
void router_rollout_set(router_t *router, rollout_t *rollout, int64_t share, bool takes);
/** After a change of the pool's settings. */
void router_rollout_settings(pool_t *pool);
/** The same tool in the second pool; NULL: it has no rollout. */
const service_t *router_rollout_second(const service_t *service);
/** Which of the two services of a rollout gets a call with this key; "" = none. */
service_t *router_rollout_route(router_t *router, service_t *service, const char *key);
/** What becomes of a task whose service has a rollout. */
void router_rollout_accepted(router_t *router, const task_t *task);
void router_rollout_answered(router_t *router, const task_t *task, const task_done_t *done);
void router_rollout_refused(const task_t *task);
void router_rollout_crashed(const task_t *task);
void router_rollout_ended(router_t *router, const task_t *task);
/** The intake's answer, or none in time. */
void router_on_compared(router_t *router, const trp_envelope_t *message);
/** Gives up the comparisons that wait for an answer; `all`: frees all pairs. */
void router_drop_pairs(router_t *router, bool all);
/** A task for which nobody waits: its result is compared and goes nowhere. */
static inline bool task_is_shadow(const task_t *task)
{
    return task->service->is_second && task->waiter.origin.peer == NULL &&
           trp_pid_is_none(task->waiter.origin.actor.to);
}

/* ---- router_forward.c: answers of foreign tools, verbatim ---- */

/** Sends a partial answer to those who take it as it comes and keeps it for the others; the frames
 * are moved from. errors: TRP_NO_MEMORY, TRP_TOO_LARGE (the task is then to be refused) */
TRP_MUST_USE trp_status_t router_forward_part(router_t *router, task_t *task, zmq_msg_t *frames,
                                              size_t count);
/** Answers a request with the frames that a cache keeps. */
void router_forward_kept(router_t *router, const request_t *request, service_t *service,
                         const cache_value_t *value);
/** Writes bytes as a value: what they say if they are a map in one of our forms, else text, else
 * bytes. */
void router_write_value(trp_writer_t *writer, const char *data, size_t size);
/** Sends the last answer to all who wait. */
void router_forward_final(router_t *router, task_t *task, zmq_msg_t *frames, size_t count);
/** Sends the last answer of one of our tools behind the parts that were kept for this client.
 * False: there are none. owns: `body` when true */
bool router_forward_behind(router_t *router, const task_t *task, const origin_t *origin,
                           zmq_msg_t *body);
/** A new attempt begins: none of its parts was sent to anybody. */
void router_forget_parts(task_t *task);
/** Frees the parts that are kept. */
void router_drop_parts(router_t *router, task_t *task);

/* ---- router_cancel.c ---- */

/** Notes what the client calls its call; without memory it can't be cancelled. */
void router_call_add(router_t *router, task_t *task, const origin_t *origin);
void router_call_remove(router_t *router, const origin_t *origin);
/** Ends a waiter that was taken from its task. */
void router_waiter_gone(router_t *router, waiter_t *waiter);
/** Nobody waits for a running task any more; it only holds its worker's place. */
void router_all_answered(router_t *router, task_t *task);
/** Answers the call of that client and id, or of that actor and request, with E_CANCELLED. False:
 * there is none. */
bool router_cancel(router_t *router, const origin_t *origin);

/* ---- router_flight.c: work that is done once for all who ask for it ---- */

/** Answers a request from what is kept, or lets it wait for work under way. False: it has to be
 * done; `flight` is then what others may join (NULL: nothing). owns: `flight` is the caller's */
bool router_flight_serve(router_t *router, request_t *request, service_t *service,
                         flight_t **flight);
void router_flight_start(router_t *router, flight_t *flight, task_t *task);
/** Ends a task's flight and keeps its answer; NULL: there is none that others could use. */
void router_flight_end(router_t *router, task_t *task, const cache_value_t *value);

/* ---- router_poison.c: tasks that killed their workers ---- */

/** A death that the work itself may have caused. */
bool router_is_crash(const trp_reason_t *reason);
/** Notes what the attempt that runs ended with. */
void router_note_death(task_t *task, const trp_reason_t *reason);
/** Keeps a task's input and the reasons; the task stays the caller's. */
void router_set_aside(router_t *router, task_t *task);
void router_list_poison(const router_t *router, trp_writer_t *writer);
/** False: there is none of that id. */
bool router_show_poison(const router_t *router, trp_text_t id, trp_writer_t *writer);
bool router_drop_poison(router_t *router, trp_text_t id);
/** Calls the tool again, for `reply`. */
bool router_replay_poison(router_t *router, trp_text_t id, trp_reply_address_t reply);
void router_free_poison(router_t *router);

/* ---- router_scale.c ---- */

/** Tells the worker that was exchanged to stop, once it has no task and no key. */
void pool_send_off(pool_t *pool);

/** Asks the supervisor for one more worker where that is called for. */
void pool_scale_up(pool_t *pool);
/** Asks for a worker to take the place of this one, if it has served long enough. */
void worker_check_age(worker_t *worker);
/** The end of a request for a worker: answered or timed out. */
void router_on_child_answer(router_t *router, const trp_envelope_t *message);
/** Asks the supervisor to end a worker. False: nobody to ask, or no memory. */
bool pool_shrink(pool_t *pool, worker_t *worker);
/** To be called before `running` changes. */
void pool_note_use(pool_t *pool);
/** When the pool's use is looked at next; INT64_MAX: it has no worker to spare. */
int64_t pool_scale_down_at(const pool_t *pool);
void pool_scale_down(pool_t *pool);

/* ---- router_breaker.c, router_workers.c ---- */

/** An attempt of the pool ended: with an answer, or with its worker's death or its limit. */
void pool_attempt_ended(pool_t *pool, bool failed);
/** Whether tasks may be given now: always while it is closed, one while it is half open. */
bool pool_may_start(const pool_t *pool);
/** Until when requests are refused at once; 0: they are not. */
int64_t pool_open_until(const pool_t *pool);

/** After a change of its settings. */
void pool_settings_changed(pool_t *pool);

/* ---- router_order.c: what people ask the router for ---- */

/** errors: TRP_FAILED (that was the order: the actor is to end with it) */
TRP_MUST_USE trp_status_t router_on_order(router_t *router, const trp_envelope_t *message);

/* ---- router_rights.c: keys, and what each may do ---- */

/** Answers for keys, where the configuration has some: before the port is bound. `error` of 256
 * bytes. errors: as edge_bind, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t router_open_zap(router_t *router, char error[256]);
/** False: with a refusal to be sent. Takes a call from the key's rate. */
bool router_may_call(router_t *router, const request_t *request, refusal_t *refusal);
/** Whether that key (NULL: none) may serve the tool. */
bool router_may_serve(const router_t *router, const char *public_key, trp_text_t tool);
/** Whether a list of names separated by blanks has one. */
bool router_has_word(const char *words, trp_text_t word);

/* ---- router_mmi.c: the broker's own services (RFC 8) ---- */

void router_answer_mmi(router_t *router, const request_t *request);

/* ---- router_dispatch.c, router_result.c, router_expire.c ---- */

/** Gives waiting tasks to workers as far as there is room, and grows the pool where there is
 * none. */
void pool_dispatch(pool_t *pool);

/** Takes a running task from its worker; it stays the caller's. */
void task_unassign(task_t *task);
/** A worker's answer, or the end of its time. */
void router_on_done(router_t *router, const trp_envelope_t *message);
/** A partial answer of one of our workers. */
void router_on_part(router_t *router, const trp_envelope_t *message);
void router_on_timeout(router_t *router, uint64_t request_id);
/** A running task is over its limit: its worker is replaced. */
void router_over_limit(router_t *router, task_t *task);
/** Wakes the actor, once for all that happens before it runs. Any callback of the edge. */
void router_nudge(router_t *router);
/** Refuses what waited too long and stops workers that idle too long; sets the next timer. */
void pool_on_timer(pool_t *pool);
/** Refuses all that is accepted and unanswered. */
void router_cancel_all(router_t *router);
/** Sets the timer for what ends next, unless it fires before that anyway. */
void pool_set_timer(pool_t *pool);

/* ---- router_config.c, router_retry.c, router_pools.c ---- */

/** Pools and tools of the configuration. errors: TRP_NO_MEMORY, TRP_CONFIG (a tool in two pools) */
trp_status_t router_make_pools(router_t *router);
void router_free_pools(router_t *router);

/** Says to the root supervisor that the router wants to know its children. */
void router_observe(router_t *router);
/** Puts a task that is with no worker any more, or has rested, back into its queue. */
void task_try_again(router_t *router, task_t *task);
/** Takes a worker that ended, or was sent away, out of all; its tasks are tried elsewhere. */
void router_worker_down(worker_t *worker, const trp_reason_t *reason);
/** A pool for one tool of foreign workers that the configuration does not know. NULL: no memory, or
 * too many of them */
service_t *router_add_foreign_service(router_t *router, trp_text_t name);
/** A supervisor's news about a child. */
void router_on_child(router_t *router, const trp_envelope_t *message);
/** The end of a worker or of a pool's supervisor. */
void router_on_down(router_t *router, const trp_envelope_t *message);

/** For a restarted router: what ran goes back to the queues, workers keep their keys and are
 * watched anew. */
void router_resume(router_t *router);

/** All is answered and no new work comes: tells who asked for it. */
void router_check_drained(router_t *router);

/** The 1st, 2nd, 4th, 8th ... of its kind: no flood of lines. */
static inline bool is_worth_a_line(uint64_t count)
{
    return (count & (count - 1)) == 0;
}

/* ---- router_keys.c ---- */

key_entry_t *router_key_find(router_t *router, const char *name);
void router_key_bind(router_t *router, trp_text_t name, worker_t *worker);
void router_key_unbind(router_t *router, trp_text_t name);
/** A key that a worker gives back, or its list of those that it holds: what differs is taken
 * over. */
void router_on_keys(router_t *router, const trp_envelope_t *message);
void router_keys_lose(router_t *router, worker_t *worker, const trp_reason_t *reason);
void router_keys_free(router_t *router);

/* ---- router_status.c ---- */

/** The rows of `troupe pools`: a pools_status, packed. errors: TRP_NO_MEMORY */
trp_status_t router_status(router_t *router, zmq_msg_t *message);

#endif
