/* SPDX-License-Identifier: MIT */
/* The table of names by itself: writers give names away and take them back, and the table grows;
 * readers look the same names up without the lock. Whom they find is the one whose name they asked
 * for; a name that stays is always found.
 *     registry [rounds=200000] */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/registry.h"

#define LIMIT_S 120
#define WRITERS 2
#define READERS 2
#define NAMES   24      /* of each writer, given and taken in turn; half of them at a time */
#define GROWTH  200     /* names that are added on the way, to stay */
#define STAYING 1000000 /* the first of these */

static registry_t registry;
static long rounds = 200000;
static atomic_int writing = WRITERS;
static atomic_uint staying;
static atomic_long wrong, lost;

/* Who has the name `number`; every part says so. */
static trp_pid_t pid_of(uint32_t number)
{
    return (trp_pid_t){
        .node = number, .slot = ~number, .generation = number * 3, .incarnation = number ^ 0x5a5a};
}

static void name_of(uint32_t number, char name[TRP_NAME_MAX])
{
    snprintf(name, TRP_NAME_MAX, "name.%u.of.somebody", number);
}

static void add(uint32_t number)
{
    char name[TRP_NAME_MAX];
    name_of(number, name);
    if (registry_add(&registry, name, pid_of(number)) != TRP_OK) {
        atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
    }
}

static void drop(uint32_t number)
{
    char name[TRP_NAME_MAX];
    name_of(number, name);
    registry_remove(&registry, name, pid_of(number));
}

static trp_pid_t find(uint32_t number)
{
    char name[TRP_NAME_MAX];
    name_of(number, name);
    return registry_find(&registry, name);
}

/* The first number of a writer's names. */
static uint32_t first_of(long writer)
{
    return 1000 + (uint32_t)writer * NAMES;
}

static void *write_names(void *arg)
{
    const long writer = (long)(intptr_t)arg;
    const uint32_t first = first_of(writer);
    for (long round = 0; round < rounds; round++) {
        const uint32_t number = first + (uint32_t)(round % NAMES);
        add(number);
        if (trp_pid_is_none(find(number))) {
            atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
        }
        if (round >= NAMES / 2) {
            drop(first + (uint32_t)((round - NAMES / 2) % NAMES));
        }
        if (writer == 0 && round % (rounds / GROWTH + 1) == 0) {
            add(STAYING + atomic_load_explicit(&staying, memory_order_relaxed));
            atomic_fetch_add_explicit(&staying, 1, memory_order_release);
        }
    }
    atomic_fetch_sub_explicit(&writing, 1, memory_order_release);
    return NULL;
}

static void look(uint32_t number, bool stays)
{
    const trp_pid_t pid = find(number);
    if (trp_pid_is_none(pid)) {
        atomic_fetch_add_explicit(&lost, stays, memory_order_relaxed);
    } else if (!trp_pid_equal(pid, pid_of(number))) {
        atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
    }
}

static void *read_names(void *arg)
{
    (void)arg;
    for (uint32_t turn = 0; atomic_load_explicit(&writing, memory_order_acquire) != 0; turn++) {
        const uint32_t count = atomic_load_explicit(&staying, memory_order_acquire);
        if (count > 0) {
            look(STAYING + turn % count, true);
        }
        look(first_of(turn % WRITERS) + turn / WRITERS % NAMES, false);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "rounds=", 7) == 0) {
        rounds = strtol(argv[1] + 7, NULL, 10);
    }
    alarm(LIMIT_S);
    pthread_t threads[WRITERS + READERS];
    if (registry_init(&registry) != TRP_OK) {
        return 1;
    }
    for (long i = 0; i < WRITERS + READERS; i++) {
        if (pthread_create(&threads[i], NULL, i < WRITERS ? write_names : read_names,
                           (void *)(intptr_t)i) != 0) {
            fprintf(stderr, "registry: no thread\n");
            return 1;
        }
    }
    for (int i = 0; i < WRITERS + READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    registry_fini(&registry);
    printf("registry: %ld names given and taken, %ld lost, %ld wrong\n", rounds * WRITERS,
           atomic_load(&lost), atomic_load(&wrong));
    return atomic_load(&lost) == 0 && atomic_load(&wrong) == 0 ? 0 : 1;
}
