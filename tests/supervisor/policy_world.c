/* SPDX-License-Identifier: MIT */
#include "tests/supervisor/policy_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *const outcomes[] = {
    "ok",         "failed",    "already_started", "already_present", "running",
    "restarting", "not_found", "refused",         "stopping",
};
static const char *const changes[] = {"up", "leaving", "down"};
static const char *const contexts[] = {"child_terminated", "restart", "start_error",
                                       "shutdown_error",   "gave_up", "held",
                                       "not_restarted"};

static trp_restart_t restart_named(const char *name)
{
    return strcmp(name, "transient") == 0   ? TRP_TRANSIENT
           : strcmp(name, "temporary") == 0 ? TRP_TEMPORARY
                                            : TRP_PERMANENT;
}

static trp_child_spec_t spec_of(const char *id, const char *restart)
{
    trp_child_spec_t spec = {
        .restart = restart_named(restart), .shutdown_ms = 5000, .start_ms = 10000};
    snprintf(spec.id, sizeof(spec.id), "%s", id);
    return spec;
}

void world_init(world_t *world, trp_strategy_t strategy, int64_t intensity, const char *children)
{
    trp_supervisor_spec_t spec = {.strategy = strategy, .intensity = intensity, .period_s = 5};
    world_init_spec(world, &spec, children);
}

static void note(void *user, const policy_action_t *actions, size_t count);

void world_init_spec(world_t *world, const trp_supervisor_spec_t *spec, const char *children)
{
    *world = (world_t){.spec = *spec, .now_ns = 1, .next_request = 1};
    cr_assert_eq(policy_init(&world->policy, &world->spec, note, world), TRP_OK);

    char text[256];
    snprintf(text, sizeof(text), "%s", children == NULL ? "" : children);
    char *rest = text;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *colon = strchr(word, ':');
        if (colon != NULL) {
            *colon = '\0';
        }
        trp_child_spec_t child = spec_of(word, colon == NULL ? "permanent" : colon + 1);
        cr_assert_eq(policy_add(&world->policy, &child, NULL), TRP_OK);
    }
}

void world_fini(world_t *world)
{
    policy_fini(&world->policy);
}

trp_child_spec_t *world_spec(world_t *world, const char *id)
{
    policy_child_t *child = policy_child_by_id(&world->policy, id);
    cr_assert_not_null(child, "no child %s", id);
    return child->spec;
}

static const char *describe(const policy_action_t *action, const char *id, char line[128])
{
    switch (action->kind) {
    case POLICY_START:
        snprintf(line, 128, "start %s", id);
        break;
    case POLICY_EXIT:
        snprintf(line, 128, "exit %s", id);
        break;
    case POLICY_KILL:
        snprintf(line, 128, "kill %s", id);
        break;
    case POLICY_ANSWER:
        snprintf(line, 128, "answer %llu %s", (unsigned long long)action->asker.request_id,
                 outcomes[action->outcome]);
        break;
    case POLICY_TELL:
        snprintf(line, 128, "%s %s", changes[action->change], id);
        break;
    case POLICY_REPORT:
        snprintf(line, 128, "%s %s", contexts[action->context], id);
        break;
    case POLICY_ALL_UP:
        return "all_up";
    case POLICY_END:
        snprintf(line, 128, "end %s", trp_reason_name(action->reason.kind));
        break;
    case POLICY_ARM:
    case POLICY_DISARM:
    case POLICY_REMOVE:
        return "";
    }
    return line;
}

static void note_one(world_t *world, const policy_action_t *action)
{
    uint32_t key = action->child == NULL ? 0 : action->child->key;
    cr_assert_lt(key, WORLD_KEYS_MAX);
    if (action->kind == POLICY_ARM) {
        world->timer_at_ns[key] = world->now_ns + action->delay_ns;
    } else if (action->kind == POLICY_DISARM || action->kind == POLICY_START) {
        world->timer_at_ns[key] = 0;
    }
    char line[128] = "";
    const char *id = action->child == NULL ? "?" : action->child->spec->id;
    const char *text = describe(action, id, line);
    size_t used = strlen(world->trace);
    if (text[0] != '\0') {
        snprintf(world->trace + used, sizeof(world->trace) - used, "%s%s", used == 0 ? "" : ", ",
                 text);
    }
}

static void note(void *user, const policy_action_t *actions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        note_one(user, &actions[i]);
    }
}

void world_step(world_t *world, const policy_event_t *event)
{
    policy_step(&world->policy, event, world->now_ns, 0);
}

static policy_event_t event_of(world_t *world, policy_event_kind_t kind, const char *id)
{
    policy_child_t *child = policy_child_by_id(&world->policy, id);
    cr_assert_not_null(child, "no child %s", id);
    return (policy_event_t){.kind = kind, .child = child, .incarnation = child->incarnation};
}

void world_begin(world_t *world)
{
    world_step(world, &(policy_event_t){.kind = POLICY_BEGIN});
}

void world_begin_ready(world_t *world)
{
    world_begin(world);
    for (const policy_child_t *child = world->policy.first; child != NULL; child = child->next) {
        world_ready(world, child->spec->id);
    }
    cr_assert_eq(world->policy.mode, POLICY_RUNNING);
    world->trace[0] = '\0';
}

void world_ready(world_t *world, const char *id)
{
    policy_event_t event = event_of(world, POLICY_READY, id);
    world_step(world, &event);
}

void world_down(world_t *world, const char *id, trp_reason_kind_t kind)
{
    policy_event_t event = event_of(world, POLICY_DOWN, id);
    event.reason = trp_reason(kind, 0, NULL);
    world_step(world, &event);
}

void world_timer(world_t *world, const char *id)
{
    policy_event_t event = event_of(world, POLICY_TIMER, id);
    cr_assert_neq(world->timer_at_ns[event.child->key], 0, "no timer of %s", id);
    world->now_ns = world->timer_at_ns[event.child->key];
    world->timer_at_ns[event.child->key] = 0;
    world_step(world, &event);
}

void world_request(world_t *world, policy_event_kind_t kind, const char *id)
{
    policy_event_t event = {.kind = kind, .id = id, .asker.request_id = world->next_request++};
    world_step(world, &event);
}

void world_add(world_t *world, const char *id)
{
    trp_child_spec_t spec = spec_of(id, "permanent");
    cr_assert_eq(policy_add(&world->policy, &spec, NULL), TRP_OK);
    world_request(world, POLICY_RESTART, id);
}

policy_child_t *world_add_instance(world_t *world)
{
    policy_child_t *child = NULL;
    cr_assert_eq(policy_add(&world->policy, NULL, &child), TRP_OK);
    world_step(world, &(policy_event_t){.kind = POLICY_RESTART,
                                        .child = child,
                                        .asker.request_id = world->next_request++});
    return child;
}

void world_ready_row(world_t *world, policy_child_t *child)
{
    world_step(world, &(policy_event_t){
                          .kind = POLICY_READY, .child = child, .incarnation = child->incarnation});
}

void world_down_row(world_t *world, policy_child_t *child, trp_reason_kind_t kind)
{
    world_step(world, &(policy_event_t){.kind = POLICY_DOWN,
                                        .child = child,
                                        .incarnation = child->incarnation,
                                        .reason = trp_reason(kind, 0, NULL)});
}

policy_child_t *world_row(const world_t *world, size_t index)
{
    policy_child_t *child = world->policy.first;
    for (; index > 0 && child != NULL; index--) {
        child = child->next;
    }
    cr_assert_not_null(child);
    return child;
}

void world_stop(world_t *world)
{
    policy_event_t event = {.kind = POLICY_STOP,
                            .reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL)};
    world_step(world, &event);
}

void world_expect(world_t *world, const char *trace)
{
    cr_assert_str_eq(world->trace, trace, "got  \"%s\"\nwant \"%s\"", world->trace, trace);
    world->trace[0] = '\0';
}
