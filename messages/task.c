/* SPDX-License-Identifier: MIT */
#include "messages/task.h"

TRP_SCHEMA_DEFINE(task_run, TRP_TAG_TASK_RUN, 0, TASK_RUN_FIELDS, "runs one attempt at a task")
TRP_SCHEMA_DEFINE(task_done, TRP_TAG_TASK_DONE, 0, TASK_DONE_FIELDS, "ends one attempt at a task")
TRP_SCHEMA_DEFINE(task_release, TRP_TAG_TASK_RELEASE, 0, TASK_RELEASE_FIELDS,
                  "gives a key back without a task")
TRP_SCHEMA_DEFINE(task_keys, TRP_TAG_TASK_KEYS, 0, TASK_KEYS_FIELDS,
                  "tells which keys a worker holds, whatever was lost on the way")
