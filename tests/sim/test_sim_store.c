/* SPDX-License-Identifier: MIT */
/* The actor of a store, with the backend in memory and with one that blocks, fails and dies. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "runtime/store.h"
#include "tests/sim/sim.h"

static trp_sim_t *sim;
static trp_pid_t store;
static store_answer_t answer;
static trp_document_t document;

static void open_world(const trp_class_t *class)
{
    static const trp_class_t *const classes[] = {&trp_sim_store_class, &trp_store_class, NULL};
    sim = trp_sim_open(&(trp_sim_options_t){.seed = 3});
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a", .classes = classes});
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_write_map(&writer, class == &trp_sim_store_class);
    if (class == &trp_sim_store_class) {
        trp_put_text(&writer, "where", "s");
    }
    const void *args = trp_writer_data(&writer, &size);
    store = trp_sim_spawn(
        sim, "a", &(trp_spawn_t){.class = class, .name = "store", .args = args, .args_size = size});
    trp_writer_fini(&writer);
}

/* Asks, and has the answer read; it is valid until done(). */
static void ask(const trp_schema_t *schema, const void *value)
{
    zmq_msg_t message;
    trp_fault_t fault;
    cr_assert_eq(trp_schema_pack(schema, value, &message), TRP_OK);
    const trp_request_t request = {.to = store, .tag = schema->tag, .message = &message};
    (void)trp_sim_request(sim, &request);
    trp_sim_advance(sim, 10);
    const trp_envelope_t *got = trp_sim_expect(sim, TRP_TAG_STORE_ANSWER);
    cr_assert_eq(trp_message_unpack(&store_answer_schema, got, &document, &answer, &fault), TRP_OK,
                 "%s %s", fault.path, fault.rule);
}

static trp_text_t text(const char *words)
{
    return (trp_text_t){words, strlen(words)};
}

static int64_t put(const char *key, const char *value, bool sync)
{
    ask(&store_put_schema, &(store_put_t){.key = text(key), .value = text(value), .sync = sync});
    const trp_status_t status = (trp_status_t)answer.status;
    trp_document_fini(&document);
    return status == TRP_OK ? answer.version : -(int64_t)status;
}

static void expect_value(const char *key, const char *value)
{
    ask(&store_get_schema, &(store_get_t){.key = text(key)});
    cr_expect_eq(answer.status, value == NULL ? TRP_NOT_FOUND : TRP_OK);
    if (value != NULL) {
        cr_assert_eq(answer.value.size, strlen(value));
        cr_expect_arr_eq(answer.value.data, value, strlen(value));
    }
    trp_document_fini(&document);
}

Test(store_actor, each_request_has_its_answer)
{
    open_world(&trp_store_class);
    const int64_t version = put("a/1", "one", true);
    cr_assert_gt(version, 0);
    expect_value("a/1", "one");
    expect_value("a/2", NULL);

    const store_put_t stale = {.key = text("a/1"), .value = text("x"), .has_expect = true};
    ask(&store_put_schema, &stale);
    cr_expect_eq(answer.status, TRP_CONFLICT);
    cr_expect_eq(answer.version, version);
    trp_document_fini(&document);
    cr_assert_gt(put("a/2", "two", false), version);
    ask(&store_scan_schema, &(store_scan_t){.prefix = text("a/"), .has_limit = true, .limit = 1});
    cr_expect_eq(answer.records_count, 1);
    cr_expect(answer.more);
    cr_expect_arr_eq(answer.records[0].value.data, "one", 3);
    trp_document_fini(&document);
    ask(&store_delete_schema,
        &(store_delete_t){.key = text("a/1"), .has_expect = true, .expect = version});
    cr_expect_eq(answer.status, TRP_OK);
    trp_document_fini(&document);
    expect_value("a/1", NULL);
    (void)trp_sim_request(sim, &(trp_request_t){.to = store, .tag = TRP_TAG_STORE_SYNC});
    (void)trp_sim_expect(sim, TRP_TAG_STORE_ANSWER);
    cr_expect(trp_sim_close(&sim));
}

Test(store_actor, garbage_is_answered_with_what_is_wrong)
{
    open_world(&trp_store_class);
    static const char *const bodies[] = {"", "\xc1", "\x81\xa3key", "{\"key\":\"\"}",
                                         "{\"key\":\"k\",\"prefix\":1}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        trp_fault_t fault;
        (void)trp_sim_request(sim, &(trp_request_t){.to = store,
                                                    .tag = TRP_TAG_STORE_GET,
                                                    .data = bodies[i],
                                                    .size = strlen(bodies[i])});
        const trp_envelope_t *got = trp_sim_expect(sim, TRP_TAG_STORE_ANSWER);
        cr_assert_eq(trp_message_unpack(&store_answer_schema, got, &document, &answer, &fault),
                     TRP_OK);
        cr_expect_eq(answer.status, TRP_PAYLOAD, "%zu", i);
        cr_expect(answer.has_error);
        trp_document_fini(&document);
    }
    trp_sim_send(sim, store, TRP_TAG_STORE_PUT, "junk", 4); /* nobody waits for an answer */
    trp_sim_send(sim, store, TRP_TAG_USER, "junk", 4);
    trp_sim_send(sim, store, TRP_TAG_STORE_CHANGED, "junk", 4);
    trp_sim_expect_nothing(sim);
    cr_expect(trp_sim_lives(sim, store));
    cr_expect(trp_sim_close(&sim));
}

static void expect_changed(const char *key, bool is_deleted, bool missed)
{
    store_changed_t changed;
    trp_fault_t fault;
    const trp_envelope_t *got = trp_sim_expect(sim, TRP_TAG_STORE_CHANGED);
    cr_assert_eq(trp_message_unpack(&store_changed_schema, got, &document, &changed, &fault),
                 TRP_OK);
    cr_expect_eq(changed.key.size, strlen(key));
    cr_expect_arr_eq(changed.key.data, key, strlen(key));
    cr_expect_eq(changed.deleted, is_deleted);
    cr_expect_eq(changed.missed, missed);
    trp_document_fini(&document);
}

static void watch(const char *prefix, bool stop)
{
    ask(&store_watch_schema, &(store_watch_t){.prefix = text(prefix), .stop = stop});
    cr_expect_eq(answer.status, TRP_OK);
    trp_document_fini(&document);
}

/* A write by a plain message has no answer. */
static void send_put(const char *key)
{
    zmq_msg_t message;
    const store_put_t what = {.key = text(key), .value = text("v")};
    cr_assert_eq(trp_schema_pack(&store_put_schema, &what, &message), TRP_OK);
    trp_sim_send(sim, store, TRP_TAG_STORE_PUT, zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
    trp_sim_advance(sim, 10);
}

Test(store_actor, who_watches_hears_of_what_he_watches)
{
    open_world(&trp_store_class);
    watch("a/", false);
    watch("a/", false); /* twice is once */
    send_put("a/1");
    expect_changed("a/1", false, false);
    send_put("b/1");
    trp_sim_expect_nothing(sim);
    watch("", true);
    send_put("a/1");
    trp_sim_expect_nothing(sim);
    cr_expect(trp_sim_close(&sim));
}

Test(store_actor, a_backend_that_blocks_answers_in_order)
{
    open_world(&trp_sim_store_class);
    for (int i = 0; i < 5; i++) {
        send_put("k"); /* queued together while it opens */
    }
    const int64_t version = put("k", "last", true);
    cr_expect_gt(version, 0);
    expect_value("k", "last");
    cr_expect(trp_sim_close(&sim));
}

Test(store_actor, what_was_not_synced_is_lost_when_the_store_dies)
{
    open_world(&trp_sim_store_class);
    cr_assert_gt(put("durable", "x", true), 0);
    const int64_t lost = put("loose", "x", false);
    cr_assert_gt(lost, 0);
    trp_sim_fault(sim, "kill store s");

    expect_value("durable", "x");
    expect_value("loose", NULL);
    cr_expect_gt(put("loose", "y", false), lost, "its version is not given again");
    cr_expect(trp_sim_close(&sim));
}

Test(store_actor, a_store_that_cannot_be_reached_says_so_and_what_was_missed_is_told)
{
    open_world(&trp_sim_store_class);
    watch("", false);
    trp_sim_fault(sim, "split a | s");
    cr_expect_eq(put("k", "v", true), -(int64_t)TRP_TIMEOUT);
    trp_sim_fault(sim, "heal");
    expect_value("k", NULL);

    trp_sim_fault(sim, "cut s -> a");
    cr_expect_eq(put("k", "v", true), -(int64_t)TRP_TIMEOUT, "done, and nobody heard of it");
    trp_sim_fault(sim, "heal");
    trp_sim_advance(sim, 10);
    expect_changed("", false, true);
    expect_value("k", "v");
    cr_expect(trp_sim_close(&sim));
}

Test(store_actor, a_store_that_ends_is_told_to_who_waits)
{
    open_world(&trp_sim_store_class);
    trp_sim_advance(sim, 10);
    const store_get_t get = {.key = text("k")};
    zmq_msg_t message;
    cr_assert_eq(trp_schema_pack(&store_get_schema, &get, &message), TRP_OK);
    (void)trp_sim_request(
        sim, &(trp_request_t){.to = store, .tag = TRP_TAG_STORE_GET, .message = &message});
    trp_sim_fault(sim, "kill actor store");
    trp_sim_advance(sim, 10);

    (void)trp_sim_expect(sim, TRP_TAG_DOWN);
    cr_expect(trp_sim_close(&sim));
}
