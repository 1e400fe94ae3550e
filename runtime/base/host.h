/* SPDX-License-Identifier: MIT */
/* The host: time, chance, sleep, threads and the process, reached through one table, so that a
 * whole runtime can be stepped in one thread from a seed. Nothing else asks the operating system
 * for these (tests/tidy.py). Tables are constants or outlive the runtimes that use them; any thread
 * may call. */
#ifndef TRP_RUNTIME_HOST_H
#define TRP_RUNTIME_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "messages/status.h"

#define HOST_FOREVER INT64_MAX

/** A word that threads sleep on. */
typedef _Atomic uint32_t host_word_t;

typedef struct host_thread host_thread_t;
typedef struct host_probe host_probe_t;

#define HOST_FRAMES_MAX 48
#define HOST_ABOUT_NS   20000000 /* how far about_ns may be behind */

/** Sees a thread from within: `frames` are the addresses of its calls, innermost first. Only what
 * is async-signal-safe. */
typedef void (*host_glance_t)(void *arg, void *const *frames, int count);

/** Something to be run on a thread that may block. */
typedef struct host_job {
    struct host_job *next; /* of whoever keeps it */
    /** Once; the job is not the host's any more when it is called. */
    void (*run)(struct host_job *job);
} host_job_t;

typedef struct trp_host {
    void *user;
    /** Monotonic. units: nanoseconds */
    int64_t (*now_ns)(void *user);
    /** The same clock at a quarter of the cost, at most HOST_ABOUT_NS behind, or more where the
     * system does not get its processors. NULL: this host has none. */
    int64_t (*about_ns)(void *user);
    /** Wall clock. units: milliseconds since 1970 */
    int64_t (*epoch_ms)(void *user);
    /** Fresh chance: seeds of the workers' generators, not for the hot path. */
    uint64_t (*chance)(void *user);
    /** Sleeps while *word == expected, until `until_ns` (HOST_FOREVER). May return early. */
    void (*sleep)(void *user, host_word_t *word, uint32_t expected, int64_t until_ns);
    /** Ends the sleep of one thread on `word`. */
    void (*wake)(void *user, host_word_t *word);
    /** Starts a thread with all signals blocked. errors: TRP_SYSTEM, TRP_NO_MEMORY */
    trp_status_t (*thread_start)(void *user, void (*body)(void *arg), void *arg,
                                 host_thread_t **thread);
    /** Waits for its end and clears the pointer. */
    void (*thread_join)(void *user, host_thread_t **thread);
    /** Lets others look at the calling thread, which closes it before it ends. NULL, all three:
     * this host has no threads to look at. errors: TRP_NO_MEMORY, TRP_SYSTEM */
    trp_status_t (*probe_open)(void *user, host_probe_t **probe);
    /** Runs `glance` on the probe's thread in the middle of what it does, as a signal handler, and
     * waits for it. One caller at a time. False: the thread has not answered within 100 ms. A call
     * that it waits in may end with EINTR. */
    bool (*probe_look)(void *user, host_probe_t *probe, host_glance_t glance, void *arg);
    /** By its thread, when nobody looks. Clears the pointer. */
    void (*probe_close)(void *user, host_probe_t **probe);
    /** Has a job run later, on another thread, or after a while. NULL: this host can't. errors:
     * TRP_BUSY (too many wait), TRP_SYSTEM; the job is the caller's then */
    trp_status_t (*offload)(void *user, host_job_t *job);
    /** Processors that this process may use (affinity, cgroup quota), at least 1. */
    uint32_t (*processors)(void *user);
    /** The process that this is, and the one that started it. */
    int32_t (*process_id)(void *user);
    int32_t (*parent_id)(void *user);
    /** Ends the process at once: nothing is flushed. Return after it: a simulated process ends when
     * its step does. */
    void (*process_exit)(void *user, int status);
    /** Has the parent stop us as it would by itself, with its time limit. */
    void (*parent_stop)(void *user);
} trp_host_t;

/** The operating system. */
extern const trp_host_t host_os;

#endif
