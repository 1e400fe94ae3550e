/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/culprit.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/base/host_fatal.h"

enum { EMPTY, BEING_WRITTEN, COMPLETE };

/* Shared with the guardian. The first thread that dies writes: acquire and release order `culprit`
 * between it and the guardian. */
struct culprit_page {
    _Atomic uint32_t state;
    culprit_t culprit;
};

static culprit_page_t *caught;

/* ---- node: async-signal-safe ---- */

static void copy(char *to, size_t size, const char *from)
{
    size_t i = 0;
    for (; from != NULL && from[i] != '\0' && i + 1 < size; i++) {
        to[i] = from[i];
    }
    to[i] = '\0';
}

static bool begin(culprit_page_t *page)
{
    uint32_t empty = EMPTY;
    /* Acquire: the guardian's clearing of the page. */
    return page != NULL &&
           atomic_compare_exchange_strong_explicit(&page->state, &empty, BEING_WRITTEN,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void finish(culprit_page_t *page, const runtime_at_work_t *who)
{
    culprit_t *culprit = &page->culprit;
    culprit->actor = who->pid;
    copy(culprit->class_name, sizeof(culprit->class_name), who->class_name);
    copy(culprit->origin, sizeof(culprit->origin), who->origin);
    /* Release: the culprit, to the guardian. */
    atomic_store_explicit(&page->state, COMPLETE, memory_order_release);
}

static void note(int number, const siginfo_t *info)
{
    runtime_at_work_t who = {.pid = TRP_PID_NONE};
    if (!host_fatal_is_own(info) || !begin(caught)) {
        return;
    }
    (void)runtime_at_work(&who);
    caught->culprit.signal = number;
    caught->culprit.address =
        host_fatal_is_fault(number, info) ? (uint64_t)(uintptr_t)info->si_addr : 0;
    finish(caught, &who);
}

void culprit_catch(culprit_page_t *page)
{
    if (page != NULL) {
        caught = page;
        host_fatal_catch(note);
    }
}

void culprit_note(culprit_page_t *page, const runtime_at_work_t *who)
{
    if (who != NULL && begin(page)) {
        page->culprit.signal = SIGABRT;
        page->culprit.address = 0;
        finish(page, who);
    }
}

/* ---- guardian ---- */

culprit_page_t *culprit_open(void)
{
    void *page = mmap(NULL, sizeof(culprit_page_t), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

void culprit_close(culprit_page_t **page)
{
    if (*page != NULL) {
        (void)munmap(*page, sizeof(**page));
        *page = NULL;
    }
}

void culprit_share(culprit_page_t *page, bool shared)
{
    if (page != NULL) {
        (void)madvise(page, sizeof(*page), shared ? MADV_DOFORK : MADV_DONTFORK);
    }
}

/* Names of classes and paths are plain: what a broken node left may be anything. */
static void plain(char *text, size_t size)
{
    text[size - 1] = '\0';
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            text[i] = '\0';
            return;
        }
    }
}

bool culprit_take(culprit_page_t *page, culprit_t *culprit)
{
    if (page == NULL) {
        return false;
    }
    /* Acquire: the culprit, as the thread that died wrote it. */
    const bool is_there = atomic_load_explicit(&page->state, memory_order_acquire) == COMPLETE;
    *culprit = page->culprit;
    plain(culprit->class_name, sizeof(culprit->class_name));
    plain(culprit->origin, sizeof(culprit->origin));
    memset(&page->culprit, 0, sizeof(page->culprit));
    atomic_store_explicit(&page->state, EMPTY, memory_order_relaxed); /* the next fork orders it */
    return is_there;
}
