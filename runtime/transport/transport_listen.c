/* SPDX-License-Identifier: MIT */
#include "runtime/transport/transport_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zmq.h>

/* libzmq closes what it is given, so it gets one of its own. */
bool transport_take_listener(void *socket, int listener)
{
    if (listener <= 0) {
        return true;
    }
    const int fd = fcntl(listener, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0 && zmq_setsockopt(socket, ZMQ_USE_FD, &fd, sizeof(fd)) == 0) {
        return true;
    }
    const int code = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = code;
    return false;
}
