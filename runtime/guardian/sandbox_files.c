/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/log.h"

#define READ_ACCESS \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FIRST_ACCESS ((1ull << 13) - 1) /* version 1: thirteen rights, EXECUTE to MAKE_SYM */
#define FILE_ACCESS                                              \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
     LANDLOCK_ACCESS_FS_WRITE_FILE) /* the rights that a file has which is no folder */

bool sandbox_files_wanted(const trp_limits_t *limits)
{
    return limits->read_paths[0] != '\0' || limits->write_paths[0] != '\0';
}

static bool add_rule(int rules, const char *path, uint64_t access)
{
    const int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        log_event(LOG_WARN, "landlock_path_missing", LOG_TEXT("path", path),
                  LOG_TEXT("error", strerror(errno)));
        return true; /* what is not there can't be touched either */
    }
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    long done = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (done != 0 && errno == EINVAL) {
        rule.allowed_access = access & FILE_ACCESS;
        done = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    (void)close(fd);
    return done == 0;
}

static bool add_rules(int rules, const char *paths, uint64_t access)
{
    char list[TRP_LIMITS_PATHS_MAX];
    char *rest = NULL;
    snprintf(list, sizeof(list), "%s", paths);
    for (char *path = strtok_r(list, " ", &rest); path != NULL; path = strtok_r(NULL, " ", &rest)) {
        if (!add_rule(rules, path, access)) {
            return false;
        }
    }
    return true;
}

bool sandbox_files(const trp_limits_t *limits)
{
    const struct landlock_ruleset_attr handled = {.handled_access_fs = FIRST_ACCESS};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    if (rules < 0) {
        return false;
    }
    const bool done = add_rules(rules, limits->read_paths, READ_ACCESS) &&
                      add_rules(rules, limits->write_paths, FIRST_ACCESS) &&
                      syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    (void)close(rules);
    return done;
}
