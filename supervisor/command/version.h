/* SPDX-License-Identifier: MIT */
/* The version of troupe. */
#ifndef TRP_SUPERVISOR_VERSION_H
#define TRP_SUPERVISOR_VERSION_H

#define TRP_VERSION "0.1.0"

#endif
