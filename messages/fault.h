/* SPDX-License-Identifier: MIT */
/* How the codec and the schema engine fill a fault. */
#ifndef TRP_MESSAGES_FAULT_H
#define TRP_MESSAGES_FAULT_H

#include "messages/codec.h"

#define TRP_TEXT_OF(number) #number
#define TRP_TEXT(number)    TRP_TEXT_OF(number)
#define TRP_DEPTH_RULE      "at most " TRP_TEXT(TRP_DEPTH_MAX) " levels of maps and arrays"
#define TRP_ITEMS_RULE      "at most " TRP_TEXT(TRP_ITEMS_MAX) " values and names"

/** A fault of the body as a whole, at a byte of it. `is_body`: it is no map of either form at all.
 * Returns TRP_PAYLOAD. */
trp_status_t fault_body(trp_fault_t *fault, bool is_body, const char *rule, size_t offset);

#endif
