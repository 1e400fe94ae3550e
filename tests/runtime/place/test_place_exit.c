/* SPDX-License-Identifier: MIT */
/* How worker processes end, with real ones: the reason that their watcher hears is exact, limits
 * hold, and a process that is stopped is found while one that is busy is not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/runtime/node/node_fixture.h"

/* What a victim does, by the tag of its message. */
enum {
    TAG_FAULT = 0x1000, /* writes to address 16 */
    TAG_OVERFLOW,       /* uses up its stack */
    TAG_ABORT,          /* abort() */
    TAG_EXIT,           /* _exit(3) */
    TAG_FORK,           /* fork() */
    TAG_CONNECT,        /* socket(AF_INET) */
    TAG_SPIN,           /* uses the processor for ever */
    TAG_HOARD,          /* allocates until it is refused, and uses what it got */
    TAG_STOP,           /* SIGSTOP to itself */
    TAG_WORK,           /* busy for 600 ms, then answers */
    TAG_READ,           /* answers with what open("/etc/passwd") said: errno */
    TAG_WRITE,          /* the same of a new file in /tmp */
    TAG_DONE,
};

static volatile char *sink;

__attribute__((noinline)) static int deep(int n)
{
    volatile char room[4096];
    room[n % 4096] = (char)n;
    return n < 0 ? 0 : deep(n + 1) + room[0]; /* n never gets so far */
}

static void hoard(void)
{
    const size_t size = 1 << 20;
    for (;;) {
        char *memory = malloc(size);
        sink = memory;
        memory[0] = 1; /* what a careless program does with NULL */
        for (size_t i = 0; i < size; i += 4096) {
            sink[i] = 1;
        }
    }
}

static void work(void)
{
    struct timespec begin, now;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 600);
}

static trp_status_t answer_open(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    const bool reads = message->tag == TAG_READ;
    const int fd = reads ? open("/etc/passwd", O_RDONLY) : open("/tmp", O_TMPFILE | O_RDWR, 0600);
    const int32_t error = fd < 0 ? errno : 0;
    return trp_send(ctx, message->from, TAG_READ, &error, sizeof(error));
}

static trp_status_t victim_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    volatile uintptr_t address = 16; /* volatile: the compiler is not to know */
    (void)state;
    switch (message->tag) {
    case TAG_FAULT:
        *(volatile int *)address = 1;
        break;
    case TAG_OVERFLOW:
        return deep(1) == 0 ? TRP_OK : TRP_PAYLOAD;
    case TAG_ABORT:
        abort();
    case TAG_EXIT:
        _exit(3);
    case TAG_FORK:
        if (fork() == 0) {
            _exit(0);
        }
        break;
    case TAG_CONNECT:
        (void)!socket(AF_INET, SOCK_STREAM, 0);
        break;
    case TAG_SPIN:
        for (;;) {
            work();
        }
    case TAG_HOARD:
        hoard();
        break;
    case TAG_STOP:
        (void)kill(getpid(), SIGSTOP);
        break;
    case TAG_WORK:
        work();
        break;
    case TAG_READ:
    case TAG_WRITE:
        return answer_open(ctx, message);
    default:
        break;
    }
    return trp_send(ctx, message->from, TAG_DONE, NULL, 0);
}

static const trp_class_t victim_class = {
    .name = "victim", .version = 1, .state_size = 1, .receive = victim_receive};
static const trp_class_t *const classes[] = {&victim_class, NULL};

/* ---- the driver: sends one message, and expects an end or an answer ---- */

static struct plan {
    uint16_t tag;
    trp_limits_t limits;
    bool lives; /* it answers instead */
    trp_reason_t reason;
    int32_t error; /* of TAG_READ and TAG_WRITE */
} plan;

typedef struct driver {
    trp_pid_t victim;
    uint64_t ref, limit;
} driver_t;

static void end(trp_ctx_t *ctx, bool passed)
{
    node_end(runtime_of(ctx), passed ? NODE_PASSED : NODE_FAILED);
}

static trp_status_t driver_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    (void)args;
    const trp_spawn_t spawn = {.class = &victim_class,
                               .name = "victim",
                               .place = TRP_PLACE_PROCESS,
                               .monitor = true,
                               .monitor_ref = &driver->ref,
                               .ack = true,
                               .limits = &plan.limits};
    const trp_status_t status = trp_timer_start(ctx, 15000, 0, TAG_DONE + 1, &driver->limit);
    return status == TRP_OK ? trp_spawn(ctx, &spawn, &driver->victim) : status;
}

static bool is_expected(const trp_reason_t *reason)
{
    char line[TRP_REASON_LINE_MAX];
    const bool same = reason->kind == plan.reason.kind && reason->code == plan.reason.code &&
                      strncmp(reason->text, plan.reason.text, strlen(plan.reason.text)) == 0;
    if (!same) {
        fprintf(stderr, "it ended with %s (kind %u, code %d)\n", trp_reason_format(reason, line),
                reason->kind, reason->code);
    }
    return same && !plan.lives;
}

static trp_status_t driver_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const driver_t *driver = state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    trp_reason_t reason;
    int32_t error = 0;
    switch (message->tag) {
    case TRP_TAG_STARTED:
        return trp_send(ctx, driver->victim, plan.tag, NULL, 0);
    case TRP_TAG_DOWN:
        memcpy(&reason, data, sizeof(reason));
        end(ctx, is_expected(&reason));
        break;
    case TAG_READ:
        memcpy(&error, data, sizeof(error));
        end(ctx, plan.lives && error == plan.error);
        break;
    default: /* an answer, or the time limit */
        if (!plan.lives || message->tag != TAG_DONE) {
            fprintf(stderr, "tag 0x%x came\n", message->tag);
        }
        end(ctx, plan.lives && message->tag == TAG_DONE);
    }
    return TRP_OK;
}

static const trp_class_t driver_class = {.name = "driver",
                                         .version = 1,
                                         .state_size = sizeof(driver_t),
                                         .init = driver_init,
                                         .receive = driver_receive};

static int drive(const struct plan *what)
{
    plan = *what;
    return node_fixture_drive(&driver_class, classes);
}

static trp_reason_t expect(trp_reason_kind_t kind, int code, const char *text)
{
    return trp_reason(kind, code, text);
}

/* ---- reasons ---- */

/* Of a build with the address sanitizer some things can't be seen. */
static void skip_if_sanitized(const char *why)
{
#if defined(__SANITIZE_ADDRESS__)
    cr_skip_test("%s", why);
#else
    (void)why;
#endif
}

TestSuite(place_exit, .timeout = 60);

Test(place_exit, a_fault_is_a_signal_with_its_address)
{
    const struct plan what = {.tag = TAG_FAULT,
                              .reason = expect(TRP_REASON_SIGNAL, SIGSEGV, "at address 0x10")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, a_stack_overflow_leaves_its_address_too)
{
    const struct plan what = {.tag = TAG_OVERFLOW,
                              .reason = expect(TRP_REASON_SIGNAL, SIGSEGV, "at address 0x7")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, an_abort_is_a_signal)
{
    const struct plan what = {.tag = TAG_ABORT, .reason = expect(TRP_REASON_SIGNAL, SIGABRT, "")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, an_exit_is_its_code)
{
    const struct plan what = {.tag = TAG_EXIT, .reason = expect(TRP_REASON_EXIT_CODE, 3, "")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, making_a_process_names_the_system_call)
{
    skip_if_sanitized("the sanitizer's reports need processes: no filter");
    const struct plan what = {.tag = TAG_FORK,
                              .reason = expect(TRP_REASON_SECCOMP, SYS_clone, "clone")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, a_worker_that_may_have_processes_makes_one)
{
    const struct plan what = {.tag = TAG_FORK, .limits = {.processes = 4}, .lives = true};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, a_strict_worker_has_no_network)
{
    skip_if_sanitized("the sanitizer's reports need processes: no filter");
    const struct plan what = {.tag = TAG_CONNECT,
                              .limits = {.seccomp = TRP_SECCOMP_STRICT},
                              .reason = expect(TRP_REASON_SECCOMP, SYS_socket, "socket")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, a_basic_worker_has_a_network)
{
    const struct plan what = {.tag = TAG_CONNECT, .lives = true};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, used_up_processor_time_is_a_reason_of_its_own)
{
    const struct plan what = {
        .tag = TAG_SPIN, .limits = {.cpu_s = 1}, .reason = expect(TRP_REASON_CPU, 0, "")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, a_refused_allocation_is_the_memory_limit)
{
    skip_if_sanitized("the sanitizer's allocator ends the process itself when it is refused");
    const struct plan what = {.tag = TAG_HOARD,
                              .limits = {.memory = 128 << 20},
                              .reason = expect(TRP_REASON_MEMORY, SIGSEGV, "")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, only_the_folders_that_are_named_can_be_read)
{
    const struct plan what = {
        .tag = TAG_READ, .limits = {.read_paths = "/usr"}, .lives = true, .error = EACCES};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, folders_that_can_be_read_cannot_be_written)
{
    const struct plan what = {
        .tag = TAG_WRITE, .limits = {.read_paths = "/usr /tmp"}, .lives = true, .error = EACCES};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, folders_that_are_named_for_it_can_be_written)
{
    const struct plan what = {
        .tag = TAG_WRITE, .limits = {.read_paths = "/usr", .write_paths = "/tmp"}, .lives = true};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, without_a_rule_for_files_all_can_be_read)
{
    const struct plan what = {.tag = TAG_READ, .lives = true, .error = 0};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

/* ---- the probe ---- */

Test(place_exit, a_stopped_process_that_owes_something_is_found)
{
    const struct plan what = {
        .tag = TAG_STOP, .limits = {.probe_ms = 50}, .reason = expect(TRP_REASON_STOPPED, 0, "")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, a_busy_process_is_not_taken_for_a_stopped_one)
{
    const struct plan what = {.tag = TAG_WORK, .limits = {.probe_ms = 50}, .lives = true};

    cr_expect_eq(drive(&what), NODE_PASSED);
}

Test(place_exit, a_handler_over_its_limit_is_stuck)
{
    const struct plan what = {
        .tag = TAG_SPIN, .limits = {.stuck_ms = 200}, .reason = expect(TRP_REASON_STUCK, 0, "2")};

    cr_expect_eq(drive(&what), NODE_PASSED);
}
