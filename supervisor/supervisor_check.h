/* SPDX-License-Identifier: MIT */
/* What trp_supervisor_check says of one child, for those that are added while it runs. */
#ifndef TRP_SUPERVISOR_SUPERVISOR_CHECK_H
#define TRP_SUPERVISOR_SUPERVISOR_CHECK_H

#include "supervisor/supervisor.h"

/** errors: TRP_INVALID with `rule` */
TRP_MUST_USE trp_status_t supervisor_check_child(const trp_supervisor_spec_t *spec,
                                                 const trp_child_spec_t *child, char rule[160]);

#endif
