/* SPDX-License-Identifier: MIT */
/* Tasks through the router, and the same hops with nothing but libzmq (tests/bench/tasks.py):
 *
 *     tasks run FILE            a node whose tool `echo` gives back its text
 *     tasks bare RUN_DIR        a broker of two ROUTER sockets and a worker process, bound to tcp;
 *                               prints its endpoint
 *     tasks client ENDPOINT [n=N] [window=N]
 *                               N calls of 64 bytes, so many under way; prints "name value unit"
 *
 * A call is four frames from a DEALER over tcp; between broker and worker there is ipc. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "actors/router/router.h"
#include "actors/tool.h"
#include "tests/bench/majordomo.h"

#define BODY_SIZE 64
#define WARM      200
#define LATENCIES 100000
#define SIGN      "xxxxxxxxxxxxxxxx" /* of the text, in an answer that is no refusal */

/* ---- the tool ---- */

#define ECHO_FIELDS(F) F(STRING, text, _, 0, 1024, "comes back")
TRP_SCHEMA_DECLARE(echo, ECHO_FIELDS)
TRP_SCHEMA_DEFINE(echo, 0, 0, ECHO_FIELDS, "what the benchmark's tool is given")

static trp_status_t echo_run(tool_call_t *call, const void *request)
{
    const echo_t *echo = request;
    trp_write_string(&call->result, echo->text.data, echo->text.size);
    return TRP_OK;
}

static trp_status_t echo_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static const tool_t tools[] = {{"echo", &echo_schema, echo_run}};
    static const tool_table_t table = {tools, 1, false};
    return tool_serve(ctx, state, message, &table);
}

static const trp_class_t echo_class = {.name = "echo", .version = 1, .receive = echo_receive};

/* ---- what both sides need ---- */

static void *open_socket(void *context, int type)
{
    const int zero = 0;
    void *socket = zmq_socket(context, type);
    check(socket != NULL, "socket");
    check(zmq_setsockopt(socket, ZMQ_SNDHWM, &zero, sizeof(zero)) == 0, "ZMQ_SNDHWM");
    check(zmq_setsockopt(socket, ZMQ_RCVHWM, &zero, sizeof(zero)) == 0, "ZMQ_RCVHWM");
    check(zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof(zero)) == 0, "ZMQ_LINGER");
    return socket;
}

/* Moves one message from a socket to another one; `skip`: frames that are dropped; `to`: the first
 * frame, NULL: none. False: there is none. */
static bool move_message(void *from, void *into, int skip, const zmq_msg_t *to)
{
    zmq_msg_t frame;
    int flags = ZMQ_DONTWAIT;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, from, flags) < 0) {
        return false;
    }
    if (to != NULL) {
        zmq_msg_t address;
        zmq_msg_init(&address);
        zmq_msg_copy(&address, (zmq_msg_t *)to);
        check(zmq_msg_send(&address, into, ZMQ_SNDMORE) >= 0, "send");
    }
    for (bool more = true; more;) {
        more = zmq_msg_more(&frame) != 0;
        if (skip-- <= 0) {
            check(zmq_msg_send(&frame, into, more ? ZMQ_SNDMORE : 0) >= 0, "send");
        }
        if (more) {
            check(zmq_msg_recv(&frame, from, 0) >= 0, "receive");
        }
    }
    zmq_msg_close(&frame);
    return true;
}

/* ---- the bare broker ---- */

static _Noreturn void serve_bare(const char *endpoint)
{
    void *context = zmq_ctx_new();
    void *socket = open_socket(context, ZMQ_DEALER);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    check(zmq_connect(socket, endpoint) == 0, "connect");
    check(zmq_send(socket, "", 0, 0) == 0, "ready");
    for (;;) {
        zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
        check(zmq_poll(&item, 1, -1) >= 0, "poll");
        while (move_message(socket, socket, 0, NULL)) {
        }
    }
}

static _Noreturn void run_bare(const char *run_dir)
{
    char backend[256], bound[256];
    size_t size = sizeof(bound);
    zmq_msg_t worker, ready;
    snprintf(backend, sizeof(backend), "ipc://%s/bare", run_dir);
    if (fork() == 0) {
        serve_bare(backend);
    }
    void *context = zmq_ctx_new();
    void *front = open_socket(context, ZMQ_ROUTER), *back = open_socket(context, ZMQ_ROUTER);
    check(zmq_bind(back, backend) == 0, "bind");
    check(zmq_bind(front, "tcp://127.0.0.1:*") == 0, "bind");
    zmq_getsockopt(front, ZMQ_LAST_ENDPOINT, bound, &size);
    zmq_msg_init(&worker);
    zmq_msg_init(&ready);
    check(zmq_msg_recv(&worker, back, 0) >= 0 && zmq_msg_recv(&ready, back, 0) >= 0, "a worker");
    printf("%s\n", bound);
    fflush(stdout);
    for (;;) {
        zmq_pollitem_t items[] = {{.socket = front, .events = ZMQ_POLLIN},
                                  {.socket = back, .events = ZMQ_POLLIN}};
        check(zmq_poll(items, 2, -1) >= 0, "poll");
        for (int i = 0; i < 100 && move_message(front, back, 0, &worker); i++) {
        }
        for (int i = 0; i < 100 && move_message(back, front, 1, NULL); i++) {
        }
    }
}

/* ---- the client ---- */

static void call(void *socket)
{
    char body[BODY_SIZE];
    memset(body, 'x', sizeof(body));
    memcpy(body, "\x81\xa4text\xd9\x38", 8); /* {"text": 56 bytes} */
    majordomo_call(socket, "echo", body, sizeof(body));
}

static int run_client(const char *endpoint, long n, long window)
{
    static int64_t latencies[LATENCIES];
    void *context = zmq_ctx_new();
    void *socket = open_socket(context, ZMQ_DEALER);
    check(zmq_connect(socket, endpoint) == 0, "connect");
    for (long i = 0; i < WARM; i++) {
        call(socket);
        majordomo_take_answer(socket, SIGN);
    }
    const int64_t start = now_ns();
    long sent = 0;
    int64_t before = start;
    for (long received = 0; received < n; received++) {
        while (sent < n && sent - received < window) {
            call(socket);
            sent++;
        }
        majordomo_take_answer(socket, SIGN);
        const int64_t now = now_ns();
        latencies[received % LATENCIES] = now - before; /* of one call, where the window is one */
        before = now;
    }
    printf("rate %.0f tasks/s\n", (double)n * 1e9 / (double)(now_ns() - start));
    const int64_t kept = n < LATENCIES ? n : LATENCIES;
    sort_ns(latencies, kept);
    if (window == 1) {
        printf("p50 %lld ns\np99 %lld ns\n", (long long)quantile_ns(latencies, kept, 0.50),
               (long long)quantile_ns(latencies, kept, 0.99));
    }
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}

int main(int argc, char **argv)
{
    static const trp_class_t *const classes[] = {&router_class, &echo_class, NULL};
    argument_count = argc;
    arguments = argv;
    if (argc > 2 && strcmp(argv[1], "bare") == 0) {
        run_bare(argv[2]);
    }
    if (argc > 2 && strcmp(argv[1], "client") == 0) {
        return run_client(argv[2], argument("n", 20000), argument("window", 1));
    }
    return trp_main(argc, argv, classes);
}
