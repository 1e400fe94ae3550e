/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/log.h"

#define NS_OF_US 1000

/* A path, or a name of the abstract kind, which is written with a `@` for its NUL. */
static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t size = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || size >= sizeof(address.sun_path)) {
        return -1;
    }
    memcpy(address.sun_path, name, size);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, length) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

void guardian_notify_open(guardian_notify_t *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");
    const char *every_us = getenv("WATCHDOG_USEC");
    const char *whom = getenv("WATCHDOG_PID");
    *notify = (guardian_notify_t){.fd = -1};
    if (name != NULL) {
        notify->fd = connect_to(name);
        if (notify->fd < 0) {
            log_event(LOG_WARN, "notify_socket_refused", LOG_TEXT("socket", name));
        }
    }
    const bool is_ours = whom == NULL || strtol(whom, NULL, 10) == getpid();
    if (notify->fd >= 0 && every_us != NULL && is_ours) {
        notify->watchdog_ns = strtoll(every_us, NULL, 10) * NS_OF_US / 2;
    }
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

void guardian_notify_close(guardian_notify_t *notify)
{
    if (notify->fd >= 0) {
        (void)close(notify->fd);
        notify->fd = -1;
    }
}

void guardian_notify_send(const guardian_notify_t *notify, const char *lines)
{
    if (notify->fd >= 0) {
        (void)!send(notify->fd, lines, strlen(lines), MSG_NOSIGNAL);
    }
}

void guardian_notify_reloading(const guardian_notify_t *notify, int64_t now_ns)
{
    char lines[96];
    snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading its file",
             (long long)(now_ns / NS_OF_US));
    guardian_notify_send(notify, lines);
}

void guardian_notify_turn(guardian_notify_t *notify, int64_t now_ns)
{
    if (notify->watchdog_ns > 0 && now_ns >= notify->next_ns) {
        notify->next_ns = now_ns + notify->watchdog_ns;
        guardian_notify_send(notify, "WATCHDOG=1");
    }
}
