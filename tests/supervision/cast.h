/* SPDX-License-Identifier: MIT */
/* Who plays in a scenario: workers that start and end as they are told, supervisors as they are,
 * and the log of what happens to them. All in one thread: what is logged first happened first. */
#ifndef TRP_TESTS_SUPERVISION_CAST_H
#define TRP_TESTS_SUPERVISION_CAST_H

#include <jansson.h>

#include "supervisor/supervisor.h"

enum {
    CAST_TAG_CRASH = 0x2000,  /* [trp_reason_t]: end with it */
    CAST_TAG_FINISH = 0x2001, /* [int cast_outcome_t]: end a start that is held */
};

typedef enum cast_outcome { CAST_OK, CAST_FAIL, CAST_IGNORE, CAST_HOLD } cast_outcome_t;

/** A path of the tree: what must outlive its incarnations and its supervisors. */
typedef struct place {
    char *path;
    trp_pid_t pid;      /* of the present or last incarnation */
    trp_pid_t up_pid;   /* of the last successful start */
    bool is_live;       /* there is one ... */
    bool is_up;         /* ... and its start is complete */
    int starts;         /* successful ones */
    int attempts;       /* to start it */
    int instance_count; /* of a template supervisor: start_child so far */
    struct place *next;
} place_t;

/** A child spec of the scenario. */
typedef struct role {
    place_t *place;
    cast_outcome_t *outcomes; /* of its attempts; then CAST_OK */
    size_t outcome_count;
    bool ignores_shutdown;
    trp_reason_t on_shutdown;
    trp_child_spec_t spec;
    trp_supervisor_spec_t supervisor;
    trp_child_spec_t *children;
    struct role *self; /* what spec.args points to: the address of the role as bytes */
    struct role *next;
} role_t;

extern const trp_class_t cast_worker_class, cast_supervisor_class;

/** Begins and ends a scenario: frees all places and roles. */
void cast_open(void);
void cast_close(void);

/** The place of that path; made where it is missing. */
place_t *cast_place(const char *path);

/** A successful start: the place, and which one of it. NULL: no such pid started. */
const place_t *cast_started(trp_pid_t pid, int *number);

/** Calls `each` for all places until it returns true. */
bool cast_any(bool (*each)(const place_t *place));

/** A new role, freed by cast_close. */
role_t *cast_role(void);

/** The last role of a supervisor at that place; NULL: none. */
const role_t *cast_supervisor_at(const place_t *place);

/** Appends an event to the step that is played; takes the reference. */
void cast_log(json_t *event);
/** The events since the last call. */
json_t *cast_take_events(void);

/** The word of a reason: "shutdown:x". The caller frees it. */
json_t *cast_reason(const trp_reason_t *reason);

/** The report hook of all supervisors; `user` is a place. */
void cast_report(void *user, const supervisor_report_t *report);

/** Whether a child of a supervisor that may run is being stopped under a time limit. */
bool cast_waits_for_time(void);

#endif
