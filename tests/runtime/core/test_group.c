/* SPDX-License-Identifier: MIT */
#include "runtime/core/group.h"

#include <string.h>

#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(group, .init = open_node, .fini = node_close);

static probe_t a, b, c;
static trp_published_t counts;
static const char *topic;
static char letters[TRP_NAME_MAX + 1]; /* all 'x' */

static void spawn_three(void)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    probe_spawn(&c, NULL);
    node_settle();
}

static void join(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_group_join(ctx, topic);
}

static void leave(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_group_leave(ctx, topic);
}

static void join_as(probe_t *probe, const char *name)
{
    topic = name;
    probe_do(probe, join);
}

static void publish_seven(trp_ctx_t *ctx, probe_t *probe)
{
    int note = 7;
    trp_publication_t publication = {
        .topic = topic, .tag = TAG_NOTE, .data = &note, .size = sizeof(note)};
    probe->status = trp_publish(ctx, &publication, &counts);
}

/* By `a`. */
static trp_status_t publish_as(const char *name)
{
    topic = name;
    probe_do(&a, publish_seven);
    return a.status;
}

static size_t members_of(const char *name)
{
    return group_members(&node->groups, name, NULL, 0);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void kill_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

/* ---- topics and prefixes ---- */

Test(group, what_is_published_reaches_the_members_of_its_topic_and_no_others)
{
    spawn_three();
    join_as(&b, "orders.new");
    join_as(&c, "orders.old");

    trp_status_t status = publish_as("orders.new");

    cr_assert_eq(status, TRP_OK);
    cr_assert_eq(counts.sent, 1);
    cr_assert_eq(counts.refused, 0);
    cr_assert_eq(probe_last(&b)->note, 7);
    cr_assert(trp_pid_equal(probe_last(&b)->from, a.pid));
    cr_assert_eq(c.count, 0);
    cr_assert_eq(a.count, 0);
}

Test(group, a_prefix_takes_every_topic_that_begins_with_it)
{
    spawn_three();
    join_as(&b, "orders.*");
    join_as(&c, "*");

    publish_as("orders.new");
    publish_as("orders.");
    publish_as("orders");
    publish_as("order.new");

    cr_assert_eq(b.count, 2);
    cr_assert_eq(c.count, 4);
}

Test(group, the_longest_prefix_and_the_longest_topic_meet)
{
    char prefix[TRP_NAME_MAX];
    memset(letters, 'x', TRP_NAME_MAX - 1);
    memcpy(prefix, letters, TRP_NAME_MAX);
    prefix[TRP_NAME_MAX - 2] = '*';
    spawn_three();
    join_as(&b, prefix);
    join_as(&c, letters);

    trp_status_t status = publish_as(letters);

    cr_assert_eq(status, TRP_OK);
    cr_assert_eq(counts.sent, 2);
}

Test(group, a_member_by_several_names_gets_a_message_once)
{
    spawn_three();
    join_as(&b, "orders.new");
    join_as(&b, "orders.*");
    join_as(&b, "*");
    join_as(&c, "o*");

    publish_as("orders.new");

    cr_assert_eq(counts.sent, 2);
    cr_assert_eq(b.count, 1);
    cr_assert_eq(c.count, 1);
}

Test(group, a_publisher_that_is_a_member_gets_its_own_message)
{
    spawn_three();
    join_as(&a, "t");

    publish_as("t");

    cr_assert_eq(counts.sent, 1);
    cr_assert_eq(probe_last(&a)->note, 7);
}

Test(group, publishing_to_nobody_is_no_error)
{
    spawn_three();

    trp_status_t status = publish_as("nobody");

    cr_assert_eq(status, TRP_OK);
    cr_assert_eq(counts.sent + counts.refused, 0);
}

Test(group, names_out_of_their_bounds_are_refused)
{
    const char *bad_groups[] = {"", "a*b", "**", letters};
    const char *bad_topics[] = {"", "a*b", "a*", "*", letters};
    memset(letters, 'x', TRP_NAME_MAX);
    spawn_three();

    for (size_t i = 0; i < sizeof(bad_groups) / sizeof(bad_groups[0]); i++) {
        join_as(&b, bad_groups[i]);
        cr_assert_eq(b.status, TRP_INVALID, "group %zu", i);
    }
    for (size_t i = 0; i < sizeof(bad_topics) / sizeof(bad_topics[0]); i++) {
        cr_assert_eq(publish_as(bad_topics[i]), TRP_INVALID, "topic %zu", i);
    }
    topic = letters;
    probe_do(&b, leave); /* of what can't be joined: no error */
}

/* ---- joining and leaving ---- */

Test(group, joined_twice_is_joined_once_and_left_at_once)
{
    spawn_three();
    join_as(&b, "t");
    join_as(&b, "t");

    size_t joined = members_of("t");
    cr_assert_eq(b.status, TRP_OK);
    probe_do(&b, leave);
    probe_do(&b, leave);
    publish_as("t");

    cr_assert_eq(joined, 1);
    cr_assert_eq(members_of("t"), 0);
    cr_assert_eq(counts.sent, 0);
    cr_assert_eq(b.count, 0);
}

Test(group, who_leaves_first_middle_or_last_takes_no_seat_from_others)
{
    static probe_t five[5];
    spawn_three();
    for (int i = 0; i < 5; i++) {
        probe_spawn(&five[i], NULL);
        node_settle();
        join_as(&five[i], "t");
    }

    topic = "t";
    probe_do(&five[0], leave);
    probe_do(&five[2], leave);
    probe_do(&five[4], leave);
    publish_as("t");

    cr_assert_eq(counts.sent, 2);
    cr_assert_eq(five[1].count, 1);
    cr_assert_eq(five[3].count, 1);
}

Test(group, members_leave_by_themselves_when_they_end_also_when_killed)
{
    spawn_three();
    join_as(&b, "t");
    join_as(&b, "t.*");
    join_as(&c, "t");
    a.other = c.pid;

    probe_do(&b, stop);
    probe_do(&a, kill_other);
    publish_as("t");
    publish_as("t.1");

    cr_assert(!probe_lives(&b));
    cr_assert(!probe_lives(&c));
    cr_assert_eq(members_of("t"), 0);
    cr_assert_eq(members_of("t.*"), 0);
    cr_assert_eq(counts.sent, 0);
    cr_assert_null(node->groups.tree, "a group ends with its last member");
    cr_assert_eq(node->groups.prefix_count, 0);
}

Test(group, a_node_may_end_with_members_in_its_groups)
{
    spawn_three();
    join_as(&a, "t");
    join_as(&b, "t");
    join_as(&b, "u*");

    cr_assert_eq(members_of("t"), 2); /* the rest is for the sanitizer, when the node ends */
}

static void list_members(trp_ctx_t *ctx, probe_t *probe)
{
    trp_pid_t two[2] = {TRP_PID_NONE, TRP_PID_NONE};
    cr_assert_eq(trp_members(ctx, "t", two, 1), 2);
    cr_assert(trp_pid_equal(two[0], b.pid));
    cr_assert(trp_pid_is_none(two[1]), "only one was asked for");
    cr_assert_eq(trp_members(ctx, "t", two, 2), 2);
    cr_assert(trp_pid_equal(two[1], c.pid));
    cr_assert_eq(trp_members(ctx, "nobody", two, 2), 0);
    probe->count++;
}

Test(group, members_are_counted_in_full_and_copied_as_far_as_asked)
{
    spawn_three();
    join_as(&b, "t");
    join_as(&c, "t");

    probe_do(&a, list_members);

    cr_assert_eq(a.count, 1);
}

/* ---- delivery ---- */

static void send_and_publish(trp_ctx_t *ctx, probe_t *probe)
{
    for (int i = 0; i < 100; i++) {
        trp_publication_t publication = {
            .topic = i % 4 == 1 ? "t" : "t.1", .tag = TAG_NOTE, .data = &i, .size = sizeof(i)};
        probe->status = i % 2 == 0 ? trp_send(ctx, b.pid, TAG_NOTE, &i, sizeof(i))
                                   : trp_publish(ctx, &publication, NULL);
        cr_assert_eq(probe->status, TRP_OK);
    }
}

Test(group, order_for_each_pair_is_that_of_sends)
{
    spawn_three();
    join_as(&b, "t");
    join_as(&b, "t.*");
    join_as(&c, "t*");

    probe_do(&a, send_and_publish);

    cr_assert_eq(b.count, 100);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(b.seen[i].note, i);
    }
    cr_assert_eq(c.count, 50);
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(c.seen[i].note, 2 * i + 1);
    }
}

static void fill_and_publish(trp_ctx_t *ctx, probe_t *probe)
{
    int note = 1;
    cr_assert_eq(trp_send(ctx, probe->other, TAG_NOTE, &note, sizeof(note)), TRP_OK);
    publish_seven(ctx, probe);
}

Test(group, a_full_member_is_counted_and_takes_nothing_from_the_others)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.depth_max = 1});
    probe_spawn(&c, NULL);
    node_settle();
    join_as(&b, "t");
    join_as(&c, "t");
    topic = "t";
    a.other = b.pid;

    probe_do(&a, fill_and_publish);

    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(counts.sent, 1);
    cr_assert_eq(counts.refused, 1);
    cr_assert_eq(b.count, 1);
    cr_assert_eq(b.seen[0].note, 1, "what had filled it");
    cr_assert_eq(probe_last(&c)->note, 7);
}

static const void *where[3];
static int shown;

static trp_status_t note_place(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    size_t size = 0;
    const unsigned char *data = trp_message_data(message, &size);
    cr_assert_eq(size, 1000);
    cr_assert_eq(data[999], 'p');
    where[shown++] = data;
    return TRP_OK;
}

static void publish_large(trp_ctx_t *ctx, probe_t *probe)
{
    zmq_msg_t message;
    zmq_msg_init_size(&message, 1000);
    memset(zmq_msg_data(&message), 'p', 1000);
    where[2] = zmq_msg_data(&message);
    trp_publication_t publication = {.topic = "t", .tag = TAG_NOTE, .message = &message};
    probe->status = trp_publish(ctx, &publication, &counts);
    cr_assert_eq(zmq_msg_size(&message), 0, "it was moved");
    zmq_msg_close(&message);
}

Test(group, a_large_payload_is_shared_by_all_who_get_it)
{
    spawn_three();
    b.receive = c.receive = note_place;
    join_as(&b, "t");
    join_as(&c, "t");

    probe_do(&a, publish_large);

    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(shown, 2);
    cr_assert_eq(where[0], where[1]);
    cr_assert_eq(where[0], where[2], "the very bytes of the publisher");
}

static void publish_moved(trp_ctx_t *ctx, probe_t *probe)
{
    zmq_msg_t message;
    zmq_msg_init_size(&message, sizeof(int));
    memcpy(zmq_msg_data(&message), &(int){9}, sizeof(int));
    trp_publication_t publication = {.topic = topic, .tag = TAG_NOTE, .message = &message};
    probe->status = trp_publish(ctx, &publication, &counts);
    probe->ref = zmq_msg_size(&message);
    zmq_msg_close(&message);
}

Test(group, a_moved_message_is_empty_after_success_and_untouched_after_an_error)
{
    spawn_three();
    join_as(&b, "t");

    probe_do(&a, publish_moved);
    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(a.ref, 0);
    cr_assert_eq(probe_last(&b)->note, 9);
    topic = "nobody";
    probe_do(&a, publish_moved);
    cr_assert_eq(a.ref, 0);
    topic = "*";
    probe_do(&a, publish_moved);

    cr_assert_eq(a.status, TRP_INVALID);
    cr_assert_eq(a.ref, sizeof(int));
}

Test(group, more_members_than_fit_on_the_stack_all_get_it_once)
{
    probe_t *many = probes_new(200);
    probe_spawn(&a, NULL);
    for (int i = 0; i < 200; i++) {
        probe_spawn(&many[i], NULL);
        node_settle();
        join_as(&many[i], "t");
        if (i % 2 == 0) {
            join_as(&many[i], "t*");
        }
    }

    publish_as("t");

    cr_assert_eq(counts.sent, 200);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(many[i].count, 1, "member %d", i);
    }
}

/* ---- by class ---- */

static trp_status_t other_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

static const trp_class_t other_class = {.name = "other", .receive = other_receive};

static void find_classes(trp_ctx_t *ctx, probe_t *probe)
{
    trp_pid_t pids[4] = {TRP_PID_NONE, TRP_PID_NONE, TRP_PID_NONE, TRP_PID_NONE};
    cr_assert_eq(trp_find_class(ctx, "probe", pids, 1), 2);
    cr_assert(trp_pid_equal(pids[0], a.pid));
    cr_assert(trp_pid_is_none(pids[1]));
    cr_assert_eq(trp_find_class(ctx, "other", pids, 4), 1);
    cr_assert(trp_pid_equal(pids[0], probe->other));
    cr_assert_eq(trp_find_class(ctx, "none", pids, 4), 0);
    probe->count++;
}

Test(group, actors_are_found_by_class_while_they_live)
{
    trp_spawn_t spawn = {.class = &other_class};
    spawn_three();
    cr_assert_eq(runtime_spawn(node, &spawn, &a.other), TRP_OK);
    probe_do(&c, stop);

    probe_do(&a, find_classes);

    cr_assert_eq(a.count, 1);
}
