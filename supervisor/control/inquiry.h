/* SPDX-License-Identifier: MIT */
/* One request of the control socket: an actor that reads it, asks whom it has to, answers, and
 * ends. Shared by its files: inquiry.c (the verbs), a file for each larger verb, inquiry_answer.c.
 */
#ifndef TRP_SUPERVISOR_INQUIRY_H
#define TRP_SUPERVISOR_INQUIRY_H

#include "messages/control.h"
#include "runtime/core/runtime.h"

#define INQUIRY_ASK_MS   5000   /* for actors of this node to answer */
#define INQUIRY_TAG_LOOK 0x05f9 /* after that of inquiry_roll.c */

typedef struct inquiry_tree inquiry_tree_t;
typedef struct inquiry_roll inquiry_roll_t;
typedef struct inquiry_waits inquiry_waits_t;

typedef struct inquiry {
    trp_form_t form;   /* of the request; the answer is in it, too */
    uint64_t request;  /* what we wait for; 0 = nothing */
    uint16_t awaits;   /* tag of the reply */
    const char *asked; /* name of the actor that we asked */
    inquiry_tree_t *tree;
    inquiry_roll_t *roll;
    inquiry_waits_t *waits;
    uint32_t looks; /* at the ledger */
} inquiry_t;

/** Answers {ok: true, result} with the one value that `result` holds, and ends. Takes the
 * writer. */
void inquiry_answer(inquiry_t *inquiry, trp_ctx_t *ctx, trp_writer_t *result);

/** Tells {ok: true, attempt, part} of a partial answer, whose map `data` is. */
void inquiry_part(const inquiry_t *inquiry, trp_ctx_t *ctx, const void *data, size_t size);

/** Answers {ok: false, error: {code, message}} and ends. */
TRP_PRINTF(4, 5)
void inquiry_fail(inquiry_t *inquiry, trp_ctx_t *ctx, const char *code, const char *format, ...);

/** An error answer as a message body. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t inquiry_encode_error(trp_form_t form, const char *code,
                                               const char *message, zmq_msg_t *body);

/** Asks an actor; its reply comes with inquiry->awaits. Fails the inquiry when it can't. */
void inquiry_ask(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_request_t *request, uint16_t awaits);

/** NONE: there is none, and the inquiry has failed. */
trp_pid_t inquiry_find_router(inquiry_t *inquiry, trp_ctx_t *ctx);

/** `who` of the request: a pid or a name. NONE: the inquiry has failed. */
trp_pid_t inquiry_find_actor(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);

/** The verb `router`: inquiry_router.c. */
void inquiry_router(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);
void inquiry_router_answer(inquiry_t *inquiry, trp_ctx_t *ctx, const void *data, size_t size);

/** The verb `child`: inquiry_child.c. */
void inquiry_child(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);

/** The verb `ledger`: again at each INQUIRY_TAG_LOOK. */
void inquiry_ledger(inquiry_t *inquiry, trp_ctx_t *ctx);

/** The verb `classes`. */
void inquiry_classes(inquiry_t *inquiry, trp_ctx_t *ctx);

/** The verb `why`: inquiry_why.c. */
void inquiry_why(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);

/** Where this node keeps black boxes: the configured folder, or "" for that in the run directory.
 * Before there are threads. */
void inquiry_box_folder(const char *configured, const char *run_dir);

/** The verb `roll`: replaces the workers of a pool one by one. */
void inquiry_roll(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);
void inquiry_roll_reply(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_envelope_t *reply);
void inquiry_roll_free(inquiry_roll_t **roll);

/** The verb `state`: asks the actor. */
void inquiry_state(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);
void inquiry_state_reply(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_envelope_t *reply);

/** The verb `waits`: how long one actor's messages wait; answered when the time is over. */
void inquiry_waits(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);
void inquiry_waits_over(inquiry_t *inquiry, trp_ctx_t *ctx);
void inquiry_waits_free(inquiry_waits_t **waits);

/** The verb `tree`: asks the root, then every supervisor that it names. */
void inquiry_tree_begin(inquiry_t *inquiry, trp_ctx_t *ctx);
void inquiry_tree_reply(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_envelope_t *reply);
void inquiry_tree_free(inquiry_tree_t **tree);

#endif
