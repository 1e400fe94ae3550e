/* SPDX-License-Identifier: MIT */
/* Both ends of a link agree on whether there is one, whatever crosses on the way. */
#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(link, .init = open_node, .fini = node_close);

static probe_t a, b;

static void link_other(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_link(ctx, probe->other), TRP_OK);
}

static void unlink_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_unlink(ctx, probe->other);
}

static void link_and_unlink(trp_ctx_t *ctx, probe_t *probe)
{
    link_other(ctx, probe);
    unlink_other(ctx, probe);
}

static void unlink_and_link(trp_ctx_t *ctx, probe_t *probe)
{
    unlink_other(ctx, probe);
    link_other(ctx, probe);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_stop(ctx, &reason);
}

static void trap(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_trap_exit(ctx, true);
}

static void spawn_two(void)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    node_settle();
    a.other = b.pid;
    b.other = a.pid;
}

/* Has it done on the probe's next turn, and does not run the node. */
static void order(const probe_t *probe, probe_act_t act)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = probe->pid;
    envelope->tag = TAG_DO;
    cr_assert_eq(envelope_set(envelope, &act, sizeof(act)), TRP_OK);
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
}

static const watch_table_t *theirs(const probe_t *probe)
{
    static const watch_table_t none;
    const cell_t *cell = cell_at(&node->table, probe->pid.slot);
    return cell->life == NULL ? &none : &cell->life->theirs;
}

static bool is_linked(const probe_t *probe)
{
    return watch_find(theirs(probe), WATCH_LINK, probe->other, 0) != NULL;
}

/* Nothing is under way: both agree, and nothing is remembered of what was. */
static void check_quiet(void)
{
    cr_assert_eq(is_linked(&a), is_linked(&b));
    cr_assert_eq(theirs(&a)->count, is_linked(&a));
    cr_assert_eq(theirs(&b)->count, is_linked(&b));
}

Test(link, a_link_that_crosses_an_unlink_leaves_none_on_either_side)
{
    spawn_two();
    order(&b, link_other);
    order(&a, link_and_unlink);

    node_settle();

    check_quiet();
}

Test(link, the_same_with_the_other_first)
{
    spawn_two();
    order(&a, link_and_unlink);
    order(&b, link_other);

    node_settle();

    check_quiet();
}

Test(link, a_link_right_after_an_unlink_holds)
{
    spawn_two();
    probe_do(&a, link_other);

    probe_do(&a, unlink_and_link);

    cr_assert(is_linked(&a));
    check_quiet();
}

Test(link, either_side_may_end_it)
{
    spawn_two();
    probe_do(&a, link_other);
    cr_assert(is_linked(&b));

    probe_do(&b, unlink_other);

    cr_assert_not(is_linked(&a));
    check_quiet();
}

Test(link, an_unlink_of_the_dead_is_acknowledged)
{
    spawn_two();
    probe_do(&a, trap);
    probe_do(&a, link_other);
    order(&a, unlink_other);
    order(&b, stop);

    node_settle();

    cr_assert_eq(theirs(&a)->count, 0);
    cr_assert_eq(a.count, 0, "its end is not seen after the unlink");
}

Test(link, an_end_that_crosses_an_unlink_is_not_seen)
{
    spawn_two();
    probe_do(&a, trap);
    probe_do(&a, link_other);
    order(&b, stop);
    order(&a, unlink_other);

    node_settle();

    cr_assert_eq(theirs(&a)->count, 0);
}

static uint32_t chance(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

Test(link, any_order_of_links_and_unlinks_leaves_both_sides_agreed)
{
    static const probe_act_t acts[] = {link_other, unlink_other, link_and_unlink, unlink_and_link};
    spawn_two();
    for (uint32_t round = 1; round <= 3000; round++) {
        uint32_t seed = round * 2654435761u;
        for (int i = 0; i < 12; i++) {
            order(chance(&seed) % 2 == 0 ? &a : &b, acts[chance(&seed) % 4]);
            for (uint32_t steps = chance(&seed) % 3; steps > 0; steps--) {
                node_step();
            }
        }
        node_settle();
        cr_assert_eq(is_linked(&a), is_linked(&b), "round %u", round);
        check_quiet();
    }
}
