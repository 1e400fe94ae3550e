/* SPDX-License-Identifier: MIT */
#include "actors/match/match_question.h"

#include <stdio.h>
#include <string.h>

#define PICK_DEFAULT 10

uint64_t match_shuffle_seed(trp_text_t match_id)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < match_id.size; i++) {
        hash = (hash ^ (unsigned char)match_id.data[i]) * 0x100000001b3u;
    }
    return hash;
}

/* splitmix64 (Vigna, public domain) */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void match_shuffle(uint64_t *state, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    for (uint32_t left = count; left > 1; left--) {
        uint32_t other = (uint32_t)(((unsigned __int128)next(state) * left) >> 64);
        uint32_t last = order[left - 1];
        order[left - 1] = order[other];
        order[other] = last;
    }
}

void match_item_shuffle(match_item_t *item, uint64_t *state)
{
    uint32_t order[MATCH_CHOICES_MAX], mask = 0;
    match_choice_t choices[MATCH_CHOICES_MAX];
    if (item->question->type != MATCH_SINGLE && item->question->type != MATCH_MULTI) {
        return;
    }
    memcpy(choices, item->choices, sizeof(choices));
    match_shuffle(state, order, item->choice_count);
    for (uint32_t i = 0; i < item->choice_count; i++) {
        item->choices[i] = choices[order[i]];
        mask |= ((item->correct_mask >> order[i]) & 1u) << i;
    }
    item->correct_mask = mask;
}

static bool has_tag(const match_question_t *question, const match_pick_t *pick)
{
    if (pick == NULL || pick->tags_count == 0) {
        return true;
    }
    for (size_t i = 0; i < question->tags_count; i++) {
        for (size_t k = 0; k < pick->tags_count; k++) {
            if (match_text_is(question->tags[i], pick->tags[k])) {
                return true;
            }
        }
    }
    return false;
}

static trp_status_t refuse(trp_fault_t *fault, const char *path, size_t available)
{
    char rule[64];
    snprintf(rule, sizeof(rule), "%zu questions have such tags", available);
    trp_fault_set(fault, NULL, path, rule);
    fault->message = match_pick_schema.name;
    return TRP_PAYLOAD;
}

trp_status_t match_bank_pick(const match_bank_t *bank, const match_pick_t *pick, match_seed_t *seed,
                             msgpack_zone *zone, trp_fault_t *fault)
{
    uint32_t available = 0, *chosen, *order;
    chosen = msgpack_zone_malloc(zone, bank->questions_count * sizeof(*chosen));
    order = msgpack_zone_malloc(zone, bank->questions_count * sizeof(*order));
    if (chosen == NULL || order == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < bank->questions_count; i++) {
        if (has_tag(&bank->questions[i], pick)) {
            chosen[available++] = (uint32_t)i;
        }
    }
    if (available == 0) {
        return refuse(fault, "bank.tags", available);
    }
    size_t count = pick != NULL && pick->has_count ? (size_t)pick->count : PICK_DEFAULT;
    if (count > available) {
        if (pick != NULL && pick->has_count) {
            return refuse(fault, "bank.count", available);
        }
        count = available;
    }
    seed->questions = msgpack_zone_malloc(zone, count * sizeof(*seed->questions));
    if (seed->questions == NULL) {
        return TRP_NO_MEMORY;
    }
    uint64_t state = match_shuffle_seed(seed->match_id);
    match_shuffle(&state, order, available);
    for (size_t i = 0; i < count; i++) {
        seed->questions[i] = bank->questions[chosen[order[i]]];
    }
    seed->questions_count = count;
    return TRP_OK;
}
