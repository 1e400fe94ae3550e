/* SPDX-License-Identifier: MIT */
/* What the deaths of a node come to: when it starts again, when it is given up, and who is moved
 * out of it. Guardian only. */
#ifndef TRP_RUNTIME_GUARDIAN_DEATHS_H
#define TRP_RUNTIME_GUARDIAN_DEATHS_H

#include "runtime/guardian/culprit.h"
#include "runtime/guardian/quarantine.h"

#define GUARDIAN_RESTARTS_MAX 5  /* of the node ... */
#define GUARDIAN_RESTARTS_S   60 /* ... in this time; one more and it is given up */

typedef struct guardian_deaths {
    int64_t at_ns[GUARDIAN_RESTARTS_MAX]; /* a ring */
    size_t count;
    culprit_page_t *page; /* NULL: no memory, nobody is blamed */
    quarantine_t quarantine;
} guardian_deaths_t;

/** `after`, `window_s`: of the quarantine. */
void guardian_deaths_init(guardian_deaths_t *deaths, uint32_t after, int64_t window_s);
void guardian_deaths_fini(guardian_deaths_t *deaths);

/** The node died of that signal: writes it to the log, with its culprit. False: it is given up.
 * Else `delay_ns` is the time until its next start. A child that is moved out takes the deaths with
 * it: the node that starts without it has none. */
bool guardian_deaths_note(guardian_deaths_t *deaths, int number, int64_t now_ns, int64_t *delay_ns);

#endif
