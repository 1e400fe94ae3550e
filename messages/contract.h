/* SPDX-License-Identifier: MIT */
/* What two builds of a program must agree on about an actor's class: the messages that it
 * understands and those that it says. One side writes its tables of both down, the other compares
 * them with its own, before a message passes. No thread affinity.
 *
 * All that may be written by one side's schema must be readable by the other's:
 *
 *     a member that the writer has   the reader has too, or the reader's schema is OPEN
 *     its kind                       is the reader's, or one that the reader takes for it: INT for
 *                                    REAL, STRING for TEXT, both for BYTES, all for ANY
 *     its bounds                     are within the reader's; the reader knows each word of an ENUM
 *     a member that is not OPT_      the writer always writes
 *     MESSAGE and LIST               the same for the schema of the part
 *
 * So the order of members, their texts, and names of schemas may differ. Messages are told apart by
 * their tags; schemas with tag 0 (bodies of clients, parts) are nobody's message. */
#ifndef TRP_MESSAGES_CONTRACT_H
#define TRP_MESSAGES_CONTRACT_H

#include "messages/schema.h"

#define CONTRACT_SCHEMAS_MAX 256 /* messages and parts of one class */
#define CONTRACT_BOUND_MAX   1.7e308

#define CONTRACT_KINDS "bool|int|real|string|text|bytes|enum|message|list|texts|any"
#define CONTRACT_ROLES "understood|said|part"

#define CONTRACT_MEMBER_FIELDS(F)                                                     \
    F(STRING, name, _, 1, 255, "of the member")                                       \
    F(ENUM, kind, CONTRACT_KINDS, 0, 0, "what it holds")                              \
    F(BOOL, optional, _, 0, 1, "it may be absent")                                    \
    F(REAL, min, _, -CONTRACT_BOUND_MAX, CONTRACT_BOUND_MAX, "value, bytes or items") \
    F(REAL, max, _, -CONTRACT_BOUND_MAX, CONTRACT_BOUND_MAX, "the same")              \
    F(OPT_STRING, words, _, 0, 65535, "of an enum: its table's text")                 \
    F(OPT_INT, part, _, 1, CONTRACT_SCHEMAS_MAX, "of a message or list: which schema")

#define CONTRACT_ENTRY_FIELDS(F)                                        \
    F(STRING, name, _, 1, 255, "of the schema")                         \
    F(ENUM, role, CONTRACT_ROLES, 0, 0, "what it is to the class")      \
    F(INT, tag, _, 0, 65535, "of the message; 0 for parts")             \
    F(BOOL, open, _, 0, 1, "members that it does not know are ignored") \
    F(LIST, members, contract_member, 0, TRP_FIELDS_MAX, "in order of declaration")

/* A part stands behind all that name it. */
#define CONTRACT_FIELDS(F) \
    F(LIST, entries, contract_entry, 0, CONTRACT_SCHEMAS_MAX, "messages, then their parts")

TRP_SCHEMA_DECLARE(contract_member, CONTRACT_MEMBER_FIELDS)
TRP_SCHEMA_DECLARE(contract_entry, CONTRACT_ENTRY_FIELDS)
TRP_SCHEMA_DECLARE(contract, CONTRACT_FIELDS)

typedef enum contract_role { CONTRACT_UNDERSTOOD, CONTRACT_SAID, CONTRACT_PART } contract_role_t;

/** The messages of a class as its program has them: NULL-terminated lists, or NULL. */
typedef struct contract_side {
    const trp_schema_t *const *understood;
    const trp_schema_t *const *said;
} contract_side_t;

/** Writes a side down. errors: TRP_TOO_LARGE (more than CONTRACT_SCHEMAS_MAX) */
TRP_MUST_USE trp_status_t contract_write(const contract_side_t *side, trp_writer_t *writer);

/** Whether the class of `ours` can take the place of what is written in `theirs`: it understands
 * all that is understood there as it may be written there, and what it says of what is said there
 * can be read there. The first fault has the message and its member in `path`, and in `rule` what
 * goes before that: "the program does not know" (ours), "the node needs" (theirs).
 * errors: TRP_UNSUPPORTED (a fault), TRP_PROTOCOL (`theirs` is ill-formed), TRP_TOO_LARGE,
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t contract_check(const contract_side_t *ours, trp_text_t theirs,
                                         trp_fault_t *fault);

#endif
