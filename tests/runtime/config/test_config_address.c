/* SPDX-License-Identifier: MIT */
#include "runtime/config/config_address.h"

#include <criterion/criterion.h>

Test(config_address, only_this_computer_counts_as_loopback)
{
    const char *const own[] = {"tcp://127.0.0.1:5555", "tcp://127.1.2.3:*", "tcp://localhost:1",
                               "tcp://[::1]:1", "tcp://lo:1"};
    const char *const others[] = {
        "tcp://*:1",           "tcp://0.0.0.0:1", "tcp://128.0.0.1:1", "tcp://127.evil.example:1",
        "tcp://localhost.x:1", "tcp://[::]:1",    "tcp://eth0:1",      "tcp://:1"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        cr_assert(config_is_loopback(own[i]), "%s", own[i]);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cr_assert_not(config_is_loopback(others[i]), "%s", others[i]);
    }
}

Test(config_address, port_is_a_number_up_to_65535_or_a_star)
{
    cr_assert(config_is_port("*"));
    cr_assert(config_is_port("0"));
    cr_assert(config_is_port("65535"));
    cr_assert_not(config_is_port("65536"));
    cr_assert_not(config_is_port(""));
    cr_assert_not(config_is_port("80x"));
}
