/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/guardian/black_box_file.h"
#include "runtime/guardian/guardian.h"

#define ERROR_SIZE 256
#define PATH_SIZE  512
#define LOCK_NAME  "guardian.lock"
#define ORPHAN_MS  1000 /* at most, for children of a dead guardian to end */

trp_status_t guardian_run_dir(const char *name, char *path, size_t size)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    int length;
    if (base != NULL && base[0] == '/') {
        length = snprintf(path, size, "%s/troupe/%s", base, name);
    } else {
        length = snprintf(path, size, "/tmp/troupe-%u/%s", (unsigned)getuid(), name);
    }
    return length < 0 || (size_t)length >= size ? TRP_TOO_LARGE : TRP_OK;
}

/* Whether nobody else could put another folder in the place of this one. `shared`: everybody may
 * write into the folder that holds it, as into /tmp; then set for this one. */
static bool is_trusted(const char *folder, bool *shared)
{
    struct stat entry, target;
    if (lstat(folder, &entry) != 0 || stat(folder, &target) != 0) {
        return false;
    }
    const bool is_ours = entry.st_uid == 0 || entry.st_uid == geteuid();
    const bool is_sticky = (target.st_mode & S_ISVTX) != 0;
    const bool was_shared = *shared;
    *shared = (target.st_mode & S_IWOTH) != 0;
    errno = EPERM;
    return (is_ours || !was_shared) && (is_sticky || !*shared);
}

/* Makes each missing directory on the way. */
static bool make_path(const char *path)
{
    char part[PATH_SIZE];
    bool shared = false;
    if (strlen(path) >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if ((mkdir(part, 0700) != 0 && errno != EEXIST) || !is_trusted(part, &shared)) {
            return false;
        }
        *slash = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST;
}

static trp_status_t take_directory(const char *path, char *error)
{
    struct stat found;
    if (!make_path(path) || lstat(path, &found) != 0) {
        snprintf(error, ERROR_SIZE, "cannot make the run directory %.150s: %s", path,
                 errno == EPERM ? "another user could replace it; choose another one"
                                : strerror(errno));
        return errno == EPERM ? TRP_DENIED : TRP_SYSTEM;
    }
    if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid()) {
        snprintf(error, ERROR_SIZE, "the run directory %s is not a directory of this user", path);
        return TRP_DENIED;
    }
    if ((found.st_mode & 0777) != 0700 && chmod(path, 0700) != 0) {
        snprintf(error, ERROR_SIZE, "cannot close the run directory %s to others: %s", path,
                 strerror(errno));
        return TRP_DENIED;
    }
    return TRP_OK;
}

static void name_holder(const char *path, int lock, char *error)
{
    char holder[128] = "";
    const ssize_t size = pread(lock, holder, sizeof(holder) - 1, 0);
    holder[size > 0 ? size : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    snprintf(error, ERROR_SIZE,
             "the run directory %.80s is in use by the guardian with pid %.64s; stop it or choose "
             "another run directory",
             path, holder[0] != '\0' ? holder : "(not written yet)");
}

/* A guardian that was killed in the middle of a fork: the child still holds the lock, until it sees
 * that its parent is gone. */
static bool is_holder_gone(int lock)
{
    char holder[32] = "";
    const ssize_t size = pread(lock, holder, sizeof(holder) - 1, 0);
    const long os_pid = size > 0 ? strtol(holder, NULL, 10) : 0;
    return os_pid > 0 && kill((pid_t)os_pid, 0) != 0 && errno == ESRCH;
}

/* False: errno of flock */
static bool lock_file(int fd)
{
    for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms++) {
        const int code = errno;
        if (code != EWOULDBLOCK || waited_ms >= ORPHAN_MS || !is_holder_gone(fd)) {
            errno = code;
            return false;
        }
        (void)poll(NULL, 0, 1);
    }
    return true;
}

static trp_status_t take_lock(const char *path, const char *name, int *lock, char *error)
{
    char file[PATH_SIZE + sizeof(LOCK_NAME)], text[128];
    snprintf(file, sizeof(file), "%s/%s", path, LOCK_NAME);
    const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        /* Its holder removed the directory between our look and our open: made again. */
        const trp_status_t status = errno == ENOENT ? TRP_BUSY : TRP_SYSTEM;
        snprintf(error, ERROR_SIZE, "cannot open %.180s: %s", file, strerror(errno));
        return status;
    }
    if (!lock_file(fd)) {
        trp_status_t status = TRP_SYSTEM;
        if (errno == EWOULDBLOCK) {
            name_holder(path, fd, error);
            status = TRP_EXISTS;
        } else {
            snprintf(error, ERROR_SIZE, "cannot lock %.180s: %s", file, strerror(errno));
        }
        (void)close(fd);
        return status;
    }
    struct stat held, named;
    if (fstat(fd, &held) != 0 || stat(file, &named) != 0 || held.st_ino != named.st_ino) {
        (void)close(fd); /* its holder removed it between our open and our lock */
        return TRP_BUSY;
    }
    const int length = snprintf(text, sizeof(text), "%d (node %.80s)\n", (int)getpid(), name);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length) {
        snprintf(error, ERROR_SIZE, "cannot write %.180s: %s", file, strerror(errno));
        guardian_dir_leave(path, fd);
        return TRP_SYSTEM;
    }
    *lock = fd;
    return TRP_OK;
}

trp_status_t guardian_dir_take(const char *path, const char *name, int *lock, char *error)
{
    trp_status_t status = TRP_BUSY;
    for (int tries = 0; tries < 10 && status == TRP_BUSY; tries++) {
        status = take_directory(path, error);
        if (status == TRP_OK) {
            status = take_lock(path, name, lock, error);
        }
    }
    if (status == TRP_BUSY) {
        snprintf(error, ERROR_SIZE, "the lock of the run directory %.180s does not settle", path);
        status = TRP_SYSTEM;
    }
    return status;
}

static bool is_socket(int directory, const char *name)
{
    struct stat found;
    return fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(found.st_mode);
}

void guardian_dir_sweep(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (is_socket(dirfd(directory), entry->d_name)) {
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
        }
    }
    (void)closedir(directory);
}

void guardian_dir_leave(const char *path, int lock)
{
    char file[PATH_SIZE + sizeof(LOCK_NAME)];
    guardian_dir_sweep(path);
    snprintf(file, sizeof(file), "%s/" BLACK_BOX_FOLDER, path);
    black_box_remove_all(file);
    snprintf(file, sizeof(file), "%s/%s", path, LOCK_NAME);
    (void)unlink(file);
    (void)rmdir(path); /* stays when somebody keeps a file of his own there */
    (void)close(lock);
}
