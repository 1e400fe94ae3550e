/* SPDX-License-Identifier: MIT */
/* One definition, three places: build/examples/places run examples/places/places.conf
 *
 * Three tellers of the same class run in the shared pool, in a thread and in a process of their
 * own, by the word `place` of the configuration. An asker publishes a question once; wherever they
 * are, they are members of its group, and what they answer is the same. */
#include <string.h>

#include "runtime/log.h"
#include "runtime/troupe.h"

enum { TAG_ASK = TRP_TAG_USER, TAG_QUESTION, TAG_ANSWER };

#define TELLERS 3

/* ---- the teller ---- */

static trp_status_t teller_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    return trp_group_join(ctx, "questions");
}

/* The sum of 1 to n, by a loop: in a place of its own it may take as long as it likes. */
static trp_status_t teller_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    uint64_t n = 0;
    uint64_t sum = 0;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag != TAG_QUESTION || size != sizeof(n)) {
        return TRP_OK;
    }
    memcpy(&n, data, sizeof(n));
    for (uint64_t i = 1; i <= n; i++) {
        sum += i;
    }
    return trp_send(ctx, message->from, TAG_ANSWER, &sum, sizeof(sum));
}

/* ---- the asker ---- */

struct asker {
    uint64_t n, first;
    int answers, same;
};

static trp_status_t ask(trp_ctx_t *ctx, struct asker *asker)
{
    trp_pid_t tellers[TELLERS];
    uint64_t timer;
    asker->n += 100;
    asker->answers = asker->same = 0;
    const trp_publication_t question = {
        .topic = "questions", .tag = TAG_QUESTION, .data = &asker->n, .size = sizeof(asker->n)};
    if (trp_members(ctx, "questions", tellers, TELLERS) < TELLERS) {
        return trp_timer_start(ctx, 50, 0, TAG_ASK, &timer); /* they are on their way up */
    }
    return trp_publish(ctx, &question, NULL);
}

static trp_status_t asker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    return ask(ctx, state);
}

static trp_status_t hear(trp_ctx_t *ctx, struct asker *asker, const trp_envelope_t *message)
{
    uint64_t sum = 0;
    uint64_t timer;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&sum, data, size < sizeof(sum) ? size : sizeof(sum));
    asker->first = asker->answers++ == 0 ? sum : asker->first;
    asker->same += sum == asker->first;
    if (asker->answers < TELLERS) {
        return TRP_OK;
    }
    trp_log(ctx, LOG_INFO, "told", "1 to %d is %d, say %d of %d", (int)asker->n, (int)asker->first,
            asker->same, TELLERS);
    return trp_timer_start(ctx, 1000, 0, TAG_ASK, &timer);
}

static trp_status_t asker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    return message->tag == TAG_ASK      ? ask(ctx, state)
           : message->tag == TAG_ANSWER ? hear(ctx, state, message)
                                        : TRP_OK;
}

int main(int argc, char **argv)
{
    static const trp_class_t teller = {
        .name = "teller", .init = teller_init, .receive = teller_receive};
    static const trp_class_t asker = {.name = "asker",
                                      .state_size = sizeof(struct asker),
                                      .init = asker_init,
                                      .receive = asker_receive};
    return trp_main(argc, argv, (const trp_class_t *const[]){&teller, &asker, NULL});
}
