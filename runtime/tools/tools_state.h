/* SPDX-License-Identifier: MIT */
/* Inside a client of runtime/tools.h, file by file. One thread at a time. */
#ifndef TRP_RUNTIME_TOOLS_STATE_H
#define TRP_RUNTIME_TOOLS_STATE_H

/* Out of memory is an element whose hh.tbl is NULL after HASH_ADD, not the end of the process. */
#define HASH_NONFATAL_OOM 1
#include <stdatomic.h>
#include <uthash.h>
#include <zmq.h>

#include "runtime/tools.h"
#include "runtime/tools/tools_reply.h"

#define TOOLS_NEVER      INT64_MAX
#define TOOLS_MS         INT64_C(1000000)
#define TOOLS_FRAMES_MAX 1024 /* of one answer */

/** An answer that waits to be taken. */
typedef struct tools_answer {
    trp_tools_answer_t shown;
    tools_reply_t reply;              /* its code and message are shown */
    struct tools_answer *prev, *next; /* of all calls, in the order of their coming */
    struct tools_answer *later;       /* the next one of the same call */
    zmq_msg_t *frames;
    trp_tools_frame_t views[];
} tools_answer_t;

/** A call, until its last answer is taken. */
typedef struct tools_call {
    uint64_t id;
    bool is_sent, retry, stream, plain;
    bool ended;          /* its last answer is there */
    int64_t timeout_ms;  /* as it was asked for */
    int64_t deadline_ns; /* the node gives up then */
    int64_t send_ns;     /* not sent, or busy: to be sent then */
    bool has_priority;
    unsigned char priority;
    char tool[256], key[65], idem[129]; /* "": none */
    zmq_msg_t *body;                    /* frames; NULL: not needed any more */
    size_t body_count;
    int64_t attempt, came;        /* the last one of partial answers, and how many came */
    tools_answer_t *first, *last; /* not taken yet */
    UT_hash_handle hh;
} tools_call_t;

struct trp_tools {
    _Atomic bool busy; /* a thread is in a call: another one is refused */
    char *endpoint;
    char server_key[TRP_TOOLS_KEY_SIZE], public_key[TRP_TOOLS_KEY_SIZE],
        secret_key[TRP_TOOLS_KEY_SIZE];
    void *context;
    bool owns_context;
    void *socket, *monitor;
    uint64_t opened;  /* times, for the monitor's name */
    bool joined;      /* there is a connection */
    bool refused;     /* the key was */
    bool is_unsent;   /* some call may have to be sent */
    uint64_t last_id; /* of a call */
    tools_call_t *calls;
    tools_call_t *plain; /* the only one then */
    tools_answer_t *answers;
    tools_answer_t *shown; /* what the last call returned */
    uint64_t unexpected;
    int wake, timer; /* epoll and its timer; -1: nobody asked for them */
};

/* ---- tools_link.c: the connection ---- */

/** Monotonic. units: nanoseconds */
int64_t tools_now_ns(void);
/** Opens the socket and its monitor. errors: TRP_INVALID (endpoint, keys), TRP_NO_MEMORY,
 * TRP_SYSTEM */
TRP_MUST_USE trp_status_t tools_open_link(trp_tools_t *tools);
/** `linger_ms`: for what was sent to leave. */
void tools_close_link(trp_tools_t *tools, int linger_ms);
/** Looks whether the connection was made or lost. */
void tools_look(trp_tools_t *tools);
/** Takes what has come, sends what is due, ends what is over. */
void tools_turn(trp_tools_t *tools);
/** Ends a call that the node may have, and tells it so. */
void tools_end_now(trp_tools_t *tools, tools_call_t *call, const char *code, const char *message);
/** When a turn is due although nothing comes; TOOLS_NEVER. cost: one look at each call */
int64_t tools_due_ns(const trp_tools_t *tools);
/** Waits until something comes, at most until then. False: a signal was handled. */
bool tools_wait(trp_tools_t *tools, int64_t until_ns);
/** Keeps the descriptors of trp_tools_fd as they should be. */
void tools_arm(trp_tools_t *tools);

/* ---- tools_call.c: calls and their answers ---- */

/** A call that is not sent yet. errors: TRP_INVALID, TRP_NO_MEMORY, TRP_SYSTEM */
TRP_MUST_USE trp_status_t tools_call_new(trp_tools_t *tools, const trp_tools_request_t *request,
                                         tools_call_t **call);
/** Forgets a call and what it has. */
void tools_call_free(trp_tools_t *tools, tools_call_t *call);
/** Sends a call, if there is a connection. */
void tools_call_send(trp_tools_t *tools, tools_call_t *call);
/** Tells the node that a call is not wanted any more. */
void tools_send_cancel(trp_tools_t *tools, const tools_call_t *call);
/** Reads one message of the node; the frames are moved from. */
void tools_take(trp_tools_t *tools, zmq_msg_t *frames, size_t count);
/** Ends a call with an error of the client's own. */
TRP_PRINTF(4, 5)
void tools_end(trp_tools_t *tools, tools_call_t *call, const char *code, const char *format, ...);
/** Takes the oldest answer, of a call or (NULL) of any; there must be one. */
const trp_tools_answer_t *tools_take_answer(trp_tools_t *tools, tools_call_t *call);

/** Frees what was taken last. */
void tools_forget_shown(trp_tools_t *tools);

#endif
