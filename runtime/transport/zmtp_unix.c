/* SPDX-License-Identifier: MIT */
#include "runtime/transport/zmtp_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG    1024
#define ERROR_SIZE 256

static trp_status_t explain(const char *verb, const char *endpoint, char *error)
{
    snprintf(error, ERROR_SIZE, "cannot %s %.120s: %s", verb, endpoint, strerror(errno));
    return TRP_SYSTEM;
}

static trp_status_t address_of(const char *endpoint, struct sockaddr_un *address, char *error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    const size_t size = strlen(endpoint);
    if (strncmp(endpoint, "ipc://", ZMTP_SCHEME_SIZE) != 0 || size == ZMTP_SCHEME_SIZE ||
        size - ZMTP_SCHEME_SIZE >= sizeof(address->sun_path)) {
        snprintf(error, ERROR_SIZE,
                 "cannot use %.120s: an endpoint of a link is ipc://PATH of at most %zu bytes",
                 endpoint, sizeof(address->sun_path) - 1);
        return TRP_INVALID;
    }
    memcpy(address->sun_path, endpoint + ZMTP_SCHEME_SIZE, size - ZMTP_SCHEME_SIZE);
    return TRP_OK;
}

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

trp_status_t zmtp_unix_listen(const char *endpoint, int mode, int *listener, char *error)
{
    struct sockaddr_un address;
    const trp_status_t status = address_of(endpoint, &address, error);
    if (status != TRP_OK) {
        return status;
    }
    const int descriptor = open_socket();
    (void)unlink(address.sun_path);
    /* Nobody can connect before it listens, so the mode comes in time. */
    if (descriptor < 0 ||
        bind(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        (mode != 0 && chmod(address.sun_path, (mode_t)mode) != 0) ||
        listen(descriptor, BACKLOG) != 0) {
        (void)explain("bind", endpoint, error);
        if (descriptor >= 0) {
            (void)close(descriptor);
        }
        return TRP_SYSTEM;
    }
    *listener = descriptor;
    return TRP_OK;
}

int zmtp_unix_accept(int listener, int *spare)
{
    const int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0 && (errno == EMFILE || errno == ENFILE) && *spare >= 0) {
        (void)close(*spare);
        const int turned_away = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (turned_away >= 0) {
            (void)close(turned_away);
        }
        *spare = zmtp_unix_spare(listener);
    }
    return descriptor;
}

int zmtp_unix_spare(int listener)
{
    return fcntl(listener, F_DUPFD_CLOEXEC, 0);
}

trp_status_t zmtp_unix_connect(const char *endpoint, int *descriptor, char *error)
{
    struct sockaddr_un address;
    const trp_status_t status = address_of(endpoint, &address, error);
    if (status != TRP_OK) {
        return status;
    }
    const int made = open_socket();
    if (made < 0) {
        return explain("open a socket for", endpoint, error);
    }
    if (connect(made, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        *descriptor = made;
        return TRP_OK;
    }
    const int code = errno;
    (void)close(made);
    errno = code;
    return code == ENOENT || code == ECONNREFUSED || code == EAGAIN
               ? TRP_OK
               : explain("connect to", endpoint, error);
}
