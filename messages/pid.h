/* SPDX-License-Identifier: MIT */
/* The address of an actor: a value, never a pointer. Stale ones are recognised, never
 * dereferenced. */
#ifndef TRP_MESSAGES_PID_H
#define TRP_MESSAGES_PID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/api.h"
#include "messages/status.h"

/** 16 bytes by value; all zero is "nobody". */
typedef struct trp_pid {
    uint32_t node; /* high 16 bits: the node; low 16: its worker process, 0 = the node itself */
    uint32_t slot; /* the cell; 0 is never used */
    uint32_t generation;  /* of the cell: raised at each exit */
    uint32_t incarnation; /* of the node or worker process: raised at each start by the guardian */
} trp_pid_t;

_Static_assert(sizeof(trp_pid_t) == 16, "a pid is 16 bytes");

#define TRP_PID_NONE ((trp_pid_t){0, 0, 0, 0})

/** The number of worker process `index` (1..65535) of the node `node`. */
static inline uint32_t trp_node_worker(uint32_t node, uint32_t index)
{
    return (node & 0xffff0000u) | (index & 0xffffu);
}

static inline bool trp_pid_equal(trp_pid_t a, trp_pid_t b)
{
    return a.slot == b.slot && a.generation == b.generation && a.node == b.node &&
           a.incarnation == b.incarnation;
}

static inline bool trp_pid_is_none(trp_pid_t pid)
{
    return pid.slot == 0 && pid.node == 0;
}

#define TRP_PID_TEXT_MAX 64 /* bytes, the terminating NUL included */

/** Writes `<node.worker.slot.generation.incarnation>`, decimal, and returns `text`. */
TRP_API char *trp_pid_format(trp_pid_t pid, char text[TRP_PID_TEXT_MAX]);

/** Reads what trp_pid_format wrote. errors: TRP_INVALID */
TRP_API TRP_MUST_USE trp_status_t trp_pid_parse(const char *text, trp_pid_t *pid);

#endif
