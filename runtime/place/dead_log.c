/* SPDX-License-Identifier: MIT */
#include "runtime/place/dead_log.h"

#include <string.h>

#include "runtime/core/runtime.h"
#include "runtime/log.h"

enum { TAG_LOOK = TRP_TAG_USER };

/* One cause. */
typedef struct tally {
    uint64_t told;             /* of its count, what was logged */
    int64_t first_ms, last_ms; /* of the notices since then; 0: none */
    trp_dead_letter_t last;
} tally_t;

typedef struct dead_log {
    tally_t tallies[TRP_DEAD_COUNT];
    bool waits; /* a line was written of late: the next comes with the timer */
} dead_log_t;

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    dead_log_t *dead = state;
    uint64_t counts[TRP_DEAD_COUNT];
    runtime_dead_counts(runtime_of(ctx), counts);
    for (unsigned why = 0; why < TRP_DEAD_COUNT; why++) {
        dead->tallies[why].told = counts[why];
    }
    return trp_dead_letters(ctx, true);
}

static int level_of(unsigned why)
{
    /* Whoever ends has messages under way: that is life. The others are work that is lost. */
    bool usual = why == TRP_DEAD_STALE || why == TRP_DEAD_GONE || why == TRP_DEAD_ENDED ||
                 why == TRP_DEAD_LATE;
    return usual ? LOG_INFO : LOG_WARN;
}

static void tell(unsigned why, const tally_t *tally, uint64_t count)
{
    char to[TRP_PID_TEXT_MAX];
    char from[TRP_PID_TEXT_MAX];
    bool drop = why == TRP_DEAD_DROP_NEW || why == TRP_DEAD_DROP_OLD;
    log_event(level_of(why), drop ? "messages_dropped" : "dead_letters",
              LOG_TEXT("why", trp_dead_name(why)), LOG_INT("count", count - tally->told),
              LOG_INT("total", count), LOG_INT("first_ms", tally->first_ms),
              LOG_INT("last_ms", tally->last_ms), LOG_INT("tag", tally->last.tag),
              LOG_TEXT("to", trp_pid_format(tally->last.to, to)),
              LOG_TEXT("from", trp_pid_format(tally->last.from, from)));
}

/* Logs what is new. */
static void report(trp_ctx_t *ctx, dead_log_t *dead)
{
    uint64_t counts[TRP_DEAD_COUNT];
    runtime_dead_counts(runtime_of(ctx), counts);
    dead->waits = false;
    for (unsigned why = 0; why < TRP_DEAD_COUNT; why++) {
        tally_t *tally = &dead->tallies[why];
        if (counts[why] != tally->told && tally->first_ms != 0) {
            tell(why, tally, counts[why]);
            dead->waits = true;
        }
        tally->told = counts[why];
        tally->first_ms = 0;
    }
    uint64_t timer = 0;
    if (dead->waits && trp_timer_start(ctx, DEAD_LOG_MS, 0, TAG_LOOK, &timer) != TRP_OK) {
        dead->waits = false; /* without memory for a timer it goes on line by line */
    }
}

static void note(trp_ctx_t *ctx, dead_log_t *dead, const trp_dead_letter_t *letter)
{
    unsigned why = 0;
    while (why < TRP_DEAD_COUNT && strcmp(letter->why, trp_dead_name(why)) != 0) {
        why++;
    }
    if (why == TRP_DEAD_COUNT) {
        return;
    }
    tally_t *tally = &dead->tallies[why];
    tally->last_ms = trp_epoch_ms(ctx);
    if (tally->first_ms == 0) {
        tally->first_ms = tally->last_ms;
    }
    tally->last = *letter;
    if (!dead->waits) {
        report(ctx, dead);
    }
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    dead_log_t *dead = state;
    trp_dead_letter_t letter;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TRP_TAG_DEAD_LETTER && size == sizeof(letter)) {
        memcpy(&letter, data, sizeof(letter));
        letter.why[sizeof(letter.why) - 1] = '\0';
        note(ctx, dead, &letter);
    } else if (message->tag == TAG_LOOK) {
        report(ctx, dead);
    }
    return TRP_OK;
}

/* A map for each cause that was ever seen. */
static trp_status_t save(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
{
    const dead_log_t *dead = state;
    char pid[TRP_PID_TEXT_MAX];
    uint64_t counts[TRP_DEAD_COUNT];
    size_t seen = 0;
    runtime_dead_counts(runtime_of(ctx), counts);
    for (unsigned why = 0; why < TRP_DEAD_COUNT; why++) {
        seen += dead->tallies[why].last_ms != 0;
    }
    trp_write_map(writer, (uint32_t)seen);
    for (unsigned why = 0; why < TRP_DEAD_COUNT; why++) {
        const tally_t *tally = &dead->tallies[why];
        if (tally->last_ms != 0) {
            trp_write_key(writer, trp_dead_name(why));
            trp_write_map(writer, 4);
            trp_put_int(writer, "count", (int64_t)counts[why]);
            trp_put_int(writer, "last_ms", tally->last_ms);
            trp_put_int(writer, "last_tag", tally->last.tag);
            trp_put_text(writer, "last_to", trp_pid_format(tally->last.to, pid));
        }
    }
    return TRP_OK;
}

const trp_class_t dead_log_class = {
    .name = DEAD_LOG_NAME,
    .version = 1,
    .state_size = sizeof(dead_log_t),
    .init = init,
    .receive = receive,
    .save = save,
};
