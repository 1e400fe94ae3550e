/* SPDX-License-Identifier: MIT */
#include "runtime/transport/zmtp_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SMALL_MAX  4096 /* bytes of a message that is written at once from one place */
#define PIECES_MAX 32   /* of one call */

/* A frame that waits, with its header; or the rest of what was written at once, without one. */
typedef struct zmtp_piece {
    struct zmtp_piece *next;
    size_t sent; /* of header and body */
    uint8_t header[ZMTP_HEADER_MAX];
    uint8_t header_size;
    bool is_last; /* of its message */
    zmq_msg_t body;
} piece_t;

void zmtp_out_init(zmtp_out_t *out, int descriptor)
{
    *out = (zmtp_out_t){.descriptor = descriptor};
    out->last = &out->first;
}

static void free_pieces(piece_t *piece)
{
    while (piece != NULL) {
        piece_t *next = piece->next;
        (void)zmq_msg_close(&piece->body);
        free(piece);
        piece = next;
    }
}

void zmtp_out_fini(zmtp_out_t *out)
{
    free_pieces(out->first);
    zmtp_out_init(out, out->descriptor);
}

static void give_up(zmtp_out_t *out)
{
    zmtp_out_fini(out);
    out->is_broken = true;
}

/* ---- writing ---- */

static size_t piece_size(const piece_t *piece)
{
    return piece->header_size + zmq_msg_size(&piece->body);
}

static unsigned describe(piece_t *piece, struct iovec *parts)
{
    unsigned count = 0;
    const size_t body_sent =
        piece->sent > piece->header_size ? piece->sent - piece->header_size : 0;
    if (piece->sent < piece->header_size) {
        parts[count++] =
            (struct iovec){piece->header + piece->sent, piece->header_size - piece->sent};
    }
    if (body_sent < zmq_msg_size(&piece->body)) {
        parts[count++] = (struct iovec){(uint8_t *)zmq_msg_data(&piece->body) + body_sent,
                                        zmq_msg_size(&piece->body) - body_sent};
    }
    return count;
}

static void consume(zmtp_out_t *out, size_t written)
{
    while (out->first != NULL) {
        piece_t *piece = out->first;
        const size_t left = piece_size(piece) - piece->sent;
        if (written < left) {
            piece->sent += written;
            return;
        }
        written -= left;
        out->waiting -= piece->is_last ? 1 : 0;
        out->first = piece->next;
        piece->next = NULL;
        free_pieces(piece);
    }
    out->last = &out->first;
}

/* Bytes that were taken; -1: none now, or it is broken. */
static ssize_t write_parts(zmtp_out_t *out, struct iovec *parts, unsigned count)
{
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t written;
    do {
        written = sendmsg(out->descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (written < 0 && errno == EINTR);
    if (written < 0 && errno != EAGAIN && errno != ENOBUFS) {
        give_up(out);
    }
    return written;
}

void zmtp_out_flush(zmtp_out_t *out)
{
    while (out->first != NULL) {
        struct iovec parts[2 * PIECES_MAX];
        unsigned count = 0;
        for (piece_t *piece = out->first; piece != NULL && count + 2 <= 2 * PIECES_MAX;
             piece = piece->next) {
            count += describe(piece, parts + count);
        }
        const ssize_t written = write_parts(out, parts, count);
        if (written < 0) {
            return;
        }
        consume(out, (size_t)written);
    }
}

/* ---- what waits ---- */

static void append(zmtp_out_t *out, piece_t *first, piece_t **last)
{
    *out->last = first;
    out->last = last;
}

/* The rest of what was written in part: without it the stream makes no sense. */
static void keep_rest(zmtp_out_t *out, const uint8_t *bytes, size_t size, bool is_message)
{
    piece_t *piece = calloc(1, sizeof(*piece));
    if (piece == NULL || zmq_msg_init_size(&piece->body, size) != 0) {
        free(piece);
        give_up(out);
        (void)shutdown(out->descriptor, SHUT_RDWR);
        return;
    }
    memcpy(zmq_msg_data(&piece->body), bytes, size);
    piece->is_last = is_message;
    out->waiting += is_message ? 1 : 0;
    append(out, piece, &piece->next);
}

static trp_status_t write_now(zmtp_out_t *out, uint8_t *bytes, size_t size, bool is_message)
{
    struct iovec part = {bytes, size};
    const ssize_t written = write_parts(out, &part, 1);
    if (out->is_broken) {
        return TRP_GONE;
    }
    const size_t done = written < 0 ? 0 : (size_t)written;
    if (done < size) {
        keep_rest(out, bytes + done, size - done, is_message);
    }
    return TRP_OK;
}

trp_status_t zmtp_out_bytes(zmtp_out_t *out, const void *bytes, size_t size)
{
    uint8_t copy[ZMTP_READY_MAX + ZMTP_GREETING_SIZE];
    if (out->is_broken) {
        return TRP_GONE;
    }
    if (!zmtp_out_is_empty(out)) {
        keep_rest(out, bytes, size, false);
        return out->is_broken ? TRP_NO_MEMORY : TRP_OK;
    }
    memcpy(copy, bytes, size);
    return write_now(out, copy, size, false);
}

/* The message as bytes; 0: it is too large for that. */
static size_t write_small(uint8_t bytes[SMALL_MAX], zmq_msg_t *frames, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t size = zmq_msg_size(&frames[i]);
        if (size > SMALL_MAX || used + ZMTP_HEADER_MAX + size > SMALL_MAX) {
            return 0;
        }
        used += zmtp_write_header(bytes + used, i + 1 < count ? ZMTP_MORE : 0, size);
        memcpy(bytes + used, zmq_msg_data(&frames[i]), size);
        used += size;
    }
    return used;
}

static void release(zmq_msg_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)zmq_msg_close(&frames[i]);
        (void)zmq_msg_init(&frames[i]);
    }
}

static trp_status_t send_large(zmtp_out_t *out, zmq_msg_t *frames, size_t count)
{
    piece_t *first = NULL;
    piece_t **last = &first;
    for (size_t i = 0; i < count; i++) {
        piece_t *piece = calloc(1, sizeof(*piece));
        if (piece == NULL) {
            free_pieces(first);
            return TRP_NO_MEMORY;
        }
        (void)zmq_msg_init(&piece->body);
        *last = piece;
        last = &piece->next;
    }
    size_t i = 0;
    for (piece_t *piece = first; piece != NULL; piece = piece->next, i++) {
        (void)zmq_msg_move(&piece->body, &frames[i]);
        piece->is_last = i + 1 == count;
        piece->header_size = (uint8_t)zmtp_write_header(
            piece->header, piece->is_last ? 0 : ZMTP_MORE, zmq_msg_size(&piece->body));
    }
    append(out, first, last);
    out->waiting++;
    zmtp_out_flush(out);
    return TRP_OK;
}

trp_status_t zmtp_out_send(zmtp_out_t *out, zmq_msg_t *frames, size_t count)
{
    uint8_t bytes[SMALL_MAX];
    if (out->is_broken) {
        return TRP_GONE;
    }
    const size_t size = zmtp_out_is_empty(out) ? write_small(bytes, frames, count) : 0;
    if (size == 0) {
        return send_large(out, frames, count);
    }
    const trp_status_t status = write_now(out, bytes, size, true);
    if (status == TRP_OK) {
        release(frames, count);
    }
    return status;
}
