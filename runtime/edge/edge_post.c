/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge_post.h"

#include <stdlib.h>
#include <string.h>

#define POSTS_MAX  64
#define FRAMES_MAX (6 * POSTS_MAX)
#define KEPT_MAX   256  /* frames of which a reference is kept */
#define KEPT_BYTES 1023 /* of one of them, at most: larger ones are counted as unread ... */
#define SMALL_MAX  33   /* ... and more than libzmq keeps in the message itself */

typedef struct post {
    trp_peer_t peer;
    size_t count; /* of its frames */
} post_t;

struct edge_post_box {
    size_t count, frame_count;
    post_t posts[POSTS_MAX];
    zmq_msg_t frames[FRAMES_MAX]; /* of all, one behind the other */
    /* A second reference to the last ones that were sent. Else the I/O thread would free what this
     * thread has allocated, and the two would wait for each other at malloc's lock. */
    zmq_msg_t kept[KEPT_MAX];
    size_t next_kept;
};

void edge_posts_init(edge_posts_t *posts, const trp_transport_t *transport, void *socket,
                     const edge_socket_options_t *options)
{
    *posts = (edge_posts_t){.transport = transport,
                            .socket = socket,
                            .unsent = options->on_unsent,
                            .user = options->user};
    if (options->unread_max > 0) {
        posts->unread =
            edge_unread_new((size_t)options->unread_max, options->unread_all ? 0 : UNREAD_COUNTED);
    }
}

static edge_post_box_t *box_new(void)
{
    edge_post_box_t *box = malloc(sizeof(*box));
    if (box != NULL) {
        box->count = box->frame_count = box->next_kept = 0;
        for (size_t i = 0; i < KEPT_MAX; i++) {
            (void)zmq_msg_init(&box->kept[i]);
        }
    }
    return box;
}

static void close_frames(zmq_msg_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)zmq_msg_close(&frames[i]);
    }
}

void edge_posts_fini(edge_posts_t *posts)
{
    edge_post_box_t *box = posts->box;
    posts->box = NULL;
    edge_unread_free(&posts->unread);
    if (box != NULL) {
        close_frames(box->frames, box->frame_count);
        close_frames(box->kept, KEPT_MAX);
        free(box);
    }
}

static bool box_add(edge_post_box_t *box, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    if (box->count == POSTS_MAX || count > FRAMES_MAX - box->frame_count) {
        return false;
    }
    post_t *post = &box->posts[box->count++];
    post->peer.size = peer->size;
    memcpy(post->peer.id, peer->id, peer->size);
    post->count = count;
    for (size_t i = 0; i < count; i++) {
        zmq_msg_t *frame = &box->frames[box->frame_count++];
        (void)zmq_msg_init(frame);
        (void)zmq_msg_move(frame, &frames[i]);
    }
    return true;
}

size_t edge_posts_unread(edge_posts_t *posts, const trp_peer_t *peer)
{
    size_t bytes = posts->unread == NULL ? 0 : edge_unread_bytes(posts->unread, peer);
    for (size_t i = 0; posts->box != NULL && i < posts->box->frame_count; i++) {
        bytes += zmq_msg_size(&posts->box->frames[i]);
    }
    return bytes;
}

static void send_one(const edge_posts_t *posts, const trp_peer_t *peer, zmq_msg_t *frames,
                     size_t count)
{
    trp_status_t status =
        posts->unread == NULL ? TRP_OK : edge_unread_count(posts->unread, peer, frames, count);
    if (status == TRP_OK) {
        status = posts->transport->send(posts->socket, peer, frames, count);
    }
    if (status != TRP_OK) {
        close_frames(frames, count);
        if (posts->unsent != NULL) {
            posts->unsent(posts->user, peer, status);
        }
    }
}

void edge_posts_add(edge_posts_t *posts, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    posts->box = posts->box == NULL ? box_new() : posts->box;
    if (posts->box == NULL) { /* no memory */
        send_one(posts, peer, frames, count);
        return;
    }
    if (!box_add(posts->box, peer, frames, count)) {
        (void)edge_posts_send(posts);
        if (!box_add(posts->box, peer, frames, count)) {
            send_one(posts, peer, frames, count);
        }
    }
}

static void keep(edge_post_box_t *box, zmq_msg_t *frame)
{
    const size_t size = zmq_msg_size(frame);
    if (size > SMALL_MAX && size <= KEPT_BYTES) {
        (void)zmq_msg_copy(&box->kept[box->next_kept], frame); /* and lets go of the oldest */
        box->next_kept = (box->next_kept + 1) % KEPT_MAX;
    }
}

bool edge_posts_send(edge_posts_t *posts)
{
    edge_post_box_t *box = posts->box;
    if (box == NULL || box->count == 0) {
        return false;
    }
    zmq_msg_t *frames = box->frames;
    for (size_t i = 0; i < box->count; i++) {
        const post_t *post = &box->posts[i];
        if (post->count > 0) {
            keep(box, &frames[post->count - 1]); /* mostly the only one with content */
        }
        send_one(posts, &post->peer, frames, post->count);
        frames += post->count;
    }
    box->count = box->frame_count = 0;
    return true;
}
