/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_fork.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/guardian/black_box.h"
#include "runtime/guardian/sandbox.h"
#include "runtime/log.h"

#define TEXT_MAX 1024

static void reset_signals(void)
{
    sigset_t none;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &standard, NULL); /* refused for KILL and STOP */
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Closes all descriptors from 3 on but two, either of which may be none. */
static void close_others(int one, int other)
{
    unsigned from = STDERR_FILENO + 1;
    const int kept[] = {one < other ? one : other, one < other ? other : one};
    for (size_t i = 0; i < 2; i++) {
        const unsigned fd = (unsigned)kept[i];
        if (kept[i] < (int)from) {
            continue;
        }
        if (fd > from) {
            (void)close_range(from, fd - 1, 0);
        }
        from = fd + 1;
    }
    (void)close_range(from, ~0u, 0);
}

static void empty_stdin(void)
{
    const int null = open("/dev/null", O_RDONLY);
    if (null > STDIN_FILENO) {
        (void)dup2(null, STDIN_FILENO);
        (void)close(null);
    }
}

void guardian_fill_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)!open("/dev/null", O_RDWR); /* the lowest free one is this */
        }
    }
}

static void format_child(const guardian_child_t *child, char *text, size_t size)
{
    char token[2 * GUARDIAN_TOKEN_SIZE + 1];
    for (size_t i = 0; i < GUARDIAN_TOKEN_SIZE; i++) {
        snprintf(token + 2 * i, 3, "%02x", child->token[i]);
    }
    snprintf(text, size, "%u:%u:%s:%d:%s", child->node, child->incarnation, token, child->fd,
             child->run_dir);
}

trp_status_t guardian_child_parse(const char *text, guardian_child_t *child)
{
    int used = 0;
    char token[2 * GUARDIAN_TOKEN_SIZE + 1] = "";
    memset(child, 0, sizeof(*child));
    if (sscanf(text, "%u:%u:%32[0-9a-f]:%d:%n", &child->node, &child->incarnation, token,
               &child->fd, &used) != 4 ||
        used == 0 || strlen(token) != sizeof(token) - 1 || text[used] != '/') {
        return TRP_INVALID;
    }
    for (size_t i = 0; i < GUARDIAN_TOKEN_SIZE; i++) {
        const char digits[3] = {token[2 * i], token[2 * i + 1], '\0'};
        child->token[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    child->run_dir = text + used;
    return TRP_OK;
}

static int run_program(const guardian_fork_t *how)
{
    char text[TEXT_MAX];
    char program[GUARDIAN_PROGRAM_MAX], option[] = "--worker";
    char *arguments[] = {program, option, NULL};
    snprintf(program, sizeof(program), "%s", how->program);
    format_child(&how->child, text, sizeof(text));
    if (setenv(GUARDIAN_ENVIRONMENT, text, 1) == 0) {
        (void)execv(program, arguments);
    }
    log_event(LOG_ERROR, "exec_failed", LOG_TEXT("program", program),
              LOG_TEXT("error", strerror(errno)));
    return 127;
}

/* Says in the worker's black box what holds. */
static void note_limits(const guardian_fork_t *how, const sandbox_t *sandbox)
{
    black_box_t box;
    if (how->child.fd >= 0 && black_box_open(how->child.fd, &box) == TRP_OK) {
        box.head->enforced = sandbox->enforced;
        box.head->memory_max = sandbox->memory_max;
        black_box_close(&box);
    }
}

/* The order matters: the parent-death signal is cleared by any change of credentials, so it comes
 * after all that, and the parent may have died before it was set. */
static _Noreturn void run_child(const guardian_fork_t *how, const struct sock_fprog *filter,
                                pid_t parent)
{
    unsigned seed = 0;
    sandbox_t sandbox = {0};
    (void)setpgid(0, 0);
    reset_signals();
    close_others(how->child.fd, how->child.listener);
    empty_stdin();
    if (how->limits != NULL) {
        sandbox = sandbox_limit(how->limits, how->group);
    }
    if (how->limits != NULL && how->limits->pin != 0) {
        sandbox_pin(how->child.node & 0xffff);
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(125);
    }
    (void)getrandom(&seed, sizeof(seed), 0);
    srandom(seed);
    if (how->limits != NULL) {
        sandbox.enforced |= sandbox_close(how->limits, filter);
        note_limits(how, &sandbox);
    }
    const int status =
        how->program[0] != '\0' ? run_program(how) : how->main(how->user, &how->child);
    (void)fflush(NULL);
    _exit(status);
}

trp_status_t guardian_fork(const guardian_fork_t *how, pid_t *os_pid)
{
    const pid_t parent = getpid();
    const struct sock_fprog *filter = how->limits == NULL ? NULL : sandbox_filter(how->limits);
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child < 0) {
        return TRP_SYSTEM;
    }
    if (child == 0) {
        run_child(how, filter, parent);
    }
    (void)setpgid(child, child); /* here too: a kill of the group may come before the child runs */
    *os_pid = child;
    return TRP_OK;
}
