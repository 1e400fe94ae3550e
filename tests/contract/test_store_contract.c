/* SPDX-License-Identifier: MIT */
/* What every store must do; one row of `backends` for each. Slots may block; each test opens an
 * empty store, or says that it opens one again. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/store.h"
#include "tests/sim/sim_store.h"

typedef struct backend {
    const trp_store_t *store;
    bool outlives; /* what was synced is there when it is opened again */
} backend_t;

static const backend_t backends[] = {
    {&trp_store_memory, false},
    {&sim_store_backend, true},
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

static struct criterion_test_params every_backend(void)
{
    static size_t numbers[BACKENDS];
    for (size_t i = 0; i < BACKENDS; i++) {
        numbers[i] = i;
    }
    return cr_make_param_array(size_t, numbers, BACKENDS);
}

/* ---- a store, and a clock that stands still ---- */

static const backend_t *backend;
static const trp_store_t *slots;
static void *store;
static int64_t clock_ms;
static sim_store_how_t ground = {.owner = "node"};

static int64_t now_ms(void *user)
{
    (void)user;
    return clock_ms;
}

static void open_with(size_t size_max)
{
    const trp_store_options_t options = {.where = "contract",
                                         .how = slots == &sim_store_backend ? &ground : NULL,
                                         .size_max = size_max,
                                         .epoch_ms = now_ms};
    cr_assert_eq(slots->open(&options, &store), TRP_OK);
}

static void begin(const size_t *number)
{
    backend = &backends[*number];
    slots = backend->store;
    clock_ms = 1800000000000;
    if (slots == &sim_store_backend) {
        ground.sim = trp_sim_open(NULL);
    }
    open_with(0);
}

static void end(void)
{
    slots->close(&store);
    cr_assert_null(store);
    if (ground.sim != NULL) {
        cr_assert(trp_sim_close(&ground.sim));
    }
}

/* Time passes for the store, by whose clock it may be. */
static void wait_ms(int64_t ms)
{
    clock_ms += ms;
    if (ground.sim != NULL) {
        trp_sim_advance(ground.sim, ms);
    }
}

static trp_text_t text(const char *words)
{
    return (trp_text_t){words, strlen(words)};
}

static trp_status_t put(const char *key, const char *value, int64_t expect, int64_t *version)
{
    const trp_store_write_t write = {.key = text(key), .value = text(value), .expect = expect};
    return slots->put(store, &write, version);
}

static int64_t put_any(const char *key, const char *value)
{
    int64_t version = 0;
    cr_assert_eq(put(key, value, TRP_STORE_ANY, &version), TRP_OK);
    return version;
}

static trp_status_t drop(const char *key, int64_t expect, int64_t *version)
{
    const trp_store_write_t write = {.key = text(key), .expect = expect};
    return slots->delete (store, &write, version);
}

static void expect_value(const char *key, const char *value, int64_t version)
{
    trp_store_record_t record;
    cr_assert_eq(slots->get(store, text(key), &record), TRP_OK, "%s", key);
    cr_expect_eq(record.value.size, strlen(value));
    if (value[0] != '\0') {
        cr_expect_arr_eq(record.value.data, value, strlen(value));
    }
    cr_expect_eq(record.key.size, strlen(key));
    cr_expect_eq(record.version, version);
}

static void expect_none(const char *key)
{
    trp_store_record_t record;
    cr_expect_eq(slots->get(store, text(key), &record), TRP_NOT_FOUND, "%s", key);
}

/* A test of all backends, between begin and end. */
#define CONTRACT(name)                                      \
    ParameterizedTestParameters(store_contract, name)       \
    {                                                       \
        return every_backend();                             \
    }                                                       \
    static void name(void);                                 \
    ParameterizedTest(size_t *number, store_contract, name) \
    {                                                       \
        begin(number);                                      \
        name();                                             \
        end();                                              \
    }                                                       \
    static void name(void)

/* ---- reading and writing ---- */

CONTRACT(what_was_put_is_read)
{
    const int64_t version = put_any("key", "value");

    cr_expect_gt(version, 0);
    expect_value("key", "value", version);
    expect_none("ke");
    expect_none("key2");
}

CONTRACT(bytes_are_bytes)
{
    static const char bytes[] = "\0\xff\0\x80";
    const trp_store_write_t write = {
        .key = {bytes, 4}, .value = {bytes, 3}, .expect = TRP_STORE_ANY};
    trp_store_record_t record;
    int64_t version;

    cr_assert_eq(slots->put(store, &write, &version), TRP_OK);

    cr_assert_eq(slots->get(store, (trp_text_t){bytes, 4}, &record), TRP_OK);
    cr_expect_eq(record.value.size, 3);
    cr_expect_arr_eq(record.value.data, bytes, 3);
    cr_expect_eq(slots->get(store, (trp_text_t){bytes, 1}, &record), TRP_NOT_FOUND);
}

CONTRACT(a_value_may_be_empty_and_is_there)
{
    expect_value("key", "", put_any("key", ""));
}

CONTRACT(the_last_write_is_read)
{
    (void)put_any("key", "a long first value");
    const int64_t version = put_any("key", "b");

    expect_value("key", "b", version);
}

CONTRACT(what_was_deleted_is_gone)
{
    int64_t version = 0;
    const int64_t before = put_any("key", "value");

    cr_expect_eq(drop("key", TRP_STORE_ANY, &version), TRP_OK);

    cr_expect_gt(version, before);
    expect_none("key");
    cr_expect_eq(drop("key", TRP_STORE_ANY, &version), TRP_OK, "no error, and no write");
    cr_expect_eq(version, 0);
}

/* ---- versions ---- */

CONTRACT(versions_rise_over_all_keys)
{
    const int64_t first = put_any("a", "1");
    const int64_t second = put_any("b", "1");
    const int64_t third = put_any("a", "2");

    cr_expect_lt(first, second);
    cr_expect_lt(second, third);
    expect_value("a", "2", third);
}

CONTRACT(a_write_with_the_version_that_it_has_is_done)
{
    int64_t version = put_any("key", "1");

    cr_expect_eq(put("key", "2", version, &version), TRP_OK);

    expect_value("key", "2", version);
    cr_expect_eq(drop("key", version, &version), TRP_OK);
    expect_none("key");
}

CONTRACT(a_stale_owner_writes_nothing_and_hears_the_version)
{
    int64_t told = 0;
    const int64_t stale = put_any("key", "old owner");
    const int64_t version = put_any("key", "new owner");

    cr_expect_eq(put("key", "x", stale, &told), TRP_CONFLICT);
    cr_expect_eq(told, version);
    told = 0;
    cr_expect_eq(drop("key", stale, &told), TRP_CONFLICT);
    cr_expect_eq(told, version);

    expect_value("key", "new owner", version);
}

CONTRACT(what_must_not_exist_is_made_once)
{
    int64_t told = 0;
    int64_t version = 0;

    cr_expect_eq(put("key", "first", 0, &version), TRP_OK);
    cr_expect_eq(put("key", "second", 0, &told), TRP_CONFLICT);
    cr_expect_eq(told, version);
    cr_expect_eq(put("other", "x", version, &told), TRP_CONFLICT, "it does not exist");
    cr_expect_eq(told, 0);

    expect_value("key", "first", version);
    expect_none("other");
}

/* Otherwise who has read the first would take the second for it. */
CONTRACT(a_key_that_was_deleted_comes_back_with_a_higher_version)
{
    int64_t version = 0;
    const int64_t before = put_any("key", "1");
    cr_assert_eq(drop("key", before, &version), TRP_OK);

    const int64_t again = put_any("key", "2");

    cr_expect_gt(again, before);
    cr_expect_eq(put("key", "x", before, &version), TRP_CONFLICT);
}

CONTRACT(versions_are_higher_when_it_is_opened_again)
{
    for (int i = 0; i < 100; i++) {
        (void)put_any("key", "x");
    }
    const int64_t before = put_any("key", "1");
    cr_assert_eq(slots->sync(store), TRP_OK);
    slots->close(&store);
    wait_ms(1);
    open_with(0);

    cr_expect_gt(put_any("key", "2"), before);
}

CONTRACT(what_was_synced_outlives_the_handle)
{
    const int64_t version = put_any("key", "value");
    cr_assert_eq(slots->sync(store), TRP_OK);
    slots->close(&store);
    wait_ms(1);
    open_with(0);

    if (backend->outlives) {
        expect_value("key", "value", version);
    } else {
        expect_none("key");
    }
}

/* ---- what expires ---- */

static int64_t put_for(const char *key, int64_t ttl_ms)
{
    const trp_store_write_t write = {
        .key = text(key), .value = text("v"), .expect = TRP_STORE_ANY, .ttl_ms = ttl_ms};
    int64_t version = 0;
    cr_assert_eq(slots->put(store, &write, &version), TRP_OK);
    return version;
}

CONTRACT(what_expires_is_there_until_then_and_not_after)
{
    trp_store_record_t record;
    const int64_t version = put_for("lease", 1000);

    wait_ms(400);
    expect_value("lease", "v", version);
    cr_assert_eq(slots->get(store, text("lease"), &record), TRP_OK);
    cr_expect(record.ttl_ms > 0 && record.ttl_ms <= 600, "%ld", (long)record.ttl_ms);
    wait_ms(700);

    expect_none("lease");
}

CONTRACT(what_has_expired_does_not_exist_for_a_write)
{
    int64_t version = 0;
    const int64_t first = put_for("lease", 1000);
    cr_expect_eq(put("lease", "thief", 0, &version), TRP_CONFLICT);
    wait_ms(1100);

    cr_expect_eq(put("lease", "stale", first, &version), TRP_CONFLICT);
    cr_expect_eq(version, 0);
    cr_expect_eq(put("lease", "next", 0, &version), TRP_OK);

    cr_expect_gt(version, first);
    wait_ms(5000);
    expect_value("lease", "next", version);
}

/* ---- scans ---- */

typedef struct keys {
    char line[256];
    unsigned most;
} keys_t;

static bool note(void *user, const trp_store_record_t *record)
{
    keys_t *keys = user;
    const size_t size = strlen(keys->line);
    snprintf(keys->line + size, sizeof(keys->line) - size, "%.*s=%.*s ", (int)record->key.size,
             record->key.data, (int)record->value.size, record->value.data);
    cr_expect_gt(record->version, 0);
    return --keys->most > 0;
}

static void expect_scan(const char *prefix, const char *after, unsigned most, const char *line)
{
    keys_t keys = {.most = most};
    const trp_store_range_t range = {text(prefix), text(after)};
    cr_assert_eq(slots->scan(store, &range, &keys, note), TRP_OK);
    cr_expect_str_eq(keys.line, line);
}

CONTRACT(a_scan_has_the_keys_of_a_prefix_in_order)
{
    (void)put_any("b/2", "x");
    (void)put_any("a/9", "x");
    (void)put_any("b/10", "y");
    (void)put_any("b", "w");
    (void)put_any("c", "x");
    (void)put_any("b/2/1", "z");

    expect_scan("b", "", 9, "b=w b/10=y b/2=x b/2/1=z ");
    expect_scan("", "", 9, "a/9=x b=w b/10=y b/2=x b/2/1=z c=x ");
    expect_scan("b/", "b/10", 9, "b/2=x b/2/1=z ");
    expect_scan("b/", "a", 1, "b/10=y ");
    expect_scan("b/", "c", 9, "");
    expect_scan("d", "", 9, "");
}

CONTRACT(a_scan_leaves_out_what_is_gone)
{
    int64_t version;
    (void)put_any("a", "1");
    (void)put_any("b", "2");
    (void)put_for("c", 1000);
    (void)put_any("d", "4");
    cr_assert_eq(drop("b", TRP_STORE_ANY, &version), TRP_OK);
    wait_ms(2000);

    expect_scan("", "", 9, "a=1 d=4 ");
}

CONTRACT(many_keys_are_all_there)
{
    char key[16];
    int64_t version;
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof(key), "%04d", i * 7 % 2000);
        (void)put_any(key, key);
    }
    for (int i = 0; i < 2000; i += 2) {
        snprintf(key, sizeof(key), "%04d", i);
        cr_assert_eq(drop(key, TRP_STORE_ANY, &version), TRP_OK);
    }

    for (int i = 0; i < 2000; i++) {
        trp_store_record_t record;
        snprintf(key, sizeof(key), "%04d", i);
        cr_expect_eq(slots->get(store, text(key), &record), i % 2 == 0 ? TRP_NOT_FOUND : TRP_OK);
    }
    expect_scan("199", "", 9, "1991=1991 1993=1993 1995=1995 1997=1997 1999=1999 ");
}

/* ---- watches ---- */

typedef struct heard {
    char line[256];
    int64_t version;
} heard_t;

static void hear(void *user, trp_text_t key, int64_t version, bool is_deleted)
{
    heard_t *heard = user;
    const size_t size = strlen(heard->line);
    cr_expect_gt(version, heard->version);
    heard->version = version;
    snprintf(heard->line + size, sizeof(heard->line) - size, "%s%.*s ", is_deleted ? "-" : "+",
             (int)key.size, key.data);
}

CONTRACT(a_watch_hears_of_each_change_in_order)
{
    heard_t heard = {.version = 0};
    int64_t version = 0;
    const trp_store_watch_t watch = {.changed = hear, .user = &heard};
    (void)put_any("before", "x");
    const trp_status_t status = slots->watch(store, &watch);
    cr_assert(status == TRP_OK || status == TRP_UNSUPPORTED);

    (void)put_any("a", "1");
    (void)put_any("b", "1");
    cr_expect_eq(put("a", "2", 0, &version), TRP_CONFLICT);
    cr_expect_eq(drop("a", TRP_STORE_ANY, &version), TRP_OK);
    cr_expect_eq(drop("a", TRP_STORE_ANY, &version), TRP_OK);
    cr_assert_eq(slots->sync(store), TRP_OK);
    cr_assert_eq(slots->watch(store, NULL), status);
    (void)put_any("after", "x");

    cr_expect_str_eq(heard.line, status == TRP_OK ? "+a +b -a " : "");
}

/* ---- bounds ---- */

CONTRACT(keys_out_of_their_bounds_are_refused)
{
    static char longest[TRP_STORE_KEY_MAX + 1];
    trp_store_record_t record;
    int64_t version;
    memset(longest, 'k', sizeof(longest));
    trp_store_write_t write = {.key = {longest, TRP_STORE_KEY_MAX}, .expect = TRP_STORE_ANY};

    cr_expect_eq(slots->put(store, &write, &version), TRP_OK);
    cr_expect_eq(slots->get(store, write.key, &record), TRP_OK);
    for (size_t size = 0; size <= sizeof(longest); size += sizeof(longest)) {
        write.key.size = size;
        cr_expect_eq(slots->put(store, &write, &version), TRP_INVALID);
        cr_expect_eq(slots->delete (store, &write, &version), TRP_INVALID);
        cr_expect_eq(slots->get(store, write.key, &record), TRP_INVALID);
    }
}

CONTRACT(values_up_to_their_bound_are_kept)
{
    char *value = calloc(1, TRP_STORE_VALUE_MAX + 1);
    trp_store_record_t record;
    int64_t version;
    trp_store_write_t write = {
        .key = text("key"), .value = {value, TRP_STORE_VALUE_MAX}, .expect = TRP_STORE_ANY};
    value[TRP_STORE_VALUE_MAX - 1] = 'z';

    cr_expect_eq(slots->put(store, &write, &version), TRP_OK);
    cr_assert_eq(slots->get(store, text("key"), &record), TRP_OK);
    cr_expect_eq(record.value.size, TRP_STORE_VALUE_MAX);
    cr_expect_arr_eq(record.value.data, value, TRP_STORE_VALUE_MAX);
    write.value.size++;
    cr_expect_eq(slots->put(store, &write, &version), TRP_TOO_LARGE);
    cr_expect_eq(slots->get(store, text("key"), &record), TRP_OK, "the former value stays");
    free(value);
}

/* ---- of the memory alone: its bound is what it is given ---- */

static void open_small(void)
{
    slots = &trp_store_memory;
    clock_ms = 1800000000000;
    open_with(100);
}

static void close_small(void)
{
    slots->close(&store);
}

TestSuite(store_memory, .init = open_small, .fini = close_small);

Test(store_memory, what_has_no_room_is_refused_and_nothing_is_lost)
{
    int64_t version = 0;
    const int64_t first = put_any("a", "12345678901234567890123456789012345678901234567890");

    cr_expect_eq(put("b", "12345678901234567890123456789012345678901234567890", 0, &version),
                 TRP_FULL);
    expect_none("b");
    expect_value("a", "12345678901234567890123456789012345678901234567890", first);
    cr_expect_eq(drop("a", first, &version), TRP_OK);
    cr_expect_eq(put("b", "12345678901234567890123456789012345678901234567890", 0, &version),
                 TRP_OK, "what was deleted has made room");
}

Test(store_memory, what_has_expired_makes_room_by_and_by)
{
    char key[16];
    int64_t version = 0;
    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof(key), "%02d", i);
        (void)put_for(key, 1000);
    }
    wait_ms(2000);

    for (int i = 0; i < 30; i++) {
        (void)put_any("x", "y");
    }
    cr_expect_eq(put("b", "12345678901234567890123456789012345678901234567890123456789012345678901",
                     0, &version),
                 TRP_OK);
}
