/* SPDX-License-Identifier: MIT */
/* trp_supervisor_check for those who want to know where the fault is, and of one child, for those
 * that are added while it runs. */
#ifndef TRP_SUPERVISOR_SUPERVISOR_CHECK_H
#define TRP_SUPERVISOR_SUPERVISOR_CHECK_H

#include "supervisor/supervisor.h"

/** What is wrong with a spec, and where. */
typedef struct supervisor_fault {
    const trp_supervisor_spec_t *supervisor; /* the one meant, of those that are nested */
    const trp_child_spec_t *child;           /* its child; NULL: the supervisor itself */
    const char *option;                      /* "backoff_ms" */
    char expected[128];                      /* "at most backoff_max_ms" */
} supervisor_fault_t;

/** errors: TRP_INVALID with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t supervisor_check(const trp_supervisor_spec_t *spec,
                                           supervisor_fault_t *fault);

/** errors: TRP_INVALID with `rule` */
TRP_MUST_USE trp_status_t supervisor_check_child(const trp_supervisor_spec_t *spec,
                                                 const trp_child_spec_t *child, char rule[160]);

#endif
