/* SPDX-License-Identifier: MIT */
/* What a worker process may use, and what of that the kernel enforces. For authors (trp_spawn_t)
 * and for the configuration; plain data, any thread. docs/workers.md explains each of them. */
#ifndef TRP_RUNTIME_LIMITS_H
#define TRP_RUNTIME_LIMITS_H

#include <stdint.h>

#define TRP_LIMITS_PATHS_MAX 256 /* bytes of a list of folders, the NUL included */

/** System calls that a worker may make. */
typedef enum trp_seccomp {
    TRP_SECCOMP_BASIC,  /* all but those that make a process, unless `processes` allows some */
    TRP_SECCOMP_STRICT, /* also none of those that run another program, open a network socket,
                         * trace, mount, load kernel code or handle keys */
    TRP_SECCOMP_OFF,
    TRP_SECCOMP_COUNT
} trp_seccomp_t;

/** Zeroed: the defaults. */
typedef struct trp_limits {
    int64_t
        memory; /* bytes that it may have beside the image that it is forked from; 0: no limit */
    int64_t memory_ceiling; /* bytes: to which its supervisor may raise `memory`; 0: not at all */
    int64_t memory_raise;   /* percent that are added each time; 0: 50 */
    int64_t cpu_s;          /* processor time of its whole life; 0: none */
    int64_t files;          /* open descriptors; 0: those of the node */
    int64_t processes;      /* that it may have beside itself; 0: none, -1: any number */
    int64_t
        probe_ms; /* how long it may owe an answer before it is asked whether it runs; 0: 1000 */
    int64_t stuck_ms;  /* of one message in its handler, then it is killed; 0: no limit */
    int64_t black_box; /* bytes of its black box; 0: 262144 */
    int64_t seccomp;   /* trp_seccomp_t */
    int64_t pin;       /* 1: it stays on one core */
    int64_t new_privs; /* 1: a program that it runs may gain privileges */
    char read_paths[TRP_LIMITS_PATHS_MAX];  /* folders that it may read, separated by blanks */
    char write_paths[TRP_LIMITS_PATHS_MAX]; /* ... and write; both empty: no rule for files */
} trp_limits_t;

/** What holds for a worker: X(NAME, "name", "text"). Bits of a mask by their order. */
#define TRP_ENFORCED_MAP(X)                                                                   \
    X(MEMORY_CGROUP, "memory_cgroup", "memory: by its control group, with all its processes") \
    X(MEMORY_DATA, "memory_data", "memory: its own writable pages (RLIMIT_DATA)")             \
    X(CPU, "cpu", "cpu_s (RLIMIT_CPU)")                                                       \
    X(FILES, "files", "files (RLIMIT_NOFILE)")                                                \
    X(NO_PROCESSES, "no_processes", "it makes no process (seccomp)")                          \
    X(PROCESSES_COUNT, "processes_count", "processes: their number, by its control group")    \
    X(PROCESSES_END, "processes_end", "its processes end with it, by its control group")      \
    X(NO_NEW_PRIVS, "no_new_privs", "no program gives it privileges")                         \
    X(SECCOMP_STRICT, "seccomp_strict", "the strict list of system calls")                    \
    X(LANDLOCK, "landlock", "read_paths and write_paths (Landlock)")

enum {
#define TRP_ENFORCED_INDEX(name, text, more) TRP_ENFORCED_AT_##name,
    TRP_ENFORCED_MAP(TRP_ENFORCED_INDEX)
#undef TRP_ENFORCED_INDEX
        TRP_ENFORCED_COUNT
};

enum {
#define TRP_ENFORCED_BIT(name, text, more) TRP_ENFORCED_##name = 1u << TRP_ENFORCED_AT_##name,
    TRP_ENFORCED_MAP(TRP_ENFORCED_BIT)
#undef TRP_ENFORCED_BIT
};

#endif
