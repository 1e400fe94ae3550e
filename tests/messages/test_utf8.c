/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "messages/codec.h"
#include "messages/utf8.h"

Test(utf8, well_formed_text_has_no_bad_byte)
{
    static const char *const texts[] = {"",
                                        "abc",
                                        "\x7f",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        ("12345678\xc3\xa4"
                                         "12345678")};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(trp_utf8_check(texts[i], strlen(texts[i])), strlen(texts[i]), "%zu", i);
    }
}

Test(utf8, the_first_ill_formed_byte_is_told)
{
    static const struct {
        const char *text;
        size_t bad;
    } cases[] = {
        {"\x80", 0},
        {"a\xc0\x80", 1}, /* overlong */
        {"ab\xc1\xbf", 2},
        {"abc\xe0\x9f\xbf", 3}, /* overlong */
        {"\xed\xa0\x80", 0},    /* a surrogate */
        {"\xed\xbf\xbf", 0},
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"12345678\xe2\x82", 8}, /* cut off */
        {"\xc3\xa4\xe2\x28\xa1", 2},
        {"\xf0\x90\x80", 0},
        {"1234567\xc3", 7},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t bad = trp_utf8_check(cases[i].text, strlen(cases[i].text));

        cr_expect_eq(bad, cases[i].bad, "%zu: %zu", i, bad);
    }
}

Test(utf8, a_copy_is_cut_between_characters_and_well_formed)
{
    char copy[8];

    cr_expect_eq(utf8_copy(copy, sizeof(copy), "abcdef\xc3\xa4", 8), 6);
    cr_expect_str_eq(copy, "abcdef");
    cr_expect_eq(utf8_copy(copy, sizeof(copy),
                           "a\xff"
                           "b",
                           3),
                 5);
    cr_expect_str_eq(copy, "a\xef\xbf\xbd"
                           "b");
    cr_expect_eq(utf8_copy(copy, sizeof(copy), "a\0b", 3), 5);
    cr_expect_str_eq(copy, "a\xef\xbf\xbd"
                           "b");
    cr_expect_eq(utf8_copy(copy, 1, "a", 1), 0);
    cr_expect_str_eq(copy, "");
}
