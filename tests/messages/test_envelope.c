/* SPDX-License-Identifier: MIT */
#include "messages/envelope.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static trp_envelope_t *filled(const void *data, size_t size)
{
    trp_envelope_t *envelope = envelope_alloc();
    cr_assert_not_null(envelope);
    cr_assert_eq(envelope_set(envelope, data, size), TRP_OK);
    return envelope;
}

Test(envelope, a_new_one_is_empty_and_addressed_to_nobody)
{
    trp_envelope_t *envelope = envelope_alloc();

    size_t size = 1;
    trp_message_data(envelope, &size);

    cr_assert_eq(size, 0);
    cr_assert(trp_pid_is_none(envelope->to));
    cr_assert_eq(envelope->flags, 0);
    envelope_free(envelope);
}

Test(envelope, payloads_up_to_the_inline_bound_need_no_libzmq)
{
    char data[TRP_INLINE_MAX];
    memset(data, 'x', sizeof(data));

    trp_envelope_t *envelope = filled(data, sizeof(data));

    size_t size = 0;
    cr_assert_eq(memcmp(trp_message_data(envelope, &size), data, sizeof(data)), 0);
    cr_assert_eq(size, sizeof(data));
    cr_assert_eq(envelope->flags & TRP_ENVELOPE_SHARED, 0);
    envelope_free(envelope);
}

Test(envelope, larger_payloads_are_shared_and_copies_hold_the_same_bytes)
{
    char data[TRP_INLINE_MAX + 1];
    memset(data, 'y', sizeof(data));
    trp_envelope_t *envelope = filled(data, sizeof(data));

    trp_envelope_t *copy = envelope_copy(envelope);

    size_t size = 0;
    const void *bytes = trp_message_data(envelope, &size);
    size_t copied = 0;
    cr_assert_eq(trp_message_data(copy, &copied), bytes, "one payload, two envelopes");
    envelope_free(envelope);
    cr_assert_eq(memcmp(trp_message_data(copy, &copied), data, sizeof(data)), 0);
    cr_assert_eq(copied, sizeof(data));
    envelope_free(copy);
}

Test(envelope, a_copy_keeps_the_header_but_not_the_list)
{
    trp_envelope_t *envelope = filled("abc", 3);
    envelope->tag = 0x1001;
    envelope->request_id = 7;
    envelope->next = envelope;

    trp_envelope_t *copy = envelope_copy(envelope);

    cr_assert_null(copy->next);
    cr_assert_eq(copy->tag, 0x1001);
    cr_assert_eq(copy->request_id, 7);
    cr_assert_eq(copy->inline_size, 3);
    envelope_free(copy);
    envelope_free(envelope);
}

Test(envelope, a_moved_message_is_left_empty)
{
    const size_t sizes[] = {0, 5, TRP_INLINE_MAX, TRP_INLINE_MAX + 1, 10000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        zmq_msg_t message;
        cr_assert_eq(zmq_msg_init_size(&message, sizes[i]), 0);
        memset(zmq_msg_data(&message), 'z', sizes[i]);
        trp_envelope_t *envelope = envelope_alloc();

        trp_status_t status = envelope_move(envelope, &message);

        size_t size = 0;
        trp_message_data(envelope, &size);
        cr_assert_eq(status, TRP_OK);
        cr_assert_eq(size, sizes[i]);
        cr_assert_eq(zmq_msg_size(&message), 0);
        zmq_msg_close(&message);
        envelope_free(envelope);
    }
}

enum { MANY = 1000 };

static void *free_all(void *list)
{
    for (trp_envelope_t *at = list; at != NULL;) {
        trp_envelope_t *next = at->next;
        envelope_free(at);
        at = next;
    }
    return NULL;
}

Test(envelope, what_one_thread_allocates_another_may_free)
{
    for (int round = 0; round < 10; round++) {
        trp_envelope_t *list = NULL;
        for (int i = 0; i < MANY; i++) {
            trp_envelope_t *envelope = filled(&i, sizeof(i));
            envelope->next = list;
            list = envelope;
        }

        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, free_all, list), 0);
        cr_assert_eq(pthread_join(thread, NULL), 0);
    }

    trp_envelope_t *last = envelope_alloc();
    cr_assert_not_null(last);
    envelope_free(last);
}

Test(envelope, a_metered_envelope_is_counted_when_it_is_freed_and_its_copy_is_not)
{
    const envelope_meter_t before = envelope_meter();
    trp_envelope_t *envelope = envelope_alloc();
    cr_assert_eq(envelope_set(envelope, "0123456789", 10), TRP_OK);
    envelope->flags |= TRP_ENVELOPE_METERED;
    trp_envelope_t *copy = envelope_copy(envelope);

    envelope_free(envelope);
    envelope_free(copy);

    cr_expect_eq(envelope_meter().messages - before.messages, 1);
    cr_expect_eq(envelope_meter().bytes - before.bytes, 10);
}

#define BURST 1000000

static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%*u %lu", &pages), 1);
    fclose(file);
    return pages * 4096;
}

Test(envelope, the_memory_of_a_burst_goes_back_to_the_system)
{
    envelope_free(envelope_alloc());
    size_t before = resident_bytes();
    size_t had = envelope_memory();
    trp_envelope_t *list = NULL;

    for (size_t i = 0; i < BURST; i++) {
        trp_envelope_t *envelope = envelope_alloc();
        cr_assert_not_null(envelope);
        envelope->next = list;
        list = envelope;
    }
    size_t high = resident_bytes();
    while (list != NULL) {
        trp_envelope_t *next = list->next;
        envelope_free(list);
        list = next;
    }

    cr_expect_geq(high - before, BURST * sizeof(trp_envelope_t));
    (void)had;
#if !defined(__SANITIZE_ADDRESS__) /* there each is a block of malloc's, and goes there */
    cr_expect_leq(envelope_memory() - had, BURST * sizeof(trp_envelope_t) / 4);
    cr_expect_leq(resident_bytes() - before, (high - before) / 4);
#endif
}
