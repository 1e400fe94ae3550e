/* SPDX-License-Identifier: MIT */
#include "messages/contract.h"

#include <string.h>

TRP_SCHEMA_DEFINE(contract_member, 0, 0, CONTRACT_MEMBER_FIELDS, "a member of a message")
TRP_SCHEMA_DEFINE(contract_entry, 0, 0, CONTRACT_ENTRY_FIELDS, "a message or a part of one")
TRP_SCHEMA_DEFINE(contract, 0, 0, CONTRACT_FIELDS, "what a class understands and says")

/* All schemas, in the order in which they are written. */
typedef struct plan {
    const trp_schema_t *schemas[CONTRACT_SCHEMAS_MAX];
    contract_role_t roles[CONTRACT_SCHEMAS_MAX];
    size_t count;
} plan_t;

static bool add(plan_t *plan, const trp_schema_t *schema, contract_role_t role)
{
    if (plan->count == CONTRACT_SCHEMAS_MAX) {
        return false;
    }
    plan->schemas[plan->count] = schema;
    plan->roles[plan->count++] = role;
    return true;
}

static bool add_messages(plan_t *plan, const trp_schema_t *const *list, contract_role_t role)
{
    bool fits = true;
    for (; list != NULL && *list != NULL && fits; list++) {
        fits = (*list)->tag == 0 || add(plan, *list, role);
    }
    return fits;
}

/* Where a part of the schema at `at` stands: behind it; `count` when it does not yet. */
static size_t find_part(const plan_t *plan, size_t at, const trp_schema_t *part)
{
    for (at++; at < plan->count; at++) {
        if (plan->schemas[at] == part && plan->roles[at] == CONTRACT_PART) {
            break;
        }
    }
    return at;
}

/* Parts of parts too, since the plan grows while it is walked. Schemas hold no circles: a struct
 * can't have itself as a member. */
static bool add_parts(plan_t *plan)
{
    for (size_t at = 0; at < plan->count; at++) {
        const trp_field_t *fields = plan->schemas[at]->fields();
        for (size_t i = 0; i < plan->schemas[at]->field_count; i++) {
            const trp_schema_t *part = fields[i].of;
            if (part != NULL && find_part(plan, at, part) == plan->count &&
                !add(plan, part, CONTRACT_PART)) {
                return false;
            }
        }
    }
    return true;
}

static double within(double bound)
{
    return bound > CONTRACT_BOUND_MAX    ? CONTRACT_BOUND_MAX
           : bound < -CONTRACT_BOUND_MAX ? -CONTRACT_BOUND_MAX
                                         : bound;
}

static void write_schema(const plan_t *plan, size_t at, trp_writer_t *writer)
{
    const trp_schema_t *schema = plan->schemas[at];
    const trp_field_t *fields = schema->fields();
    contract_member_t members[TRP_FIELDS_MAX];
    for (size_t i = 0; i < schema->field_count; i++) {
        const trp_field_t *field = &fields[i];
        const char *words = field->choices == NULL ? "" : field->choices;
        members[i] = (contract_member_t){
            .name = {field->name, strlen(field->name)},
            .kind = (int)field->kind,
            .optional = field->optional,
            .min = within(field->min),
            .max = within(field->max),
            .words = {words, strlen(words)},
            .has_words = field->choices != NULL,
            .part = field->of == NULL ? 0 : (int64_t)find_part(plan, at, field->of),
            .has_part = field->of != NULL,
        };
    }
    const contract_entry_t written = {
        .name = {schema->name, strlen(schema->name)},
        .role = (int)plan->roles[at],
        .tag = plan->roles[at] == CONTRACT_PART ? 0 : schema->tag,
        .open = (schema->flags & TRP_SCHEMA_OPEN) != 0,
        .members = members,
        .members_count = schema->field_count,
    };
    trp_schema_write(&contract_entry_schema, &written, writer);
}

trp_status_t contract_write(const contract_side_t *side, trp_writer_t *writer)
{
    plan_t plan = {.count = 0};
    const bool fits = add_messages(&plan, side->understood, CONTRACT_UNDERSTOOD) &&
                      add_messages(&plan, side->said, CONTRACT_SAID) && add_parts(&plan);
    if (!fits) {
        return TRP_TOO_LARGE;
    }
    trp_write_map(writer, 1);
    trp_write_key(writer, "entries");
    trp_write_array(writer, plan.count);
    for (size_t at = 0; at < plan.count; at++) {
        write_schema(&plan, at, writer);
    }
    return TRP_OK;
}
