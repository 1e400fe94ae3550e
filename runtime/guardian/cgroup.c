/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define END_TRIES   200 /* for killed processes to leave their group ... */
#define END_WAIT_MS 5   /* ... looked at so often */
#define CONTROLS    "cgroup.subtree_control"
#define PROCESSES   "cgroup.procs"
#define GUARDIAN    "guardian"
#define WORKER      "w."

/* What leaves room in the limit of all paths for the names that are added. */
#define OWN_MAX (CGROUP_PATH_MAX - 128)

static uint64_t hash(const char *text)
{
    uint64_t value = 14695981039346656037u; /* FNV-1a */
    for (; *text != '\0'; text++) {
        value = (value ^ (unsigned char)*text) * 1099511628211u;
    }
    return value;
}

/* ---- the end of a group ---- */

/* A group is empty a moment after its processes were killed: it can be removed when they are gone,
 * and those of ours that are zombies do not count. */
static void remove_group(const char *path)
{
    for (int i = 0; i < END_TRIES && rmdir(path) != 0 && errno == EBUSY; i++) {
        (void)poll(NULL, 0, END_WAIT_MS);
    }
}

static void end_path(const char *path)
{
    if (rmdir(path) == 0) {
        return; /* the usual case: nobody is left there */
    }
    (void)cgroup_file_write(path, "cgroup.kill", "1");
    remove_group(path);
}

/* Ends all groups below the folder whose names begin so. */
static void end_groups(const char *base, const char *prefix)
{
    DIR *folder = opendir(base);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[CGROUP_PATH_MAX + sizeof(entry->d_name)];
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
            end_path(path);
        }
    }
    (void)closedir(folder);
}

/* ---- the base ---- */

/* The controllers that we use, for the groups below the folder. The one of memory first, and the
 * other only with it: where a process is in the folder the kernel takes that of processes alone,
 * and allows no whole process below it from then on. */
static bool enable(const char *folder)
{
    if (!cgroup_file_write(folder, CONTROLS, "+memory")) {
        return false;
    }
    (void)cgroup_file_write(folder, CONTROLS, "+pids");
    return true;
}

static void disable(const char *folder)
{
    (void)cgroup_file_write(folder, CONTROLS, "-memory");
    (void)cgroup_file_write(folder, CONTROLS, "-pids");
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* systemd marks a group that it has given away (Delegate=yes); the root that a container sees is
 * its own. In others the controllers are somebody else's to choose. */
static bool is_given(const char *own, bool is_root)
{
    static const char *const marks[] = {"user.delegate", "trusted.delegate"};
    bool given = is_root;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        char value = '0';
        given |= getxattr(own, marks[i], &value, 1) == 1 && value == '1';
    }
    return given;
}

static void move_back(cgroup_base_t *base)
{
    char place[CGROUP_PATH_MAX];
    snprintf(place, sizeof(place), "%.*s/" GUARDIAN, OWN_MAX + 96, base->path);
    disable(base->path);
    disable(base->own); /* a group with controllers takes no process */
    if (cgroup_file_write(base->own, PROCESSES, "0")) {
        end_path(place);
        base->has_moved = false;
    }
}

/* A group that has a process has no controllers for those below it, so we leave ours; but only as
 * the one process that is in it. */
static void move(cgroup_base_t *base)
{
    char place[CGROUP_PATH_MAX];
    snprintf(place, sizeof(place), "%.*s/" GUARDIAN, OWN_MAX + 96, base->path);
    if (!cgroup_file_is_only(base->own, PROCESSES, getpid())) {
        return;
    }
    base->has_moved =
        make_folder(base->path) && make_folder(place) && cgroup_file_write(place, PROCESSES, "0");
    if (base->has_moved && !enable(base->own)) {
        move_back(base);
    }
    if (!base->has_moved) {
        (void)rmdir(place);
        (void)rmdir(base->path);
    }
}

void cgroup_base_init(cgroup_base_t *base, const char *name, const char *run_dir)
{
    bool is_root = false;
    memset(base, 0, sizeof(*base));
    if (!cgroup_file_own(base->own, &is_root) || strlen(base->own) >= OWN_MAX) {
        return;
    }
    snprintf(base->path, sizeof(base->path), "%.*s/troupe-%.40s-%08x", OWN_MAX, base->own, name,
             (unsigned)hash(run_dir));
    end_groups(base->path, WORKER);
    end_groups(base->path, GUARDIAN);
    (void)rmdir(base->path);
    if (access(base->own, W_OK) != 0) {
        base->path[0] = '\0';
        return;
    }
    if (!cgroup_file_has_word(base->own, CONTROLS, "memory") && is_given(base->own, is_root) &&
        cgroup_file_has_word(base->own, "cgroup.controllers", "memory") && !enable(base->own)) {
        move(base);
    }
    base->has_memory = cgroup_file_has_word(base->own, CONTROLS, "memory");
}

/* Made when a worker needs it: most nodes never do. */
static bool make_base(cgroup_base_t *base)
{
    if (base->is_made) {
        return true;
    }
    if (base->path[0] == '\0' || !make_folder(base->path)) {
        return false;
    }
    if (!enable(base->path)) { /* nobody is in it, so they are free of each other */
        (void)cgroup_file_write(base->path, CONTROLS, "+pids");
    }
    base->is_made = true;
    return true;
}

void cgroup_base_fini(cgroup_base_t *base)
{
    if (!base->is_made && !base->has_moved) {
        return;
    }
    end_groups(base->path, WORKER);
    if (base->has_moved) {
        move_back(base);
    }
    (void)rmdir(base->path);
}

/* ---- one group ---- */

void cgroup_make(cgroup_base_t *base, uint32_t index, uint32_t incarnation,
                 const trp_limits_t *limits, cgroup_t *group)
{
    memset(group, 0, sizeof(*group));
    if (!make_base(base)) {
        return;
    }
    snprintf(group->path, sizeof(group->path), "%.*s/" WORKER "%u.%u", OWN_MAX + 96, base->path,
             index, incarnation);
    if (mkdir(group->path, 0755) != 0) {
        group->path[0] = '\0';
        return;
    }
    if (cgroup_file_is_ours(group->path, "cgroup.kill")) {
        group->enforced |= TRP_ENFORCED_PROCESSES_END;
    }
    if (limits->memory > 0 && cgroup_file_write_number(group->path, "memory.max", limits->memory)) {
        (void)cgroup_file_write_number(group->path, "memory.swap.max", 0);
        group->enforced |= TRP_ENFORCED_MEMORY_CGROUP;
    }
    /* Its threads count, too: those of libzmq, of the probe, and room for a few of its own. */
    if (limits->processes > 0 &&
        cgroup_file_write_number(group->path, "pids.max", limits->processes + CGROUP_THREADS)) {
        group->enforced |= TRP_ENFORCED_PROCESSES_COUNT;
    }
}

bool cgroup_join(const cgroup_t *group)
{
    return group->path[0] != '\0' && cgroup_file_write(group->path, PROCESSES, "0");
}

bool cgroup_ran_out_of_memory(const cgroup_t *group)
{
    return (group->enforced & TRP_ENFORCED_MEMORY_CGROUP) != 0 &&
           cgroup_file_number(group->path, "memory.events", "oom_kill") > 0;
}

void cgroup_end(cgroup_t *group)
{
    if (group->path[0] != '\0') {
        end_path(group->path);
        group->path[0] = '\0';
    }
}
