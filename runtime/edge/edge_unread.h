/* SPDX-License-Identifier: MIT */
/* What each peer of a socket has been sent and has not been read yet, in bytes: the bound against
 * one that asks for much and never reads. A frame counts from its send until the transport frees
 * it, when its bytes are in the kernel's buffer. The edge thread calls; frames are freed by
 * whichever thread has them last. */
#ifndef TRP_RUNTIME_EDGE_UNREAD_H
#define TRP_RUNTIME_EDGE_UNREAD_H

#include "runtime/plugin.h"

#define UNREAD_COUNTED 1024 /* bytes: counting a smaller frame would cost more than the frame */
#define UNREAD_LEAST   256  /* bytes: what any frame that is counted takes, at least */

typedef struct edge_unread edge_unread_t;

/** `max` bytes for each peer. Frames below `counted` bytes are left to the bound by messages. NULL:
 * no memory */
edge_unread_t *edge_unread_new(size_t max, size_t counted);

/** Bytes that the peer has not read. */
size_t edge_unread_bytes(const edge_unread_t *unread, const trp_peer_t *peer);

/** Frames may still be on their way. Clears the pointer. */
void edge_unread_free(edge_unread_t **unread);

/** Counts the frames of a message, which may be replaced by others with the same bytes. A message
 * that is larger than the bound goes when nothing else is unread. errors: TRP_BUSY (the peer has
 * too much unread; nothing was counted) */
TRP_MUST_USE trp_status_t edge_unread_count(edge_unread_t *unread, const trp_peer_t *peer,
                                            zmq_msg_t *frames, size_t count);

#endif
