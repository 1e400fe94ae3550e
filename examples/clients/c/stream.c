/* SPDX-License-Identifier: MIT */
/* Calls a tool and prints each partial answer as it comes, then the last one. Ctrl-C cancels it.
 *
 *     build/examples/stream TOOL JSON [ENDPOINT [KEYFILE SERVERKEY]]
 *
 * KEYFILE is one that `troupe keygen` made, SERVERKEY the node's public key. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "runtime/tools.h"

/* Waits for an answer or for Ctrl-C, which is kept until somebody looks. True: Ctrl-C */
static bool wait_for_either(trp_tools_t *tools, int interrupts)
{
    struct pollfd either[] = {{.fd = trp_tools_fd(tools), .events = POLLIN},
                              {.fd = interrupts, .events = POLLIN}};
    return poll(either, 2, -1) > 0 && either[1].revents != 0;
}

/* Returns the exit status. */
static int print_all(trp_tools_t *tools, uint64_t call, int interrupts)
{
    const trp_tools_answer_t *answer;
    trp_status_t status;
    while ((status = trp_tools_next(tools, call, 0, &answer)) != TRP_NOT_FOUND) {
        if (status == TRP_OK && answer->kind == TRP_TOOLS_ERROR) {
            fprintf(stderr, "stream: %s: %s\n", answer->code, answer->message);
            return 1;
        }
        if (status == TRP_OK) {
            printf("%.*s\n", (int)answer->size, (const char *)answer->data);
            fflush(stdout);
            if (answer->lost > 0) {
                fprintf(stderr, "stream: %lld partial answers were lost: they came too fast\n",
                        (long long)answer->lost);
                return 1;
            }
        } else if (wait_for_either(tools, interrupts) && trp_tools_cancel(tools, call) != TRP_OK) {
            return 1;
        }
    }
    return 0;
}

static int stream(const trp_tools_request_t *request, const char *endpoint,
                  const trp_tools_options_t *options)
{
    trp_tools_t *tools;
    uint64_t call;
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
    const int interrupts = signalfd(-1, &interrupt, SFD_CLOEXEC);
    trp_status_t status = trp_tools_open(endpoint, options, &tools);
    int exit_status = 1;
    if (status == TRP_OK) {
        status = trp_tools_start(tools, request, &call);
        exit_status = status == TRP_OK ? print_all(tools, call, interrupts) : 1;
        trp_tools_close(&tools);
    }
    if (status != TRP_OK) {
        fprintf(stderr, "stream: %s\n", trp_status_text(status));
    }
    return exit_status;
}

int main(int argc, char **argv)
{
    char public_key[TRP_TOOLS_KEY_SIZE], secret_key[TRP_TOOLS_KEY_SIZE];
    trp_tools_options_t options = {.server_key = NULL};
    if (argc != 3 && argc != 4 && argc != 6) {
        fprintf(stderr, "usage: stream TOOL JSON [ENDPOINT [KEYFILE SERVERKEY]]\n");
        return 2;
    }
    if (argc == 6) {
        if (trp_tools_read_keys(argv[4], public_key, secret_key) != TRP_OK) {
            fprintf(stderr, "stream: %s holds no keys\n", argv[4]);
            return 2;
        }
        options = (trp_tools_options_t){
            .server_key = argv[5], .public_key = public_key, .secret_key = secret_key};
    }
    const trp_tools_request_t request = {.tool = argv[1], .body = argv[2], .stream = true};
    return stream(&request, argc > 3 ? argv[3] : "tcp://127.0.0.1:5555", &options);
}
