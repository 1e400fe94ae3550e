/* SPDX-License-Identifier: MIT */
#include "tests/contract/place_story.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

page_t *page;
trp_place_t place;

static const book_t *book;
static const story_t *story;

void wait_for_step(int step)
{
    while (atomic_load_explicit(&page->step, memory_order_acquire) < step) {
        sched_yield();
    }
}

void set_step(int step)
{
    atomic_store_explicit(&page->step, step, memory_order_release);
}

const story_t *story_now(void)
{
    return story;
}

int verdict(bool passed)
{
    return passed ? NODE_PASSED : NODE_FAILED;
}

bool ask(trp_ctx_t *ctx, const asker_t *asker, uint16_t tag)
{
    uint64_t id;
    const trp_request_t request = {.to = asker->subject, .tag = tag};
    return trp_request(ctx, &request, &id) == TRP_OK;
}

uint32_t number_of(const trp_envelope_t *message)
{
    uint32_t number = UINT32_MAX;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&number, data, size < sizeof(number) ? size : sizeof(number));
    return number;
}

trp_reason_t reason_of(const trp_envelope_t *message)
{
    trp_reason_t reason = {0};
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&reason, data, size < sizeof(reason) ? size : sizeof(reason));
    return reason;
}

bool is_down(const trp_envelope_t *message, const asker_t *asker, trp_reason_kind_t kind)
{
    return message->tag == TRP_TAG_DOWN && message->request_id == asker->ref &&
           trp_pid_equal(message->from, asker->subject) && reason_of(message).kind == kind;
}

/* ---- the driver ---- */

static trp_status_t asker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    asker_t *asker = state;
    trp_spawn_t spawn = story->spawn;
    spawn.class = book->subject;
    spawn.place = place;
    spawn.monitor = true;
    spawn.monitor_ref = &asker->ref;
    spawn.ack = true;
    const trp_status_t status = trp_spawn(ctx, &spawn, &asker->subject);
    if (status == TRP_OK && story->killed_at_once) {
        const trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
        trp_exit(ctx, asker->subject, &reason);
    }
    return status;
}

static trp_status_t asker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    asker_t *asker = state;
    const int status = message->tag == TRP_TAG_STARTED ? story->started(ctx, asker)
                                                       : story->told(ctx, asker, message);
    if (status == NODE_FAILED) {
        fprintf(stderr, "place %d: %s: at message %#x\n", (int)place, story->text, message->tag);
    }
    if (status != ON) {
        node_end(runtime_of(ctx), status);
    }
    return TRP_OK;
}

static const trp_class_t asker_class = {
    .name = "asker", .state_size = sizeof(asker_t), .init = asker_init, .receive = asker_receive};

/* ---- the test ---- */

size_t story_numbers(const book_t *of, size_t numbers[STORY_NUMBERS])
{
    size_t count = 0;
    for (size_t i = 0; i < of->count * TRP_PLACE_COUNT; i++) {
        if (i / of->count != TRP_PLACE_POOL || !of->stories[i % of->count].not_in_pool) {
            cr_assert_lt(count, STORY_NUMBERS);
            numbers[count++] = i;
        }
    }
    return count;
}

void story_tell(const book_t *of, size_t number)
{
    const trp_class_t *const classes[] = {of->subject, NULL};
    book = of;
    story = &of->stories[number % of->count];
    place = (trp_place_t)(number / of->count);
    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(page, MAP_FAILED);

    cr_expect_eq(node_fixture_drive(&asker_class, classes), NODE_PASSED, "place %d: %s", (int)place,
                 story->text);
}
