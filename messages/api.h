/* SPDX-License-Identifier: MIT */
/* What every public header needs: visibility and call attributes. */
#ifndef TRP_MESSAGES_API_H
#define TRP_MESSAGES_API_H

/** Marks a symbol that the shared library exports; all others are hidden. */
#define TRP_API __attribute__((visibility("default")))

/** A result that must be looked at. */
#define TRP_MUST_USE __attribute__((warn_unused_result))

/** printf-style checking: `format` and `first` are 1-based argument positions. */
#define TRP_PRINTF(format, first) __attribute__((format(printf, format, first)))

#endif
