/* SPDX-License-Identifier: MIT */
/* Whether two results say the same: members in any order, numbers by their value, in either form.
 * Pure; any thread. */
#ifndef TRP_ACTORS_DIFFERENCE_H
#define TRP_ACTORS_DIFFERENCE_H

#include "messages/codec.h"

#define DIFFERENCE_PATH_MAX 128

typedef struct difference {
    bool is_equal;
    char path[DIFFERENCE_PATH_MAX]; /* of the first one, as "nodes[3].kind"; "" = as a whole */
} difference_t;

/** Compares two values, each JSON or MessagePack. `ignore`: names of members, separated by blanks,
 * that are not looked at, such as times; "" = none. What is no sound value, or has more than
 * TRP_DEPTH_MAX levels, is compared byte by byte. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t difference_find(trp_text_t first, trp_text_t second, const char *ignore,
                                          difference_t *difference);

#endif
