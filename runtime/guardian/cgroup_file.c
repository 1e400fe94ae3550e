/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/cgroup_file.h"

#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_PATH_MAX (CGROUP_PATH_MAX + 32)

static FILE *open_to_read(const char *folder, const char *name)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return fopen(path, "re");
}

/* ---- ours ---- */

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

/* The line "0::/path", as the path: "" is the root. */
static bool find_own(char line[CGROUP_PATH_MAX], const char **path)
{
    FILE *groups = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (groups != NULL && !found && fgets(line, CGROUP_PATH_MAX, groups) != NULL) {
        found = strncmp(line, "0::/", 4) == 0 && strchr(line, '\n') != NULL;
    }
    if (groups != NULL) {
        (void)fclose(groups);
    }
    if (found) {
        line[strcspn(line, "\n")] = '\0';
        *path = strcmp(line + 3, "/") == 0 ? "" : line + 3;
    }
    return found && strstr(*path, "/..") == NULL; /* it lies outside of what we see */
}

bool cgroup_file_own(char path[CGROUP_PATH_MAX], bool *is_root)
{
    char mount[CGROUP_PATH_MAX], line[CGROUP_PATH_MAX];
    const char *own = "";
    if (!find_mount(mount, sizeof(mount)) || !find_own(line, &own)) {
        return false;
    }
    *is_root = own[0] == '\0';
    return (size_t)snprintf(path, CGROUP_PATH_MAX, "%s%s", mount, own) < CGROUP_PATH_MAX;
}

/* ---- writing ---- */

bool cgroup_file_write(const char *folder, const char *name, const char *text)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    (void)close(fd);
    return done;
}

bool cgroup_file_write_number(const char *folder, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)number);
    return cgroup_file_write(folder, name, text);
}

bool cgroup_file_is_ours(const char *folder, const char *name)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, W_OK) == 0;
}

/* ---- reading ---- */

int64_t cgroup_file_number(const char *folder, const char *name, const char *key)
{
    char line[128];
    int64_t number = 0;
    const size_t size = strlen(key);
    FILE *file = open_to_read(folder, name);
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

bool cgroup_file_has_word(const char *folder, const char *name, const char *word)
{
    char line[256] = "";
    bool found = false;
    FILE *file = open_to_read(folder, name);
    if (file == NULL) {
        return false;
    }
    if (fgets(line, sizeof(line), file) != NULL) {
        char *rest = NULL;
        for (char *one = strtok_r(line, " \n", &rest); one != NULL && !found;
             one = strtok_r(NULL, " \n", &rest)) {
            found = strcmp(one, word) == 0;
        }
    }
    (void)fclose(file);
    return found;
}

bool cgroup_file_is_only(const char *folder, const char *name, int64_t number)
{
    char line[32];
    bool is_there = false, is_other = false;
    FILE *file = open_to_read(folder, name);
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const bool same = strtoll(line, NULL, 10) == number;
        is_there |= same;
        is_other |= !same;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_there && !is_other;
}
