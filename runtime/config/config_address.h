/* SPDX-License-Identifier: MIT */
/* What an endpoint to bind says. Pure. Internal to the configuration. */
#ifndef TRP_RUNTIME_CONFIG_ADDRESS_H
#define TRP_RUNTIME_CONFIG_ADDRESS_H

#include <stdbool.h>

/** A number up to 65535, or `*`: ZeroMQ takes others modulo 65536, and a missing one as 0. */
bool config_is_port(const char *text);

/** Whether only this computer reaches a "tcp://ADDRESS:PORT". A name that is not known to be such
 * an address counts as one that others reach. */
bool config_is_loopback(const char *endpoint);

#endif
