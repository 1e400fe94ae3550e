/* SPDX-License-Identifier: MIT */
#include "runtime/place/guardian_port.h"

#include <stdlib.h>

#include "runtime/guardian/guardian_queue.h"
#include "runtime/log.h"

typedef struct socket_port {
    guardian_port_t port; /* first: it is what others hold */
    edge_t *edge;
    int fd;
    guardian_queue_t requests; /* those that the guardian has not taken yet */
    void (*report)(void *hearer, const guardian_message_t *message);
    void *hearer;
} socket_port_t;

static trp_status_t ask(void *user, const guardian_message_t *request)
{
    socket_port_t *self = user;
    return guardian_queue_push(&self->requests, self->fd, request, 0) ? TRP_OK : TRP_BUSY;
}

static void on_readable(void *user, int fd)
{
    socket_port_t *self = user;
    guardian_message_t message;
    trp_status_t status;
    while ((status = guardian_receive(fd, &message)) == TRP_OK) {
        self->report(self->hearer, &message);
    }
    if (status != TRP_BUSY) {
        log_event(LOG_FATAL, "guardian_lost", LOG_TEXT("status", trp_status_name(status)));
        (void)!edge_watch(self->edge, fd, NULL, NULL);
    }
}

static trp_status_t
hear(void *user, void (*report)(void *hearer, const guardian_message_t *message), void *hearer)
{
    socket_port_t *self = user;
    self->report = report;
    self->hearer = hearer;
    return edge_watch(self->edge, self->fd, report == NULL ? NULL : on_readable, self);
}

static void flush(void *user)
{
    socket_port_t *self = user;
    if (self->requests.count > 0) {
        guardian_queue_flush(&self->requests, self->fd, 0);
    }
}

trp_status_t guardian_port_open(edge_t *edge, int fd, guardian_port_t **port)
{
    socket_port_t *self = calloc(1, sizeof(*self));
    if (self == NULL || !guardian_queue_init(&self->requests)) {
        free(self);
        return TRP_NO_MEMORY;
    }
    self->port = (guardian_port_t){.user = self, .ask = ask, .hear = hear, .flush = flush};
    self->edge = edge;
    self->fd = fd;
    *port = &self->port;
    return TRP_OK;
}

void guardian_port_close(guardian_port_t **port)
{
    socket_port_t *self = *port == NULL ? NULL : (*port)->user;
    *port = NULL;
    if (self != NULL) {
        guardian_queue_fini(&self->requests);
        free(self);
    }
}
