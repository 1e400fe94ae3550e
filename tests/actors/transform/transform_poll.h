/* SPDX-License-Identifier: MIT */
/* One poll through the transform as a worker does it: decoded, checked, computed, encoded, and the
 * result read back. */
#ifndef TRP_TESTS_ACTORS_TRANSFORM_POLL_H
#define TRP_TESTS_ACTORS_TRANSFORM_POLL_H

#include "actors/transform/transform_race.h"

typedef struct transform_poll {
    trp_status_t status;
    trp_fault_t fault; /* when status is TRP_PAYLOAD */
    trp_document_t input;
    trp_writer_t written;
    trp_document_t result; /* when status is TRP_OK */
} transform_poll_t;

/** Runs a body (JSON or MessagePack), which must outlive the poll. */
void transform_poll_run(transform_poll_t *poll, const void *body, size_t size);
void transform_poll_end(transform_poll_t *poll);

/** The result as JSON text; free it. */
char *transform_poll_json(const transform_poll_t *poll);

/** What stands at a path like "entrants[0].odds.trend"; NULL: nothing. */
const msgpack_object *transform_at(const msgpack_object *map, const char *path);

/** The number at a path of the result; NAN: null or nothing. */
double transform_number(const transform_poll_t *poll, const char *path, ...) TRP_PRINTF(2, 3);

/** Whether the text at a path is this one; NULL: the value is null. */
bool transform_says(const transform_poll_t *poll, const char *text, const char *path, ...)
    TRP_PRINTF(3, 4);

/** Within 10^-9 of what is expected. */
bool transform_near(double number, double expected);

/** A copy of `text` in which the first `from` stands as `to`; free it. NULL: no `from` in it. */
char *transform_replace(const char *text, const char *from, const char *to);

#endif
