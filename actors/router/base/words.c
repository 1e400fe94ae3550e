/* SPDX-License-Identifier: MIT */
#include "actors/router/base/words.h"

#include <string.h>

#define BLANKS " \t"

bool words_next(const char **at, trp_text_t *word)
{
    const char *begin = *at + strspn(*at, BLANKS);
    *word = (trp_text_t){begin, strcspn(begin, BLANKS)};
    *at = begin + word->size;
    return word->size > 0;
}

bool words_have(const char *words, trp_text_t wanted)
{
    trp_text_t word;
    while (words_next(&words, &word)) {
        if (word.size == wanted.size && memcmp(word.data, wanted.data, word.size) == 0) {
            return true;
        }
    }
    return false;
}
