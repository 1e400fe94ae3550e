/* SPDX-License-Identifier: MIT */
#include "tests/supervision/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/supervision/stage.h"

#define PATH_BYTES_MAX 1024

static const char *text_of(const json_t *json, const char *member, const char *otherwise)
{
    const json_t *value = json_object_get(json, member);
    return json_is_string(value) ? json_string_value(value) : otherwise;
}

static int64_t int_of(const json_t *json, const char *member, int64_t otherwise)
{
    const json_t *value = json_object_get(json, member);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* The place of a word in a list, or -1: refused as any number out of range is. */
static int index_of(const char *word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

cast_outcome_t script_outcome(const char *word)
{
    static const char *const words[] = {"ok", "fail", "ignore", "hold", NULL};
    int index = index_of(word, words);
    if (index < 0) {
        stage_fail("no outcome of a start: %s", word);
    }
    return (cast_outcome_t)index;
}

trp_reason_t script_reason(const char *word)
{
    if (strncmp(word, "shutdown:", 9) == 0) {
        return trp_reason(TRP_REASON_SHUTDOWN, 0, word + 9);
    }
    if (strcmp(word, "shutdown") == 0) {
        return trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    }
    if (strcmp(word, "normal") == 0) {
        return trp_reason(TRP_REASON_NORMAL, 0, NULL);
    }
    if (strcmp(word, "kill") == 0 || strcmp(word, "killed") == 0) {
        return trp_reason(TRP_REASON_KILLED, 0, NULL);
    }
    return trp_reason(TRP_REASON_ERROR, TRP_FAILED, NULL);
}

static void read_outcomes(role_t *role, const json_t *list)
{
    role->outcome_count = json_array_size(list);
    role->outcomes = calloc(role->outcome_count + 1, sizeof(*role->outcomes));
    if (role->outcomes == NULL) {
        stage_fail("no memory");
    }
    for (size_t i = 0; i < role->outcome_count; i++) {
        const char *word = json_string_value(json_array_get(list, i));
        role->outcomes[i] = script_outcome(word == NULL ? "" : word);
    }
}

static int64_t shutdown_of(const json_t *json, bool is_supervisor)
{
    const json_t *value = json_object_get(json, "shutdown");
    if (json_is_integer(value)) {
        int64_t ms = json_integer_value(value);
        return ms < 0 ? INT64_MIN : ms; /* refused, not taken for a word */
    }
    const char *word = text_of(json, "shutdown", is_supervisor ? "infinity" : "");
    if (strcmp(word, "infinity") == 0) {
        return TRP_SHUTDOWN_INFINITY;
    }
    return strcmp(word, "brutal_kill") == 0 ? TRP_SHUTDOWN_BRUTAL : 5000;
}

static void read_spec(role_t *role, const json_t *json, bool is_supervisor)
{
    static const char *const restarts[] = {"permanent", "transient", "temporary", NULL};
    role->spec = (trp_child_spec_t){
        .restart = (trp_restart_t)index_of(text_of(json, "restart", "permanent"), restarts),
        .is_significant = json_is_true(json_object_get(json, "significant")),
        .is_supervisor = is_supervisor,
        .shutdown_ms = shutdown_of(json, is_supervisor),
    };
    snprintf(role->spec.id, sizeof(role->spec.id), "%s", text_of(json, "id", "root"));
}

static void read_worker(role_t *role, const json_t *json)
{
    const char *on_shutdown = text_of(json, "on_shutdown", "obey");
    read_outcomes(role, json_object_get(json, "starts"));
    role->ignores_shutdown = strcmp(on_shutdown, "ignore") == 0;
    role->on_shutdown = script_reason(strcmp(on_shutdown, "obey") == 0 ? "shutdown" : on_shutdown);
    role->spec.class = &cast_worker_class;
    role->spec.args = &role->self;
    role->spec.args_size = sizeof(role->self);
}

/* As OTP: no back-off, stop at the limit, starts in order and awaited. */
static void read_flags(role_t *role, const json_t *json)
{
    static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one",
                                             "simple_one_for_one", NULL};
    static const char *const autos[] = {"never", "any_significant", "all_significant", NULL};
    role->supervisor = (trp_supervisor_spec_t){
        .strategy = (trp_strategy_t)index_of(text_of(json, "strategy", "one_for_one"), strategies),
        .intensity = int_of(json, "intensity", 1),
        .period_s = int_of(json, "period", 5),
        .auto_shutdown =
            (trp_auto_shutdown_t)index_of(text_of(json, "auto_shutdown", "never"), autos),
        .starts = TRP_STARTS_AWAITED,
        .on_report = cast_report,
        .on_report_user = role->place,
    };
    snprintf(role->supervisor.name, sizeof(role->supervisor.name), "%.60s", role->place->path);
    role->spec.class = &cast_supervisor_class;
    role->spec.args = &role->supervisor;
}

static void read_children(role_t *role, const json_t *json)
{
    const json_t *list = json_object_get(json, "children");
    size_t count = json_array_size(list);
    bool is_template = role->supervisor.strategy == TRP_SIMPLE_ONE_FOR_ONE;
    role->children = calloc(count + 1, sizeof(*role->children));
    if (role->children == NULL) {
        stage_fail("no memory");
    }
    for (size_t i = 0; i < count; i++) {
        char path[PATH_BYTES_MAX];
        const json_t *child = json_array_get(list, i);
        snprintf(path, sizeof(path), "%s/%s", role->place->path, text_of(child, "id", ""));
        role->children[i] = script_child(child, path)->spec;
    }
    role->supervisor.children = is_template && count == 1 ? NULL : role->children;
    role->supervisor.child_count = is_template && count == 1 ? 0 : count;
    role->supervisor.template = is_template && count == 1 ? role->children : NULL;
}

role_t *script_child(const json_t *json, const char *path)
{
    bool is_supervisor =
        json_object_get(json, "strategy") != NULL || json_object_get(json, "children") != NULL;
    role_t *role = cast_role();
    role->place = cast_place(path);
    read_spec(role, json, is_supervisor);
    if (is_supervisor) {
        read_flags(role, json);
        read_children(role, json);
    } else {
        read_worker(role, json);
    }
    return role;
}

role_t *script_template(const role_t *supervisor)
{
    role_t *template = NULL;
    const trp_child_spec_t *spec = supervisor->supervisor.template;
    if (spec != NULL && !spec->is_supervisor) {
        memcpy(&template, spec->args, sizeof(template));
    }
    return template;
}

role_t *script_instance(const role_t *template, const json_t *starts, const char *path)
{
    role_t *role = cast_role();
    role_t *next = role->next;
    *role = *template;
    role->next = next;
    role->self = role;
    role->children = NULL;
    role->place = cast_place(path);
    role->outcomes = NULL;
    if (starts != NULL) {
        read_outcomes(role, starts);
    } else {
        role->outcomes = calloc(template->outcome_count + 1, sizeof(*role->outcomes));
        if (role->outcomes == NULL) {
            stage_fail("no memory");
        }
        memcpy(role->outcomes, template->outcomes,
               template->outcome_count * sizeof(*role->outcomes));
    }
    role->spec.args = &role->self;
    return role;
}
