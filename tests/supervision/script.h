/* SPDX-License-Identifier: MIT */
/* From the JSON of a scenario to child specs. */
#ifndef TRP_TESTS_SUPERVISION_SCRIPT_H
#define TRP_TESTS_SUPERVISION_SCRIPT_H

#include "tests/supervision/cast.h"

/** A worker or a supervisor with all below it, as a child at `path`. */
role_t *script_child(const json_t *json, const char *path);

/** A role of the path of an instance, that starts as the list `starts` says, else as its template
 * does. */
role_t *script_instance(const role_t *template, const json_t *starts, const char *path);

/** The template's role of a supervisor; NULL: it is none, or not known. */
role_t *script_template(const role_t *supervisor);

cast_outcome_t script_outcome(const char *word);

/** "normal", "error", "shutdown:x" ... */
trp_reason_t script_reason(const char *word);

#endif
