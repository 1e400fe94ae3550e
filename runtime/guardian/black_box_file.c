/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/black_box_file.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MARK      "TRPBOX1\n"
#define MARK_SIZE 8
#define HEAD_SIZE (MARK_SIZE + 4)
#define OWNER_MAX 4096
#define FILE_MAX  (1ll << 31)
#define SUFFIX    ".box"
#define PART      ".part" /* of one that is being written */

/* ---- the folder ---- */

/* Names begin with the time of death as digits of a fixed number, so that they sort by it. */
static bool ends_with(const struct dirent *entry, const char *suffix)
{
    const size_t size = strlen(entry->d_name);
    const size_t its = strlen(suffix);
    return size > its && strcmp(entry->d_name + size - its, suffix) == 0;
}

static int is_box(const struct dirent *entry)
{
    return ends_with(entry, SUFFIX);
}

/* A writer that was killed leaves a part. */
static int is_ours(const struct dirent *entry)
{
    return ends_with(entry, SUFFIX) || ends_with(entry, PART);
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

static void remove_oldest(const char *folder, int keep)
{
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, is_ours, alphasort);
    for (int i = 0; i + keep < count; i++) {
        char path[BLACK_BOX_PATH_MAX + sizeof(names[i]->d_name)];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        (void)unlink(path);
    }
    free_names(names, count < 0 ? 0 : count);
}

void black_box_remove_all(const char *folder)
{
    remove_oldest(folder, 0);
    (void)rmdir(folder);
}

/* ---- writing ---- */

static void pack_owner(const box_owner_t *owner, trp_writer_t *writer)
{
    trp_writer_init(writer);
    trp_schema_write(&box_owner_schema, owner, writer);
}

static bool write_all(int fd, const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    const ssize_t done = writev(fd, parts, count);
    if (done >= 0 && done != (ssize_t)size) {
        errno = ENOSPC; /* the rest would have met it */
    }
    return done == (ssize_t)size;
}

static trp_status_t write_file(const char *path, const void *owner, size_t owner_size,
                               const black_box_copy_t *copy)
{
    unsigned char head[HEAD_SIZE];
    const uint32_t size = htole32((uint32_t)owner_size);
    memcpy(head, MARK, MARK_SIZE);
    memcpy(head + MARK_SIZE, &size, sizeof(size));
    /* What of the ring was never written is a hole in the file. */
    const size_t used = copy->end < copy->ring_size ? (size_t)copy->end : copy->ring_size;
    const size_t kept = (size_t)(copy->ring - copy->bytes) + used;
    const off_t whole = (off_t)(sizeof(head) + owner_size + copy->size);
    const struct iovec parts[] = {{.iov_base = head, .iov_len = sizeof(head)},
                                  {.iov_base = (void *)(uintptr_t)owner, .iov_len = owner_size},
                                  {.iov_base = copy->bytes, .iov_len = kept}};
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return TRP_SYSTEM;
    }
    const bool done = write_all(fd, parts, 3) && ftruncate(fd, whole) == 0;
    const int code = errno;
    if (close(fd) != 0 || !done) {
        (void)unlink(path);
        errno = done ? errno : code;
        return TRP_SYSTEM;
    }
    return TRP_OK;
}

static void name_file(const char *folder, const box_owner_t *owner, const char *suffix,
                      char path[BLACK_BOX_PATH_MAX])
{
    snprintf(path, BLACK_BOX_PATH_MAX, "%.300s/%015" PRId64 "-%" PRId64 "%s", folder,
             owner->ended_ms, owner->os_pid, suffix);
}

trp_status_t black_box_save(const char *folder, const box_owner_t *owner,
                            const black_box_copy_t *copy, char path[BLACK_BOX_PATH_MAX])
{
    char part[BLACK_BOX_PATH_MAX];
    trp_writer_t writer;
    size_t size = 0;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return TRP_SYSTEM;
    }
    name_file(folder, owner, PART, part);
    name_file(folder, owner, SUFFIX, path);
    pack_owner(owner, &writer);
    const void *data = trp_writer_data(&writer, &size);
    trp_status_t status = writer.failed ? TRP_NO_MEMORY : write_file(part, data, size, copy);
    trp_writer_fini(&writer);
    if (status == TRP_OK && rename(part, path) != 0) { /* who reads finds a whole one */
        status = TRP_SYSTEM;
    }
    const int code = errno;
    remove_oldest(folder, BLACK_BOX_FILES);
    errno = code;
    return status;
}

/* ---- reading ---- */

static trp_status_t read_whole(const char *path, unsigned char **bytes, size_t *size)
{
    struct stat found;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return TRP_SYSTEM;
    }
    trp_status_t status = TRP_INVALID;
    if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > HEAD_SIZE &&
        found.st_size < FILE_MAX) {
        *size = (size_t)found.st_size;
        *bytes = malloc(*size);
        status = *bytes == NULL                              ? TRP_NO_MEMORY
                 : read(fd, *bytes, *size) == (ssize_t)*size ? TRP_OK
                                                             : TRP_INVALID;
        if (status != TRP_OK) {
            free(*bytes);
            *bytes = NULL;
        }
    }
    (void)close(fd);
    return status;
}

/* The box behind the owner, as memory of its own. */
static trp_status_t read_box(black_box_file_t *file, const unsigned char *from, size_t size)
{
    void *bytes = malloc(size == 0 ? 1 : size);
    if (bytes == NULL) {
        return TRP_NO_MEMORY;
    }
    memcpy(bytes, from, size);
    const trp_status_t status = black_box_parse(bytes, size, &file->copy);
    if (status != TRP_OK) {
        free(bytes);
    }
    return status;
}

trp_status_t black_box_load(const char *path, black_box_file_t *file)
{
    size_t size = 0;
    uint32_t owner_size;
    trp_fault_t fault;
    memset(file, 0, sizeof(*file));
    trp_status_t status = read_whole(path, &file->bytes, &size);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(&owner_size, file->bytes + MARK_SIZE, sizeof(owner_size));
    owner_size = le32toh(owner_size);
    const bool is_ours = memcmp(file->bytes, MARK, MARK_SIZE) == 0 && owner_size <= OWNER_MAX &&
                         owner_size <= size - HEAD_SIZE;
    const trp_text_t owner = {(const char *)file->bytes + HEAD_SIZE, is_ours ? owner_size : 0};
    if (!is_ours || trp_schema_unpack(&box_owner_schema, owner, &file->document, &file->owner,
                                      &fault) != TRP_OK) {
        free(file->bytes);
        file->bytes = NULL;
        return TRP_INVALID;
    }
    const unsigned char *box = file->bytes + HEAD_SIZE + owner_size;
    status = read_box(file, box, size - HEAD_SIZE - owner_size);
    if (status != TRP_OK) {
        black_box_file_free(file);
    }
    return status;
}

void black_box_file_free(black_box_file_t *file)
{
    if (file->bytes != NULL) {
        trp_document_fini(&file->document);
        black_box_copy_free(&file->copy);
        free(file->bytes);
        file->bytes = NULL;
    }
}

static bool is_of(const char *path, const char *who)
{
    black_box_file_t file;
    char number[24];
    if (black_box_load(path, &file) != TRP_OK) {
        return false;
    }
    const size_t size = strlen(who);
    snprintf(number, sizeof(number), "%" PRId64, file.owner.os_pid);
    const bool found =
        (file.owner.pid.size == size && memcmp(file.owner.pid.data, who, size) == 0) ||
        (file.owner.name.size == size && memcmp(file.owner.name.data, who, size) == 0) ||
        strcmp(number, who) == 0;
    black_box_file_free(&file);
    return found;
}

trp_status_t black_box_find(const char *folder, const char *who, char path[BLACK_BOX_PATH_MAX])
{
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, is_box, alphasort);
    bool found = false;
    for (int i = count - 1; i >= 0 && !found; i--) {
        const int length = snprintf(path, BLACK_BOX_PATH_MAX, "%s/%s", folder, names[i]->d_name);
        found = length > 0 && length < BLACK_BOX_PATH_MAX && is_of(path, who);
    }
    free_names(names, count < 0 ? 0 : count);
    return found ? TRP_OK : TRP_NOT_FOUND;
}
