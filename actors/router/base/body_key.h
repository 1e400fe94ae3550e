/* SPDX-License-Identifier: MIT */
#ifndef TRP_ACTORS_ROUTER_BODY_KEY_H
#define TRP_ACTORS_ROUTER_BODY_KEY_H

#include "messages/codec.h"
#include "messages/task.h"

/** The text of a body's member as a task's key; "" where it has none that fits. Any thread. */
void body_key_of(const trp_document_t *document, const char *member,
                 char key[TRP_TASK_KEY_MAX + 1]);

#endif
