/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include "runtime/guardian/sandbox.h"

void sandbox_pin(uint32_t index)
{
    cpu_set_t may, one;
    if (sched_getaffinity(0, sizeof(may), &may) != 0 || CPU_COUNT(&may) < 2) {
        return;
    }
    const int others = CPU_COUNT(&may) - 1;
    int wanted = 1 + (int)((index == 0 ? 0 : index - 1) % (uint32_t)others);
    for (size_t core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &may) && wanted-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(core, &one);
            (void)sched_setaffinity(0, sizeof(one), &one);
            return;
        }
    }
}
