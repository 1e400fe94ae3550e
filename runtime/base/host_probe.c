/* SPDX-License-Identifier: MIT */
#include "runtime/base/host_probe.h"

#include <errno.h>
#include <execinfo.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/host_symbol.h"

#define LOOK_SIGNAL (SIGRTMAX - 3)
#define STACK_SIZE  (64u * 1024u) /* unwinding takes some 10 KiB, the frame of a signal up to 11 */
#define OWN_FRAMES  2             /* the handler, and the return from the signal */
#define ANSWER_NS   100000000

/* Where a look stands. A thread that answers too late finds that nobody asks any more. */
enum { NOBODY_ASKS, ASKED, ANSWERING, ANSWERED };

struct host_probe {
    pthread_t thread;
    void *stack; /* NULL: the thread had an alternate stack already */
    /* Acquire and release: from ASKED on `glance` and `arg` are the thread's to read; what it did
     * before it answered is seen by who asked. */
    host_word_t state;
    host_glance_t glance;
    void *arg;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    host_probe_t *probe = info->si_value.sival_ptr;
    const int error = errno;
    uint32_t asked = ASKED;
    /* Acquire: whom to tell, which was set before ASKED. */
    if (info->si_code != SI_QUEUE || probe == NULL ||
        !atomic_compare_exchange_strong_explicit(&probe->state, &asked, ANSWERING,
                                                 memory_order_acquire, memory_order_relaxed)) {
        errno = error;
        return;
    }
    void *frames[HOST_FRAMES_MAX + OWN_FRAMES];
    const int count = backtrace(frames, HOST_FRAMES_MAX + OWN_FRAMES);
    const int skipped = count > OWN_FRAMES ? OWN_FRAMES : 0;
    probe->glance(probe->arg, frames + skipped, count - skipped);
    /* Release: what the glance noted, to who asked. */
    atomic_store_explicit(&probe->state, ANSWERED, memory_order_release);
    syscall(SYS_futex, &probe->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = error;
}

static void prepare(void)
{
    void *frames[1];
    (void)backtrace(frames, 1); /* loads the unwinder: a handler must not */
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    (void)sigaction(LOOK_SIGNAL, &action, NULL);
}

/* Gives the thread an alternate stack unless it has one. */
static trp_status_t make_stack(host_probe_t *probe)
{
    stack_t stack;
    if (sigaltstack(NULL, &stack) != 0) {
        return TRP_SYSTEM;
    }
    if ((stack.ss_flags & SS_DISABLE) == 0) {
        return TRP_OK;
    }
    probe->stack = malloc(STACK_SIZE);
    if (probe->stack == NULL) {
        return TRP_NO_MEMORY;
    }
    stack = (stack_t){.ss_sp = probe->stack, .ss_size = STACK_SIZE};
    return sigaltstack(&stack, NULL) == 0 ? TRP_OK : TRP_SYSTEM;
}

static void mask(int how)
{
    sigset_t look;
    sigemptyset(&look);
    sigaddset(&look, LOOK_SIGNAL);
    pthread_sigmask(how, &look, NULL);
}

trp_status_t host_probe_open(void *user, host_probe_t **result)
{
    (void)user;
    host_probe_t *probe = calloc(1, sizeof(*probe));
    if (probe == NULL) {
        return TRP_NO_MEMORY;
    }
    pthread_once(&once, prepare);
    probe->thread = pthread_self();
    const trp_status_t status = make_stack(probe);
    if (status != TRP_OK) {
        free(probe->stack);
        free(probe);
        return status;
    }
    mask(SIG_UNBLOCK);
    *result = probe;
    return TRP_OK;
}

void host_probe_close(void *user, host_probe_t **pointer)
{
    (void)user;
    host_probe_t *probe = *pointer;
    *pointer = NULL;
    if (probe == NULL) {
        return;
    }
    /* A signal that was not answered in time may still be pending, and must not find the probe
     * freed: it is taken here. */
    mask(SIG_BLOCK);
    sigset_t look;
    sigemptyset(&look);
    sigaddset(&look, LOOK_SIGNAL);
    const struct timespec now = {0, 0};
    while (sigtimedwait(&look, NULL, &now) > 0) {
    }
    if (probe->stack != NULL) {
        const stack_t none = {.ss_flags = SS_DISABLE};
        (void)sigaltstack(&none, NULL);
        free(probe->stack);
    }
    free(probe);
}

/* True when the state is ANSWERED; waits `wait_ns` at most, or as long as it takes. */
static bool await_answer(host_probe_t *probe, int64_t wait_ns)
{
    struct timespec wait = {0, wait_ns};
    uint32_t state = atomic_load_explicit(&probe->state, memory_order_acquire);
    while (state != ANSWERED) {
        const long result = syscall(SYS_futex, &probe->state, FUTEX_WAIT_PRIVATE, state,
                                    wait_ns > 0 ? &wait : NULL, NULL, 0);
        const bool late = result != 0 && errno == ETIMEDOUT;
        state = atomic_load_explicit(&probe->state, memory_order_acquire);
        if (late) {
            return state == ANSWERED;
        }
    }
    return true;
}

bool host_probe_look(void *user, host_probe_t *probe, host_glance_t glance, void *arg)
{
    (void)user;
    probe->glance = glance;
    probe->arg = arg;
    /* Release: the two lines above, to the handler. */
    atomic_store_explicit(&probe->state, ASKED, memory_order_release);
    const union sigval value = {.sival_ptr = probe};
    bool answered = pthread_sigqueue(probe->thread, LOOK_SIGNAL, value) == 0;
    if (answered && !await_answer(probe, ANSWER_NS)) {
        uint32_t asked = ASKED;
        answered = !atomic_compare_exchange_strong_explicit(
            &probe->state, &asked, NOBODY_ASKS, memory_order_acquire, memory_order_acquire);
        if (answered) {
            (void)await_answer(probe, 0); /* it is in the middle of it */
        }
    }
    atomic_store_explicit(&probe->state, NOBODY_ASKS, memory_order_relaxed);
    return answered;
}

/* ---- names ---- */

char *host_frames_format(void *const *frames, int count, char *line, size_t size)
{
    size_t used = 0;
    line[0] = '\0';
    for (int i = 0; i < count; i++) {
        char text[256];
        const size_t length = strlen(host_symbol_format(frames[i], i > 0, text, sizeof(text)));
        if (used + length + 3 >= size) {
            break; /* whole frames only */
        }
        used += (size_t)snprintf(line + used, size - used, "%s%s", i == 0 ? "" : " < ", text);
    }
    return line;
}
