/* SPDX-License-Identifier: MIT */
#include "actors/router/base/cache.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ENTRY_BYTES 400 /* more than one entry with a short value takes */

static cache_t *cache;

static void start(size_t entries_max, size_t bytes_max)
{
    const cache_limits_t limits = {entries_max, bytes_max, bytes_max / 4};
    cache = cache_new(&limits);
    cr_assert_not_null(cache);
}

static void stop(void)
{
    cache_free(&cache);
}

static cache_key_t key(int number)
{
    cache_key_t key = {.bytes = {0}};
    memcpy(key.bytes, &number, sizeof(number));
    return key;
}

static void put(int number, const char *text, int64_t expires_ns)
{
    cache_key_t id = key(number);
    const cache_value_t value = {.success = true, .data = text, .size = strlen(text)};
    cache_put(cache, &id, &value, expires_ns);
}

/* What is there at a time; NULL: nothing. */
static const char *get(int number, int64_t now_ns)
{
    static char text[64];
    cache_key_t id = key(number);
    cache_value_t value;
    if (!cache_get(cache, &id, now_ns, &value)) {
        return NULL;
    }
    snprintf(text, sizeof(text), "%.*s", (int)value.size, (const char *)value.data);
    return text;
}

TestSuite(cache, .fini = stop);

Test(cache, what_was_put_is_found)
{
    start(10, 100000);

    put(1, "one", 100);

    cr_assert_str_eq(get(1, 99), "one");
    cr_assert_null(get(2, 99));
}

Test(cache, an_empty_value_is_a_hit)
{
    start(10, 100000);

    put(1, "", 100);

    cr_assert_str_eq(get(1, 0), "");
}

Test(cache, what_has_expired_is_a_miss)
{
    start(10, 100000);
    put(1, "one", 100);

    cr_assert_null(get(1, 100));

    cache_figures_t figures;
    cache_figures(cache, &figures);
    cr_assert_eq(figures.expirations, 1);
    cr_assert_eq(figures.entries, 0);
    cr_assert_eq(figures.bytes, 0);
}

Test(cache, the_least_recently_used_goes_first)
{
    start(2, 100000);
    put(1, "one", 100);
    put(2, "two", 100);
    (void)get(1, 0);

    put(3, "three", 100);

    cr_assert_null(get(2, 0));
    cr_assert_str_eq(get(1, 0), "one");
    cr_assert_str_eq(get(3, 0), "three");
}

Test(cache, bytes_are_bounded)
{
    cache_figures_t figures;
    start(1000000, 100 * ENTRY_BYTES);

    for (int i = 0; i < 10000; i++) {
        put(i, "value", 100);
        cache_figures(cache, &figures);
        cr_assert_leq(figures.bytes, 100 * ENTRY_BYTES);
    }

    cr_assert_geq(figures.entries, 90);
    cr_assert_eq(figures.evictions, 10000 - figures.entries);
}

Test(cache, a_value_that_would_push_out_all_others_is_not_kept)
{
    char large[5000];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    start(100, 4000);
    put(1, "one", 100);

    put(2, large, 100);

    cr_assert_null(get(2, 0));
    cr_assert_str_eq(get(1, 0), "one");
}

Test(cache, a_second_value_replaces_the_first)
{
    cache_figures_t figures;
    start(10, 100000);
    put(1, "one", 100);

    put(1, "uno", 200);

    cr_assert_str_eq(get(1, 150), "uno");
    cache_figures(cache, &figures);
    cr_assert_eq(figures.entries, 1);
    cr_assert_eq(figures.evictions, 0);
}

Test(cache, figures_count_hits_and_misses)
{
    cache_figures_t figures;
    start(10, 100000);
    put(1, "one", 100);
    (void)get(1, 0);
    (void)get(1, 0);
    (void)get(2, 0);

    cache_clear(cache);

    cache_figures(cache, &figures);
    cr_assert_eq(figures.hits, 2);
    cr_assert_eq(figures.misses, 1);
    cr_assert_eq(figures.entries, 0);
}

Test(cache, none_is_kept_where_none_may_be)
{
    start(0, 100000);

    put(1, "one", 100);

    cr_assert_null(get(1, 0));
}
