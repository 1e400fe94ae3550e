/* SPDX-License-Identifier: MIT */
/* Finds the node that a command is for. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/guardian/guardian.h"
#include "supervisor/command/client.h"

#define IPC       "ipc://"
#define NAMES_MAX 1024

/* Whether somebody listens at the socket file: one left by a node that was killed refuses. */
static bool is_alive(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    bool alive = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return alive;
}

/* The folder of the user's run directories: that of a node named "", cut at its name. */
static bool base_dir(char base[CLIENT_ENDPOINT_MAX])
{
    if (guardian_run_dir("x", base, CLIENT_ENDPOINT_MAX) != TRP_OK) {
        return false;
    }
    char *slash = strrchr(base, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return slash != NULL;
}

/* Counts the nodes that run there; the first one's endpoint, and all their names. */
static int find_nodes(const char *base, char endpoint[CLIENT_ENDPOINT_MAX], char names[NAMES_MAX])
{
    int count = 0;
    names[0] = '\0';
    struct stat found;
    DIR *folder = opendir(base);
    if (folder == NULL) {
        return 0;
    }
    if (fstat(dirfd(folder), &found) != 0 || found.st_uid != geteuid()) {
        closedir(folder); /* another user made it, before us */
        return 0;
    }
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char path[CLIENT_ENDPOINT_MAX + 300];
        snprintf(path, sizeof(path), "%s/%s/control", base, entry->d_name);
        if (entry->d_name[0] == '.' || !is_alive(path)) {
            continue;
        }
        if (count++ == 0) {
            snprintf(endpoint, CLIENT_ENDPOINT_MAX, IPC "%.280s", path);
        }
        size_t used = strlen(names);
        snprintf(names + used, NAMES_MAX - used, "\n  --control " IPC "%.100s", path);
    }
    closedir(folder);
    return count;
}

bool client_find(const command_call_t *call, char endpoint[CLIENT_ENDPOINT_MAX])
{
    const char *named = call->control != NULL ? call->control : getenv("TROUPE_CONTROL");
    if (named != NULL && named[0] != '\0') {
        snprintf(endpoint, CLIENT_ENDPOINT_MAX, "%s", named);
        if (strncmp(named, IPC, strlen(IPC)) == 0 && !is_alive(named + strlen(IPC))) {
            command_fail(call, EXIT_FAILED,
                         "no node at %s\n  start one with `%s run CONF`; its ready line says where "
                         "its control socket is",
                         named, call->program);
            return false;
        }
        return true;
    }

    char base[CLIENT_ENDPOINT_MAX];
    char names[NAMES_MAX];
    int count = base_dir(base) ? find_nodes(base, endpoint, names) : 0;
    if (count == 0) {
        command_fail(
            call, EXIT_FAILED,
            "no node runs in %s\n  start one with `%s run CONF`, or name its control socket "
            "with --control or TROUPE_CONTROL",
            base, call->program);
    } else if (count > 1) {
        command_fail(call, EXIT_FAILED, "%d nodes run in %s; say which:%s", count, base, names);
    }
    return count == 1;
}
