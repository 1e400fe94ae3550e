/* SPDX-License-Identifier: MIT */
/* race_transform without a runtime: what the transform's state is and what its tool does with a
 * call. One thread at a time for each state. */
#ifndef TRP_ACTORS_TRANSFORM_TOOL_H
#define TRP_ACTORS_TRANSFORM_TOOL_H

#include "actors/tool.h"
#include "actors/transform/transform_race.h"

/** State of a transform. */
typedef struct transform_worker {
    transform_settings_t settings;
    tool_table_t tools;
} transform_worker_t;

/** Takes the options; there is nothing to release. errors: TRP_CONFIG (intervals) */
TRP_MUST_USE trp_status_t transform_worker_init(transform_worker_t *worker,
                                                const transform_options_t *options);

#endif
