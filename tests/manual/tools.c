/* SPDX-License-Identifier: MIT */
/* The program of runtime/tools.h, and a thread that answers as a node would. */
#include "runtime/tools.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define LIMIT_S 30

static char here[64];
static int shown, complaints;

/* The example's port is another one. */
static trp_status_t open_here(const trp_tools_options_t *options, trp_tools_t **tools)
{
    return trp_tools_open(here, options, tools);
}
#define trp_tools_open(endpoint, options, tools) open_here(options, tools)

static void show(const void *data, size_t size)
{
    shown += size == 1 && memcmp(data, "7", 1) == 0;
}

static void complain(const char *code, const char *message)
{
    complaints += code != NULL && message != NULL;
}

/* Mirrors identity, tool and options of each request. */
static void *answer(void *router)
{
    static const char body[] = "{\"success\":true,\"result\":7}";
    char frames[8][512];
    int sizes[8] = {0};
    for (;;) {
        int count = 0, more = 1;
        size_t size = sizeof(more);
        for (; more != 0 && count < 8; count++) {
            sizes[count] = zmq_recv(router, frames[count], sizeof(frames[count]), 0);
            zmq_getsockopt(router, ZMQ_RCVMORE, &more, &size);
        }
        frames[2][0] = 3;
        for (int i = 0; i + 1 < count; i++) {
            zmq_send(router, frames[i], (size_t)sizes[i], ZMQ_SNDMORE);
        }
        zmq_send(router, body, strlen(body), 0);
    }
    return NULL;
}

static void one_call(void)
{
    MANUAL("runtime/tools.h", 1)
}

static void many_calls(const trp_tools_request_t *requests, size_t count)
{
    const trp_tools_answer_t *answer;
    trp_tools_t *tools;
    if (open_here(NULL, &tools) == TRP_OK) {
        MANUAL("runtime/tools.h", 2)
        trp_tools_close(&tools);
    }
}

int main(void)
{
    const trp_tools_request_t requests[] = {{.tool = "a", .body = "{}"},
                                            {.tool = "b", .body = "{}"}};
    size_t size = sizeof(here);
    pthread_t thread;
    void *router = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
    (void)alarm(LIMIT_S);
    if (zmq_bind(router, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, here, &size) != 0 ||
        pthread_create(&thread, NULL, answer, router) != 0) {
        return 1;
    }
    one_call();
    many_calls(requests, 2);
    if (shown != 3 || complaints != 0) {
        fprintf(stderr, "shown %d, complaints %d\n", shown, complaints);
        return 1;
    }
    return 0;
}
