/* SPDX-License-Identifier: MIT */
#include "messages/misuse.h"

#include <stdio.h>
#include <stdlib.h>

void trp_misuse(const char *function, const char *what)
{
    fprintf(stderr, "troupe: %s: %s\n", function, what);
    abort();
}
