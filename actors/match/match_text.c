/* SPDX-License-Identifier: MIT */
#include "actors/match/match_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

static bool is_space(ucs4_t c)
{
    return uc_is_property_white_space(c);
}

static bool is_dropped(ucs4_t c)
{
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc) ||
           uc_is_property_bidi_control(c) || uc_is_property_line_separator(c) ||
           uc_is_property_paragraph_separator(c);
}

static bool is_unseen(ucs4_t c)
{
    return uc_is_property_default_ignorable_code_point(c);
}

/* The text without the white space at both ends; it is well-formed. */
static trp_text_t trim(trp_text_t text)
{
    const uint8_t *begin = (const uint8_t *)text.data, *end = begin + text.size, *p;
    ucs4_t c;
    for (p = begin; p < end; begin = p) {
        p += u8_mbtouc(&c, p, (size_t)(end - p));
        if (!is_space(c)) {
            break;
        }
    }
    while (end > begin && (p = u8_prev(&c, end, begin)) != NULL && is_space(c)) {
        end = p;
    }
    return (trp_text_t){(const char *)begin, (size_t)(end - begin)};
}

/* Copies the text without the characters of a kind; returns the bytes left. */
static size_t drop(trp_text_t text, bool (*is_unwanted)(ucs4_t), uint8_t *out)
{
    const uint8_t *p = (const uint8_t *)text.data, *end = p + text.size;
    size_t size = 0;
    while (p < end) {
        ucs4_t c;
        int step = u8_mbtouc(&c, p, (size_t)(end - p));
        if (!is_unwanted(c)) {
            memcpy(out + size, p, (size_t)step);
            size += (size_t)step;
        }
        p += step;
    }
    return size;
}

static trp_status_t fold(trp_text_t text, uint8_t **folded, size_t *size)
{
    /* An empty text: libunistring may return NULL with no error. */
    uint8_t *result = text.size == 0 ? malloc(1)
                                     : u8_casefold((const uint8_t *)text.data, text.size, NULL,
                                                   UNINORM_NFC, NULL, size);
    if (result == NULL) {
        return errno == ENOMEM ? TRP_NO_MEMORY : TRP_PAYLOAD;
    }
    if (text.size == 0) {
        *size = 0;
    }
    *folded = result;
    return TRP_OK;
}

trp_status_t match_text_fold(trp_text_t text, uint8_t **folded, size_t *size)
{
    if (trp_utf8_check(text.data, text.size) != text.size) {
        return TRP_PAYLOAD;
    }
    return fold(trim(text), folded, size);
}

/* NFC, trimmed, counted, copied to `name`. */
static trp_status_t settle(trp_text_t kept, char name[MATCH_NAME_MAX + 1])
{
    size_t size = 0;
    if (kept.size == 0) {
        return TRP_PAYLOAD;
    }
    uint8_t *composed =
        u8_normalize(UNINORM_NFC, (const uint8_t *)kept.data, kept.size, NULL, &size);
    if (composed == NULL) {
        return errno == ENOMEM ? TRP_NO_MEMORY : TRP_PAYLOAD;
    }
    trp_text_t shown = trim((trp_text_t){(const char *)composed, size});
    size_t characters = u8_mbsnlen((const uint8_t *)shown.data, shown.size);
    bool fits = characters >= 1 && characters <= MATCH_NAME_CHARACTERS;
    if (fits) {
        memcpy(name, shown.data, shown.size);
        name[shown.size] = '\0';
    }
    free(composed);
    return fits ? TRP_OK : TRP_PAYLOAD;
}

trp_status_t match_name_clean(trp_text_t text, char name[MATCH_NAME_MAX + 1], uint8_t **folded,
                              size_t *size)
{
    if (trp_utf8_check(text.data, text.size) != text.size) {
        return TRP_PAYLOAD;
    }
    uint8_t *kept = malloc(text.size + 1);
    if (kept == NULL) {
        return TRP_NO_MEMORY;
    }
    size_t kept_size = drop(text, is_dropped, kept);
    trp_status_t status = settle((trp_text_t){(const char *)kept, kept_size}, name);
    free(kept);
    if (status != TRP_OK) {
        return status;
    }
    uint8_t seen[MATCH_NAME_MAX];
    size_t seen_size = drop((trp_text_t){name, strlen(name)}, is_unseen, seen);
    if (seen_size == 0) {
        return TRP_PAYLOAD;
    }
    return match_text_fold((trp_text_t){(const char *)seen, seen_size}, folded, size);
}
