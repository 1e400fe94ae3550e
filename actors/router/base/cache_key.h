/* SPDX-License-Identifier: MIT */
/* By what equal calls are known: BLAKE2b-512 over canonical JSON (members sorted by their bytes, no
 * blanks) of {"params": the body, "tool": its name, "version": of its class}. Any thread. */
#ifndef TRP_ACTORS_CACHE_KEY_H
#define TRP_ACTORS_CACHE_KEY_H

#include "messages/codec.h"
#include "messages/schema.h"

#define CACHE_KEY_SIZE 64

typedef struct cache_key {
    unsigned char bytes[CACHE_KEY_SIZE];
} cache_key_t;

/** `body`: MessagePack or JSON, a map; its form makes no difference. `version` 0: no such member.
 * errors: TRP_PAYLOAD (no map, or a value that JSON does not have), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t cache_key_of_call(trp_text_t tool, uint32_t version, trp_text_t body,
                                            cache_key_t *key);

/** Of a foreign tool, which answers in the form of the request, so that a map is another one in the
 * other form; what is no map is known by its bytes. */
void cache_key_of_foreign(trp_text_t tool, trp_text_t body, cache_key_t *key);

/** Of several frames as they are, whatever they hold. `packed`: each after its size */
void cache_key_of_frames(trp_text_t tool, trp_text_t packed, cache_key_t *key);

/** Of any text, such as what a client calls its request; `space` tells kinds of texts apart. */
void cache_key_of_text(const char *space, trp_text_t tool, trp_text_t text, cache_key_t *key);

#endif
