/* SPDX-License-Identifier: MIT */
/* Keeps the boxes of workers that have died as files, on a thread of its own, a moment later:
 * neither the edge nor the worker that takes the dead one's place waits for a disk. No helper of
 * trp_offload, all of which one hung disk would hold. */
#ifndef TRP_RUNTIME_BLACK_BOX_KEEPER_H
#define TRP_RUNTIME_BLACK_BOX_KEEPER_H

#include "messages/black_box.h"
#include "runtime/base/host.h"
#include "runtime/guardian/black_box.h"

typedef struct black_box_keeper black_box_keeper_t;

/** Files go to `folder`. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t black_box_keeper_open(const trp_host_t *host, const char *folder,
                                                black_box_keeper_t **keeper);

/** Waits until all is written, a second at most; what takes longer is left to the end of the
 * process. Clears the pointer. */
void black_box_keeper_close(black_box_keeper_t **keeper);

/** Has a box written, and the log say where (black_box_kept) or why not (black_box_lost). owns:
 * takes the mapping; copies what `owner` says. threads: one */
void black_box_keep(black_box_keeper_t *keeper, black_box_t *box, const box_owner_t *owner);

#endif
