/* SPDX-License-Identifier: MIT */
/* Lists of names in options: words separated by blanks. */
#ifndef TRP_ACTORS_ROUTER_WORDS_H
#define TRP_ACTORS_ROUTER_WORDS_H

#include "messages/codec.h"
#include <stdbool.h>

/** The next word; moves `at` behind it. False: there is none. */
bool words_next(const char **at, trp_text_t *word);
bool words_have(const char *words, trp_text_t word);

#endif
