/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/log.h"

#define FIRST   3
#define FDS_MAX 64

static int option_of(int fd, int option)
{
    int value = 0;
    socklen_t size = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

static bool is_listener(int fd)
{
    const int domain = option_of(fd, SO_DOMAIN);
    return option_of(fd, SO_TYPE) == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1 &&
           (domain == AF_INET || domain == AF_INET6);
}

/* Number `index` of names with colons between. */
static bool has_name(const char *names, long index, const char *name)
{
    for (; index > 0 && names != NULL; index--) {
        names = strchr(names, ':');
        names += names != NULL;
    }
    return names != NULL && strcspn(names, ":") == strlen(name) &&
           strncmp(names, name, strlen(name)) == 0;
}

/* Taken ones do not wait in accept, and go to no program that a child runs. */
static bool set_flags(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static int take(long count, const char *names)
{
    int taken = 0;
    for (int fd = FIRST; fd < FIRST + count; fd++) {
        const bool is_wanted = count == 1 || has_name(names, fd - FIRST, GUARDIAN_LISTEN_NAME);
        if (taken == 0 && is_wanted && is_listener(fd) && set_flags(fd)) {
            taken = fd;
            log_event(LOG_INFO, "listener_taken", LOG_INT("descriptor", fd));
        } else {
            log_event(LOG_WARN, "listener_refused", LOG_INT("descriptor", fd),
                      LOG_TEXT("wanted", "a listening TCP socket, the only one or named "
                                         "`" GUARDIAN_LISTEN_NAME "`"));
            (void)close(fd);
        }
    }
    return taken;
}

int guardian_listen_take(void)
{
    const char *whom = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
    const bool is_ours = whom != NULL && number != NULL && strtol(whom, NULL, 10) == getpid();
    const long count = is_ours ? strtol(number, NULL, 10) : 0;
    const int taken = count > 0 && count <= FDS_MAX ? take(count, getenv("LISTEN_FDNAMES")) : 0;
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return taken;
}
