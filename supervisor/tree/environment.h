/* SPDX-License-Identifier: MIT */
/* Variables of the environment that stand above the configuration file, and below --set: those that
 * services which move to troupe have in their scripts. One thread, before any other. */
#ifndef TRP_SUPERVISOR_ENVIRONMENT_H
#define TRP_SUPERVISOR_ENVIRONMENT_H

#include <stddef.h>

#define ENVIRONMENT_MAX  16  /* overrides that it can make */
#define ENVIRONMENT_TEXT 320 /* bytes of one */

typedef struct environment {
    char texts[ENVIRONMENT_MAX][ENVIRONMENT_TEXT]; /* as one would write them behind --set */
    size_t count;
} environment_t;

/** What the variables that are set ask for. `get`: getenv, or a test's. A value that the option
 * does not take is refused with the others of the configuration. */
void environment_read(environment_t *environment, char *(*get)(const char *name));

/** A list of both, NULL-terminated; those of the environment first. owns: the caller frees it; it
 * points into `environment`. NULL: no memory */
const char **environment_overrides(const environment_t *environment, const char *const *overrides);

#endif
