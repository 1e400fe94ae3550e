/* SPDX-License-Identifier: MIT */
/* Names for addresses of code, those of static functions too: from the symbol tables of the files
 * that this process was made of. Maps a file for each question: for the rare moment in which
 * somebody wants to know what a thread is at. Any thread; not in signal handlers. */
#ifndef TRP_RUNTIME_HOST_SYMBOL_H
#define TRP_RUNTIME_HOST_SYMBOL_H

#include <stddef.h>

/** "handle+0x1a (troupe+0x1b0a)", the place in the file for addr2line; that alone of what has no
 * name. `is_return`: the address is that of a return, so its call is before it. Returns `text`. */
char *host_symbol_format(const void *address, int is_return, char *text, size_t size);

#endif
