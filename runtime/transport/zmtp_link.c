/* SPDX-License-Identifier: MIT */
#include "runtime/transport/zmtp_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t interest(const zmtp_link_t *link)
{
    return EPOLLIN | (link->is_armed ? (uint32_t)EPOLLOUT : 0u);
}

static bool greet(zmtp_link_t *link, bool is_router, const trp_peer_t *self)
{
    uint8_t bytes[ZMTP_GREETING_SIZE + ZMTP_READY_MAX];
    zmtp_greeting(bytes);
    const size_t size =
        zmtp_write_ready(bytes + ZMTP_GREETING_SIZE, is_router ? "ROUTER" : "DEALER", self);
    /* One that has left already is found by reading. */
    return zmtp_out_bytes(&link->out, bytes, ZMTP_GREETING_SIZE + size) != TRP_NO_MEMORY;
}

zmtp_link_t *zmtp_link_new(int descriptor, int poll_descriptor, bool is_router,
                           const trp_peer_t *self, int64_t frame_max)
{
    zmtp_link_t *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        (void)close(descriptor);
        return NULL;
    }
    link->descriptor = descriptor;
    link->poll_descriptor = poll_descriptor;
    zmtp_in_init(&link->in, is_router ? "DEALER" : "ROUTER", frame_max);
    zmtp_out_init(&link->out, descriptor);
    struct epoll_event event = {.events = interest(link), .data.ptr = link};
    if (epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0 ||
        !greet(link, is_router, self)) {
        zmtp_link_free(link);
        return NULL;
    }
    return link;
}

void zmtp_link_free(zmtp_link_t *link)
{
    /* Said, since a process that was forked from here may have the descriptor as well. */
    (void)epoll_ctl(link->poll_descriptor, EPOLL_CTL_DEL, link->descriptor, NULL);
    (void)close(link->descriptor);
    zmtp_in_fini(&link->in);
    zmtp_out_fini(&link->out);
    free(link);
}

/* Lets the epoll know whether bytes wait. */
static void arm(zmtp_link_t *link)
{
    if (link->is_armed != zmtp_out_is_empty(&link->out)) {
        return;
    }
    link->is_armed = !link->is_armed;
    struct epoll_event event = {.events = interest(link), .data.ptr = link};
    (void)epoll_ctl(link->poll_descriptor, EPOLL_CTL_MOD, link->descriptor, &event);
}

void zmtp_link_flush(zmtp_link_t *link)
{
    zmtp_out_flush(&link->out);
    arm(link);
}

trp_status_t zmtp_link_send(zmtp_link_t *link, zmq_msg_t *frames, size_t count, int queue_max)
{
    if (queue_max > 0 && link->out.waiting >= (size_t)queue_max) {
        return TRP_BUSY;
    }
    const trp_status_t status = zmtp_out_send(&link->out, frames, count);
    arm(link);
    return status == TRP_NO_MEMORY ? TRP_BUSY : status;
}

size_t zmtp_link_receive(zmtp_link_t *link, uint8_t *buffer, size_t size, zmtp_event_t *event)
{
    size_t room = 0;
    uint8_t *body = zmtp_in_room(&link->in, &room);
    ssize_t received;
    *event = ZMTP_IN_HUNGRY;
    do {
        received = recv(link->descriptor, body != NULL ? body : buffer, body != NULL ? room : size,
                        MSG_DONTWAIT);
    } while (received < 0 && errno == EINTR);
    if (received <= 0) {
        link->has_ended = received == 0 || errno != EAGAIN;
        return 0;
    }
    if (body == NULL) {
        return (size_t)received;
    }
    *event = zmtp_in_filled(&link->in, (size_t)received);
    return 0;
}
