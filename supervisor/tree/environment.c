/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/environment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word that has another name here; "*" = any other one. NULL: no such row */
typedef struct word {
    const char *theirs, *ours;
} word_t;

typedef struct variable {
    const char *name;
    const char *option; /* gets the value */
    word_t words[4];
    const char *also; /* a whole override, whatever the value is */
} variable_t;

static const variable_t variables[] = {
    {.name = "LOG_LEVEL", .option = "node.log_level", .words = {{"warning", "warn"}}},
    {.name = "LOAD_BALANCING_STRATEGY",
     .option = "pools.*.strategy",
     .words = {{"least_connections", "least_loaded"}}},
    {.name = "MAX_MATCHES_PER_WORKER", .option = "pools.*.keys_max"},
    {.name = "MAX_MATCHES", .option = "pools.*.keys_max"},
    {.name = "USE_WORKER_POOL",
     .option = "pools.*.rollout_share",
     .words = {{"true", "100"}, {"*", "0"}},
     .also = "pools.*.rollout_mode=take"},
};

static const char *translate(const variable_t *variable, const char *value)
{
    for (const word_t *word = variable->words; word->theirs != NULL; word++) {
        if (strcmp(word->theirs, value) == 0 || strcmp(word->theirs, "*") == 0) {
            return word->ours;
        }
    }
    return value;
}

static void add(environment_t *environment, const char *option, const char *value)
{
    if (environment->count < ENVIRONMENT_MAX) {
        snprintf(environment->texts[environment->count++], ENVIRONMENT_TEXT, "%s%s%s", option,
                 value[0] != '\0' ? "=" : "", value);
    }
}

void environment_read(environment_t *environment, char *(*get)(const char *name))
{
    environment->count = 0;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const variable_t *variable = &variables[i];
        const char *given = get(variable->name);
        char value[64];
        if (given == NULL || given[0] == '\0') {
            continue;
        }
        snprintf(value, sizeof(value), "%s", given);
        for (char *at = value; *at != '\0'; at++) {
            *at = (char)tolower((unsigned char)*at);
        }
        add(environment, variable->option, translate(variable, value));
        if (variable->also != NULL) {
            add(environment, variable->also, "");
        }
    }
}

const char **environment_overrides(const environment_t *environment, const char *const *overrides)
{
    size_t count = 0;
    while (overrides != NULL && overrides[count] != NULL) {
        count++;
    }
    const char **all = calloc(environment->count + count + 1, sizeof(*all));
    for (size_t i = 0; all != NULL && i < environment->count; i++) {
        all[i] = environment->texts[i];
    }
    for (size_t i = 0; all != NULL && i < count; i++) {
        all[environment->count + i] = overrides[i];
    }
    return all;
}
