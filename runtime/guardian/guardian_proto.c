/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_proto.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the one descriptor that a message may carry. */
typedef union passed {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
} passed_t;

/* Lists of folders are rare, and long: without them a packet ends before. */
#define SHORT_SIZE offsetof(guardian_message_t, limits.read_paths)

static size_t packet_size(const guardian_message_t *message)
{
    const trp_limits_t *limits = &message->limits;
    return limits->read_paths[0] == '\0' && limits->write_paths[0] == '\0' ? SHORT_SIZE
                                                                           : sizeof(*message);
}

trp_status_t guardian_send(int fd, const guardian_message_t *message)
{
    guardian_message_t copy = *message;
    passed_t passed = {.bytes = {0}};
    struct iovec part = {.iov_base = &copy, .iov_len = packet_size(&copy)};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (message->box > 0) {
        packet.msg_control = passed.bytes;
        packet.msg_controllen = sizeof(passed.bytes);
        passed.head.cmsg_level = SOL_SOCKET;
        passed.head.cmsg_type = SCM_RIGHTS;
        passed.head.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&passed.head), &message->box, sizeof(int));
    }
    ssize_t sent;
    do {
        sent = sendmsg(fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        return TRP_OK;
    }
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) {
        return TRP_BUSY;
    }
    return errno == EPIPE || errno == ECONNRESET ? TRP_GONE : TRP_SYSTEM;
}

/* The descriptor that came with a packet; 0: none. */
static int taken(struct msghdr *packet)
{
    int fd = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(packet); head != NULL;
         head = CMSG_NXTHDR(packet, head)) {
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
            head->cmsg_len == CMSG_LEN(sizeof(int))) {
            memcpy(&fd, CMSG_DATA(head), sizeof(int));
        }
    }
    return fd;
}

/* Texts that end and numbers that are in their ranges: it may come from a node gone mad. */
static bool is_sound(const guardian_message_t *message)
{
    const trp_limits_t *limits = &message->limits;
    return memchr(message->program, 0, sizeof(message->program)) != NULL &&
           memchr(limits->read_paths, 0, sizeof(limits->read_paths)) != NULL &&
           memchr(limits->write_paths, 0, sizeof(limits->write_paths)) != NULL &&
           limits->seccomp >= 0 && limits->seccomp < TRP_SECCOMP_COUNT;
}

trp_status_t guardian_receive(int fd, guardian_message_t *message)
{
    passed_t passed = {.bytes = {0}};
    struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = passed.bytes,
                            .msg_controllen = sizeof(passed.bytes)};
    ssize_t got;
    do {
        got = recvmsg(fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
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
    const int box = taken(&packet);
    if ((size_t)got == SHORT_SIZE) {
        memset((char *)message + SHORT_SIZE, 0, sizeof(*message) - SHORT_SIZE);
        got = sizeof(*message);
    }
    if ((size_t)got != sizeof(*message) || (packet.msg_flags & MSG_TRUNC) != 0 ||
        !is_sound(message)) {
        if (box > 0) {
            (void)close(box);
        }
        return TRP_PROTOCOL;
    }
    message->box = box;
    return TRP_OK;
}
