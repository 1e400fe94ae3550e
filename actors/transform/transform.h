/* SPDX-License-Identifier: MIT */
/* The transform: a worker that turns polls of a race's money into its flow (tool race_transform).
 * What it has to know of earlier polls comes with each request, so any worker can take any poll. */
#ifndef TRP_ACTORS_TRANSFORM_H
#define TRP_ACTORS_TRANSFORM_H

#include "runtime/troupe.h"

/** options: messages/transform.h, transform_options */
extern const trp_class_t transform_class;

#endif
