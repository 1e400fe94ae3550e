/* SPDX-License-Identifier: MIT */
/* Stories about one actor, the subject, told in each place: a driver spawns it with a monitor and
 * an ack, `started` begins when it has started, `told` hears each message that follows and ends the
 * story. One story in one place is a test process of its own. */
#ifndef TRP_TESTS_CONTRACT_PLACE_STORY_H
#define TRP_TESTS_CONTRACT_PLACE_STORY_H

#include <stdatomic.h>

#include "tests/runtime/node/node_fixture.h"

/* What the test and all processes and threads of the node share. */
typedef struct page {
    atomic_int step; /* 1: the subject is blocked; 2: it may go on */
    atomic_int terminations;
    atomic_int sent; /* the status of what it tried to send */
} page_t;

/* Of the story that is told in this process. */
extern page_t *page;
extern trp_place_t place;

void wait_for_step(int step);
void set_step(int step);

/* ---- who asks ---- */

typedef struct asker {
    trp_pid_t subject, child;
    uint64_t ref, child_ref;
    uint32_t sent;
    uint64_t request;
} asker_t;

/* NODE_PASSED or NODE_FAILED ends the story; -1: it goes on. */
enum { ON = -1 };

typedef struct story {
    const char *text;
    trp_spawn_t spawn;
    bool not_in_pool; /* its handler blocks */
    bool killed_at_once;
    int (*started)(trp_ctx_t *ctx, asker_t *asker);
    int (*told)(trp_ctx_t *ctx, asker_t *asker, const trp_envelope_t *message);
} story_t;

/* The stories of one file: what a test is made of. */
typedef struct book {
    const story_t *stories;
    size_t count;
    const trp_class_t *subject;
} book_t;

#define STORY_NUMBERS 128

/* Fills in the numbers of all pairs of a story and a place, for the parameters of a test; returns
 * how many. */
size_t story_numbers(const book_t *book, size_t numbers[STORY_NUMBERS]);

/* Tells the story of that number in its place, and expects it to pass. */
void story_tell(const book_t *book, size_t number);

/* The story of this process. */
const story_t *story_now(void);

int verdict(bool passed);

/* A request without bytes to the subject. */
bool ask(trp_ctx_t *ctx, const asker_t *asker, uint16_t tag);

uint32_t number_of(const trp_envelope_t *message);
trp_reason_t reason_of(const trp_envelope_t *message);

/* True: it is the DOWN of the subject, with this kind of reason. */
bool is_down(const trp_envelope_t *message, const asker_t *asker, trp_reason_kind_t kind);

#endif
