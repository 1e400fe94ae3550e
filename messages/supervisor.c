/* SPDX-License-Identifier: MIT */
#include "messages/supervisor.h"

TRP_SCHEMA_DEFINE(child_start, TRP_TAG_CHILD_START, 0, CHILD_START_FIELDS,
                  "asks a supervisor for a further child of its template")
TRP_SCHEMA_DEFINE(child_id, TRP_TAG_CHILD_TERMINATE, 0, CHILD_ID_FIELDS,
                  "names the child that is to be terminated, restarted or deleted")
TRP_SCHEMA_DEFINE(child_answer, TRP_TAG_CHILD_ANSWER, 0, CHILD_ANSWER_FIELDS,
                  "what became of a request to a supervisor")
TRP_SCHEMA_DEFINE(child_info, 0, 0, CHILD_INFO_FIELDS, "a row of a supervisor's table")
TRP_SCHEMA_DEFINE(children, TRP_TAG_CHILDREN, 0, CHILDREN_FIELDS, "a supervisor's table")
TRP_SCHEMA_DEFINE(children_counted, TRP_TAG_CHILDREN_COUNTED, 0, CHILDREN_COUNTED_FIELDS,
                  "a supervisor's table in numbers")
TRP_SCHEMA_DEFINE(child_event, TRP_TAG_CHILD_EVENT, 0, CHILD_EVENT_FIELDS,
                  "tells an observer of a supervisor what happened to a child")
TRP_SCHEMA_DEFINE(child_spec, TRP_TAG_CHILD_SPEC_SHOWN, 0, CHILD_SPEC_FIELDS,
                  "the spec of a supervisor's child")
TRP_SCHEMA_DEFINE(supervisor_report, TRP_TAG_SUPERVISOR_REPORT, 0, SUPERVISOR_REPORT_FIELDS,
                  "what a supervisor has to report about a child")
