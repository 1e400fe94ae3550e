/* SPDX-License-Identifier: MIT */
/* Numbers and option ids of questions and answers, from decoded bodies. Numbers are compared in
 * whole millionths, so that 9.7 is within 0.1 of 9.8. Pure functions. */
#ifndef TRP_ACTORS_MATCH_NUMBER_H
#define TRP_ACTORS_MATCH_NUMBER_H

#include "actors/match/match_question.h"

/** The number in millionths, rounded half away from zero. bounds: |number| <= 1e12 */
int64_t match_number_units(double number);

/** Reads an integer or real of at most 1e12 either way. */
bool match_number_read(const msgpack_object *object, int64_t *units);

/** The bit of the option that `object` names by its id (true and false name the options "true" and
 * "false"); 0 = none. */
uint32_t match_choice_bit(const match_item_t *item, const msgpack_object *object);

#endif
