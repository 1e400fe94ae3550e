/* SPDX-License-Identifier: MIT */
/* The rules of RaceData that its tables can't say, those that span several members. Pure; no thread
 * affinity. */
#ifndef TRP_ACTORS_TRANSFORM_CHECK_H
#define TRP_ACTORS_TRANSFORM_CHECK_H

#include "messages/transform.h"

/** Checks a race that trp_schema_read has filled; names the first fault. errors: TRP_PAYLOAD */
TRP_MUST_USE trp_status_t transform_check(const race_data_t *race, trp_fault_t *fault);

/** The part about the last result. errors: TRP_PAYLOAD */
TRP_MUST_USE trp_status_t transform_check_previous(const race_data_t *race, trp_fault_t *fault);

/** Names a fault at a printf-style path; `value` NULL: the member is missing. Returns
 * TRP_PAYLOAD. */
TRP_PRINTF(4, 5)
TRP_MUST_USE trp_status_t transform_refuse(trp_fault_t *fault, const msgpack_object *value,
                                           const char *rule, const char *path, ...);

/** Values as a fault shows them. */
msgpack_object transform_text_value(trp_text_t text);
msgpack_object transform_int_value(int64_t number);

#endif
