/* SPDX-License-Identifier: MIT */
#include "tests/actors/router/router_stage.h"

#include "actors/router/intake.h"
#include "actors/router/router.h"
#include "runtime/letter.h"
#include "runtime/log.h"
#include "supervisor/supervisor.h"

#define TAG_ORDER 0x1200 /* to a holder: a stage_order_t */
#define FIRST_MAX 8

given_t given[GIVEN_MAX];
size_t given_count;
config_pool_t pools[2];
config_t config;
char answer[2048];
int answers;
bool (*stage_auto)(trp_pid_t worker, const task_run_t *run, stage_order_t *order);

static trp_child_spec_t children[4], workers[2][FIRST_MAX], templates[2];
static trp_supervisor_spec_t root, pool_specs[2];
static probe_t parent, caller;
static const char *tool, *body, *wanted;
static int64_t within_ms; /* of the next call; 0: it has no deadline */
static trp_pid_t victim;

/* ---- workers ---- */

static trp_status_t obey(trp_ctx_t *ctx, const stage_order_t *order)
{
    zmq_msg_t message;
    char error[64];
    const bool success = order->code[0] == '\0';
    snprintf(error, sizeof(error), "{\"code\":\"%s\"}", order->code);
    const char *text = !success ? error : order->body[0] != '\0' ? order->body : "{}";
    const task_done_t done = {.success = success,
                              .has_code = !success,
                              .code = {order->code, strlen(order->code)},
                              .body = {text, strlen(text)},
                              .bind = {order->bind, strlen(order->bind)},
                              .has_bind = order->bind[0] != '\0'};
    if (order->fails) {
        return TRP_FAILED;
    }
    cr_assert_eq(trp_schema_pack(&task_done_schema, &done, &message), TRP_OK);
    cr_assert_eq(trp_reply_to(ctx, order->to, TRP_TAG_TASK_DONE, &message), TRP_OK);
    (void)zmq_msg_close(&message);
    return TRP_OK;
}

static trp_status_t on_run(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_document_t document;
    trp_fault_t fault;
    task_run_t run;
    stage_order_t order = {.to = trp_reply_address(message)};
    cr_assert_eq(trp_message_unpack(&task_run_schema, message, &document, &run, &fault), TRP_OK);
    bool is_done = stage_auto != NULL && stage_auto(trp_self(ctx), &run, &order);
    if (!is_done) {
        cr_assert_lt(given_count, GIVEN_MAX);
        given_t *task = &given[given_count++];
        *task = (given_t){.to = order.to,
                          .worker = trp_self(ctx),
                          .left_ms = trp_time_left_ns(ctx, message) / 1000000};
        snprintf(task->body, sizeof(task->body), "%.*s", (int)run.body.size, run.body.data);
    }
    trp_document_fini(&document);
    return is_done ? obey(ctx, &order) : TRP_OK;
}

static trp_status_t holder_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (message->tag == TRP_TAG_TASK_RUN) {
        return on_run(ctx, message);
    }
    if (message->tag == TAG_ORDER) {
        stage_order_t order;
        size_t size = 0;
        memcpy(&order, trp_message_data(message, &size), sizeof(order));
        return obey(ctx, &order);
    }
    return TRP_OK;
}

static const trp_class_t holder_class = {
    .name = "holder", .version = 1, .receive = holder_receive, .flags = TRP_CLASS_EDGE};

/* A supervisor runs where there is a thread for it: here, the edge; the intake as well. */
static trp_class_t supervisor_class, reader_class;

/* ---- callers ---- */

static trp_status_t caller_receive(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TRP_TAG_CALL_RESULT) {
        cr_assert_lt(size, sizeof(answer));
        memcpy(answer, data, size);
        answer[size] = '\0';
        answers++;
        probe->count = 0; /* what it saw is not looked at: the answer is */
    } else if (message->tag == TRP_TAG_ROUTER_ANSWER) {
        char *json = NULL;
        cr_assert_eq(trp_json_from_msgpack(data, size, &json, &size), TRP_OK);
        cr_assert_lt(size, sizeof(answer));
        memcpy(answer, json, size + 1);
        free(json);
        probe->count = 0;
    }
    return TRP_OK;
}

static void request(trp_ctx_t *ctx, probe_t *probe, uint16_t tag, zmq_msg_t *message)
{
    const trp_request_t ask = {
        .to = trp_whereis(ctx, "router"), .tag = tag, .message = message, .timeout_ms = -1};
    cr_assert_eq(trp_request(ctx, &ask, &probe->ref), TRP_OK);
    (void)zmq_msg_close(message);
}

static void call_tool(trp_ctx_t *ctx, probe_t *probe)
{
    const call_t call = {.tool = {tool, strlen(tool)},
                         .body = {body, strlen(body)},
                         .has_deadline_ms = within_ms > 0,
                         .deadline_ms = within_ms};
    zmq_msg_t message;
    cr_assert_eq(trp_schema_pack(&call_schema, &call, &message), TRP_OK);
    request(ctx, probe, TRP_TAG_CALL, &message);
}

void call(const char *name, const char *json)
{
    call_within(name, json, 0);
}

void call_within(const char *name, const char *json, int64_t deadline_ms)
{
    tool = name;
    body = json;
    within_ms = deadline_ms;
    probe_do(&caller, call_tool);
}

static void give_order(trp_ctx_t *ctx, probe_t *probe)
{
    trp_writer_t writer;
    trp_fault_t fault;
    zmq_msg_t message;
    trp_writer_init(&writer);
    cr_assert_eq(trp_json_to_msgpack(wanted, strlen(wanted), &writer, &fault), TRP_OK);
    cr_assert_eq(trp_writer_take(&writer, &message), TRP_OK);
    trp_writer_fini(&writer);
    request(ctx, probe, TRP_TAG_ROUTER_ORDER, &message);
}

const char *ask_router(const char *order)
{
    wanted = order;
    answer[0] = '\0';
    probe_do(&caller, give_order);
    return answer;
}

bool answer_has(const char *text)
{
    return strstr(answer, text) != NULL;
}

/* ---- the node ---- */

static trp_child_spec_t child(const char *id, const trp_class_t *class)
{
    trp_child_spec_t spec = {.class = class,
                             .is_named = true,
                             .shutdown_ms = 1000,
                             .start_ms = 2000,
                             .backoff_ms = 100,
                             .backoff_max_ms = 100};
    snprintf(spec.id, sizeof(spec.id), "%s", id);
    return spec;
}

static void spawn_root(trp_ctx_t *ctx, probe_t *probe)
{
    const trp_supervisor_args_t args = {.spec = &root, .parent = trp_self(ctx)};
    const trp_spawn_t spawn = {.class = &supervisor_class,
                               .name = "root",
                               .args = &args,
                               .args_size = sizeof(args),
                               .ack = true};
    cr_assert_eq(trp_spawn(ctx, &spawn, &probe->other), TRP_OK);
}

static void configure(void)
{
    pools[0] = (config_pool_t){.name = "p",
                               .child = {.start_ms = 1000},
                               .min = 1,
                               .max = 2,
                               .inflight_max = 1,
                               .queue_max = 10,
                               .queue_ms = 1000,
                               .run_ms = 60000,
                               .attempts_max = 3,
                               .idle_ms = 300000,
                               .tools = "make use",
                               .key_member = "key",
                               .key_tools_new = "make"};
    config = (config_t){
        .majordomo = {.bytes_max = 1 << 20, .body_max = 1 << 16}, .pools = pools, .pool_count = 1};
    pools[1] = pools[0];
    snprintf(pools[1].name, sizeof(pools[1].name), "q");
    pools[1].tools[0] = '\0';
}

/* One pool's supervisor, and its workers. */
static trp_child_spec_t pool_child(size_t index)
{
    const config_pool_t *settings = &config.pools[index];
    char id[TRP_NAME_MAX];
    for (int64_t i = 0; i < settings->min; i++) {
        snprintf(id, sizeof(id), "%.40s.%d", settings->name, (int)i + 1);
        workers[index][i] = child(id, &holder_class);
        workers[index][i].is_dynamic = true; /* as the tree has them */
    }
    templates[index] = child(settings->name, &holder_class);
    templates[index].is_dynamic = true;
    pool_specs[index] = (trp_supervisor_spec_t){.intensity = 10,
                                                .period_s = 5,
                                                .children = workers[index],
                                                .child_count = (size_t)settings->min,
                                                .template = &templates[index],
                                                .child_max = (size_t)settings->max};
    snprintf(pool_specs[index].name, TRP_NAME_MAX, "pool.%.40s", settings->name);
    trp_child_spec_t spec = child(pool_specs[index].name, &supervisor_class);
    spec.is_supervisor = true;
    spec.args = &pool_specs[index];
    return spec;
}

void open_router(void)
{
    size_t count = 0;
    supervisor_class = trp_supervisor_class;
    supervisor_class.flags |= TRP_CLASS_EDGE;
    reader_class = intake_class;
    reader_class.flags |= TRP_CLASS_EDGE;
    for (size_t i = 0; i < config.pool_count; i++) {
        pools[i].child.class = &holder_class;
        children[count++] = pool_child(i);
    }
    children[count++] = child(INTAKE_NAME, &reader_class);
    children[count++] = child("router", &router_class);
    root = (trp_supervisor_spec_t){
        .name = "root", .intensity = 10, .period_s = 5, .children = children, .child_count = count};
    config_keep(node, &config);
    probe_do(&parent, spawn_root);
    cr_assert(!trp_pid_is_none(runtime_whereis(node, "router")));
}

void stage_open(void)
{
    log_level_set(LOG_FATAL + 1);
    node_open(true);
    given_count = 0;
    answers = 0;
    answer[0] = '\0';
    stage_auto = NULL;
    parent = (probe_t){0};
    caller = (probe_t){.receive = caller_receive};
    probe_spawn(&parent, NULL);
    probe_spawn(&caller, NULL);
    node_settle();
    configure();
}

static void exit_root(trp_ctx_t *ctx, probe_t *probe)
{
    const trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

void stage_close(void)
{
    probe_do(&parent, exit_root);
    node_close();
}

void tell(trp_pid_t worker, const stage_order_t *what)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = worker;
    envelope->tag = TAG_ORDER;
    cr_assert_eq(envelope_set(envelope, what, sizeof(*what)), TRP_OK);
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
}

void fail(trp_pid_t worker)
{
    tell(worker, &(stage_order_t){.fails = true});
    node_settle();
}

void finish(size_t index, const char *bind)
{
    stage_order_t what = {.to = given[index].to};
    snprintf(what.bind, sizeof(what.bind), "%s", bind);
    tell(given[index].worker, &what);
    node_settle();
}

void finish_with(size_t index, const char *code, const char *text)
{
    stage_order_t what = {.to = given[index].to};
    snprintf(what.code, sizeof(what.code), "%s", code);
    snprintf(what.body, sizeof(what.body), "%s", text);
    tell(given[index].worker, &what);
    node_settle();
}

static void kill_victim(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    const trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, victim, &reason);
}

void kill_actor(const char *name)
{
    victim = runtime_whereis(node, name);
    probe_do(&parent, kill_victim);
}

void restart_router(void)
{
    kill_actor("router");
    node_advance_ms(1);
    cr_assert(!trp_pid_is_none(runtime_whereis(node, "router")));
    cr_assert(!trp_pid_equal(runtime_whereis(node, "router"), victim));
}
