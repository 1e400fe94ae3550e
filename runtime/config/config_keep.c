/* SPDX-License-Identifier: MIT */
#include "runtime/config/config.h"

static void *same(void *config)
{
    return config;
}

void config_keep(trp_runtime_t *runtime, config_t *config)
{
    (void)runtime_keep(runtime, "config", same, NULL, config);
}

const config_t *config_of(trp_runtime_t *runtime)
{
    return runtime_keep(runtime, "config", same, NULL, NULL);
}
