/* SPDX-License-Identifier: MIT */
/* Which actor a node died of, in memory that outlives it.
 *
 *     guardian  makes it before the first fork, reads it as foreign input when the node has died
 *     node      the thread that a fatal signal hits writes what it runs, in the signal's handler:
 *               nothing is written as long as all goes well
 *     worker    has none: the memory is kept out of its fork
 *
 * A signal from outside, and SIGKILL, leave it empty. */
#ifndef TRP_RUNTIME_CULPRIT_H
#define TRP_RUNTIME_CULPRIT_H

#include <stdbool.h>
#include <stdint.h>

#include "messages/pid.h"
#include "runtime/core/runtime.h"

#define CULPRIT_ORIGIN_MAX 256 /* bytes, the NUL included: CONFIG_PATH_MAX */

/** A culprit as the guardian reads it. */
typedef struct culprit {
    int32_t signal;
    uint64_t address; /* of a fault */
    trp_pid_t actor;  /* NONE: it was at no actor's work */
    char class_name[TRP_NAME_MAX];
    char origin[CULPRIT_ORIGIN_MAX]; /* runtime_at_work_t; "" = of nobody's */
} culprit_t;

typedef struct culprit_page culprit_page_t;

/** Guardian. NULL: no memory. */
culprit_page_t *culprit_open(void);
void culprit_close(culprit_page_t **page);

/** Guardian: whether children that are forked from now on share it. */
void culprit_share(culprit_page_t *page, bool shared);

/** Guardian: takes out what is there. False: nothing. Texts are cut where they are not plain. */
bool culprit_take(culprit_page_t *page, culprit_t *culprit);

/** Node, once: from now on fatal signals are noted. */
void culprit_catch(culprit_page_t *page);

/** Node: it is about to abort because of somebody; NULL: nobody. */
void culprit_note(culprit_page_t *page, const runtime_at_work_t *who);

#endif
