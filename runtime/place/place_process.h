/* SPDX-License-Identifier: MIT */
/* The place `process`: an actor in an OS process of its own, forked and ended by the guardian. */
#ifndef TRP_RUNTIME_PLACE_PROCESS_H
#define TRP_RUNTIME_PLACE_PROCESS_H

#include "runtime/place/place_proxy.h"

/** For place_proxies_open; its user is the hub. */
extern const place_carrier_t place_process;

#endif
