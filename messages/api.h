/* SPDX-License-Identifier: MIT */
/* What every public header needs: visibility and call attributes. */
#ifndef TRP_MESSAGES_API_H
#define TRP_MESSAGES_API_H

/** Marks a symbol that the shared library exports; all others are hidden. */
#define TRP_API __attribute__((visibility("default")))

/** A result that must be looked at. */
#define TRP_MUST_USE __attribute__((warn_unused_result))

/** printf-style checking: `form` and `first` are the 1-based positions of the format and of its
 * first argument. */
#define TRP_PRINTF(form, first) __attribute__((__format__(__printf__, form, first)))

#endif
