/* SPDX-License-Identifier: MIT */
/* Checks a tree before anything of it starts, and says where in the configuration a fault is. */
#ifndef TRP_SUPERVISOR_TREE_CHECK_H
#define TRP_SUPERVISOR_TREE_CHECK_H

#include "supervisor/tree/tree.h"

/** `tree`: made from `config`. errors: TRP_CONFIG with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t tree_check(const tree_t *tree, const config_t *config,
                                     config_fault_t *fault);

#endif
