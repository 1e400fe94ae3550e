/* SPDX-License-Identifier: MIT */
#include "messages/intake.h"

TRP_SCHEMA_DEFINE(intake_look, TRP_TAG_INTAKE_LOOK, 0, INTAKE_LOOK_FIELDS,
                  "has a large body read, for its keys")
TRP_SCHEMA_DEFINE(intake_looked, TRP_TAG_INTAKE_LOOKED, 0, INTAKE_LOOKED_FIELDS, "what it says")
TRP_SCHEMA_DEFINE(intake_compare, TRP_TAG_INTAKE_COMPARE, 0, INTAKE_COMPARE_FIELDS,
                  "has two results compared")
TRP_SCHEMA_DEFINE(intake_compared, TRP_TAG_INTAKE_COMPARED, 0, INTAKE_COMPARED_FIELDS,
                  "whether they are the same")
