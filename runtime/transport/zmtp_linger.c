/* SPDX-License-Identifier: MIT */
#include "runtime/transport/zmtp_linger.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

#define LOOK_MS 10 /* between looks while somebody waits for them */

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void zmtp_linger_add(zmtp_linger_t *linger, zmtp_link_t *link, int linger_ms)
{
    link->poll_descriptor = -1; /* of a socket that is no more */
    link->until_ms = now_ms() + linger_ms;
    link->next = linger->links;
    linger->links = link;
    zmtp_linger_look(linger);
}

void zmtp_linger_look(zmtp_linger_t *linger)
{
    for (zmtp_link_t **at = &linger->links; *at != NULL;) {
        zmtp_link_t *link = *at;
        zmtp_out_flush(&link->out);
        if (zmtp_out_is_empty(&link->out) || now_ms() >= link->until_ms) {
            *at = link->next;
            zmtp_link_free(link);
        } else {
            at = &link->next;
        }
    }
}

void zmtp_linger_end(zmtp_linger_t *linger)
{
    for (zmtp_linger_look(linger); linger->links != NULL; zmtp_linger_look(linger)) {
        struct pollfd waiting = {linger->links->descriptor, POLLOUT, 0};
        (void)poll(&waiting, 1, LOOK_MS);
    }
}
