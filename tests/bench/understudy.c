/* SPDX-License-Identifier: MIT */
/* From the death of a worker to the next task in its understudy: understudy understudy_restart
 * [n=300]. A client (this process) calls a tool whose first attempt kills its own process; the
 * router gives the task to the understudy. All processes are forks of this one and share a page of
 * memory, in which they note when that was on the monotonic clock:
 *
 *     killed    by the tool, before it kills itself
 *     seen      by an actor of the node's edge that watches the workers, in its DOWN
 *     started   by the tool, called again in the understudy
 *
 * Prints "name value unit": from seen to started, and from killed to started. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/router/router.h"
#include "actors/tool.h"
#include "tests/bench/majordomo.h"

#define WARM     20
#define TAG_HERE 0x1000
#define REST_MS  10 /* for the new understudy, once its init has run, to be known to the router */
#define WAIT_MS  10000

static const char config[] = "node\n"
                             "    name = understudy\n"
                             "    run_dir = \"%s\"\n"
                             "    threads = 1\n"
                             "    log_level = fatal\n"
                             "majordomo\n"
                             "    endpoint = \"ipc://%s/majordomo\"\n"
                             "tree\n"
                             "    children\n"
                             "        watcher\n"
                             "            class = watcher\n"
                             "pools\n"
                             "    victim\n"
                             "        class = victim\n"
                             "        place = process\n"
                             "        tools = die\n"
                             "        understudies = 1\n"
                             "        intensity = 1000000\n"
                             "        backoff_max_ms = 1\n"
                             "        backoff_ms = 1\n";

typedef struct shared {
    _Atomic int64_t killed_ns, seen_ns, started_ns;
    _Atomic uint32_t inits; /* workers that were started so far */
} shared_t;

static shared_t *shared;

/* ---- the worker ---- */

#define DIE_FIELDS(F) F(INT, round, _, 0, 1000000, "counts up")
TRP_SCHEMA_DECLARE(die, DIE_FIELDS)
TRP_SCHEMA_DEFINE(die, 0, 0, DIE_FIELDS, "what the benchmark's tool is given")

static trp_status_t die_run(tool_call_t *call, const void *request)
{
    const int64_t now = now_ns();
    if (shared->killed_ns == 0) {
        shared->killed_ns = now_ns();
        (void)kill(getpid(), SIGKILL);
    }
    shared->started_ns = now;
    trp_write_int(&call->result, ((const die_t *)request)->round);
    return TRP_OK;
}

static trp_status_t victim_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_pid_t watcher = trp_whereis(ctx, "watcher");
    (void)state, (void)args;
    shared->inits++;
    return trp_send(ctx, watcher, TAG_HERE, NULL, 0);
}

static trp_status_t victim_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static const tool_t tools[] = {{"die", &die_schema, die_run}};
    static const tool_table_t table = {tools, 1, true};
    return tool_serve(ctx, state, message, &table);
}

static const trp_class_t victim_class = {
    .name = "victim", .version = 1, .init = victim_init, .receive = victim_receive};

/* ---- who sees it die ---- */

static trp_status_t watcher_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    uint64_t ref;
    (void)state;
    if (message->tag == TRP_TAG_DOWN) {
        shared->seen_ns = now_ns();
        return TRP_OK;
    }
    return message->tag == TAG_HERE ? trp_monitor(ctx, message->from, &ref) : TRP_OK;
}

static const trp_class_t watcher_class = {
    .name = "watcher", .version = 1, .receive = watcher_receive, .flags = TRP_CLASS_EDGE};

/* ---- the client ---- */

static void call(void *socket, long round)
{
    const unsigned char body[] = {0x81,
                                  0xa5,
                                  'r',
                                  'o',
                                  'u',
                                  'n',
                                  'd',
                                  0xcd,
                                  (unsigned char)(round >> 8),
                                  (unsigned char)round};
    majordomo_call(socket, "die", body, sizeof(body));
}

static void wait_for_workers(uint32_t count)
{
    for (int waited_ms = 0; shared->inits < count; waited_ms++) {
        check(waited_ms < WAIT_MS, "the workers do not start");
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, REST_MS);
}

static void measure(void *socket, long rounds)
{
    int64_t *seen = calloc((size_t)rounds, sizeof(*seen));
    int64_t *killed = calloc((size_t)rounds, sizeof(*killed));
    check(seen != NULL && killed != NULL, "memory");
    for (long round = -WARM; round < rounds; round++) {
        wait_for_workers(2 + (uint32_t)(round + WARM));
        shared->killed_ns = shared->seen_ns = 0;
        call(socket, round + WARM);
        majordomo_take_answer(socket, "\xa7success\xc3");
        check(shared->seen_ns != 0, "the death was not seen");
        if (round >= 0) {
            seen[round] = shared->started_ns - shared->seen_ns;
            killed[round] = shared->started_ns - shared->killed_ns;
        }
    }
    print_quantiles("understudy_restart.seen", seen, rounds);
    print_quantiles("understudy_restart.killed", killed, rounds);
    free(seen);
    free(killed);
}

/* ---- the processes ---- */

static void run_client(const char *folder, long rounds)
{
    char endpoint[128];
    const int limit_ms = WAIT_MS;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    check(socket != NULL, "socket");
    check(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &limit_ms, sizeof(limit_ms)) == 0, "ZMQ_RCVTIMEO");
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/majordomo", folder);
    check(zmq_connect(socket, endpoint) == 0, "connect");
    measure(socket, rounds);
    zmq_close(socket);
    zmq_ctx_term(context);
}

static void write_config(const char *folder, const char *path)
{
    FILE *file = fopen(path, "w");
    check(file != NULL && fprintf(file, config, folder, folder) > 0 && fclose(file) == 0,
          "the configuration");
}

int main(int argc, char **argv)
{
    static const trp_class_t *const classes[] = {&router_class, &victim_class, &watcher_class,
                                                 NULL};
    char folder[] = "/tmp/troupe-bench-XXXXXX", path[64], run[] = "run";
    char *command[] = {argv[0], run, path, NULL};
    int status = 0;
    argument_count = argc;
    arguments = argv;
    const long rounds = argument("n", 300);
    if (rounds < 1 || rounds > 60000) {
        fprintf(stderr, "usage: %s understudy_restart [n=N]\n", argv[0]);
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shared != MAP_FAILED && mkdtemp(folder) != NULL, "a folder and memory");
    snprintf(path, sizeof(path), "%s/bench.zpl", folder);
    write_config(folder, path);
    const pid_t node = fork();
    if (node == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        check(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
        return trp_main(3, command, classes);
    }
    run_client(folder, rounds);
    (void)kill(node, SIGINT);
    (void)waitpid(node, &status, 0);
    (void)unlink(path);
    (void)rmdir(folder);
    return status == 0 ? 0 : 1;
}
