/* SPDX-License-Identifier: MIT */
/* What people type: names and texts, made comparable with libunistring. Pure functions. */
#ifndef TRP_ACTORS_MATCH_TEXT_H
#define TRP_ACTORS_MATCH_TEXT_H

#include "messages/codec.h"

#define MATCH_NAME_CHARACTERS 24
#define MATCH_NAME_MAX        (4 * MATCH_NAME_CHARACTERS) /* bytes */

/** Trims white space, then case folding and NFC: two texts are equal when their bytes are. owns:
 * `*folded` is the caller's, to free. errors: TRP_PAYLOAD (ill-formed UTF-8), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t match_text_fold(trp_text_t text, uint8_t **folded, size_t *size);

/** A name as it is shown: control characters and marks that turn the writing direction removed,
 * white space trimmed, NFC. `*folded` is what must be unique in a match: characters that can't be
 * seen don't make a difference there. bounds: 1..24 characters. errors: TRP_PAYLOAD, TRP_NO_MEMORY
 */
TRP_MUST_USE trp_status_t match_name_clean(trp_text_t text, char name[MATCH_NAME_MAX + 1],
                                           uint8_t **folded, size_t *size);

#endif
