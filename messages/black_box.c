/* SPDX-License-Identifier: MIT */
#include "messages/black_box.h"

TRP_SCHEMA_DEFINE(box_owner, 0, 0, BOX_OWNER_FIELDS, "whose black box a file is")
