/* SPDX-License-Identifier: MIT */
#include "runtime/core/group.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SEATS_MIN 4

/* The name comes first: a pointer to a name is a key of the tree. */
typedef struct group {
    char name[TRP_NAME_MAX];
    struct seat *seats;
    uint32_t count, capacity;
} group_t;

struct group_member {
    group_member_t *next; /* of the same actor */
    group_t *group;
    uint32_t seat; /* under the table's lock */
    bool far;      /* counted in far_count */
};

typedef struct seat {
    trp_pid_t pid;
    group_member_t *member;
} seat_t;

_Static_assert(offsetof(group_t, name) == 0, "a group is its own key");

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int compare_pids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(trp_pid_t));
}

/* Bytes of a name that may be a group's, its star included; 0: it may not. A star is the last byte
 * or none. */
static size_t length_of(const char *name)
{
    size_t size = strnlen(name, TRP_NAME_MAX);
    const char *star = memchr(name, '*', size);
    return size == TRP_NAME_MAX || (star != NULL && star[1] != '\0') ? 0 : size;
}

static bool is_prefix(const char *name, size_t size)
{
    return name[size - 1] == '*';
}

static group_t *find(const group_table_t *table, const char *name)
{
    group_t *const *node = tfind(name, &table->tree, compare_names);
    return node == NULL ? NULL : *node;
}

void group_table_init(group_table_t *table)
{
    memset(table, 0, sizeof(*table));
    pthread_mutex_init(&table->lock, NULL);
}

static void free_group(void *item)
{
    group_t *group = item;
    for (uint32_t i = 0; i < group->count; i++) {
        free(group->seats[i].member);
    }
    free(group->seats);
    free(group);
}

void group_table_fini(group_table_t *table)
{
    tdestroy(table->tree, free_group);
    pthread_mutex_destroy(&table->lock);
}

/* ---- joining and leaving ---- */

/* The group of that name, made when there is none. NULL: no memory. */
static group_t *found(group_table_t *table, const char *name)
{
    group_t *group = find(table, name);
    if (group != NULL) {
        return group;
    }
    group = calloc(1, sizeof(*group));
    if (group == NULL) {
        return NULL;
    }
    size_t size = strlen(name);
    memcpy(group->name, name, size);
    if (tsearch(group, &table->tree, compare_names) == NULL) {
        free(group);
        return NULL;
    }
    if (is_prefix(name, size)) {
        table->prefixes[size - 1]++;
        table->prefix_count++;
    }
    return group;
}

static void end_if_empty(group_table_t *table, group_t *group)
{
    if (group->count > 0) {
        return;
    }
    size_t size = strlen(group->name);
    if (is_prefix(group->name, size)) {
        table->prefixes[size - 1]--;
        table->prefix_count--;
    }
    tdelete(group, &table->tree, compare_names);
    free_group(group);
}

static bool has_seat(group_t *group)
{
    if (group->count < group->capacity) {
        return true;
    }
    uint32_t capacity = group->capacity == 0 ? SEATS_MIN : group->capacity * 2;
    seat_t *seats = realloc(group->seats, capacity * sizeof(*seats));
    if (seats == NULL) {
        return false;
    }
    group->seats = seats;
    group->capacity = capacity;
    return true;
}

static trp_status_t join_locked(group_table_t *table, const char *name, trp_pid_t pid,
                                group_member_t *member)
{
    group_t *group = found(table, name);
    if (group == NULL) {
        return TRP_NO_MEMORY;
    }
    if (!has_seat(group)) {
        end_if_empty(table, group);
        return TRP_NO_MEMORY;
    }
    member->group = group;
    member->seat = group->count;
    group->seats[group->count++] = (seat_t){pid, member};
    return TRP_OK;
}

/* Where the actor's membership hangs, or the end of its list. Without the lock: a group does not
 * end, and keeps its name, while the actor is in it. */
static group_member_t **place_of(group_member_t **mine, const char *name)
{
    while (*mine != NULL && strcmp((*mine)->group->name, name) != 0) {
        mine = &(*mine)->next;
    }
    return mine;
}

/* Relaxed, here and below: as for listeners. */
static void count_far(group_table_t *table, const group_member_t *member, int change)
{
    if (member->far) {
        const uint32_t count = atomic_load_explicit(&table->far_count, memory_order_relaxed);
        atomic_store_explicit(&table->far_count, count + (uint32_t)change, memory_order_relaxed);
    }
}

static trp_status_t join(group_table_t *table, const char *name, trp_pid_t pid,
                         group_member_t **mine, bool far)
{
    if (length_of(name) == 0) {
        return TRP_INVALID;
    }
    if (*place_of(mine, name) != NULL) {
        return TRP_OK;
    }
    group_member_t *member = malloc(sizeof(*member));
    if (member == NULL) {
        return TRP_NO_MEMORY;
    }
    member->far = far;
    pthread_mutex_lock(&table->lock);
    trp_status_t status = join_locked(table, name, pid, member);
    if (status == TRP_OK) {
        count_far(table, member, 1);
    }
    pthread_mutex_unlock(&table->lock);
    if (status != TRP_OK) {
        free(member);
        return status;
    }
    member->next = *mine;
    *mine = member;
    return TRP_OK;
}

trp_status_t group_join(group_table_t *table, const char *name, trp_pid_t pid,
                        group_member_t **mine)
{
    return join(table, name, pid, mine, false);
}

trp_status_t group_join_far(group_table_t *table, const char *name, trp_pid_t pid,
                            group_member_t **mine)
{
    return join(table, name, pid, mine, true);
}

/* The last one takes the seat that gets free. */
static void leave_locked(group_table_t *table, const group_member_t *member)
{
    count_far(table, member, -1);
    group_t *group = member->group;
    seat_t last = group->seats[--group->count];
    group->seats[member->seat] = last;
    last.member->seat = member->seat;
    end_if_empty(table, group);
}

void group_leave(group_table_t *table, const char *name, group_member_t **mine)
{
    group_member_t **place = place_of(mine, name);
    group_member_t *member = *place;
    if (member == NULL) {
        return;
    }
    *place = member->next;
    pthread_mutex_lock(&table->lock);
    leave_locked(table, member);
    pthread_mutex_unlock(&table->lock);
    free(member);
}

void group_leave_all(group_table_t *table, group_member_t **mine)
{
    group_member_t *member = *mine;
    *mine = NULL;
    while (member != NULL) {
        group_member_t *next = member->next;
        pthread_mutex_lock(&table->lock);
        leave_locked(table, member);
        pthread_mutex_unlock(&table->lock);
        free(member);
        member = next;
    }
}

/* ---- who gets what ---- */

static bool has_room(group_audience_t *audience, size_t more)
{
    size_t wanted = audience->count + more;
    if (wanted <= audience->capacity) {
        return true;
    }
    size_t capacity = wanted * 2;
    trp_pid_t *pids = malloc(capacity * sizeof(*pids));
    if (pids == NULL) {
        return false;
    }
    memcpy(pids, audience->pids, audience->count * sizeof(*pids));
    group_audience_fini(audience);
    audience->pids = pids;
    audience->capacity = capacity;
    return true;
}

/* Adds the members of a group; `groups` counts those that had any. */
static trp_status_t add(group_audience_t *audience, const group_t *group, uint32_t *groups)
{
    if (group == NULL) {
        return TRP_OK;
    }
    if (!has_room(audience, group->count)) {
        return TRP_NO_MEMORY;
    }
    for (uint32_t i = 0; i < group->count; i++) {
        audience->pids[audience->count++] = group->seats[i].pid;
    }
    (*groups)++;
    return TRP_OK;
}

static trp_status_t add_prefixes(const group_table_t *table, const char *topic,
                                 group_audience_t *audience, uint32_t *groups)
{
    char name[TRP_NAME_MAX];
    size_t size = strlen(topic);
    trp_status_t status = TRP_OK;
    /* A prefix has its star within TRP_NAME_MAX, so it may be as long as the longest topic less one
     * byte. */
    for (size_t i = 0; i <= size && i < TRP_NAME_MAX - 1 && status == TRP_OK; i++) {
        if (table->prefixes[i] > 0) {
            memcpy(name, topic, i);
            memcpy(name + i, "*", sizeof("*"));
            status = add(audience, find(table, name), groups);
        }
    }
    return status;
}

static void keep_each_once(group_audience_t *audience)
{
    size_t kept = 0;
    qsort(audience->pids, audience->count, sizeof(*audience->pids), compare_pids);
    for (size_t i = 0; i < audience->count; i++) {
        if (i == 0 || !trp_pid_equal(audience->pids[kept - 1], audience->pids[i])) {
            audience->pids[kept++] = audience->pids[i];
        }
    }
    audience->count = kept;
}

trp_status_t group_audience(group_table_t *table, const char *topic, group_audience_t *audience)
{
    audience->pids = audience->few;
    audience->capacity = sizeof(audience->few) / sizeof(audience->few[0]);
    audience->count = 0;
    size_t size = length_of(topic);
    if (size == 0 || is_prefix(topic, size)) {
        return TRP_INVALID;
    }
    uint32_t groups = 0;
    pthread_mutex_lock(&table->lock);
    trp_status_t status = add(audience, find(table, topic), &groups);
    if (status == TRP_OK && table->prefix_count > 0) {
        status = add_prefixes(table, topic, audience, &groups);
    }
    pthread_mutex_unlock(&table->lock);
    if (groups > 1) {
        keep_each_once(audience);
    }
    return status;
}

void group_audience_fini(group_audience_t *audience)
{
    if (audience->pids != audience->few) {
        free(audience->pids);
    }
}

size_t group_members(group_table_t *table, const char *name, trp_pid_t *pids, size_t max)
{
    pthread_mutex_lock(&table->lock);
    const group_t *group = find(table, name);
    size_t count = group == NULL ? 0 : group->count;
    for (size_t i = 0; i < count && i < max; i++) {
        pids[i] = group->seats[i].pid;
    }
    pthread_mutex_unlock(&table->lock);
    return count;
}

/* ---- dead letters ---- */

/* Its index; the count when it is not there. */
static uint32_t listener_at(const group_table_t *table, trp_pid_t pid, uint32_t count)
{
    uint32_t at = 0;
    while (at < count && !trp_pid_equal(table->listeners[at], pid)) {
        at++;
    }
    return at;
}

/* Relaxed, here and below: written under the lock; who asks without it only learns whether to take
 * the lock. */
static uint32_t count_of(const group_table_t *table)
{
    return atomic_load_explicit(&table->listener_count, memory_order_relaxed);
}

static void set_count(group_table_t *table, uint32_t count)
{
    /* Relaxed: under the lock; others take it for a hint. */
    atomic_store_explicit(&table->listener_count, count, memory_order_relaxed);
}

trp_status_t group_listen(group_table_t *table, trp_pid_t pid)
{
    pthread_mutex_lock(&table->lock);
    uint32_t count = count_of(table);
    uint32_t at = listener_at(table, pid, count);
    bool fits = at < GROUP_LISTENERS_MAX;
    if (fits && at == count) {
        table->listeners[at] = pid;
        set_count(table, count + 1);
    }
    pthread_mutex_unlock(&table->lock);
    return fits ? TRP_OK : TRP_FULL;
}

void group_unlisten(group_table_t *table, trp_pid_t pid)
{
    pthread_mutex_lock(&table->lock);
    uint32_t count = count_of(table);
    uint32_t at = listener_at(table, pid, count);
    if (at < count) {
        table->listeners[at] = table->listeners[count - 1];
        set_count(table, count - 1);
    }
    pthread_mutex_unlock(&table->lock);
}

uint32_t group_listeners(group_table_t *table, trp_pid_t pids[GROUP_LISTENERS_MAX])
{
    pthread_mutex_lock(&table->lock);
    uint32_t count = count_of(table);
    memcpy(pids, table->listeners, count * sizeof(*pids));
    pthread_mutex_unlock(&table->lock);
    return count;
}
