/* SPDX-License-Identifier: MIT */
/* A request before it is a task. */
#ifndef TRP_ACTORS_ROUTER_REQUEST_H
#define TRP_ACTORS_ROUTER_REQUEST_H

#include "actors/router/base/cache_key.h"
#include "actors/router/state/router_state.h"

/** What the intake found in a large body. */
typedef struct look {
    bool has_failed; /* it was not read */
    bool is_broken;  /* it is no sound map: what `fault` says */
    bool has_digest;
    char key[TRP_TASK_KEY_MAX + 1];
    cache_key_t digest;
    trp_fault_t fault;
} look_t;

typedef struct request {
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
} request_t;

#endif
