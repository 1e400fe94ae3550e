/* SPDX-License-Identifier: MIT */
#include "tests/supervision/cast.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/supervisor_state.h"
#include "tests/supervision/stage.h"

/* A successful start. */
typedef struct life {
    trp_pid_t pid;
    place_t *place;
    int number;
    struct life *next;
} life_t;

static life_t *lives;
static place_t *places;
static role_t *roles;
static json_t *events;

/* ---- places, roles, the log ---- */

void cast_open(void)
{
    events = json_array();
}

void cast_close(void)
{
    while (places != NULL) {
        place_t *place = places;
        places = place->next;
        free(place->path);
        free(place);
    }
    while (lives != NULL) {
        life_t *life = lives;
        lives = life->next;
        free(life);
    }
    while (roles != NULL) {
        role_t *role = roles;
        roles = role->next;
        free(role->outcomes);
        free(role->children);
        free(role);
    }
    json_decref(events);
}

static void *made(void *memory)
{
    if (memory == NULL) {
        stage_fail("no memory");
    }
    return memory;
}

place_t *cast_place(const char *path)
{
    for (place_t *place = places; place != NULL; place = place->next) {
        if (strcmp(place->path, path) == 0) {
            return place;
        }
    }
    place_t *place = made(calloc(1, sizeof(*place)));
    place->path = made(strdup(path));
    place->next = places;
    places = place;
    return place;
}

const place_t *cast_started(trp_pid_t pid, int *number)
{
    for (const life_t *life = lives; life != NULL; life = life->next) {
        if (trp_pid_equal(life->pid, pid)) {
            *number = life->number;
            return life->place;
        }
    }
    return NULL;
}

bool cast_any(bool (*each)(const place_t *place))
{
    for (const place_t *place = places; place != NULL; place = place->next) {
        if (each(place)) {
            return true;
        }
    }
    return false;
}

role_t *cast_role(void)
{
    role_t *role = made(calloc(1, sizeof(*role)));
    role->self = role;
    role->next = roles;
    roles = role;
    return role;
}

const role_t *cast_supervisor_at(const place_t *place)
{
    const role_t *role = roles;
    while (role != NULL && (role->place != place || !role->spec.is_supervisor)) {
        role = role->next;
    }
    return role;
}

void cast_log(json_t *event)
{
    if (event == NULL || json_array_append_new(events, event) != 0) {
        stage_fail("no memory");
    }
}

json_t *cast_take_events(void)
{
    json_t *taken = events;
    events = json_array();
    return taken;
}

static json_t *reason_word(const char *kind, const char *text)
{
    if (strcmp(kind, "shutdown") == 0 && text[0] != '\0') {
        return json_sprintf("shutdown:%s", text);
    }
    if (strcmp(kind, "start_failed") == 0) {
        return text[0] == '\0' ? json_string("start_error")
                               : json_sprintf("failed_to_start_child:%s", text);
    }
    return json_string(kind);
}

json_t *cast_reason(const trp_reason_t *reason)
{
    return reason_word(trp_reason_name(reason->kind), reason->text);
}

void cast_report(void *user, const supervisor_report_t *report)
{
    static const char *const contexts[] = {
        "child_terminated", NULL, "start_error", "shutdown_error", "shutdown", NULL, NULL};
    const place_t *place = user;
    if (contexts[report->context] == NULL) {
        return; /* what OTP does not say */
    }
    json_t *event =
        json_pack("[ssss#o]", "report", place->path, contexts[report->context], report->id.data,
                  (int)report->id.size, reason_word(report->reason.data, report->detail.data));
    if (report->count > 0) {
        json_array_append_new(event, json_integer(report->count));
    }
    cast_log(event);
}

/* ---- what both kinds of actors tell ---- */

static void log_attempt(place_t *place, trp_pid_t pid)
{
    place->pid = pid;
    place->is_live = true;
    place->is_up = false;
    place->attempts++;
}

/* Returns which start of the place it is. */
static int log_start(place_t *place)
{
    life_t *life = made(calloc(1, sizeof(*life)));
    *life = (life_t){place->pid, place, ++place->starts, lives};
    lives = life;
    place->is_up = true;
    place->up_pid = place->pid;
    cast_log(json_pack("[ssi]", "start", place->path, place->starts));
    return place->starts;
}

/* How an actor ends. */
typedef struct end {
    trp_pid_t pid;
    int number;   /* of its start; 0 = it was not complete */
    bool is_told; /* why; if not, it was killed: */
    trp_reason_t reason;
} end_t;

static void log_end(place_t *place, const end_t *end)
{
    trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    if (trp_pid_equal(place->pid, end->pid)) { /* the next one may live already */
        place->is_live = place->is_up = false;
    }
    if (end->number != 0) {
        cast_log(json_pack("[ssio]", "exit", place->path, end->number,
                           cast_reason(end->is_told ? &end->reason : &killed)));
    }
}

/* ---- workers ---- */

typedef struct worker_state {
    role_t *role;
    end_t end;
} worker_state_t;

static trp_status_t begin(worker_state_t *worker, cast_outcome_t outcome)
{
    place_t *place = worker->role->place;
    switch (outcome) {
    case CAST_FAIL:
        cast_log(json_pack("[sss]", "start_failed", place->path, "start_error"));
        return TRP_FAILED;
    case CAST_IGNORE:
        cast_log(json_pack("[ss]", "ignore", place->path));
        return TRP_IGNORE;
    case CAST_HOLD:
        cast_log(json_pack("[ss]", "starting", place->path));
        return TRP_PENDING;
    default:
        worker->end.number = log_start(place);
        return TRP_OK;
    }
}

static trp_status_t worker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    worker_state_t *worker = state;
    size_t size = 0;
    memcpy(&worker->role, trp_message_data(args, &size), sizeof(worker->role));
    role_t *role = worker->role;
    worker->end.pid = trp_self(ctx);
    log_attempt(role->place, worker->end.pid);
    trp_trap_exit(ctx, true);
    size_t attempt = (size_t)role->place->attempts - 1;
    return begin(worker, attempt < role->outcome_count ? role->outcomes[attempt] : CAST_OK);
}

/* Asked to stop; or the supervisor died, and it ends with the same reason. */
static void obey(trp_ctx_t *ctx, const role_t *role, const trp_reason_t *reason)
{
    if (reason->kind != TRP_REASON_SHUTDOWN) {
        trp_stop(ctx, reason);
    } else if (!role->ignores_shutdown) {
        trp_stop(ctx, &role->on_shutdown);
    }
}

static void finish(trp_ctx_t *ctx, worker_state_t *worker, cast_outcome_t outcome)
{
    trp_status_t status = begin(worker, outcome);
    trp_reason_t reason = trp_reason(TRP_REASON_START_FAILED, (int32_t)status, NULL);
    if (status == TRP_OK) {
        trp_ready(ctx);
    } else {
        trp_stop(ctx, &reason);
    }
}

static trp_status_t worker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    worker_state_t *worker = state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    trp_reason_t reason;
    int outcome;
    switch (message->tag) {
    case TRP_TAG_EXIT:
        memcpy(&reason, data, sizeof(reason));
        obey(ctx, worker->role, &reason);
        break;
    case CAST_TAG_CRASH:
        memcpy(&reason, data, sizeof(reason));
        trp_stop(ctx, &reason);
        break;
    case CAST_TAG_FINISH:
        memcpy(&outcome, data, sizeof(outcome));
        if (worker->end.number == 0) {
            finish(ctx, worker, (cast_outcome_t)outcome);
        }
        break;
    default:
        break;
    }
    return TRP_OK;
}

static void worker_terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    worker_state_t *worker = state;
    worker->end.is_told = true;
    worker->end.reason = *reason;
}

static void worker_release(void *state)
{
    const worker_state_t *worker = state;
    if (worker->role != NULL) {
        log_end(worker->role->place, &worker->end);
    }
}

const trp_class_t cast_worker_class = {.name = "worker",
                                       .state_size = sizeof(worker_state_t),
                                       .init = worker_init,
                                       .receive = worker_receive,
                                       .terminate = worker_terminate,
                                       .release = worker_release};

/* ---- supervisors: the real one, and a look at it before and after each callback ---- */

typedef struct supervisor_state {
    supervisor_t supervisor;
    place_t *place;
    end_t end;
    struct supervisor_state *prev, *next;
} supervisor_state_t;

static supervisor_state_t *troupe_first;

static trp_status_t supervisor_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    supervisor_state_t *self = state;
    trp_supervisor_args_t own;
    size_t size = 0;
    memcpy(&own, trp_message_data(args, &size), sizeof(own));
    self->place = own.spec->on_report_user;
    self->next = troupe_first;
    if (troupe_first != NULL) {
        troupe_first->prev = self;
    }
    troupe_first = self;
    self->end.pid = trp_self(ctx);
    log_attempt(self->place, self->end.pid);
    trp_status_t status = trp_supervisor_class.init(ctx, &self->supervisor, args);
    if (status == TRP_OK) {
        self->end.number = log_start(self->place);
    }
    return status;
}

static trp_status_t supervisor_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    supervisor_state_t *self = state;
    trp_status_t status = trp_supervisor_class.receive(ctx, &self->supervisor, message);
    if (self->end.number == 0 && self->supervisor.policy.mode == POLICY_RUNNING) {
        self->end.number = log_start(self->place);
    }
    return status;
}

static void supervisor_terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    supervisor_state_t *self = state;
    self->end.is_told = true;
    self->end.reason = *reason;
}

static void supervisor_release(void *state)
{
    supervisor_state_t *self = state;
    if (self->place == NULL) {
        return;
    }
    *(self->prev == NULL ? &troupe_first : &self->prev->next) = self->next;
    if (self->next != NULL) {
        self->next->prev = self->prev;
    }
    if (self->end.number == 0 && self->end.is_told) {
        cast_log(
            json_pack("[sso]", "start_failed", self->place->path, cast_reason(&self->end.reason)));
    }
    log_end(self->place, &self->end);
    trp_supervisor_class.release(&self->supervisor);
}

const trp_class_t cast_supervisor_class = {.name = "supervisor",
                                           .state_size = sizeof(supervisor_state_t),
                                           .init = supervisor_init,
                                           .receive = supervisor_receive,
                                           .terminate = supervisor_terminate,
                                           .release = supervisor_release};

static bool stops_under_limit(const supervisor_t *supervisor)
{
    for (const policy_child_t *child = supervisor->policy.first; child != NULL;
         child = child->next) {
        if (child->phase == POLICY_STOPPING && child->spec->shutdown_ms >= 0) {
            return true;
        }
    }
    return false;
}

bool cast_waits_for_time(void)
{
    for (const supervisor_state_t *self = troupe_first; self != NULL; self = self->next) {
        if (!stage_is_held(self->end.pid) && stops_under_limit(&self->supervisor)) {
            return true;
        }
    }
    return false;
}
