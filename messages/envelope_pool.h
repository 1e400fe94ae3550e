/* SPDX-License-Identifier: MIT */
/* The pool of envelopes. A thread takes from and gives to a magazine of its own, an array of
 * pointers; an empty or a full one is traded for one of the shared depot. So a thread that only
 * sends and one that only receives trade whole magazines: neither locks for each message.
 *
 *     thread: loaded + spare magazine   --full-->   depot   --full-->   thread
 *
 * The envelopes lie in slabs. When the depot has had more than it needed for a while, it looks
 * which slabs have all their envelopes in it, and gives their memory back to the system. Any
 * thread; what a thread has goes to the depot when it ends. */
#ifndef TRP_MESSAGES_ENVELOPE_POOL_H
#define TRP_MESSAGES_ENVELOPE_POOL_H

#include <string.h>

#include "messages/envelope.h"

#define MAGAZINE_SIZE 128 /* envelopes: one trip to the depot for each */

typedef struct magazine {
    struct magazine *next; /* in the depot */
    size_t count;
    trp_envelope_t *envelopes[MAGAZINE_SIZE]; /* the one freed last is at the end */
} magazine_t;

/** Of this thread; NULL when nothing was sent or freed yet. Never without each other. */
typedef struct magazines {
    magazine_t *loaded, *spare;
} magazines_t;

/** With the model that needs no call to find it, in the shared library too. */
extern _Thread_local magazines_t envelope_magazines __attribute__((tls_model("initial-exec")));

/** The way through the depot; NULL: no memory. */
trp_envelope_t *envelope_pool_get_slowly(void);
void envelope_pool_put_slowly(trp_envelope_t *envelope);

size_t envelope_pool_memory(void);

/** An envelope with anything in it. NULL: no memory */
static inline trp_envelope_t *envelope_pool_get(void)
{
    magazine_t *loaded = envelope_magazines.loaded;
    if (loaded == NULL || loaded->count == 0) {
        return envelope_pool_get_slowly();
    }
    size_t last = --loaded->count;
    return loaded->envelopes[last];
}

/** Debug builds: marks it as freed, and keeps it for a while, so that who still uses it meets the
 * mark and not another message. Returns one that was kept long enough; NULL: none yet. */
trp_envelope_t *envelope_pool_mark(trp_envelope_t *envelope);

static inline void envelope_pool_put(trp_envelope_t *envelope)
{
    if (TRP_CHECKED) {
        envelope = envelope_pool_mark(envelope);
        if (envelope == NULL) {
            return;
        }
    }
    magazine_t *loaded = envelope_magazines.loaded;
    if (loaded == NULL || loaded->count == MAGAZINE_SIZE) {
        envelope_pool_put_slowly(envelope);
        return;
    }
    loaded->envelopes[loaded->count++] = envelope;
}

/** envelope_alloc, inlined where each message passes. */
static inline trp_envelope_t *envelope_new(void)
{
    trp_envelope_t *envelope = envelope_pool_get();
    if (envelope != NULL) {
        memset(envelope, 0, offsetof(trp_envelope_t, payload));
    }
    return envelope;
}

/** envelope_free, the same. */
static inline void envelope_drop(trp_envelope_t *envelope)
{
    if ((envelope->flags & (TRP_ENVELOPE_METERED | TRP_ENVELOPE_SHARED)) != 0) {
        envelope_free(envelope);
    } else {
        envelope_pool_put(envelope);
    }
}

#endif
