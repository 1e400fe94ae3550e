/* SPDX-License-Identifier: MIT */
/* Every state that a child table can reach, and in each of them every event: for all strategies and
 * all restart types. A state is packed in 64 bits, so that the set of those seen is a table of
 * integers; each step is checked against what must always hold. Three children and more have too
 * many states for every run: of these the nearest to the start; with TROUPE_TEST_LONG=1 in the
 * environment all of three children. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/policy_table.h"

#define ROWS_MAX    5
#define ACTIONS_MAX 128
#define NOW_NS      1000
#define INTENSITY   1

/* As cr_assert, which counts each that holds, for what is looked at millions of times. */
#define HOLDS(condition, ...)            \
    do {                                 \
        if (!(condition)) {              \
            cr_assert_fail(__VA_ARGS__); \
        }                                \
    } while (0)

/* ---- a state in 64 bits ---- */

typedef union packed {
    struct {
        uint64_t mode : 3, tally : 2, count : 3;
        struct {
            uint16_t id : 3, phase : 4, ordered : 1, fresh : 1, late : 1, announced : 1, again : 1,
                costs : 1, restarted : 1, asked : 1;
        } rows[ROWS_MAX];
    };
    uint64_t words[2];
} packed_t;

typedef struct walk {
    trp_restart_t restart[ROWS_MAX]; /* by id */
    size_t row_count;                /* ids in use */
    trp_supervisor_spec_t spec;
    policy_t policy;
    policy_action_t actions[ACTIONS_MAX]; /* of the last step */
    size_t action_count;
    packed_t *seen; /* open addressing, a power of two; mode 0 and count 0 = free */
    size_t seen_size, seen_count, states_max;
    packed_t *queue;
    size_t queue_head, queue_tail;
} walk_t;

static trp_child_spec_t spec_of(const walk_t *walk, unsigned id)
{
    return (trp_child_spec_t){.id = {(char)('a' + id)},
                              .restart = walk->restart[id],
                              .shutdown_ms = id == 1 ? TRP_SHUTDOWN_BRUTAL : 5000,
                              .start_ms = 10000};
}

static packed_t pack(const policy_t *policy)
{
    packed_t state = {.words = {0, 0}};
    state.mode = (unsigned)policy->mode & 7u;
    state.tally = policy->tally.count & 3u;
    for (const policy_child_t *child = policy->first; child != NULL; child = child->next) {
        size_t row = state.count++;
        state.rows[row].id = (uint16_t)(child->spec->id[0] - 'a') & 7u;
        state.rows[row].phase = (uint16_t)child->phase & 15u;
        /* What is not read before it is written again is no part of the state. */
        state.rows[row].ordered =
            child->is_ordered && (child->phase == POLICY_QUEUED || child->phase == POLICY_STARTING);
        state.rows[row].fresh = child->is_fresh;
        state.rows[row].late = child->is_late && child->phase == POLICY_STARTING;
        state.rows[row].announced = child->is_announced;
        state.rows[row].again = child->starts_again && child->phase >= POLICY_DOOMED;
        state.rows[row].costs = child->retry_costs && child->phase == POLICY_BACKOFF;
        state.rows[row].restarted = child->incarnation > 1;
        state.rows[row].asked = child->asker.request_id != 0;
    }
    return state;
}

static void note(void *user, const policy_action_t *actions, size_t count)
{
    walk_t *walk = user;
    HOLDS(walk->action_count + count <= ACTIONS_MAX, "too many actions");
    memcpy(&walk->actions[walk->action_count], actions, count * sizeof(*actions));
    walk->action_count += count;
}

/* Keys are 1.. by row; the asker of row i has request id 100 + i. */
static void unpack(walk_t *walk, packed_t state)
{
    policy_t *policy = &walk->policy;
    policy_fini(policy);
    HOLDS(policy_init(policy, &walk->spec, note, walk) == TRP_OK, "no memory");
    policy->mode = (policy_mode_t)state.mode;
    policy->tally.count = state.tally;
    policy->tally.next = state.tally % (INTENSITY + 1);
    for (size_t i = 0; i < policy->tally.count; i++) {
        policy->tally.stamps[i] = NOW_NS;
    }
    for (size_t i = 0; i < state.count; i++) {
        trp_child_spec_t spec = spec_of(walk, state.rows[i].id);
        policy_child_t *child = NULL;
        HOLDS(policy_add(policy, &spec, &child) == TRP_OK, "no memory");
        child->is_ordered = state.rows[i].ordered;
        policy_table_phase(policy, child, (policy_phase_t)state.rows[i].phase);
        child->is_fresh = state.rows[i].fresh;
        child->is_late = state.rows[i].late;
        child->is_announced = state.rows[i].announced;
        child->starts_again = state.rows[i].again;
        child->retry_costs = state.rows[i].costs;
        bool never_started = policy->mode == POLICY_NEW || child->phase == POLICY_QUEUED;
        child->incarnation = state.rows[i].restarted ? 2 : never_started ? 0 : 1;
        child->asker.request_id = state.rows[i].asked ? 100 + i : 0;
    }
    walk->action_count = 0;
}

/* ---- what must hold of each step ---- */

static bool has_timer(const policy_child_t *child)
{
    return child->phase == POLICY_BACKOFF || (child->phase == POLICY_STARTING && !child->is_late) ||
           child->phase == POLICY_STOPPING;
}

static const policy_child_t *row_before(const policy_child_t *before, size_t count, uint32_t key)
{
    for (size_t i = 0; i < count; i++) {
        if (before[i].key == key) {
            return &before[i];
        }
    }
    return NULL;
}

static const policy_child_t *row_now(const policy_t *policy, uint32_t key)
{
    const policy_child_t *child = policy->first;
    while (child != NULL && child->key != key) {
        child = child->next;
    }
    return child;
}

static void check_start(const policy_t *policy, const policy_child_t *child,
                        const policy_child_t *was, const policy_event_t *event)
{
    bool has_just_ended = event->kind == POLICY_DOWN && event->child == child;
    HOLDS(was == NULL || !policy_is_alive(was) || has_just_ended,
          "started only when it does not run");
    HOLDS(child->phase == POLICY_STARTING, "who is started is starting");
    HOLDS(policy->mode < POLICY_ENDING, "nothing starts when the supervisor ends");
    HOLDS(child->spec->restart != TRP_TEMPORARY || child->incarnation <= 1,
          "temporary children are not restarted");
    for (const policy_child_t *other = policy->first; child->is_ordered && other != child;
         other = other->next) {
        HOLDS(!other->is_ordered ||
                  (other->phase != POLICY_QUEUED && other->phase != POLICY_STARTING),
              "ordered starts wait for those before");
    }
}

static void check_stop(const policy_child_t *child, const policy_child_t *was,
                       const policy_event_t *event)
{
    HOLDS(was != NULL && policy_is_alive(was), "only what lives is asked to end");
    if (event->kind == POLICY_TERMINATE || event->kind == POLICY_TIMER) {
        return;
    }
    for (const policy_child_t *other = child->next; other != NULL; other = other->next) {
        HOLDS(other->phase < POLICY_DOOMED, "stopped in reverse order, one by one");
    }
}

/* Who waited is answered once or still waits; the asker of the event is one of them. */
static void check_answers(const walk_t *walk, const policy_child_t *before, size_t count,
                          const policy_event_t *event)
{
    for (size_t i = 0; i <= count; i++) {
        uint64_t id = i < count ? before[i].asker.request_id : event->asker.request_id;
        if (id == 0) {
            continue;
        }
        size_t known = 0;
        for (size_t a = 0; a < walk->action_count; a++) {
            known +=
                walk->actions[a].kind == POLICY_ANSWER && walk->actions[a].asker.request_id == id;
        }
        for (const policy_child_t *child = walk->policy.first; child != NULL; child = child->next) {
            known += child->asker.request_id == id;
        }
        HOLDS(known == 1, "each asker is answered once or waits");
    }
}

static void check_timers(const walk_t *walk, const policy_child_t *before, size_t count,
                         const policy_event_t *event)
{
    for (const policy_child_t *child = walk->policy.first; child != NULL; child = child->next) {
        const policy_child_t *was = row_before(before, count, child->key);
        bool armed = was != NULL && has_timer(was);
        if (event->kind == POLICY_TIMER && event->child == child) {
            armed = false;
        }
        for (size_t a = 0; a < walk->action_count; a++) {
            const policy_action_t *action = &walk->actions[a];
            if (action->child == child && action->kind == POLICY_ARM) {
                armed = true;
            } else if (action->child == child && action->kind == POLICY_DISARM) {
                armed = false;
            }
        }
        HOLDS(armed == has_timer(child), "a timer is armed exactly while it means something");
    }
}

static void check_state(const policy_t *policy)
{
    bool waits_for_outside = false;
    bool is_planned = false;
    bool is_alive = false;
    size_t phases[POLICY_PHASE_COUNT] = {0};
    for (const policy_child_t *child = policy->first; child != NULL; child = child->next) {
        waits_for_outside |= child->phase == POLICY_STARTING || child->phase == POLICY_STOPPING ||
                             child->phase == POLICY_KILLING;
        is_planned |= child->phase == POLICY_QUEUED || child->phase == POLICY_DOOMED ||
                      child->phase == POLICY_GONE;
        is_alive |= policy_is_alive(child);
        phases[child->phase]++;
        HOLDS(!child->is_announced || policy_is_alive(child), "observers know of the end");
        HOLDS(policy->mode < POLICY_ENDING || child->phase == POLICY_IDLE ||
                  child->phase >= POLICY_DOOMED,
              "an ending supervisor plans nothing");
    }
    HOLDS(memcmp(phases, policy->phases, sizeof(phases)) == 0, "the phases are counted");
    HOLDS(!is_planned || waits_for_outside, "what is planned goes on some day");
    HOLDS(policy->mode != POLICY_ENDED || !is_alive, "it outlives its children");
    HOLDS(policy->mode != POLICY_ENDING || is_alive, "it ends when they have");
}

/* A child's own affairs touch no other child of one_for_one, and no earlier one of rest_for_one. */
static void check_strategy(const policy_t *policy, const policy_child_t *before, size_t count,
                           const policy_event_t *event)
{
    if (event->kind >= POLICY_CHILD_EVENT_COUNT || policy->mode != POLICY_RUNNING ||
        event->child == NULL || policy->spec->strategy == TRP_ONE_FOR_ALL) {
        return;
    }
    uint32_t key = event->child->key;
    for (size_t i = 0; i < count; i++) {
        bool is_dependent = policy->spec->strategy == TRP_REST_FOR_ONE && before[i].key > key;
        const policy_child_t *now = row_now(policy, before[i].key);
        if (before[i].key == key || is_dependent || now == NULL ||
            before[i].phase == POLICY_QUEUED || before[i].phase == POLICY_DOOMED ||
            before[i].phase == POLICY_GONE) {
            continue;
        }
        HOLDS(now->phase == before[i].phase, "the others are left alone");
    }
}

static void check_step(const walk_t *walk, const policy_child_t *before, size_t count,
                       const policy_event_t *event)
{
    const policy_t *policy = &walk->policy;
    for (size_t a = 0; a < walk->action_count; a++) {
        const policy_action_t *action = &walk->actions[a];
        const policy_child_t *was =
            action->child == NULL ? NULL : row_before(before, count, action->child->key);
        if (action->kind == POLICY_START) {
            check_start(policy, action->child, was, event);
        } else if (action->kind == POLICY_EXIT || action->kind == POLICY_KILL) {
            check_stop(action->child, was, event);
        } else if (action->kind == POLICY_END) {
            HOLDS(a + 1 == walk->action_count, "nothing follows the end");
            HOLDS(policy->mode == POLICY_ENDED, "it has ended");
        }
    }
    check_answers(walk, before, count, event);
    check_timers(walk, before, count, event);
    check_strategy(policy, before, count, event);
    check_state(policy);
}

/* ---- the walk ---- */

static bool is_new(walk_t *walk, packed_t state)
{
    uint64_t hash = (state.words[0] ^ (state.words[1] * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
    size_t i = (hash >> 20) & (walk->seen_size - 1);
    while (walk->seen[i].words[0] != 0) {
        if (memcmp(&walk->seen[i], &state, sizeof(state)) == 0) {
            return false;
        }
        i = (i + 1) & (walk->seen_size - 1);
    }
    walk->seen[i] = state;
    walk->seen_count++;
    return true;
}

static void try_event(walk_t *walk, packed_t state, policy_event_t event)
{
    policy_child_t before[ROWS_MAX + 1];
    size_t count = 0;

    unpack(walk, state);
    event.child = event.id == NULL ? NULL : policy_child_by_id(&walk->policy, event.id);
    if (event.kind == POLICY_RESTART && event.child == NULL) {
        trp_child_spec_t spec = spec_of(walk, (unsigned)(event.id[0] - 'a'));
        HOLDS(policy_add(&walk->policy, &spec, &event.child) == TRP_OK, "no memory");
    }
    for (const policy_child_t *child = walk->policy.first; child != NULL; child = child->next) {
        before[count++] = *child;
    }
    if (event.child != NULL) {
        event.incarnation = event.child->incarnation;
    }

    policy_step(&walk->policy, &event, NOW_NS, 0);
    check_step(walk, before, count, &event);
    packed_t next = pack(&walk->policy);
    if (next.mode != POLICY_ENDED && walk->seen_count < walk->states_max && is_new(walk, next)) {
        walk->queue[walk->queue_tail++] = next;
    }
}

static const char *const ids[ROWS_MAX] = {"a", "b", "c", "d", "e"};

static void try_events_of_row(walk_t *walk, packed_t state, size_t row)
{
    policy_child_t child = {.phase = (policy_phase_t)state.rows[row].phase,
                            .is_late = state.rows[row].late};
    const char *id = ids[state.rows[row].id];
    if (policy_is_alive(&child)) {
        trp_reason_kind_t well = child.phase == POLICY_UP ? TRP_REASON_NORMAL : TRP_REASON_SHUTDOWN;
        try_event(walk, state,
                  (policy_event_t){.kind = POLICY_DOWN, .id = id, .reason.kind = well});
        try_event(walk, state,
                  (policy_event_t){.kind = POLICY_DOWN, .id = id, .reason.kind = TRP_REASON_ERROR});
        if (child.phase != POLICY_UP) { /* a readiness may cross with a request to end */
            try_event(walk, state, (policy_event_t){.kind = POLICY_READY, .id = id});
        }
    }
    if (has_timer(&child)) {
        try_event(walk, state, (policy_event_t){.kind = POLICY_TIMER, .id = id});
    }
}

static void walk_all(walk_t *walk)
{
    while (walk->queue_head < walk->queue_tail) {
        packed_t state = walk->queue[walk->queue_head++];
        if (state.mode == POLICY_NEW) {
            try_event(walk, state, (policy_event_t){.kind = POLICY_BEGIN});
            continue;
        }
        for (size_t row = 0; row < state.count; row++) {
            try_events_of_row(walk, state, row);
        }
        for (size_t id = 0; id < walk->row_count; id++) {
            for (int kind = POLICY_TERMINATE; kind <= POLICY_DELETE; kind++) {
                try_event(walk, state,
                          (policy_event_t){.kind = (policy_event_kind_t)kind,
                                           .id = ids[id],
                                           .asker.request_id = 1});
            }
        }
        try_event(walk, state, (policy_event_t){.kind = POLICY_STOP});
    }
}

/* All restart types of `rows` children under one strategy: 3^rows walks, each of the `states_max`
 * states that are nearest to the start. Returns how many states the largest walk saw. */
static size_t walk_strategy(trp_strategy_t strategy, size_t rows, size_t states_max)
{
    size_t seen_size = 1;
    while (seen_size < 2 * states_max) {
        seen_size *= 2;
    }
    walk_t walk = {.row_count = rows,
                   .spec = {.strategy = strategy, .intensity = INTENSITY, .period_s = 5},
                   .seen_size = seen_size,
                   .states_max = states_max};
    size_t largest = 0;
    walk.seen = calloc(seen_size, sizeof(*walk.seen));
    walk.queue = calloc(seen_size, sizeof(*walk.queue));
    cr_assert(walk.seen != NULL && walk.queue != NULL);
    size_t combinations = 1;
    for (size_t i = 0; i < rows; i++) {
        combinations *= TRP_RESTART_COUNT;
    }

    for (size_t n = 0; n < combinations; n++) {
        cr_assert_eq(policy_init(&walk.policy, &walk.spec, note, &walk), TRP_OK);
        size_t digits = n;
        for (size_t i = 0; i < rows; i++, digits /= TRP_RESTART_COUNT) {
            walk.restart[i] = (trp_restart_t)(digits % TRP_RESTART_COUNT);
            trp_child_spec_t spec = spec_of(&walk, (unsigned)i);
            cr_assert_eq(policy_add(&walk.policy, &spec, NULL), TRP_OK);
        }
        memset(walk.seen, 0, seen_size * sizeof(*walk.seen));
        walk.seen_count = walk.queue_head = 0;
        walk.queue_tail = 1;
        walk.queue[0] = pack(&walk.policy);
        walk_all(&walk);
        largest = walk.seen_count > largest ? walk.seen_count : largest;
        policy_fini(&walk.policy);
    }
    free(walk.seen);
    free(walk.queue);
    return largest;
}

static void walk_completely(trp_strategy_t strategy)
{
    size_t states = walk_strategy(strategy, 2, 100000);

    cr_assert_lt(states, 100000, "the walk was complete");
    cr_assert_gt(states, 1000);
}

/* A sanitizer is slow, and looks at the memory of the same code. */
static void walk_near_the_start(trp_strategy_t strategy)
{
#ifdef __SANITIZE_ADDRESS__
    const size_t nearest[] = {[3] = 150, [4] = 50, [5] = 15};
#else
    const size_t nearest[] = {[3] = 1500, [4] = 500, [5] = 150};
#endif
    for (size_t rows = 3; rows <= ROWS_MAX; rows++) {
        cr_assert_eq(walk_strategy(strategy, rows, nearest[rows]), nearest[rows]);
    }
    if (getenv("TROUPE_TEST_LONG") != NULL) {
        const size_t states_max = 4000000;
        size_t states = walk_strategy(strategy, 3, states_max);
        cr_assert_lt(states, states_max, "the walk was complete");
        cr_log_info("three children: up to %zu states", states);
    }
}

Test(policy_walk, one_for_one_of_two_children_holds_in_every_state)
{
    walk_completely(TRP_ONE_FOR_ONE);
}

Test(policy_walk, one_for_one_of_three_to_five_children_holds_near_the_start)
{
    walk_near_the_start(TRP_ONE_FOR_ONE);
}

Test(policy_walk, one_for_all_of_two_children_holds_in_every_state)
{
    walk_completely(TRP_ONE_FOR_ALL);
}

Test(policy_walk, one_for_all_of_three_to_five_children_holds_near_the_start)
{
    walk_near_the_start(TRP_ONE_FOR_ALL);
}

Test(policy_walk, rest_for_one_of_two_children_holds_in_every_state)
{
    walk_completely(TRP_REST_FOR_ONE);
}

Test(policy_walk, rest_for_one_of_three_to_five_children_holds_near_the_start)
{
    walk_near_the_start(TRP_REST_FOR_ONE);
}
