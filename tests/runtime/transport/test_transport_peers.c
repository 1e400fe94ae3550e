/* SPDX-License-Identifier: MIT */
#include "runtime/transport/transport_peers.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const trp_peer_t first = {.size = 1, .id = {1}}, second = {.size = 1, .id = {2}};

static void expect_ended(transport_peers_t *peers, const trp_peer_t *expected)
{
    trp_peer_t *ended = transport_peers_next(peers);
    cr_assert_eq(ended != NULL, expected != NULL);
    if (ended != NULL) {
        cr_expect_eq(ended->id[0], expected->id[0]);
        free(ended);
    }
}

Test(transport_peers, the_end_of_a_tracked_connection_is_told_once)
{
    transport_peers_t peers = {.count = 0};
    transport_peers_accepted(&peers, 5);
    cr_assert_eq(transport_peers_track(&peers, 5, &first), TRP_OK);

    transport_peers_ended(&peers, 5);
    transport_peers_ended(&peers, 5);

    expect_ended(&peers, &first);
    expect_ended(&peers, NULL);
    transport_peers_fini(&peers);
}

Test(transport_peers, a_peer_that_is_tracked_again_has_not_ended)
{
    transport_peers_t peers = {.count = 0};
    transport_peers_accepted(&peers, 5);
    cr_assert_eq(transport_peers_track(&peers, 5, &first), TRP_OK);

    cr_assert_eq(transport_peers_track(&peers, 5, &first), TRP_OK);

    expect_ended(&peers, NULL);
    transport_peers_ended(&peers, 5);
    expect_ended(&peers, &first);
    transport_peers_fini(&peers);
}

Test(transport_peers, another_peer_on_a_descriptor_ends_the_former_one)
{
    transport_peers_t peers = {.count = 0};
    transport_peers_accepted(&peers, 5);
    cr_assert_eq(transport_peers_track(&peers, 5, &first), TRP_OK);

    cr_assert_eq(transport_peers_track(&peers, 5, &second), TRP_OK);

    expect_ended(&peers, &first);
    expect_ended(&peers, NULL);
    transport_peers_fini(&peers);
}

Test(transport_peers, a_connection_that_ended_before_is_told)
{
    transport_peers_t peers = {.count = 0};

    cr_assert_eq(transport_peers_track(&peers, 5, &first), TRP_OK);

    expect_ended(&peers, &first);
    transport_peers_fini(&peers);
}
