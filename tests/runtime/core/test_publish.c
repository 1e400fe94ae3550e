/* SPDX-License-Identifier: MIT */
/* Publications to actors that are behind proxies: what goes over a link, and what comes from it. */
#include <string.h>

#include "tests/runtime/fixture.h"

#define FAR_NODE 0x10007u

static probe_t reader, proxy;
static group_member_t *far_groups[2];
static trp_published_t counts;

static trp_pid_t far_pid(uint32_t slot)
{
    return (trp_pid_t){FAR_NODE, slot, 1, 9};
}

static void open_node(void)
{
    node_open(true);
    reader = proxy = (probe_t){.count = 0};
    far_groups[0] = far_groups[1] = NULL;
    probe_spawn(&reader, NULL);
    probe_spawn(&proxy, &(trp_spawn_t){.class = &probe_proxy_class});
    node_settle();
    cr_assert_eq(runtime_route(node, FAR_NODE, 9, proxy.pid), TRP_OK);
}

TestSuite(publish, .init = open_node, .fini = node_close);

static void join_far(uint32_t index, const char *group)
{
    cr_assert_eq(runtime_group_join(node, group, far_pid(index + 1), &far_groups[index]), TRP_OK);
}

static void join_news(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_group_join(ctx, "news");
}

static void publish_news(trp_ctx_t *ctx, probe_t *probe)
{
    const int note = 7;
    const trp_publication_t news = {
        .topic = "news", .tag = TAG_NOTE, .data = &note, .size = sizeof(note)};
    probe->status = trp_publish(ctx, &news, &counts);
}

/* As it comes from a link: for the topic `topic`, the int 7 under TAG_NOTE. */
static trp_envelope_t *make_parcel(const char *topic, size_t topic_size)
{
    unsigned char bytes[64] = {TAG_NOTE & 0xff, TAG_NOTE >> 8, (unsigned char)topic_size};
    const int note = 7;
    const size_t size = strlen(topic);
    memcpy(bytes + 3, topic, size);
    memcpy(bytes + 3 + size, &note, sizeof(note));
    trp_envelope_t *parcel = envelope_alloc();
    parcel->to = runtime_parcel_pid(7 << 16, 3);
    parcel->from = far_pid(1);
    parcel->tag = TRP_TAG_PARCEL;
    cr_assert_eq(envelope_set(parcel, bytes, 3 + size + sizeof(note)), TRP_OK);
    return parcel;
}

Test(publish, one_member_behind_a_proxy_gets_the_message_itself)
{
    join_far(0, "news");

    probe_do(&reader, publish_news);

    cr_assert_eq(counts.sent, 1);
    cr_assert_eq(proxy.count, 1);
    cr_assert_eq(proxy.seen[0].tag, TAG_NOTE);
}

Test(publish, two_members_behind_one_proxy_cost_one_copy_over_the_link)
{
    join_far(0, "news");
    join_far(1, "ne*");
    probe_do(&reader, join_news);

    probe_do(&reader, publish_news);

    cr_assert_eq(counts.sent, 3);
    cr_assert_eq(proxy.count, 1);
    cr_assert_eq(proxy.seen[0].tag, TRP_TAG_PARCEL);
    cr_assert_eq(reader.count, 1);
}

Test(publish, what_came_over_a_link_does_not_go_back_there)
{
    join_far(0, "news");
    join_far(1, "news");
    probe_do(&reader, join_news);

    runtime_parcel(node, make_parcel("news", 4), proxy.pid);
    node_settle();

    cr_assert_eq(proxy.count, 0);
    cr_assert_eq(reader.count, 1);
    cr_assert_eq(reader.seen[0].note, 7);
    cr_assert(trp_pid_equal(reader.seen[0].from, far_pid(1)));
}

Test(publish, an_ill_formed_parcel_reaches_nobody)
{
    probe_do(&reader, join_news);

    runtime_parcel(node, make_parcel("news", 200), proxy.pid);
    runtime_parcel(node, make_parcel("news", 63), proxy.pid);
    runtime_parcel(node, make_parcel("n\0ws", 4), proxy.pid);
    runtime_parcel(node, make_parcel("new*", 4), proxy.pid);
    node_settle();

    cr_assert_eq(reader.count, 0);
}

Test(publish, memberships_behind_a_proxy_end_one_by_one_or_all)
{
    trp_pid_t pid;
    join_far(0, "news");
    join_far(0, "sports");
    join_far(1, "news");

    runtime_group_leave(node, "news", &far_groups[0]);

    cr_assert_eq(runtime_members(node, "news", &pid, 1), 1);
    cr_assert(trp_pid_equal(pid, far_pid(2)));
    runtime_group_leave(node, NULL, &far_groups[0]);
    cr_assert_eq(runtime_members(node, "sports", &pid, 1), 0);
    cr_assert_null(far_groups[0]);
}

Test(publish, a_proxy_without_room_is_refused_for_all_behind_it)
{
    probe_t full = {.count = 0};
    probe_spawn(&full, &(trp_spawn_t){.class = &probe_proxy_class, .depth_max = 1});
    cr_assert_eq(runtime_route(node, FAR_NODE, 9, full.pid), TRP_OK);
    join_far(0, "news");
    join_far(1, "news");
    probe_do(&reader, publish_news);
    cr_assert_eq(counts.sent, 2);
    trp_envelope_t *held = envelope_alloc();
    held->to = full.pid;
    held->tag = TAG_NOTE;
    cr_assert_eq(runtime_send(node, held), TRP_OK); /* not run yet */
    held = envelope_alloc();
    *held = (trp_envelope_t){.to = far_pid(1), .tag = TAG_NOTE};
    cr_assert_eq(runtime_send(node, held), TRP_FULL);
    envelope_free(held);

    runtime_parcel(node, make_parcel("news", 4), TRP_PID_NONE);
    node_settle();

    cr_assert_eq(full.count, 2, "the first parcel and what held the place");
}
