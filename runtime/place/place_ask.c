/* SPDX-License-Identifier: MIT */
#include "runtime/place/place_ask.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIDS_MAX 1024 /* of a group in one answer */

/* The pid comes first: it is the key of the link's tree. */
typedef struct far_actor {
    trp_pid_t pid;
    group_member_t *groups;
    char name[TRP_NAME_MAX]; /* "": none that it has asked for */
} far_actor_t;

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(trp_pid_t));
}

/* Whether an actor of that pid is at the other end. */
static bool is_behind(const place_link_t *link, trp_pid_t pid)
{
    return trp_pid_equal(pid, link->proxy) ||
           (pid.node == link->node && pid.incarnation == link->incarnation && pid.slot != 0);
}

static far_actor_t *find(const place_link_t *link, trp_pid_t pid)
{
    far_actor_t *const *node = tfind(&pid, &link->far_actors, compare);
    return node == NULL ? NULL : *node;
}

static far_actor_t *find_or_make(place_link_t *link, trp_pid_t pid)
{
    far_actor_t *actor = find(link, pid);
    if (actor != NULL) {
        return actor;
    }
    actor = calloc(1, sizeof(*actor));
    if (actor == NULL) {
        return NULL;
    }
    actor->pid = pid;
    if (tsearch(actor, &link->far_actors, compare) == NULL) {
        free(actor);
        return NULL;
    }
    return actor;
}

static void forget(place_link_t *link, far_actor_t *actor)
{
    if (actor->groups == NULL && actor->name[0] == '\0') {
        (void)tdelete(actor, &link->far_actors, compare);
        free(actor);
    }
}

static trp_status_t join(place_link_t *link, const char *group, trp_pid_t pid)
{
    far_actor_t *actor = find_or_make(link, pid);
    if (actor == NULL) {
        return TRP_NO_MEMORY;
    }
    const trp_status_t status = runtime_group_join(link->runtime, group, pid, &actor->groups);
    forget(link, actor);
    return status;
}

static trp_status_t leave(place_link_t *link, const char *group, trp_pid_t pid)
{
    far_actor_t *actor = find(link, pid);
    if (actor != NULL) {
        runtime_group_leave(link->runtime, group[0] == '\0' ? NULL : group, &actor->groups);
        forget(link, actor);
    }
    return TRP_OK;
}

static trp_status_t take_name(place_link_t *link, const char *name, trp_pid_t pid)
{
    far_actor_t *actor = find_or_make(link, pid);
    if (actor == NULL) {
        return TRP_NO_MEMORY;
    }
    const trp_status_t status =
        actor->name[0] != '\0' ? TRP_EXISTS : runtime_register(link->runtime, name, pid);
    if (status == TRP_OK) {
        snprintf(actor->name, sizeof(actor->name), "%s", name);
    }
    forget(link, actor);
    return status;
}

static void drop_name(const place_link_t *link, far_actor_t *actor)
{
    if (actor->name[0] != '\0') {
        runtime_unregister(link->runtime, actor->name, actor->pid);
        actor->name[0] = '\0';
    }
}

/* The end of an actor: its name, and no other. */
static trp_status_t give_name_back(place_link_t *link, const char *name, trp_pid_t pid)
{
    far_actor_t *actor = find(link, pid);
    if (actor != NULL && strcmp(actor->name, name) == 0) {
        drop_name(link, actor);
        forget(link, actor);
    }
    return TRP_OK;
}

void place_ask_leave_all(place_link_t *link)
{
    while (link->far_actors != NULL) {
        far_actor_t *actor = *(far_actor_t **)link->far_actors; /* the root of the tree */
        runtime_group_leave(link->runtime, NULL, &actor->groups);
        drop_name(link, actor);
        forget(link, actor);
    }
}

void place_ask_fini(place_link_t *link)
{
    tdestroy(link->far_actors, free);
    link->far_actors = NULL;
}

static trp_status_t answer(place_link_t *link, int64_t id, trp_status_t status,
                           const runtime_question_t *found)
{
    trp_writer_t writer;
    size_t size = 0;
    const size_t shown = found->count < found->max ? found->count : found->max;
    const link_answer_t reply = {
        .id = id,
        .status = (int64_t)status,
        .count = (int64_t)found->count,
        .pids = {(const char *)found->pids, shown * sizeof(trp_pid_t)},
    };
    trp_writer_init(&writer);
    trp_schema_write(&link_answer_schema, &reply, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t sent =
        body == NULL ? TRP_NO_MEMORY : channel_send(&link->channel, WIRE_ANSWER, body, size);
    trp_writer_fini(&writer);
    return sent;
}

static bool read_pid(const link_ask_t *ask, trp_pid_t *pid)
{
    char text[TRP_PID_TEXT_MAX];
    if (!ask->has_pid || ask->pid.size >= sizeof(text)) {
        return false;
    }
    memcpy(text, ask->pid.data, ask->pid.size);
    text[ask->pid.size] = '\0';
    return trp_pid_parse(text, pid) == TRP_OK;
}

/* A message of the actor at the other end, in the midst of a handler. */
static trp_status_t tell(const place_link_t *link, const link_ask_t *ask, trp_pid_t to)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        return TRP_NO_MEMORY;
    }
    envelope->from = link->proxy;
    envelope->to = to;
    envelope->tag = (uint16_t)ask->tag;
    trp_status_t status = envelope_set(envelope, ask->data.data, ask->data.size);
    if (status == TRP_OK) {
        status = runtime_send(link->runtime, envelope);
    }
    if (status != TRP_OK) {
        envelope_free(envelope);
    }
    return status;
}

/* What changes something of the actor `pid`, which is at the other end. */
static trp_status_t change(place_link_t *link, link_question_t what, const char *name,
                           trp_pid_t pid)
{
    switch (what) {
    case LINK_JOIN:
        return join(link, name, pid);
    case LINK_REGISTER:
        return take_name(link, name, pid);
    case LINK_UNREGISTER:
        return give_name_back(link, name, pid);
    default:
        return leave(link, name, pid);
    }
}

static const char *act(place_link_t *link, const link_ask_t *ask)
{
    trp_pid_t pids[PIDS_MAX];
    trp_pid_t pid = TRP_PID_NONE;
    char name[TRP_NAME_MAX] = "";
    runtime_question_t found = {.pids = pids, .max = PIDS_MAX};
    trp_status_t status = TRP_OK;
    memcpy(name, ask->name.data, ask->name.size);
    if (ask->what == LINK_WHEREIS) {
        pids[0] = runtime_whereis(link->runtime, name);
        found.count = trp_pid_is_none(pids[0]) ? 0 : 1;
    } else if (ask->what == LINK_MEMBERS) {
        found.count = runtime_members(link->runtime, name, pids, PIDS_MAX);
    } else if (ask->what == LINK_TELL) {
        if (!(read_pid(ask, &pid) && ask->has_tag && ask->has_data)) {
            return "a message that is not whole";
        }
        status = tell(link, ask, pid);
    } else if (read_pid(ask, &pid) && is_behind(link, pid)) {
        status = change(link, (link_question_t)ask->what, name, pid);
    } else {
        return "a membership or a name of an actor that it does not have";
    }
    if (ask->id != 0 && answer(link, ask->id, status, &found) != TRP_OK) {
        return "an answer could not be sent";
    }
    return NULL;
}

const char *place_ask(place_link_t *link, const wire_reader_t *reader)
{
    trp_document_t document;
    trp_fault_t fault;
    link_ask_t ask;
    const trp_text_t body = {reader->body, reader->body_size};
    if (trp_schema_unpack(&link_ask_schema, body, &document, &ask, &fault) != TRP_OK) {
        return "ask is ill-formed";
    }
    const char *wrong = act(link, &ask);
    trp_document_fini(&document);
    return wrong;
}
