/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "messages/contract.h"

/* What one side writes and the other reads. */
typedef struct way {
    const contract_t *writer, *reader;
    const char *who; /* reads */
    trp_fault_t *fault;
} way_t;

#define TEXT(text) (int)(text).size, (text).data

static bool is_same(trp_text_t one, trp_text_t other)
{
    return one.size == other.size && memcmp(one.data, other.data, one.size) == 0;
}

static trp_status_t refuse(const way_t *way, const contract_entry_t *schema,
                           const contract_member_t *member, const char *rule)
{
    trp_fault_t *fault = way->fault;
    *fault = (trp_fault_t){.message = "contract"};
    snprintf(fault->path, sizeof(fault->path), "%.*s%s%.*s", TEXT(schema->name),
             member == NULL ? "" : ".", member == NULL ? 0 : (int)member->name.size,
             member == NULL ? "" : member->name.data);
    snprintf(fault->rule, sizeof(fault->rule), "%s %s", way->who, rule);
    return TRP_UNSUPPORTED;
}

/* ---- one member ---- */

static bool takes_kind(int reader, int writer)
{
    switch (reader) {
    case TRP_FIELD_ANY:
        return true;
    case TRP_FIELD_REAL:
        return writer == TRP_FIELD_REAL || writer == TRP_FIELD_INT;
    case TRP_FIELD_TEXT:
        return writer == TRP_FIELD_TEXT || writer == TRP_FIELD_STRING;
    case TRP_FIELD_BYTES:
        return writer == TRP_FIELD_BYTES || writer == TRP_FIELD_TEXT || writer == TRP_FIELD_STRING;
    default:
        return reader == writer;
    }
}

static bool has_bounds(int kind)
{
    return kind != TRP_FIELD_BOOL && kind != TRP_FIELD_ENUM && kind != TRP_FIELD_MESSAGE &&
           kind != TRP_FIELD_ANY;
}

/* The next word of a table's text: moves `rest` behind it; false after the last one. */
static bool next_word(trp_text_t *rest, trp_text_t *word)
{
    if (rest->size == 0) {
        return false;
    }
    const char *bar = memchr(rest->data, '|', rest->size);
    word->data = rest->data;
    word->size = bar == NULL ? rest->size : (size_t)(bar - rest->data);
    const size_t used = word->size + (bar == NULL ? 0 : 1);
    *rest = (trp_text_t){rest->data + used, rest->size - used};
    return true;
}

static bool has_word(trp_text_t words, trp_text_t wanted)
{
    trp_text_t word;
    bool found = false;
    while (!found && next_word(&words, &word)) {
        found = is_same(word, wanted);
    }
    return found;
}

static bool has_words(trp_text_t words, trp_text_t wanted)
{
    trp_text_t word;
    bool all = true;
    while (all && next_word(&wanted, &word)) {
        all = has_word(words, word);
    }
    return all;
}

static trp_status_t check_schema(const way_t *way, const contract_entry_t *writer,
                                 const contract_entry_t *reader);

static trp_status_t check_member(const way_t *way, const contract_entry_t *schema,
                                 const contract_member_t *writer, const contract_member_t *reader)
{
    if (!takes_kind(reader->kind, writer->kind)) {
        return refuse(way, schema, writer, "reads another kind of");
    }
    if (writer->optional && !reader->optional) {
        return refuse(way, schema, writer, "needs");
    }
    if (has_bounds(reader->kind) && (writer->min < reader->min || writer->max > reader->max)) {
        return refuse(way, schema, writer, "takes fewer values of");
    }
    if (reader->kind == TRP_FIELD_ENUM && !has_words(reader->words, writer->words)) {
        return refuse(way, schema, writer, "takes fewer values of");
    }
    if (reader->kind == TRP_FIELD_MESSAGE || reader->kind == TRP_FIELD_LIST) {
        return check_schema(way, &way->writer->entries[writer->part],
                            &way->reader->entries[reader->part]);
    }
    return TRP_OK;
}

/* ---- one schema ---- */

static const contract_member_t *find_member(const contract_entry_t *schema, trp_text_t name)
{
    for (size_t i = 0; i < schema->members_count; i++) {
        if (is_same(schema->members[i].name, name)) {
            return &schema->members[i];
        }
    }
    return NULL;
}

static trp_status_t check_schema(const way_t *way, const contract_entry_t *writer,
                                 const contract_entry_t *reader)
{
    for (size_t i = 0; i < writer->members_count; i++) {
        const contract_member_t *written = &writer->members[i];
        const contract_member_t *read = find_member(reader, written->name);
        trp_status_t status = TRP_OK;
        if (read != NULL) {
            status = check_member(way, writer, written, read);
        } else if (!reader->open) {
            status = refuse(way, writer, written, "does not know");
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < reader->members_count; i++) {
        const contract_member_t *read = &reader->members[i];
        if (!read->optional && find_member(writer, read->name) == NULL) {
            return refuse(way, reader, read, "needs");
        }
    }
    return TRP_OK;
}

/* ---- both sides ---- */

/* Parts stand behind those that name them, so no walk goes in a circle. */
static bool is_sound(const contract_t *contract)
{
    for (size_t at = 0; at < contract->entries_count; at++) {
        const contract_entry_t *schema = &contract->entries[at];
        for (size_t i = 0; i < schema->members_count; i++) {
            const contract_member_t *member = &schema->members[i];
            const bool wants_part =
                member->kind == TRP_FIELD_MESSAGE || member->kind == TRP_FIELD_LIST;
            const size_t part = (size_t)member->part;
            if (wants_part != member->has_part ||
                (wants_part && (part <= at || part >= contract->entries_count ||
                                contract->entries[part].role != CONTRACT_PART))) {
                return false;
            }
        }
    }
    return true;
}

static const contract_entry_t *find_message(const contract_t *contract, int role, int64_t tag)
{
    for (size_t i = 0; i < contract->entries_count; i++) {
        if (contract->entries[i].role == role && contract->entries[i].tag == tag) {
            return &contract->entries[i];
        }
    }
    return NULL;
}

static trp_status_t compare(const contract_t *ours, const contract_t *theirs, trp_fault_t *fault)
{
    const way_t in = {.writer = theirs, .reader = ours, .who = "the program", .fault = fault};
    const way_t out = {.writer = ours, .reader = theirs, .who = "the node", .fault = fault};
    trp_status_t status = TRP_OK;
    for (size_t i = 0; i < theirs->entries_count && status == TRP_OK; i++) {
        const contract_entry_t *there = &theirs->entries[i];
        const contract_entry_t *here = find_message(ours, there->role, there->tag);
        if (there->role == CONTRACT_UNDERSTOOD) {
            status = here == NULL ? refuse(&in, there, NULL, "does not understand")
                                  : check_schema(&in, there, here);
        } else if (there->role == CONTRACT_SAID && here != NULL) {
            status = check_schema(&out, here, there);
        }
    }
    return status;
}

static trp_status_t check_bytes(trp_text_t ours_bytes, trp_text_t theirs_bytes, trp_fault_t *fault)
{
    trp_document_t our_document, their_document;
    contract_t ours, theirs;
    trp_status_t status =
        trp_schema_unpack(&contract_schema, theirs_bytes, &their_document, &theirs, fault);
    if (status != TRP_OK) {
        return status == TRP_PAYLOAD ? TRP_PROTOCOL : status;
    }
    status = trp_schema_unpack(&contract_schema, ours_bytes, &our_document, &ours, fault);
    if (status == TRP_OK) {
        status = is_sound(&theirs) ? compare(&ours, &theirs, fault) : TRP_PROTOCOL;
        trp_document_fini(&our_document);
    }
    trp_document_fini(&their_document);
    return status;
}

trp_status_t contract_check(const contract_side_t *ours, trp_text_t theirs, trp_fault_t *fault)
{
    trp_writer_t writer;
    trp_text_t bytes;
    trp_writer_init(&writer);
    trp_status_t status = contract_write(ours, &writer);
    bytes.data = trp_writer_data(&writer, &bytes.size);
    if (status == TRP_OK) {
        status = bytes.data == NULL ? TRP_NO_MEMORY : check_bytes(bytes, theirs, fault);
    }
    trp_writer_fini(&writer);
    return status;
}
