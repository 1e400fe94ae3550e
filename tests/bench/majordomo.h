/* SPDX-License-Identifier: MIT */
/* A client of a node, as little of one as measures nothing of itself: calls of Majordomo 0.2 over a
 * DEALER socket, and their answers. */
#ifndef TRP_TESTS_BENCH_MAJORDOMO_H
#define TRP_TESTS_BENCH_MAJORDOMO_H

#include <zmq.h>

#include "tests/bench/measure.h"

static inline void majordomo_call(void *socket, const char *tool, const void *body, size_t size)
{
    check(zmq_send_const(socket, "MDPC02", 6, ZMQ_SNDMORE) >= 0, "send");
    check(zmq_send_const(socket, "\x01", 1, ZMQ_SNDMORE) >= 0, "send");
    check(zmq_send(socket, tool, strlen(tool), ZMQ_SNDMORE) >= 0, "send");
    check(zmq_send(socket, body, size, 0) >= 0, "send");
}

/** Waits for one; shows it and ends the program when it has not `sign` in it. */
static inline void majordomo_take_answer(void *socket, const char *sign)
{
    zmq_msg_t frame;
    int more = 1;
    zmq_msg_init(&frame);
    while (more) {
        check(zmq_msg_recv(&frame, socket, 0) >= 0, "the answer");
        more = zmq_msg_more(&frame);
    }
    if (memmem(zmq_msg_data(&frame), zmq_msg_size(&frame), sign, strlen(sign)) == NULL) {
        fprintf(stderr, "benchmark: refused: %.*s\n", (int)zmq_msg_size(&frame),
                (const char *)zmq_msg_data(&frame));
        exit(1);
    }
    zmq_msg_close(&frame);
}

#endif
