/* SPDX-License-Identifier: MIT */
/* Which states the worlds of this program have reached: whether a search still finds new ground. */
#ifndef TRP_TESTS_SIM_SIM_COVER_H
#define TRP_TESTS_SIM_SIM_COVER_H

#include <stdint.h>

typedef enum sim_cover_kind {
    SIM_COVER_POLICY, /* supervisors: strategy x mode x restart x phase of a child */
    SIM_COVER_LINK,   /* links: state of the channel x what has come of the process */
    SIM_COVER_THREAD, /* threads: from one state to the next */
    SIM_COVER_FAULT,  /* kinds of faults */
    SIM_COVER_KINDS
} sim_cover_kind_t;

const char *sim_cover_name(sim_cover_kind_t kind);

/** Different ones, ever. */
uint32_t sim_cover_count(sim_cover_kind_t kind);
void sim_cover_add(sim_cover_kind_t kind, uint32_t state);

#endif
