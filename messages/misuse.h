/* SPDX-License-Identifier: MIT */
/* What a debug build (scons variant=debug) catches beside: envelopes and contexts that are used
 * when they are not the user's any more. It says so on standard error and aborts. Other builds have
 * none of it; asan's sees the envelopes by itself. */
#ifndef TRP_MESSAGES_MISUSE_H
#define TRP_MESSAGES_MISUSE_H

#include "messages/api.h"

#ifndef TRP_CHECKED
#define TRP_CHECKED 0 /* 1: set by the build */
#endif

/** "troupe: FUNCTION: WHAT", and the end. */
TRP_API _Noreturn void trp_misuse(const char *function, const char *what);

#endif
