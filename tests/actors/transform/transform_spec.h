/* SPDX-License-Identifier: MIT */
/* Races in short, for the formulas' tests. */
#ifndef TRP_TESTS_ACTORS_TRANSFORM_SPEC_H
#define TRP_TESTS_ACTORS_TRANSFORM_SPEC_H

#include "tests/actors/transform/transform_poll.h"

#define START  100000000 /* ms */
#define MINUTE 60000
#define FIELD  12

/** A race in short: entrants e1, e2 ... with numbers 1, 2 ... */
typedef struct spec {
    int64_t polled_at;
    int64_t win, place;
    int entrants;
    double hold[FIELD], bet[FIELD], fixed[FIELD]; /* fixed 0: no price */
    int64_t fed[FIELD];                           /* the feed's own win amounts, ... */
    bool is_fed;                                  /* ... when there are any */
    bool scratched[FIELD];
    const char *status;             /* NULL: open */
    const char *more;               /* further members, with a comma before each; or NULL */
    const transform_poll_t *before; /* NULL: the first poll */
} spec_t;

/** Two polls of a race, the second after the first. */
typedef struct spec_pair {
    transform_poll_t first, second;
    char *body_1, *body_2;
} spec_pair_t;

/** The race as JSON; free it. */
char *spec_body(const spec_t *spec);

/** Runs a race that must be accepted. `*body` is freed after the poll's end. */
void spec_run(const spec_t *spec, transform_poll_t *poll, char **body);

void spec_pair_run(spec_pair_t *pair, const spec_t *first, spec_t second);
void spec_pair_end(spec_pair_t *pair);

/** Items of an array or members of a map at a path of the result. */
size_t spec_count(const transform_poll_t *poll, const char *path);

#endif
