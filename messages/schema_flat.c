/* SPDX-License-Identifier: MIT */
/* The short way to read a message: one map of a few numbers and texts, as MessagePack, in which all
 * is as it should be. It needs no tree and no memory. What it does not know, or finds wrong, it
 * leaves to the long way, which names the fault. */
#include <string.h>

#include "messages/schema_internal.h"

typedef struct flat {
    const unsigned char *at, *end;
} flat_t;

/* The next `size` bytes; NULL: there are not so many. */
static const unsigned char *take(flat_t *flat, size_t size)
{
    const unsigned char *here = flat->at;
    if ((size_t)(flat->end - here) < size) {
        return NULL;
    }
    flat->at = here + size;
    return here;
}

/* A big-endian number of so many bytes. */
static bool take_number(flat_t *flat, size_t size, uint64_t *number)
{
    const unsigned char *bytes = take(flat, size);
    *number = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++) {
        *number = *number << 8 | bytes[i];
    }
    return bytes != NULL;
}

/* A str; a bin, too, where that is allowed. */
static bool take_text(flat_t *flat, bool or_bin, trp_text_t *text)
{
    const unsigned char *tag = take(flat, 1);
    uint64_t size = 0;
    bool known = tag != NULL;
    if (known && *tag >= 0xa0 && *tag <= 0xbf) {
        size = *tag & 0x1fu;
    } else if (known && *tag >= 0xd9 && *tag <= 0xdb) {
        known = take_number(flat, (size_t)1 << (*tag - 0xd9), &size);
    } else if (known && or_bin && *tag >= 0xc4 && *tag <= 0xc6) {
        known = take_number(flat, (size_t)1 << (*tag - 0xc4), &size);
    } else {
        known = false;
    }
    const unsigned char *data = known ? take(flat, (size_t)size) : NULL;
    *text = (trp_text_t){(const char *)data, (size_t)size};
    return data != NULL;
}

/* A number of 1, 2, 4 or 8 bytes by `order` 0 to 3, the highest of whose bits is its sign. */
static bool take_signed(flat_t *flat, unsigned order, int64_t *value)
{
    static const uint64_t signs[] = {UINT64_C(1) << 7, UINT64_C(1) << 15, UINT64_C(1) << 31,
                                     UINT64_C(1) << 63};
    uint64_t number = 0;
    const bool whole = take_number(flat, (size_t)1 << order, &number);
    *value = (int64_t)((number ^ signs[order]) - signs[order]);
    return whole;
}

static bool take_int(flat_t *flat, int64_t *value)
{
    const unsigned char *tag = take(flat, 1);
    uint64_t number = 0;
    if (tag == NULL) {
        return false;
    }
    if (*tag < 0x80 || *tag >= 0xe0) {
        *value = *tag < 0x80 ? *tag : *tag - 0x100;
        return true;
    }
    if (*tag >= 0xd0 && *tag <= 0xd3) {
        return take_signed(flat, *tag - 0xd0u, value);
    }
    const bool whole =
        *tag >= 0xcc && *tag <= 0xcf && take_number(flat, (size_t)1 << (*tag - 0xcc), &number);
    *value = (int64_t)number;
    return whole && number <= INT64_MAX;
}

/* A double, as reals are written. */
static bool take_real(flat_t *flat, double *value)
{
    const unsigned char *tag = take(flat, 1);
    uint64_t bits = 0;
    const bool whole = tag != NULL && *tag == 0xcb && take_number(flat, sizeof(bits), &bits);
    memcpy(value, &bits, sizeof(*value));
    return whole;
}

static bool take_bool(flat_t *flat, bool *value)
{
    const unsigned char *tag = take(flat, 1);
    *value = tag != NULL && *tag == 0xc3;
    return tag != NULL && (*tag == 0xc2 || *tag == 0xc3);
}

static bool is_within(const trp_field_t *field, double value)
{
    return value >= field->min && value <= field->max;
}

static bool is_sound_text(const trp_field_t *field, const trp_text_t *text)
{
    return is_within(field, (double)text->size) &&
           (field->kind == TRP_FIELD_BYTES ||
            (trp_utf8_check(text->data, text->size) == text->size &&
             (field->kind == TRP_FIELD_TEXT || memchr(text->data, '\0', text->size) == NULL)));
}

static bool take_enum(flat_t *flat, const trp_field_t *field, int *value)
{
    const char *rest = field->choices;
    trp_text_t word, choice;
    if (!take_text(flat, false, &word)) {
        return false;
    }
    for (*value = 0; schema_choice(&rest, &choice); (*value)++) {
        if (choice.size == word.size && memcmp(choice.data, word.data, word.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool take_value(flat_t *flat, const trp_field_t *field, char *out)
{
    int64_t number;
    double real;
    trp_text_t text;
    void *target = out + field->offset;
    switch (field->kind) {
    case TRP_FIELD_BOOL:
        return take_bool(flat, target);
    case TRP_FIELD_INT:
        if (!take_int(flat, &number) || !is_within(field, (double)number)) {
            return false;
        }
        memcpy(target, &number, sizeof(number));
        return true;
    case TRP_FIELD_REAL:
        if (!take_real(flat, &real) || !is_within(field, real)) {
            return false;
        }
        memcpy(target, &real, sizeof(real));
        return true;
    case TRP_FIELD_ENUM:
        return take_enum(flat, field, target);
    case TRP_FIELD_STRING:
    case TRP_FIELD_TEXT:
    case TRP_FIELD_BYTES:
        if (!take_text(flat, field->kind == TRP_FIELD_BYTES, &text) ||
            !is_sound_text(field, &text)) {
            return false;
        }
        memcpy(target, &text, sizeof(text));
        return true;
    default:
        return false;
    }
}

static bool has_name(const trp_field_t *field, const trp_text_t *name)
{
    return strlen(field->name) == name->size && memcmp(field->name, name->data, name->size) == 0;
}

/* The field of that name, from here on: members come in the order of the table, as they are
 * written, without some that may be absent. `end`: there is none. */
static const trp_field_t *find_from(const trp_field_t *field, const trp_field_t *end,
                                    const trp_text_t *name)
{
    while (field < end && !has_name(field, name)) {
        if (!field->optional) {
            return end;
        }
        field++;
    }
    return field;
}

bool schema_read_flat(const trp_schema_t *schema, trp_text_t bytes, void *out)
{
    const trp_field_t *field = schema->fields();
    const trp_field_t *end = field + schema->field_count;
    flat_t flat = {(const unsigned char *)bytes.data,
                   (const unsigned char *)bytes.data + bytes.size};
    const unsigned char *head = take(&flat, 1);
    if (head == NULL || (*head & 0xf0u) != 0x80 || (schema->flags & TRP_SCHEMA_UTF8) != 0) {
        return false;
    }
    memset(out, 0, schema->size);
    for (unsigned left = *head & 0x0fu; left > 0; left--) {
        trp_text_t name;
        if (!take_text(&flat, false, &name)) {
            return false;
        }
        field = find_from(field, end, &name);
        if (field == end || !take_value(&flat, field, out)) {
            return false;
        }
        if (field->optional) {
            *(bool *)((char *)out + field->aux) = true;
        }
        field++;
    }
    while (field < end && field->optional) {
        field++;
    }
    return field == end && flat.at == flat.end;
}
