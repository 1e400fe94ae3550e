/* SPDX-License-Identifier: MIT */
#include "tests/actors/tool_probe.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/log.h"

#define TAG_ASK   (TRP_TAG_USER + 1) /* test to probe [task_run] */
#define TAG_EXIT  (TRP_TAG_USER + 2) /* test to probe: end the root [] */
#define LIMIT_S   10
#define FORGOTTEN 16 /* released keys remembered */

struct tool_probe {
    trp_runtime_t *runtime;
    const trp_class_t *class;
    void *options;
    size_t options_size;
    trp_pid_t self;
    trp_pid_t root; /* the probe's own from here on, but for what the lock guards */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_ready, is_gone;
    size_t asked, answered, succeeded;
    tool_probe_answer_t answer;
    char released[FORGOTTEN][TRP_TASK_KEY_MAX + 1];
    size_t released_count;
};

static tool_probe_t *the_probe; /* each test is a process of its own */

/* ---- the actor ---- */

static void copy(char *out, size_t room, trp_text_t text)
{
    size_t size = text.size < room - 1 ? text.size : room - 1;
    memcpy(out, text.data, size);
    out[size] = '\0';
}

static void note(void (*change)(tool_probe_t *probe, const void *data), const void *data)
{
    pthread_mutex_lock(&the_probe->lock);
    change(the_probe, data);
    pthread_cond_broadcast(&the_probe->changed);
    pthread_mutex_unlock(&the_probe->lock);
}

static void note_ready(tool_probe_t *probe, const void *data)
{
    (void)data;
    probe->is_ready = true;
}

static void note_gone(tool_probe_t *probe, const void *data)
{
    (void)data;
    probe->is_gone = true;
}

static void note_release(tool_probe_t *probe, const void *data)
{
    const task_release_t *release = data;
    copy(probe->released[probe->released_count++ % FORGOTTEN], TRP_TASK_KEY_MAX + 1, release->key);
}

static void note_done(tool_probe_t *probe, const void *data)
{
    const task_done_t *done = data;
    probe->answered++;
    probe->succeeded += done->success ? 1 : 0;
    memset(&probe->answer, 0, sizeof(probe->answer));
    probe->answer.success = done->success;
    copy(probe->answer.body, sizeof(probe->answer.body), done->body);
    if (done->has_bind) {
        copy(probe->answer.bind, sizeof(probe->answer.bind), done->bind);
    }
    if (done->has_unbind) {
        copy(probe->answer.unbind, sizeof(probe->answer.unbind), done->unbind);
    }
}

/* Reads a message by its schema and hands it on. */
static trp_status_t read_into(const trp_envelope_t *message, const trp_schema_t *schema, void *out,
                              void (*change)(tool_probe_t *probe, const void *data))
{
    size_t size;
    trp_document_t document;
    trp_fault_t fault;
    const void *data = trp_message_data(message, &size);
    trp_status_t status =
        trp_schema_unpack(schema, (trp_text_t){data, size}, &document, out, &fault);
    if (status != TRP_OK) {
        return status;
    }
    note(change, out);
    trp_document_fini(&document);
    return TRP_OK;
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state, (void)args;
    trp_spawn_t spawn = {.class = the_probe->class,
                         .args_tag = TRP_TAG_USER,
                         .args = the_probe->options,
                         .args_size = the_probe->options_size,
                         .link = true,
                         .ack = true};
    trp_trap_exit(ctx, true);
    return trp_spawn(ctx, &spawn, &the_probe->root);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    size_t size;
    uint64_t id;
    task_done_t done;
    task_release_t release;
    trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, "test");
    switch (message->tag) {
    case TRP_TAG_STARTED:
        note(note_ready, NULL);
        return TRP_OK;
    case TRP_TAG_EXIT:
        note(note_gone, NULL);
        return TRP_OK;
    case TAG_EXIT:
        trp_exit(ctx, the_probe->root, &shutdown);
        return TRP_OK;
    case TAG_ASK: {
        trp_request_t request = {.to = the_probe->root, .tag = TRP_TAG_TASK_RUN};
        request.data = trp_message_data(message, &size);
        request.size = size;
        return trp_request(ctx, &request, &id);
    }
    case TRP_TAG_TASK_DONE:
        return read_into(message, &task_done_schema, &done, note_done);
    case TRP_TAG_TASK_RELEASE:
        return read_into(message, &task_release_schema, &release, note_release);
    default:
        return TRP_OK;
    }
}

static const trp_class_t probe_class = {
    .name = "probe", .version = 1, .state_size = 1, .init = init, .receive = receive};

/* ---- the test's thread ---- */

static time_t time_of_day_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* Waits under the lock until the condition holds. */
static void wait_until(tool_probe_t *probe,
                       bool (*holds)(const tool_probe_t *probe, const void *data), const void *data,
                       const char *what)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += LIMIT_S;
    int status = 0;
    pthread_mutex_lock(&probe->lock);
    while (!holds(probe, data) && status == 0) {
        status = pthread_cond_timedwait(&probe->changed, &probe->lock, &limit);
    }
    pthread_mutex_unlock(&probe->lock);
    cr_assert_eq(status, 0, "%s did not come within %d s", what, LIMIT_S);
}

static bool is_ready(const tool_probe_t *probe, const void *data)
{
    (void)data;
    return probe->is_ready || probe->is_gone;
}

static bool is_gone(const tool_probe_t *probe, const void *data)
{
    (void)data;
    return probe->is_gone;
}

static bool is_answered(const tool_probe_t *probe, const void *data)
{
    (void)data;
    return probe->answered == probe->asked;
}

static bool is_released(const tool_probe_t *probe, const void *data)
{
    for (size_t i = 0; i < FORGOTTEN; i++) {
        if (strcmp(probe->released[i], data) == 0) {
            return true;
        }
    }
    return false;
}

tool_probe_t *tool_probe_new(const trp_class_t *class, const char *options, uint32_t threads)
{
    tool_probe_t *probe = the_probe = calloc(1, sizeof(*probe));
    cr_assert_not_null(probe);
    log_level_set(LOG_ERROR);
    pthread_mutex_init(&probe->lock, NULL);
    pthread_cond_init(&probe->changed, NULL);
    probe->class = class;
    probe->options = options == NULL ? NULL : strdup(options);
    probe->options_size = options == NULL ? 0 : strlen(options);
    runtime_options_t settings = {.node = 0x10000, .incarnation = 1, .threads = threads};
    cr_assert_eq(runtime_create(&settings, &probe->runtime), TRP_OK);
    cr_assert_eq(runtime_start(probe->runtime), TRP_OK);
    trp_spawn_t spawn = {.class = &probe_class};
    cr_assert_eq(runtime_spawn(probe->runtime, &spawn, &probe->self), TRP_OK);
    wait_until(probe, is_ready, NULL, "the start");
    cr_assert(probe->is_ready, "the class did not start");
    return probe;
}

static void tell(tool_probe_t *probe, uint16_t tag, const void *data, size_t size)
{
    trp_envelope_t *envelope = envelope_alloc();
    cr_assert_not_null(envelope);
    envelope->to = probe->self;
    envelope->tag = tag;
    cr_assert_eq(envelope_set(envelope, data, size), TRP_OK);
    cr_assert_eq(runtime_send(probe->runtime, envelope), TRP_OK);
}

static void ask(tool_probe_t *probe, const char *tool, const char *body)
{
    const task_run_t run = {
        .task_id = {"t", 1}, .tool = {tool, strlen(tool)}, .body = {body, strlen(body)}};
    trp_writer_t writer;
    size_t size;
    trp_writer_init(&writer);
    trp_schema_write(&task_run_schema, &run, &writer);
    const void *data = trp_writer_data(&writer, &size);
    pthread_mutex_lock(&probe->lock);
    probe->asked++;
    pthread_mutex_unlock(&probe->lock);
    tell(probe, TAG_ASK, data, size);
    trp_writer_fini(&writer);
}

const tool_probe_answer_t *tool_probe_ask(tool_probe_t *probe, const char *tool, const char *body)
{
    ask(probe, tool, body);
    wait_until(probe, is_answered, NULL, tool);
    return &probe->answer;
}

size_t tool_probe_flood(tool_probe_t *probe, const char *tool, size_t count,
                        void (*write)(size_t index, char body[512]))
{
    size_t before = probe->succeeded;
    for (size_t i = 0; i < count; i++) {
        char body[512];
        write(i, body);
        ask(probe, tool, body);
    }
    wait_until(probe, is_answered, NULL, tool);
    return probe->succeeded - before;
}

void tool_probe_wait_release(tool_probe_t *probe, const char *key)
{
    wait_until(probe, is_released, key, "the release");
}

void tool_probe_stop_root(tool_probe_t *probe)
{
    tell(probe, TAG_EXIT, NULL, 0);
    wait_until(probe, is_gone, NULL, "the end of the root");
}

static void count_actor(void *user, const actor_info_t *info)
{
    (void)info;
    ++*(size_t *)user;
}

/* All that the root had spawned ends after it. */
void tool_probe_free(tool_probe_t *probe)
{
    time_t limit_s = time_of_day_s() + LIMIT_S;
    size_t actors;
    if (!probe->is_gone) {
        tool_probe_stop_root(probe);
    }
    do {
        actors = 0;
        runtime_each(probe->runtime, count_actor, &actors);
        cr_assert_lt(time_of_day_s(), limit_s, "%zu actors are left", actors);
        sched_yield();
    } while (actors > 1);
    runtime_stop(probe->runtime);
    runtime_destroy(&probe->runtime);
    pthread_mutex_destroy(&probe->lock);
    pthread_cond_destroy(&probe->changed);
    free(probe->options);
    free(probe);
}

void tool_probe_text(const tool_probe_answer_t *answer, const char *member, char *out, size_t size)
{
    trp_document_t document;
    trp_fault_t fault;
    cr_assert_eq(trp_document_init(&document, answer->body, strlen(answer->body), &fault), TRP_OK,
                 "%s", answer->body);
    const msgpack_object *value = trp_member(&document.root, member);
    cr_assert(value != NULL && value->type == MSGPACK_OBJECT_STR, "no text %s in %s", member,
              answer->body);
    copy(out, size, (trp_text_t){value->via.str.ptr, value->via.str.size});
    trp_document_fini(&document);
}
