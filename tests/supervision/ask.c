/* SPDX-License-Identifier: MIT */
#include "tests/supervision/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/supervision/script.h"
#include "tests/supervision/stage.h"

enum { TAG_DO = 0x2100 };

#define PENDING_MAX 256
#define STOPS_MAX   64

/* What the asker shall do on its next turn. */
typedef struct order {
    void (*act)(trp_ctx_t *ctx, const struct order *order);
    const json_t *step;
    int number;
    trp_pid_t pid;
    trp_reason_t reason;
    int outcome;
} order_t;

static trp_pid_t asker;
static role_t *root;
static uint64_t root_monitor; /* 0: it does not live */
static bool root_is_up;
static int stops[STOPS_MAX];
static int stop_count;
static struct {
    uint64_t request_id; /* 0 = free */
    int number;
} pending[PENDING_MAX];

void ask_log(int number, json_t *value)
{
    cast_log(json_pack("[sio]", "result", number, value));
}

/* ---- answers ---- */

/* "#k" of the path root/p#k. */
static const char *number_of(const place_t *place)
{
    const char *sign = strrchr(place->path, '#');
    return sign == NULL ? "#" : sign;
}

static json_t *row_of(const child_info_t *row)
{
    static const char *const types[] = {"worker", "supervisor"};
    char text[TRP_PID_TEXT_MAX] = "";
    trp_pid_t pid = TRP_PID_NONE;
    const place_t *place = NULL;
    int number = 0;
    if (row->has_pid) {
        snprintf(text, sizeof(text), "%.*s", (int)row->pid.size, row->pid.data);
        if (trp_pid_parse(text, &pid) == TRP_OK) {
            place = cast_started(pid, &number);
        }
    }
    bool is_instance = place != NULL && strchr(place->path, '#') != NULL &&
                       strchr(strrchr(place->path, '#'), '/') == NULL;
    json_t *id =
        is_instance ? json_string(number_of(place)) : json_stringn(row->id.data, row->id.size);
    json_t *state = place != NULL     ? json_pack("[si]", "running", number)
                    : row->state == 0 ? json_string("undefined")
                                      : json_string("restarting");
    return json_pack("[oos]", id, state, types[row->type]);
}

static json_t *rows_of(const trp_envelope_t *message)
{
    trp_document_t document;
    trp_fault_t fault;
    children_t children;
    if (trp_message_unpack(&children_schema, message, &document, &children, &fault) != TRP_OK) {
        stage_fail("children: %s", fault.rule);
    }
    bool is_template = children.strategy == TRP_SIMPLE_ONE_FOR_ONE;
    json_t *rows = json_array();
    for (size_t i = 0; i < children.children_count; i++) {
        json_t *row = row_of(&children.children[i]);
        if (is_template && !children.children[i].has_pid) {
            json_array_set_new(row, 0, json_string("#"));
        }
        json_array_append_new(rows, row);
    }
    trp_document_fini(&document);
    return rows;
}

static json_t *numbers_of(const trp_envelope_t *message)
{
    trp_document_t document;
    trp_fault_t fault;
    children_counted_t count;
    if (trp_message_unpack(&children_counted_schema, message, &document, &count, &fault) !=
        TRP_OK) {
        stage_fail("children_counted: %s", fault.rule);
    }
    trp_document_fini(&document);
    return json_pack("[IIII]", (json_int_t)count.specs, (json_int_t)count.active,
                     (json_int_t)count.supervisors, (json_int_t)count.workers);
}

static json_t *spec_of(const trp_envelope_t *message)
{
    static const char *const restarts[] = {"permanent", "transient", "temporary"};
    static const char *const types[] = {"worker", "supervisor"};
    trp_document_t document;
    trp_fault_t fault;
    child_spec_t spec;
    if (trp_message_unpack(&child_spec_schema, message, &document, &spec, &fault) != TRP_OK) {
        stage_fail("child_spec: %s", fault.rule);
    }
    trp_document_fini(&document);
    json_t *shutdown = spec.shutdown_ms == TRP_SHUTDOWN_INFINITY ? json_string("infinity")
                       : spec.shutdown_ms == TRP_SHUTDOWN_BRUTAL ? json_string("brutal_kill")
                                                                 : json_integer(spec.shutdown_ms);
    return json_pack("[sbos]", restarts[spec.restart], spec.significant, shutdown,
                     types[spec.type]);
}

/* Of a start that failed: "start_failed failed: a" names the child of a supervisor. */
static json_t *failure_of(const char *reason)
{
    const char *child = strstr(reason, ": ");
    return child == NULL ? json_string("failed:start_error")
                         : json_sprintf("failed:failed_to_start_child:%s", child + 2);
}

static json_t *outcome_of(const trp_envelope_t *message, bool is_start)
{
    static const char *const words[] = {
        "ok",         "failed",    "already_started", "already_present", "running",
        "restarting", "not_found", "refused",         "noproc"};
    char reason[TRP_REASON_LINE_MAX] = "";
    trp_document_t document;
    trp_fault_t fault;
    child_answer_t answer;
    if (trp_message_unpack(&child_answer_schema, message, &document, &answer, &fault) != TRP_OK) {
        stage_fail("child_answer: %s", fault.rule);
    }
    if (answer.has_reason) {
        snprintf(reason, sizeof(reason), "%.*s", (int)answer.reason.size, answer.reason.data);
    }
    trp_document_fini(&document);
    if (answer.outcome == CHILD_OK && is_start && !answer.has_pid) {
        return json_string("ok_undefined");
    }
    if (answer.outcome == CHILD_FAILED) {
        return failure_of(reason);
    }
    if (answer.outcome == CHILD_REFUSED && strstr(reason, "simple_one_for_one") != NULL) {
        return json_string("simple_one_for_one");
    }
    return json_string(words[answer.outcome]);
}

static void on_answer(const trp_envelope_t *message, int number, bool is_start)
{
    switch (message->tag) {
    case TRP_TAG_CHILD_ANSWER:
        ask_log(number, outcome_of(message, is_start));
        break;
    case TRP_TAG_CHILDREN:
        ask_log(number, rows_of(message));
        break;
    case TRP_TAG_CHILDREN_COUNTED:
        ask_log(number, numbers_of(message));
        break;
    case TRP_TAG_CHILD_SPEC_SHOWN:
        ask_log(number, spec_of(message));
        break;
    default:
        ask_log(number, json_string("noproc"));
    }
}

/* The root has ended: by itself, as asked, or it never started. */
static void on_root_down(const trp_envelope_t *message)
{
    size_t size = 0;
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    const void *data = trp_message_data(message, &size);
    if (size == sizeof(reason)) {
        memcpy(&reason, data, size);
    }
    if (!root_is_up) {
        json_t *word = cast_reason(&reason);
        ask_log(0, json_sprintf("failed:%s", json_string_value(word)));
        json_decref(word);
    }
    root_monitor = 0;
    for (int i = 0; i < stop_count; i++) {
        ask_log(stops[i], json_string("ok"));
    }
    stop_count = 0;
}

/* Starts are those that carry it in the number: see remember. */
#define START_BIT (1 << 30)

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (message->tag == TAG_DO) {
        order_t order;
        size_t size = 0;
        memcpy(&order, trp_message_data(message, &size), sizeof(order));
        order.act(ctx, &order);
        return TRP_OK;
    }
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (pending[i].request_id != 0 && pending[i].request_id == message->request_id) {
            pending[i].request_id = 0;
            on_answer(message, pending[i].number & ~START_BIT,
                      (pending[i].number & START_BIT) != 0);
            return TRP_OK;
        }
    }
    if (message->tag == TRP_TAG_STARTED) {
        root_is_up = true;
        ask_log(0, json_string("ok"));
    } else if (message->tag == TRP_TAG_DOWN && message->request_id == root_monitor) {
        on_root_down(message);
    }
    return TRP_OK;
}

static const trp_class_t asker_class = {.name = "asker", .receive = receive};

/* ---- orders ---- */

static void give(const order_t *order)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL || envelope_set(envelope, order, sizeof(*order)) != TRP_OK) {
        stage_fail("no memory");
    }
    envelope->to = asker;
    envelope->tag = TAG_DO;
    if (runtime_send(stage, envelope) != TRP_OK) {
        stage_fail("the asker can't be told");
    }
}

static void remember(uint64_t request_id, int number)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (pending[i].request_id == 0) {
            pending[i].request_id = request_id;
            pending[i].number = number;
            return;
        }
    }
    stage_fail("more than %d requests wait", PENDING_MAX);
}

static void start_root(trp_ctx_t *ctx, const order_t *order)
{
    (void)order;
    trp_supervisor_args_t args = {.spec = &root->supervisor, .parent = trp_self(ctx)};
    trp_pid_t pid;
    trp_spawn_t spawn = {.class = &cast_supervisor_class,
                         .args = &args,
                         .args_size = sizeof(args),
                         .monitor = true,
                         .monitor_ref = &root_monitor,
                         .ack = true};
    if (trp_spawn(ctx, &spawn, &pid) != TRP_OK) {
        stage_fail("the root can't be spawned");
    }
}

static void stop_root(trp_ctx_t *ctx, const order_t *order)
{
    trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    if (root_monitor == 0) {
        ask_log(order->number, json_string("not_running"));
    } else if (stop_count < STOPS_MAX) {
        stops[stop_count++] = order->number;
        trp_exit(ctx, root->place->pid, &shutdown);
    }
}

static void crash(trp_ctx_t *ctx, const order_t *order)
{
    if (order->reason.kind == TRP_REASON_KILLED) {
        trp_exit(ctx, order->pid, &order->reason);
    } else if (trp_send(ctx, order->pid, CAST_TAG_CRASH, &order->reason, sizeof(order->reason)) !=
               TRP_OK) {
        stage_fail("a worker can't be told to end");
    }
}

static void finish(trp_ctx_t *ctx, const order_t *order)
{
    if (trp_send(ctx, order->pid, CAST_TAG_FINISH, &order->outcome, sizeof(order->outcome)) !=
        TRP_OK) {
        stage_fail("a worker can't be told to go on");
    }
}

static trp_status_t start_child(trp_ctx_t *ctx, const order_t *order, place_t *place, uint64_t *id)
{
    const json_t *child = json_object_get(order->step, "child");
    const role_t *role;
    trp_child_spec_t spec = {.class = NULL};
    char path[1024];
    char rule[160];
    if (child != NULL) {
        snprintf(path, sizeof(path), "%s/%s", place->path,
                 json_string_value(json_object_get(child, "id")));
        role = script_child(child, path);
        if (role->spec.is_supervisor && trp_supervisor_check(&role->supervisor, rule) != TRP_OK) {
            return TRP_INVALID;
        }
        spec = role->spec;
    } else {
        const role_t *supervisor = cast_supervisor_at(place);
        const role_t *template = supervisor == NULL ? NULL : script_template(supervisor);
        if (template == NULL) {
            return TRP_INVALID;
        }
        snprintf(path, sizeof(path), "%s#%d", place->path, ++place->instance_count);
        role = script_instance(template, json_object_get(order->step, "starts"), path);
        spec.args = role->spec.args;
        spec.args_size = role->spec.args_size;
    }
    return trp_supervisor_start_child(ctx, place->pid, &spec, id);
}

static trp_status_t ask_child(trp_ctx_t *ctx, const place_t *place, trp_child_request_t request,
                              const char *id, uint64_t *request_id)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s%s", place->path, id);
    if (id[0] == '#' && !trp_pid_is_none(cast_place(path)->up_pid)) {
        return trp_supervisor_ask_instance(ctx, place->pid, request, cast_place(path)->up_pid,
                                           request_id);
    }
    return trp_supervisor_ask_child(ctx, place->pid, request, id, request_id);
}

static int child_request(const char *op)
{
    static const char *const words[] = {"terminate_child", "restart_child", "delete_child",
                                        "get_childspec"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(op, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static void request(trp_ctx_t *ctx, const order_t *order)
{
    const char *op = json_string_value(json_object_get(order->step, "op"));
    const char *sup = json_string_value(json_object_get(order->step, "sup"));
    const char *id = json_string_value(json_object_get(order->step, "id"));
    place_t *place = cast_place(sup == NULL ? "" : sup);
    uint64_t request_id = 0;
    trp_status_t status = TRP_INVALID;
    bool is_start = strcmp(op, "start_child") == 0 || strcmp(op, "restart_child") == 0;
    if (!place->is_live) {
        if (strcmp(op, "start_child") == 0 && json_object_get(order->step, "child") == NULL) {
            place->instance_count++;
        }
        ask_log(order->number, json_string("noproc"));
        return;
    }
    if (strcmp(op, "start_child") == 0) {
        status = start_child(ctx, order, place, &request_id);
    } else if (strcmp(op, "which_children") == 0) {
        status = trp_supervisor_ask(ctx, place->pid, TRP_CHILDREN_WHICH, &request_id);
    } else if (strcmp(op, "count_children") == 0) {
        status = trp_supervisor_ask(ctx, place->pid, TRP_CHILDREN_COUNT, &request_id);
    } else if (child_request(op) >= 0 && id != NULL) {
        status = ask_child(ctx, place, (trp_child_request_t)child_request(op), id, &request_id);
    }
    if (status == TRP_OK) {
        remember(request_id, order->number | (is_start ? START_BIT : 0));
    } else {
        ask_log(order->number, json_string("refused"));
    }
}

void ask_step(const json_t *step, int number)
{
    give(&(order_t){.act = request, .step = step, .number = number});
}

void ask_stop(int number)
{
    give(&(order_t){.act = stop_root, .number = number});
}

void ask_crash(trp_pid_t pid, const trp_reason_t *reason)
{
    give(&(order_t){.act = crash, .pid = pid, .reason = *reason});
}

void ask_finish(trp_pid_t pid, int outcome)
{
    give(&(order_t){.act = finish, .pid = pid, .outcome = outcome});
}

void ask_open(role_t *tree)
{
    char rule[160];
    trp_spawn_t spawn = {.class = &asker_class};
    root = tree;
    root_is_up = false;
    root_monitor = 0;
    stop_count = 0;
    memset(pending, 0, sizeof(pending));
    if (runtime_spawn(stage, &spawn, &asker) != TRP_OK) {
        stage_fail("no memory");
    }
    stage_prefer(asker);
    if (!root->spec.is_supervisor || trp_supervisor_check(&root->supervisor, rule) != TRP_OK) {
        cast_log(json_pack("[sss]", "start_failed", "root", "refused"));
        ask_log(0, json_string("refused"));
        return;
    }
    give(&(order_t){.act = start_root});
}

void ask_close(void)
{
    root = NULL;
}
