/* SPDX-License-Identifier: MIT */
/* The test process is the guardian; its node is a script below, whose exit status tells what it
 * saw.
 */
#include "runtime/guardian/guardian.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/guardian/guardian_fork.h"
#include "runtime/log.h"

enum { PASSED = 0, FAILED = 9 };

typedef struct script {
    int (*node)(const guardian_child_t *child);
    int (*worker)(const guardian_child_t *child);
    char marks[64]; /* a file to which both write */
} script_t;

static script_t script;
static char run_dir[64];

static int run_node(void *user, const guardian_child_t *child)
{
    (void)user;
    return script.node(child);
}

static int run_worker(void *user, const guardian_child_t *child)
{
    (void)user;
    return script.worker(child);
}

static int run_guardian(int64_t stop_ms)
{
    const guardian_options_t options = {.name = "test",
                                        .run_dir = run_dir,
                                        .node = 1u << 16,
                                        .stop_ms = stop_ms,
                                        .node_main = run_node,
                                        .worker_main = run_worker};
    return guardian_run(&options);
}

static void set_up(void)
{
    snprintf(run_dir, sizeof(run_dir), "/tmp/troupe-test-%d/run", (int)getpid());
    snprintf(script.marks, sizeof(script.marks), "/tmp/troupe-test-%d.marks", (int)getpid());
}

static void tear_down(void)
{
    (void)unlink(script.marks);
    *strrchr(run_dir, '/') = '\0';
    (void)rmdir(run_dir);
}

TestSuite(guardian, .init = set_up, .fini = tear_down, .timeout = 20);

static void mark(char letter)
{
    const int fd = open(script.marks, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)!write(fd, &letter, 1);
    (void)close(fd);
}

static size_t marks(char *text, size_t size)
{
    const int fd = open(script.marks, O_RDONLY);
    const ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0) {
        (void)close(fd);
    }
    return strlen(text);
}

/* ---- what a node does ---- */

/* Waits for one message. */
static bool next(const guardian_child_t *child, guardian_message_t *message)
{
    struct pollfd polled = {.fd = child->fd, .events = POLLIN};
    return poll(&polled, 1, 5000) == 1 && guardian_receive(child->fd, message) == TRP_OK;
}

static bool ask(const guardian_child_t *child, guardian_kind_t kind, uint32_t index, int value)
{
    const guardian_message_t message = {
        .kind = kind, .index = index, .incarnation = child->incarnation + index, .value = value};
    return guardian_send(child->fd, &message) == TRP_OK;
}

/* Asks for a worker and waits until it has ended; its wait status, or -1. */
static int spawn_and_wait(const guardian_child_t *child, uint32_t index)
{
    guardian_message_t message;
    if (!ask(child, GUARDIAN_SPAWN, index, 0) || !next(child, &message) ||
        message.kind != GUARDIAN_SPAWNED || message.index != index || message.os_pid <= 0) {
        return -1;
    }
    const int32_t os_pid = message.os_pid;
    if (!next(child, &message) || message.kind != GUARDIAN_EXITED || message.index != index ||
        message.incarnation != child->incarnation + index || message.os_pid != os_pid) {
        return -1;
    }
    return message.value;
}

/* ---- exit statuses ---- */

static int worker_exits_3(const guardian_child_t *child)
{
    (void)child;
    return 3;
}

static int node_sees_3(const guardian_child_t *child)
{
    const int status = spawn_and_wait(child, 1);
    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 3 ? PASSED : FAILED;
}

Test(guardian, an_exit_code_is_reported_as_it_was)
{
    script.node = node_sees_3;
    script.worker = worker_exits_3;

    cr_expect_eq(run_guardian(1000), PASSED);
}

static int worker_aborts(const guardian_child_t *child)
{
    (void)child;
    abort();
}

static int node_sees_abort(const guardian_child_t *child)
{
    const int status = spawn_and_wait(child, 1);
    return status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? PASSED : FAILED;
}

Test(guardian, a_signal_is_reported_by_its_number)
{
    script.node = node_sees_abort;
    script.worker = worker_aborts;

    cr_expect_eq(run_guardian(1000), PASSED);
}

static int worker_waits(const guardian_child_t *child)
{
    (void)child;
    while (pause() != 0) {
    }
    return 0;
}

static int node_kills(const guardian_child_t *child)
{
    guardian_message_t message;
    if (!ask(child, GUARDIAN_SPAWN, 7, 0) || !ask(child, GUARDIAN_KILL, 6, SIGKILL) ||
        !ask(child, GUARDIAN_KILL, 7, SIGKILL)) {
        return FAILED;
    }
    return next(child, &message) && message.kind == GUARDIAN_SPAWNED && next(child, &message) &&
                   message.kind == GUARDIAN_EXITED && WIFSIGNALED(message.value) &&
                   WTERMSIG(message.value) == SIGKILL
               ? PASSED
               : FAILED;
}

Test(guardian, a_kill_reaches_the_worker_that_it_names)
{
    script.node = node_kills;
    script.worker = worker_waits;

    cr_expect_eq(run_guardian(1000), PASSED);
}

static int node_starts_a_hundred(const guardian_child_t *child)
{
    unsigned spawned = 0, exited = 0;
    for (uint32_t index = 1; index <= 100; index++) {
        if (!ask(child, GUARDIAN_SPAWN, index, 0)) {
            return FAILED;
        }
    }
    for (guardian_message_t message; exited < 100 && next(child, &message);) {
        spawned += message.kind == GUARDIAN_SPAWNED;
        exited += message.kind == GUARDIAN_EXITED;
    }
    return spawned == 100 && exited == 100 ? PASSED : FAILED;
}

Test(guardian, each_of_a_hundred_ends_is_reported)
{
    script.node = node_starts_a_hundred;
    script.worker = worker_exits_3;

    cr_expect_eq(run_guardian(1000), PASSED);
}

static int node_asks_for_a_missing_program(const guardian_child_t *child)
{
    guardian_message_t message = {
        .kind = GUARDIAN_SPAWN, .index = 1, .program = "/nowhere/program"};
    return guardian_send(child->fd, &message) == TRP_OK && next(child, &message) &&
                   message.kind == GUARDIAN_REFUSED && message.value == ENOENT
               ? PASSED
               : FAILED;
}

Test(guardian, a_missing_program_is_refused_with_its_error)
{
    script.node = node_asks_for_a_missing_program;
    script.worker = worker_exits_3;

    cr_expect_eq(run_guardian(1000), PASSED);
}

/* ---- set-up of a child ---- */

static int worker_checks_itself(const guardian_child_t *child)
{
    char target[64] = "";
    sigset_t mask;
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    const bool clean = child->node == ((1u << 16) | 1u) && child->fd == -1 &&
                       child->token[0] == 42 && getpgrp() == getpid() &&
                       !sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGCHLD) &&
                       fcntl(3, F_GETFD) < 0 && fcntl(4, F_GETFD) < 0 && fcntl(5, F_GETFD) < 0 &&
                       readlink("/proc/self/fd/0", target, sizeof(target) - 1) > 0 &&
                       strcmp(target, "/dev/null") == 0;
    return clean ? 3 : 4;
}

static int node_gives_a_token(const guardian_child_t *child)
{
    guardian_message_t message = {
        .kind = GUARDIAN_SPAWN, .index = 1, .incarnation = child->incarnation + 1, .token = {42}};
    if (guardian_send(child->fd, &message) != TRP_OK || !next(child, &message) ||
        !next(child, &message)) {
        return FAILED;
    }
    return WIFEXITED(message.value) && WEXITSTATUS(message.value) == 3 ? PASSED : FAILED;
}

Test(guardian, a_worker_has_a_clean_process_of_its_own)
{
    script.node = node_gives_a_token;
    script.worker = worker_checks_itself;

    cr_expect_eq(run_guardian(1000), PASSED);
}

Test(guardian, what_an_execed_worker_is_told_is_read_back)
{
    guardian_child_t child;
    const char *text = "65537:4:000102030405060708090a0b0c0d0e0f:3:/run/here";

    cr_assert_eq(guardian_child_parse(text, &child), TRP_OK);

    cr_expect_eq(child.node, 65537);
    cr_expect_eq(child.incarnation, 4);
    cr_expect_eq(child.token[15], 15);
    cr_expect_str_eq(child.run_dir, "/run/here");
    cr_expect_eq(guardian_child_parse("1:2:00:/run", &child), TRP_INVALID);
    cr_expect_eq(guardian_child_parse("1:2", &child), TRP_INVALID);
}

/* ---- death of the node ---- */

static int node_dies_twice(const guardian_child_t *child)
{
    guardian_message_t message;
    mark('n');
    if (child->incarnation >= 3) {
        return 0;
    }
    if (ask(child, GUARDIAN_SPAWN, 1, 0) && next(child, &message)) {
        (void)raise(SIGSEGV);
    }
    return FAILED;
}

Test(guardian, a_node_that_dies_is_started_again_when_its_workers_are_gone)
{
    char text[64];
    script.node = node_dies_twice;
    script.worker = worker_waits;

    const int status = run_guardian(1000);

    cr_expect_eq(status, 0);
    marks(text, sizeof(text));
    cr_expect_str_eq(text, "nn"); /* a node's incarnation is above those of all workers before */
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
}

static int node_dies(const guardian_child_t *child)
{
    (void)child;
    mark('n');
    (void)raise(SIGKILL);
    return 0;
}

Test(guardian, a_node_that_dies_again_and_again_is_given_up)
{
    char text[64];
    script.node = node_dies;

    const int status = run_guardian(1000);

    cr_expect_eq(status, 1);
    cr_expect_eq(marks(text, sizeof(text)), 6);
}

/* ---- stop ---- */

static int node_stops_when_told(const guardian_child_t *child)
{
    guardian_message_t message;
    (void)kill(getppid(), SIGTERM);
    return next(child, &message) && message.kind == GUARDIAN_STOP && message.value == SIGTERM
               ? 5
               : FAILED;
}

Test(guardian, a_stop_signal_is_passed_on_and_the_nodes_status_returned)
{
    struct stat found;
    script.node = node_stops_when_told;

    cr_expect_eq(run_guardian(1000), 5);
    cr_expect_neq(stat(run_dir, &found), 0, "the run directory is left");
}

static int node_is_reloaded_and_dies(const guardian_child_t *child)
{
    guardian_message_t message;
    mark(child->reloaded ? 'r' : 'n');
    if (child->reloaded) {
        return PASSED;
    }
    (void)kill(getppid(), SIGHUP);
    if (!next(child, &message) || message.kind != GUARDIAN_RELOAD ||
        !ask(child, GUARDIAN_RELOADED, 0, LOG_INFO) || !ask(child, GUARDIAN_SPAWN, 1, 0) ||
        !next(child, &message)) {
        return FAILED;
    }
    (void)raise(SIGKILL);
    return FAILED;
}

Test(guardian, a_hangup_is_passed_on_and_a_node_that_dies_after_it_reads_its_file_again)
{
    char text[64];
    script.node = node_is_reloaded_and_dies;
    script.worker = worker_waits;

    cr_expect_eq(run_guardian(1000), 0);
    marks(text, sizeof(text));
    cr_expect_str_eq(text, "nr");
}

static int node_ignores_stop(const guardian_child_t *child)
{
    guardian_message_t message;
    (void)ask(child, GUARDIAN_SPAWN, 1, 0);
    (void)next(child, &message);
    (void)kill(getppid(), SIGTERM);
    return worker_waits(child);
}

Test(guardian, what_has_not_stopped_at_the_limit_is_killed)
{
    script.node = node_ignores_stop;
    script.worker = worker_waits;

    cr_expect_eq(run_guardian(50), 1);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
}

static int node_is_interrupted_twice(const guardian_child_t *child)
{
    guardian_message_t message;
    (void)kill(getppid(), SIGINT);
    (void)next(child, &message);
    (void)kill(getppid(), SIGINT);
    return worker_waits(child);
}

Test(guardian, a_second_interrupt_stops_at_once)
{
    script.node = node_is_interrupted_twice;

    cr_expect_eq(run_guardian(3600000), 1);
}

/* ---- the run directory ---- */

static int node_exits_at_once(const guardian_child_t *child)
{
    (void)child;
    return PASSED;
}

static int node_starts_a_second_guardian(const guardian_child_t *child)
{
    (void)child;
    mark('n');
    return run_guardian(1000) == 1 ? PASSED : FAILED;
}

Test(guardian, a_second_guardian_on_the_run_directory_is_refused)
{
    char text[64];
    script.node = node_starts_a_second_guardian;

    cr_expect_eq(run_guardian(1000), PASSED);
    cr_expect_eq(marks(text, sizeof(text)), 1);
}

/* Runs a guardian below a folder of that mode and owner, in which the run directory is there
 * already and ours. */
static int run_below(mode_t mode, uid_t owner)
{
    char folder[64];
    snprintf(folder, sizeof(folder), "%s", run_dir);
    *strrchr(folder, '/') = '\0';
    cr_assert_eq(mkdir(folder, 0700), 0);
    cr_assert_eq(mkdir(run_dir, 0700), 0);
    cr_assert_eq(chown(folder, owner, (gid_t)-1), 0);
    cr_assert_eq(chmod(folder, mode), 0);
    script.node = node_exits_at_once;
    const int status = run_guardian(1000);
    (void)rmdir(run_dir);
    return status;
}

Test(guardian, a_run_directory_that_others_could_replace_is_refused)
{
    cr_expect_eq(run_below(0777, getuid()), 1);
}

Test(guardian, a_run_directory_in_a_folder_of_another_user_is_refused)
{
    if (getuid() != 0) {
        cr_skip_test("only root can give a folder away");
    }

    cr_expect_eq(run_below(0700, 65534), 1);
}

Test(guardian, a_run_directory_in_a_sticky_folder_is_taken)
{
    cr_expect_eq(run_below(01777, getuid()), PASSED);
}

static int node_leaves_sockets(const guardian_child_t *child)
{
    struct stat found;
    char path[128];
    snprintf(path, sizeof(path), "%s/left", child->run_dir);
    return stat(child->run_dir, &found) == 0 && (found.st_mode & 0777) == 0700 &&
                   mknod(path, S_IFSOCK | 0600, 0) == 0
               ? PASSED
               : FAILED;
}

Test(guardian, no_file_is_left_behind)
{
    struct stat found;
    script.node = node_leaves_sockets;

    cr_expect_eq(run_guardian(1000), PASSED);
    cr_expect_neq(stat(run_dir, &found), 0);
}
