/* SPDX-License-Identifier: MIT */
/* What a black box holds, as one MessagePack map: for `troupe why` and the control socket. Any
 * thread. */
#ifndef TRP_RUNTIME_BLACK_BOX_SHOW_H
#define TRP_RUNTIME_BLACK_BOX_SHOW_H

#include "messages/black_box.h"
#include "runtime/guardian/black_box_read.h"
#include "runtime/limits.h"

/** Writes the map; the copy is read to its end. `limits`: what was asked for, NULL: not known.
 * `now_ns`: of the box's machine, 0: the worker has ended. */
void black_box_show(const box_owner_t *owner, black_box_copy_t *copy, const trp_limits_t *limits,
                    int64_t now_ns, trp_writer_t *writer);

#endif
