/* SPDX-License-Identifier: MIT */
/* What the router has done off the edge thread, by the actor `intake`: bodies that are too large to
 * be read there, and results that are compared. Each is a request with one answer. */
#ifndef TRP_MESSAGES_INTAKE_H
#define TRP_MESSAGES_INTAKE_H

#include "messages/task.h"

#define INTAKE_NAME "intake" /* that the actor is registered under */

enum {
    TRP_TAG_INTAKE_LOOK = 0x0110,     /* [intake_look] -> INTAKE_LOOKED */
    TRP_TAG_INTAKE_LOOKED = 0x0111,   /* [intake_looked] */
    TRP_TAG_INTAKE_COMPARE = 0x0112,  /* [intake_compare] -> INTAKE_COMPARED */
    TRP_TAG_INTAKE_COMPARED = 0x0113, /* [intake_compared] */
};

#define INTAKE_LOOK_FIELDS(F)                                                               \
    F(STRING, tool, _, 1, TRP_TOOL_NAME_MAX, "name of the tool")                            \
    F(INT, version, _, 0, 4294967295, "of the class that serves it")                        \
    F(BOOL, digest, _, 0, 1, "whether its key for the cache is wanted")                     \
    F(BOOL, foreign, _, 0, 1, "whether its workers are: any body will do")                  \
    F(BOOL, frames, _, 0, 1, "... and the body is several frames, each after its size")     \
    F(OPT_STRING, member, _, 1, 63, "member of the body whose text is the key of the task") \
    F(BYTES, body, _, 0, TRP_BODY_MAX, "the request's body, verbatim")

#define INTAKE_LOOKED_FIELDS(F)                                                  \
    F(OPT_STRING, rule, _, 1, 255, "the body is broken: what should hold")       \
    F(OPT_STRING, path, _, 0, 255, "... where in it")                            \
    F(OPT_INT, offset, _, 0, 9e15, "... and the byte at which the fault begins") \
    F(OPT_STRING, key, _, 1, TRP_TASK_KEY_MAX, "key of the task")                \
    F(OPT_BYTES, digest, _, 64, 64, "its key for the cache")

#define INTAKE_COMPARE_FIELDS(F)                                   \
    F(STRING, ignore, _, 0, 255, "members that are not looked at") \
    F(BYTES, first, _, 0, TRP_BODY_MAX, "one value")               \
    F(BYTES, second, _, 0, TRP_BODY_MAX, "the other")

#define INTAKE_COMPARED_FIELDS(F)                        \
    F(BOOL, equal, _, 0, 1, "whether they say the same") \
    F(STRING, path, _, 0, 255, "of the first difference")

TRP_SCHEMA_DECLARE(intake_look, INTAKE_LOOK_FIELDS)
TRP_SCHEMA_DECLARE(intake_looked, INTAKE_LOOKED_FIELDS)
TRP_SCHEMA_DECLARE(intake_compare, INTAKE_COMPARE_FIELDS)
TRP_SCHEMA_DECLARE(intake_compared, INTAKE_COMPARED_FIELDS)

#endif
