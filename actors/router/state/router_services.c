/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_services.h"

service_t *service_find(const router_t *router, trp_text_t name)
{
    service_t *service = NULL;
    HASH_FIND(hh, router->services, name.data, name.size, service);
    return service;
}
