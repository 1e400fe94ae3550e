/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define END_TRIES   200 /* for killed processes to leave their group ... */
#define END_WAIT_MS 5   /* ... looked at so often */

/* ---- files ---- */

static bool write_file(const char *folder, const char *name, const char *text)
{
    char path[CGROUP_PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    (void)close(fd);
    return done;
}

static bool write_number(const char *folder, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)number);
    return write_file(folder, name, text);
}

/* The number behind `key ` in a file of such lines; 0: none. */
static int64_t read_number(const char *folder, const char *name, const char *key)
{
    char path[CGROUP_PATH_MAX + 32], line[128];
    int64_t number = 0;
    const size_t size = strlen(key);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, size) == 0 && line[size] == ' ') {
            number = strtoll(line + size, NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return number;
}

static bool has_file(const char *folder, const char *name)
{
    char path[CGROUP_PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, W_OK) == 0;
}

/* Whether a file of one line holds a word. */
static bool has_word(const char *folder, const char *name, const char *word)
{
    char path[CGROUP_PATH_MAX + 32], line[256] = "";
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    const bool got = fgets(line, sizeof(line), file) != NULL;
    (void)fclose(file);
    return got && strstr(line, word) != NULL;
}

/* ---- where ---- */

/* Mount point of the version 2 tree. */
static bool find_mount(char *path, size_t size)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    bool found = false;
    if (mounts == NULL) {
        return false;
    }
    for (struct mntent *mount = getmntent(mounts); mount != NULL && !found;
         mount = getmntent(mounts)) {
        if (strcmp(mount->mnt_type, "cgroup2") == 0) {
            found = (size_t)snprintf(path, size, "%s", mount->mnt_dir) < size;
        }
    }
    (void)endmntent(mounts);
    return found;
}

/* Our own group in it: the line "0::/path". */
static void find_own(char *path, size_t size)
{
    char line[CGROUP_PATH_MAX];
    FILE *groups = fopen("/proc/self/cgroup", "re");
    path[0] = '\0';
    while (groups != NULL && fgets(line, sizeof(line), groups) != NULL) {
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(path, size, "%.*s", (int)size - 1, strcmp(line + 3, "/") == 0 ? "" : line + 3);
        }
    }
    if (groups != NULL) {
        (void)fclose(groups);
    }
}

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
    (void)write_file(path, "cgroup.kill", "1");
    remove_group(path);
}

static void end_leftovers(const char *base)
{
    DIR *folder = opendir(base);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[CGROUP_PATH_MAX + sizeof(entry->d_name)];
        if (strncmp(entry->d_name, "w.", 2) == 0) {
            snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
            end_path(path);
        }
    }
    (void)closedir(folder);
    (void)rmdir(base);
}

/* ---- the base ---- */

void cgroup_base_init(cgroup_base_t *base, const char *name, const char *run_dir)
{
    char mount[160], own[256], parent[CGROUP_PATH_MAX - 96];
    memset(base, 0, sizeof(*base));
    if (!find_mount(mount, sizeof(mount))) {
        return;
    }
    find_own(own, sizeof(own));
    snprintf(parent, sizeof(parent), "%s%s", mount, own);
    snprintf(base->path, sizeof(base->path), "%s/troupe-%.40s-%08x", parent, name,
             (unsigned)hash(run_dir));
    end_leftovers(base->path);
    if (access(parent, W_OK) != 0) {
        base->path[0] = '\0';
        return;
    }
    base->has_memory = has_word(parent, "cgroup.subtree_control", "memory");
}

/* Made when a worker needs it: most nodes never do. */
static bool make_base(cgroup_base_t *base)
{
    if (base->is_made) {
        return true;
    }
    if (base->path[0] == '\0' || (mkdir(base->path, 0755) != 0 && errno != EEXIST)) {
        return false;
    }
    (void)write_file(base->path, "cgroup.subtree_control", "+memory");
    (void)write_file(base->path, "cgroup.subtree_control", "+pids");
    base->is_made = true;
    return true;
}

void cgroup_base_fini(cgroup_base_t *base)
{
    if (base->is_made) {
        end_leftovers(base->path);
    }
}

/* ---- one group ---- */

void cgroup_make(cgroup_base_t *base, uint32_t index, uint32_t incarnation,
                 const trp_limits_t *limits, cgroup_t *group)
{
    memset(group, 0, sizeof(*group));
    if (!make_base(base)) {
        return;
    }
    snprintf(group->path, sizeof(group->path), "%.440s/w.%u.%u", base->path, index, incarnation);
    if (mkdir(group->path, 0755) != 0) {
        group->path[0] = '\0';
        return;
    }
    if (has_file(group->path, "cgroup.kill")) {
        group->enforced |= TRP_ENFORCED_PROCESSES_END;
    }
    if (limits->memory > 0 && write_number(group->path, "memory.max", limits->memory)) {
        (void)write_number(group->path, "memory.swap.max", 0);
        group->enforced |= TRP_ENFORCED_MEMORY_CGROUP;
    }
    /* Its threads count, too: those of libzmq, of the probe, and room for a few of its own. */
    if (limits->processes > 0 &&
        write_number(group->path, "pids.max", limits->processes + CGROUP_THREADS)) {
        group->enforced |= TRP_ENFORCED_PROCESSES_COUNT;
    }
}

bool cgroup_join(const cgroup_t *group)
{
    return group->path[0] != '\0' && write_file(group->path, "cgroup.procs", "0");
}

bool cgroup_ran_out_of_memory(const cgroup_t *group)
{
    return (group->enforced & TRP_ENFORCED_MEMORY_CGROUP) != 0 &&
           read_number(group->path, "memory.events", "oom_kill") > 0;
}

void cgroup_end(cgroup_t *group)
{
    if (group->path[0] != '\0') {
        end_path(group->path);
        group->path[0] = '\0';
    }
}
