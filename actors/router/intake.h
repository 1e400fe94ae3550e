/* SPDX-License-Identifier: MIT */
/* The router's reader: an actor on the pool threads that reads what is too large for the edge
 * thread. Without state; when it ends, what it was asked is asked again or given up by the router.
 * messages/intake.h says what it understands. */
#ifndef TRP_ACTORS_INTAKE_H
#define TRP_ACTORS_INTAKE_H

#include "messages/codec.h"
#include "messages/task.h"
#include "runtime/troupe.h"

#define INTAKE_NAME "intake"

extern TRP_API const trp_class_t intake_class;

/** The text of a body's member as a task's key; "" where it has none that fits. Any thread. */
void intake_key_of(const trp_document_t *document, const char *member,
                   char key[TRP_TASK_KEY_MAX + 1]);

#endif
