/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "messages/reason.h"
#include "messages/system.h"
#include "messages/wire.h"

#define NOW 1000000

static const wire_report_t report = {.messages = 7, .bytes = 0x123456789aull};
static wire_batch_t batch;
static zmq_msg_t *frames;
static size_t count;

static void setup(void)
{
    wire_batch_init(&batch);
}

static void teardown(void)
{
    wire_batch_fini(&batch);
}

TestSuite(wire, .init = setup, .fini = teardown);

static trp_envelope_t small(const char *text)
{
    trp_envelope_t envelope = {
        .to = {0x10000, 2, 3, 4},
        .from = {5, 6, 7, 8},
        .request_id = 0xfedcba9876543210u,
        .deadline_ns = NOW + 500,
        .trace_id = 99,
        .tag = 0x1234,
        .flags = TRP_ENVELOPE_REPLY,
        .inline_size = (uint8_t)strlen(text),
    };
    memcpy(envelope.payload.bytes, text, strlen(text));
    return envelope;
}

static trp_envelope_t shared(size_t size)
{
    trp_envelope_t envelope = {.tag = 1, .flags = TRP_ENVELOPE_SHARED};
    cr_assert_eq(zmq_msg_init_size(&envelope.payload.message, size), 0);
    memset(zmq_msg_data(&envelope.payload.message), 'x', size);
    return envelope;
}

static void add(const trp_envelope_t *envelope)
{
    cr_assert_eq(wire_batch_add(&batch, envelope), TRP_OK);
}

static void seal(void)
{
    cr_assert_eq(wire_batch_seal(&batch, &report, &frames, &count), TRP_OK);
}

/* A small one, one of 8 KiB that rides apart, one without a payload. */
static void make_mixed_batch(void)
{
    trp_envelope_t one = small("hello");
    trp_envelope_t two = shared(WIRE_COPY_MAX + 1);
    trp_envelope_t three = small("");
    add(&one);
    add(&two);
    add(&three);
    zmq_msg_close(&two.payload.message);
    seal();
}

Test(wire, an_envelope_comes_back_as_it_was)
{
    wire_reader_t reader;
    wire_item_t item;
    make_mixed_batch();

    cr_assert_eq(count, 2);
    cr_assert_eq(wire_open(&reader, frames, count), TRP_OK);

    cr_expect_eq(reader.kind, WIRE_DATA);
    cr_expect(reader.report.messages == report.messages && reader.report.bytes == report.bytes);
    cr_assert(wire_next(&reader, &item));
    cr_expect(trp_pid_equal(item.to, (trp_pid_t){0x10000, 2, 3, 4}));
    cr_expect(trp_pid_equal(item.from, (trp_pid_t){5, 6, 7, 8}));
    cr_expect_eq(item.request_id, 0xfedcba9876543210u);
    cr_expect_eq(item.deadline_ns, NOW + 500);
    cr_expect_eq(item.trace_id, 99);
    cr_expect_eq(item.tag, 0x1234);
    cr_expect_eq(item.flags, TRP_ENVELOPE_REPLY);
    cr_expect(item.size == 5 && memcmp(item.data, "hello", 5) == 0 && item.frame == NULL);
    cr_assert(wire_next(&reader, &item));
    cr_expect_eq(item.size, WIRE_COPY_MAX + 1);
    cr_expect_eq(item.frame, &frames[1]);
    cr_expect_eq(item.flags, 0, "where a payload lives is the receiver's business");
    cr_assert(wire_next(&reader, &item));
    cr_expect_eq(item.size, 0);
    cr_expect_not(wire_next(&reader, &item));
}

Test(wire, the_payload_of_the_limit_is_copied_and_the_next_one_is_not)
{
    trp_envelope_t at_limit = shared(WIRE_COPY_MAX);
    trp_envelope_t above = shared(WIRE_COPY_MAX + 1);
    add(&at_limit);
    add(&above);

    seal();

    cr_expect_eq(count, 2);
    cr_expect_eq(zmq_msg_data(&frames[1]), zmq_msg_data(&above.payload.message));
    zmq_msg_close(&at_limit.payload.message);
    zmq_msg_close(&above.payload.message);
}

Test(wire, a_deadline_is_the_same_at_both_ends)
{
    trp_envelope_t soon = small("x");
    trp_envelope_t never = small("x");
    soon.deadline_ns = 1;
    never.deadline_ns = 0;
    wire_reader_t reader;
    wire_item_t item;
    add(&soon);
    add(&never);
    seal();

    cr_assert_eq(wire_open(&reader, frames, count), TRP_OK);

    cr_expect(wire_next(&reader, &item) && item.deadline_ns == 1);
    cr_expect(wire_next(&reader, &item) && item.deadline_ns == 0);
}

Test(wire, every_truncation_is_refused)
{
    make_mixed_batch();
    size_t size = zmq_msg_size(&frames[0]);
    for (size_t length = 0; length < size; length++) {
        zmq_msg_t cut[2];
        wire_reader_t reader;
        zmq_msg_init_size(&cut[0], length);
        memcpy(zmq_msg_data(&cut[0]), zmq_msg_data(&frames[0]), length);
        zmq_msg_init(&cut[1]);
        zmq_msg_copy(&cut[1], &frames[1]);

        trp_status_t status = wire_open(&reader, cut, 2);

        cr_expect_eq(status, TRP_PROTOCOL, "%zu bytes", length);
        zmq_msg_close(&cut[0]);
        zmq_msg_close(&cut[1]);
    }
}

Test(wire, a_wrong_number_of_frames_is_refused)
{
    wire_reader_t reader;
    zmq_msg_t three[3];
    make_mixed_batch();
    for (size_t i = 0; i < 3; i++) {
        zmq_msg_init(&three[i]);
        zmq_msg_copy(&three[i], &frames[i < count ? i : 1]);
    }

    cr_expect_eq(wire_open(&reader, three, 0), TRP_PROTOCOL);
    cr_expect_eq(wire_open(&reader, three, 1), TRP_PROTOCOL);
    cr_expect_eq(wire_open(&reader, three, 2), TRP_OK);
    cr_expect_eq(wire_open(&reader, three, 3), TRP_PROTOCOL);
    for (size_t i = 0; i < 3; i++) {
        zmq_msg_close(&three[i]);
    }
}

/* Each lie is one byte of a batch whose first envelope begins at byte 32. */
Test(wire, a_lie_in_the_head_or_in_an_envelope_is_refused)
{
    static const struct {
        size_t at;
        unsigned char byte;
        const char *what;
    } lies[] = {
        {0, 'X', "magic"},
        {4, WIRE_VERSION - 1, "former version"},
        {4, WIRE_VERSION + 1, "later version"},
        {5, 0, "kind 0"},
        {5, WIRE_KIND_END, "unknown kind"},
        {5, WIRE_REPORT, "kind without envelopes"},
        {6, 2, "fewer envelopes"},
        {6, 4, "more envelopes"},
        {7, 0xff, "count"},
        {8, 0, "bytes"},
        {11, 0xff, "bytes"},
        {12, 0, "further frames"},
        {12, 2, "further frames"},
        {32 + 47, 0x80, "negative time left"},
        {32 + 54, 0x01, "flag SHARED"},
        {32 + 54, TRP_ENVELOPE_STRUCT, "flag STRUCT: an address of the other process"},
        {32 + 54, 0x80, "unknown flag"},
        {32 + 55, 1, "payload apart"},
        {32 + 55, 2, "neither here nor apart"},
        {32 + 56, 6, "size"},
        {32 + 59, 0xff, "size"},
        {32 + 60, 1, "not zero"},
    };
    make_mixed_batch();
    unsigned char *bytes = zmq_msg_data(&frames[0]);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        wire_reader_t reader;
        unsigned char truth = bytes[lies[i].at];
        bytes[lies[i].at] = lies[i].byte;

        trp_status_t status = wire_open(&reader, frames, count);

        cr_expect_eq(status, TRP_PROTOCOL, "%s at %zu", lies[i].what, lies[i].at);
        bytes[lies[i].at] = truth;
    }
}

Test(wire, garbage_never_reads_beyond_a_frame)
{
    srandom(7);
    make_mixed_batch();
    size_t size = zmq_msg_size(&frames[0]);
    unsigned char *copy =
        malloc(size); /* of exactly its size: a sanitizer sees the first byte behind */
    for (size_t round = 0; round < 20000; round++) {
        memcpy(copy, zmq_msg_data(&frames[0]), size);
        for (long changes = random() % 4; changes >= 0; changes--) {
            copy[(size_t)random() % size] = (unsigned char)random();
        }
        zmq_msg_t garbled[2];
        zmq_msg_init_data(&garbled[0], copy, size, NULL, NULL);
        zmq_msg_init(&garbled[1]);
        zmq_msg_copy(&garbled[1], &frames[1]);
        wire_reader_t reader;
        wire_item_t item;
        unsigned int sum = 0;
        size_t items = 0;

        if (wire_open(&reader, garbled, 2) == TRP_OK) {
            for (; wire_next(&reader, &item); items++) {
                for (size_t i = 0; i < item.size; i++) {
                    sum += ((const unsigned char *)item.data)[i];
                }
            }
        }

        cr_assert(items <= 3, "%u", sum);
        zmq_msg_close(&garbled[0]);
        zmq_msg_close(&garbled[1]);
    }
    free(copy);
}

Test(wire, a_batch_says_when_it_is_full_and_can_be_used_again)
{
    trp_envelope_t envelope = small("0123456789");
    for (size_t i = 0; i < WIRE_COUNT_MAX; i++) {
        cr_assert_eq(wire_batch_add(&batch, &envelope), TRP_OK);
    }

    cr_expect_eq(wire_batch_add(&batch, &envelope), TRP_FULL);
    seal();
    wire_reader_t reader;
    cr_expect_eq(wire_open(&reader, frames, count), TRP_OK);
    cr_expect_eq(reader.count, WIRE_COUNT_MAX);
    wire_batch_clear(&batch);
    add(&envelope);
    seal();

    cr_expect_eq(wire_open(&reader, frames, count), TRP_OK);
    cr_expect_eq(reader.count, 1);
}

Test(wire, many_large_payloads_ride_each_in_a_frame)
{
    trp_envelope_t envelope = shared(10000);
    for (size_t i = 1; i < WIRE_FRAMES_MAX; i++) {
        add(&envelope);
    }

    cr_expect_eq(wire_batch_add(&batch, &envelope), TRP_FULL);
    seal();
    wire_reader_t reader;
    wire_item_t item;
    size_t items = 0;
    cr_assert_eq(wire_open(&reader, frames, count), TRP_OK);
    while (wire_next(&reader, &item)) {
        items += item.size == 10000 && item.frame != NULL ? 1 : 0;
    }

    cr_expect_eq(items, WIRE_FRAMES_MAX - 1);
    zmq_msg_close(&envelope.payload.message);
}

Test(wire, other_kinds_carry_a_body)
{
    zmq_msg_t frame;
    wire_reader_t reader;

    cr_assert_eq(wire_frame(WIRE_HELLO, &report, "body", 4, &frame), TRP_OK);

    cr_assert_eq(wire_open(&reader, &frame, 1), TRP_OK);
    cr_expect_eq(reader.kind, WIRE_HELLO);
    cr_expect(reader.body_size == 4 && memcmp(reader.body, "body", 4) == 0);
    cr_expect_not(wire_next(&reader, &(wire_item_t){.size = 0}));
    zmq_msg_close(&frame);
}

Test(wire, an_item_becomes_an_envelope_of_its_own)
{
    trp_envelope_t one = small("hello");
    trp_envelope_t two = shared(10000);
    wire_reader_t reader;
    wire_item_t item;
    size_t size;
    add(&one);
    add(&two);
    zmq_msg_close(&two.payload.message);
    seal();
    cr_assert_eq(wire_open(&reader, frames, count), TRP_OK);
    trp_envelope_t *first = envelope_alloc();
    trp_envelope_t *second = envelope_alloc();

    cr_assert(wire_next(&reader, &item));
    cr_assert_eq(wire_envelope(&item, first), TRP_OK);
    cr_assert(wire_next(&reader, &item));
    cr_assert_eq(wire_envelope(&item, second), TRP_OK);
    wire_batch_clear(&batch); /* the frames are gone: nothing may point into them */

    cr_expect_eq(first->deadline_ns, NOW + 500);
    cr_expect_eq(first->flags, TRP_ENVELOPE_REPLY);
    cr_expect_eq(first->request_id, one.request_id);
    cr_expect(trp_pid_equal(first->to, one.to) && trp_pid_equal(first->from, one.from));
    cr_expect(memcmp(trp_message_data(first, &size), "hello", 5) == 0 && size == 5);
    cr_expect(memcmp(trp_message_data(second, &size), "xxxxx", 5) == 0 && size == 10000);
    cr_expect_eq(second->deadline_ns, 0);
    envelope_free(first);
    envelope_free(second);
}

Test(wire, a_batch_can_be_sealed_again_after_more_was_added)
{
    trp_envelope_t envelope = small("x");
    wire_reader_t reader;
    add(&envelope);
    seal();
    add(&envelope);

    seal();

    cr_assert_eq(wire_open(&reader, frames, count), TRP_OK);
    cr_expect_eq(reader.count, 2);
}

static trp_status_t open_signal(uint16_t tag, const void *data, size_t size)
{
    trp_envelope_t signal = {
        .tag = tag, .flags = TRP_ENVELOPE_SIGNAL, .inline_size = (uint8_t)size};
    wire_reader_t reader;
    memcpy(signal.payload.bytes, data, size);
    wire_batch_clear(&batch);
    add(&signal);
    seal();
    return wire_open(&reader, frames, count);
}

Test(wire, a_signal_is_taken_only_as_the_core_makes_it)
{
    static const uint16_t with_reason[] = {TRP_SIGNAL_EXIT, TRP_SIGNAL_KILL, TRP_SIGNAL_DOWN};
    static const uint16_t empty[] = {
        TRP_SIGNAL_LINK,      TRP_SIGNAL_UNLINK, TRP_SIGNAL_UNLINK_ACK, TRP_SIGNAL_MONITOR,
        TRP_SIGNAL_DEMONITOR, TRP_SIGNAL_SAVE,   TRP_TAG_STARTED};
    static const uint16_t never[] = {0,
                                     TRP_SIGNAL_TIMER,
                                     TRP_SIGNAL_LOOK,
                                     TRP_SIGNAL_NODE_DOWN,
                                     TRP_TAG_EXIT,
                                     TRP_TAG_TIMEOUT,
                                     0x1000};
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, "enough");
    trp_reason_t endless = reason;
    memset(endless.text, 'x', sizeof(endless.text));
    for (size_t i = 0; i < sizeof(with_reason) / sizeof(with_reason[0]); i++) {
        cr_expect_eq(open_signal(with_reason[i], &reason, sizeof(reason)), TRP_OK);
        cr_expect_eq(open_signal(with_reason[i], &reason, 3), TRP_PROTOCOL);
        cr_expect_eq(open_signal(with_reason[i], &endless, sizeof(endless)), TRP_PROTOCOL);
    }
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        cr_expect_eq(open_signal(empty[i], "", 0), TRP_OK);
        cr_expect_eq(open_signal(empty[i], "x", 1), TRP_PROTOCOL);
    }
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        cr_expect_eq(open_signal(never[i], "", 0), TRP_PROTOCOL, "%u", never[i]);
        cr_expect_eq(open_signal(never[i], &reason, sizeof(reason)), TRP_PROTOCOL, "%u", never[i]);
    }
}
