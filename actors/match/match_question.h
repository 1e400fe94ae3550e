/* SPDX-License-Identifier: MIT */
/* Questions: the rules that a table of fields can't say, the form in which a match plays them, and
 * what an answer is worth. Shuffles come from a seed alone. Pure functions. */
#ifndef TRP_ACTORS_MATCH_QUESTION_H
#define TRP_ACTORS_MATCH_QUESTION_H

#include "messages/match.h"

/** A question made ready to be played. */
typedef struct match_item {
    const match_question_t *question;          /* outlives the item */
    match_choice_t choices[MATCH_CHOICES_MAX]; /* in the order shown; single, multi, boolean */
    uint32_t choice_count;
    uint32_t correct_mask; /* bit i: choices[i] is right */
    uint32_t correct_count;
    struct match_accepted {
        uint8_t *folded; /* malloc'd */
        size_t size;
    } * accepted;             /* text: correct_count of them */
    int64_t value, tolerance; /* numeric: in millionths */
} match_item_t;

/** An answer, understood. */
typedef struct match_given {
    uint32_t mask;         /* bit i: choices[i] was chosen */
    uint32_t right, wrong; /* of the chosen options; right = 1 for a right text or number */
    bool is_correct;       /* all right and nothing wrong */
} match_given_t;

/** Checks a question and makes it ready. `path` is the question's own, for faults. owns: end it
 * with match_item_fini, also after an error. errors: TRP_PAYLOAD with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t match_item_init(match_item_t *item, const match_question_t *question,
                                          const char *path, trp_fault_t *fault);
void match_item_fini(match_item_t *item);

/** Checks a list of questions as match_item_init does, and that no id is there twice. errors:
 * TRP_PAYLOAD with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t match_questions_check(const match_question_t *questions, size_t count,
                                                trp_fault_t *fault);

/** Reads an answer to the question. errors: TRP_PAYLOAD with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t match_given_read(const match_item_t *item, const msgpack_object *answer,
                                           match_given_t *given, trp_fault_t *fault);

/** The state of a shuffle: equal for equal ids. */
uint64_t match_shuffle_seed(trp_text_t match_id);

/** Puts 0..count-1 into an order that depends on the state alone, and moves the state on. */
void match_shuffle(uint64_t *state, uint32_t *order, uint32_t count);

/** Shuffles the options of a single or multi choice question. */
void match_item_shuffle(match_item_t *item, uint64_t *state);

/** Chooses the questions of `seed` from a bank by tags and count (pick NULL: any), in an order that
 * depends on seed->match_id alone. owns: the list is in `zone`, what it points to the bank's.
 * errors: TRP_PAYLOAD with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t match_bank_pick(const match_bank_t *bank, const match_pick_t *pick,
                                          match_seed_t *seed, msgpack_zone *zone,
                                          trp_fault_t *fault);

static inline bool match_text_is(trp_text_t a, trp_text_t b)
{
    return a.size == b.size && (a.size == 0 || __builtin_memcmp(a.data, b.data, a.size) == 0);
}

#endif
