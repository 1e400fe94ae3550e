/* SPDX-License-Identifier: MIT */
/* The core's tables: names, routes, watches, run queues. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/core/registry.h"
#include "runtime/core/route.h"
#include "runtime/core/runq.h"
#include "runtime/core/watch.h"

static trp_pid_t pid_of(uint32_t slot)
{
    return (trp_pid_t){1 << 16, slot, 1, 1};
}

Test(registry, many_names_are_found_and_removed_by_their_owner_only)
{
    registry_t names;
    char name[32];
    cr_assert_eq(registry_init(&names), TRP_OK);

    for (uint32_t i = 1; i <= 1000; i++) {
        snprintf(name, sizeof(name), "actor.%u", i);
        cr_assert_eq(registry_add(&names, name, pid_of(i)), TRP_OK);
        cr_assert_eq(registry_add(&names, name, pid_of(i + 1)), TRP_EXISTS);
    }
    for (uint32_t i = 1; i <= 1000; i++) {
        snprintf(name, sizeof(name), "actor.%u", i);
        registry_remove(&names, name, pid_of(i + 1));
        cr_assert_eq(registry_find(&names, name).slot, i);
        registry_remove(&names, name, pid_of(i));
        cr_assert(trp_pid_is_none(registry_find(&names, name)));
    }

    cr_assert_eq(names.count, 0);
    registry_fini(&names);
}

Test(registry, bad_names_are_refused)
{
    registry_t names;
    char name[TRP_NAME_MAX + 1];
    memset(name, 'n', sizeof(name) - 1);
    name[TRP_NAME_MAX] = '\0';
    cr_assert_eq(registry_init(&names), TRP_OK);

    cr_assert_eq(registry_add(&names, "", pid_of(1)), TRP_INVALID);
    cr_assert_eq(registry_add(&names, name, pid_of(1)), TRP_INVALID);
    name[TRP_NAME_MAX - 1] = '\0';
    cr_assert_eq(registry_add(&names, name, pid_of(1)), TRP_OK);

    registry_fini(&names);
}

Test(route, a_new_incarnation_takes_the_place_of_the_old_one)
{
    route_table_t routes;
    route_table_init(&routes);
    trp_pid_t old = {5, 1, 1, 1};
    trp_pid_t new = {5, 1, 1, 2};

    cr_assert_eq(route_set(&routes, 5, 1, pid_of(1)), TRP_OK);
    cr_assert_eq(route_set(&routes, 5, 2, pid_of(2)), TRP_OK);
    cr_assert_eq(route_set(&routes, 5, 1, TRP_PID_NONE), TRP_OK, "a late end of the old one");

    cr_assert(trp_pid_is_none(route_find(&routes, old)));
    cr_assert_eq(route_find(&routes, new).slot, 2);
    route_table_fini(&routes);
}

Test(route, many_nodes_in_any_order)
{
    route_table_t routes;
    route_table_init(&routes);

    for (uint32_t i = 0; i < 100; i++) {
        uint32_t of = i * 37 % 100 + 1;
        cr_assert_eq(route_set(&routes, of, 1, pid_of(of)), TRP_OK);
    }
    for (uint32_t i = 1; i <= 100; i += 2) {
        cr_assert_eq(route_set(&routes, i, 1, TRP_PID_NONE), TRP_OK);
    }

    for (uint32_t i = 1; i <= 100; i++) {
        cr_assert_eq(route_find(&routes, (trp_pid_t){i, 9, 9, 1}).slot, i % 2 == 0 ? i : 0);
    }
    route_table_fini(&routes);
}

Test(watch, agrees_with_a_list_under_random_changes)
{
    static bool there[500];
    watch_table_t table = {0};
    srandom(3);

    for (int step = 0; step < 20000; step++) {
        uint32_t slot = (uint32_t)random() % 500;
        watch_t *row = watch_find(&table, WATCH_WATCHER, pid_of(slot), slot);
        cr_assert_eq(row != NULL, there[slot]);
        if (row != NULL) {
            watch_remove(&table, row, true);
        } else {
            watch_t added = {.kind = WATCH_WATCHER, .pid = pid_of(slot), .ref = slot};
            cr_assert_eq(watch_add(&table, &added, true), TRP_OK);
        }
        there[slot] = !there[slot];
    }

    watch_free(&table);
}

Test(watch, references_are_found_whatever_their_pid)
{
    watch_table_t table = {0};
    for (uint64_t ref = 1; ref <= 100; ref++) {
        watch_t row = {.kind = WATCH_MONITOR, .pid = pid_of(7), .ref = ref};
        cr_assert_eq(watch_add(&table, &row, false), TRP_OK);
    }

    for (uint64_t ref = 1; ref <= 100; ref += 3) {
        watch_remove(&table, watch_mine(&table, ref), false);
    }

    for (uint64_t ref = 1; ref <= 100; ref++) {
        cr_assert_eq(watch_mine(&table, ref) != NULL, ref % 3 != 1);
    }
    watch_free(&table);
}

static bool is_of_slot(const void *user, trp_pid_t pid)
{
    return pid.slot == *(const uint32_t *)user;
}

Test(watch, askers_who_are_gone_are_dropped)
{
    watch_table_t table = {0};
    for (uint32_t slot = 1; slot <= 20; slot++) {
        watch_t row = {.kind = slot % 2 == 0 ? WATCH_ASKER : WATCH_WATCHER,
                       .pid = pid_of(slot / 2),
                       .ref = slot};
        cr_assert_eq(watch_add(&table, &row, true), TRP_OK);
    }
    const uint32_t gone = 4;

    watch_expire(&table, 0, is_of_slot, &gone);

    cr_assert_eq(table.count, 19);
    cr_assert_null(watch_find(&table, WATCH_ASKER, pid_of(4), 8));
    cr_assert_not_null(watch_find(&table, WATCH_WATCHER, pid_of(4), 9));
    watch_free(&table);
}

Test(watch, askers_whose_deadline_has_passed_are_dropped)
{
    watch_table_t table = {0};
    for (uint64_t ref = 1; ref <= 50; ref++) {
        watch_t row = {.kind = WATCH_ASKER,
                       .pid = pid_of(1),
                       .ref = ref,
                       .due_ns = ref % 2 == 0 ? (int64_t)ref : 0};
        cr_assert_eq(watch_add(&table, &row, true), TRP_OK);
    }

    const uint32_t nobody = 0;
    watch_expire(&table, 41, is_of_slot, &nobody);

    cr_assert_eq(table.count, 30, "25 without a deadline and 5 that still wait");
    cr_assert_null(watch_find(&table, WATCH_ASKER, pid_of(1), 40));
    cr_assert_not_null(watch_find(&table, WATCH_ASKER, pid_of(1), 42));
    watch_free(&table);
}

static bool is_slot_counted(const void *user, trp_pid_t pid)
{
    static int looks;
    looks++;
    cr_assert_lt(looks, 20000, "a look at every row for each that is added");
    return is_of_slot(user, pid);
}

Test(watch, a_full_table_in_which_little_has_expired_grows_instead_of_being_searched_each_time)
{
    watch_table_t table = {0};
    for (uint64_t ref = 1; ref <= 1536; ref++) { /* as full as it gets */
        watch_t row = {.kind = WATCH_ASKER, .pid = pid_of((uint32_t)ref + 10), .ref = ref};
        cr_assert_eq(watch_add(&table, &row, true), TRP_OK);
    }

    for (uint32_t slot = 11; slot <= 1500; slot++) { /* one goes, one comes */
        watch_t row = {.kind = WATCH_ASKER, .pid = pid_of(slot + 2000), .ref = slot};
        if ((table.count + 1) * 4 > table.capacity * 3) {
            watch_expire(&table, 0, is_slot_counted, &slot);
        }
        cr_assert_eq(watch_add(&table, &row, true), TRP_OK);
    }

    watch_free(&table);
}

Test(runq, is_first_in_first_out)
{
    static cell_t cells[3];
    runq_t queue;
    runq_init(&queue);

    for (int i = 0; i < 3; i++) {
        cr_assert_eq(runq_push(&queue, &cells[i]), (uint32_t)i + 1);
    }

    for (int i = 0; i < 3; i++) {
        cr_assert_eq(runq_pop(&queue), &cells[i]);
    }
    cr_assert_null(runq_pop(&queue));
    cr_assert(runq_is_empty(&queue));
    runq_fini(&queue);
}

Test(runq, a_thief_takes_the_older_half)
{
    static cell_t cells[5];
    runq_t victim;
    runq_t thief;
    runq_init(&victim);
    runq_init(&thief);
    for (int i = 0; i < 5; i++) {
        runq_push(&victim, &cells[i]);
    }

    cr_assert_eq(runq_steal(&victim, &thief), &cells[0]);

    cr_assert_eq(runq_count(&victim), 2);
    cr_assert_eq(runq_count(&thief), 2);
    cr_assert_eq(runq_pop(&thief), &cells[1]);
    cr_assert_eq(runq_pop(&thief), &cells[2]);
    cr_assert_eq(runq_pop(&victim), &cells[3]);
    cr_assert_eq(runq_pop(&victim), &cells[4]);
    cr_assert_null(runq_steal(&victim, &thief));
    runq_fini(&victim);
    runq_fini(&thief);
}
