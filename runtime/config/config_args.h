/* SPDX-License-Identifier: MIT */
/* The section `options` of a child, as the MessagePack map that its class's init gets: values are
 * typed by the class's options schema and checked by it. */
#ifndef TRP_RUNTIME_CONFIG_ARGS_H
#define TRP_RUNTIME_CONFIG_ARGS_H

#include <czmq.h>

#include "runtime/config/config.h"

/** Fills child->args (malloc'd). `section` may be NULL. errors: TRP_PAYLOAD with `fault`,
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t config_args_build(config_child_t *child, zconfig_t *section,
                                            trp_fault_t *fault);

#endif
