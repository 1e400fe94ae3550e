/* SPDX-License-Identifier: MIT */
#include "runtime/guardian_proto.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

trp_status_t guardian_send(int fd, const guardian_message_t *message)
{
    ssize_t sent;
    do {
        sent = send(fd, message, sizeof(*message), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        return TRP_OK;
    }
    if (errno == EAGAIN || errno == ENOBUFS) {
        return TRP_BUSY;
    }
    return errno == EPIPE || errno == ECONNRESET ? TRP_GONE : TRP_SYSTEM;
}

trp_status_t guardian_receive(int fd, guardian_message_t *message)
{
    ssize_t got;
    do {
        got = recv(fd, message, sizeof(*message), MSG_DONTWAIT | MSG_TRUNC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        if (errno == EAGAIN) {
            return TRP_BUSY;
        }
        return errno == ECONNRESET ? TRP_GONE : TRP_SYSTEM;
    }
    if (got == 0) {
        return TRP_GONE;
    }
    if ((size_t)got != sizeof(*message) ||
        memchr(message->program, 0, GUARDIAN_PROGRAM_MAX) == NULL) {
        return TRP_PROTOCOL;
    }
    return TRP_OK;
}
