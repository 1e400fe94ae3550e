/* SPDX-License-Identifier: MIT */
#include "messages/system.h"

static const char *const dead_names[] = {
#define NAME(name, text) text,
    TRP_DEAD_MAP(NAME)
#undef NAME
};

const char *trp_dead_name(unsigned why)
{
    return why < TRP_DEAD_COUNT ? dead_names[why] : "unknown";
}
