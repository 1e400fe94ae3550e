/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/black_box_file.h"
#include "runtime/guardian/black_box_keeper.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "messages/envelope_native.h"

#define STEP_FIELDS(F) F(INT, number, _, 0, 1000000, "of it")
TRP_SCHEMA_DECLARE(step, STEP_FIELDS)
TRP_SCHEMA_DEFINE(step, 0x1001, TRP_SCHEMA_FIXED, STEP_FIELDS, "a step")

static black_box_t box;
static int box_fd;

static void set_up(void)
{
    cr_assert_eq(black_box_make(32768, &box, &box_fd), TRP_OK);
}

static void tear_down(void)
{
    black_box_close(&box);
    (void)close(box_fd);
}

TestSuite(black_box, .init = set_up, .fini = tear_down, .timeout = 60);

/* One message of `size` bytes that all are `letter`, begun and ended. */
static void say(uint16_t tag, char letter, size_t size)
{
    char *bytes = malloc(size + 1);
    memset(bytes, letter, size + 1);
    trp_envelope_t *message = envelope_alloc();
    cr_assert_eq(envelope_set(message, bytes, size), TRP_OK);
    message->tag = tag;
    black_box_begin(&box, message);
    black_box_end(&box);
    envelope_free(message);
    free(bytes);
}

static black_box_copy_t copy_of(const black_box_t *from)
{
    black_box_copy_t copy;
    cr_assert_eq(black_box_copy(from, &copy), TRP_OK);
    return copy;
}

/* ---- what is written is read ---- */

/* Who replays it has its schema, and not our address of it. */
Test(black_box, a_struct_is_kept_packed)
{
    black_box_item_t item;
    trp_document_t document;
    trp_fault_t fault;
    step_t step;
    trp_envelope_t *message = envelope_alloc();
    envelope_set_native(message, &step_schema, &(step_t){.number = 70000});

    black_box_begin(&box, message);

    black_box_copy_t copy = copy_of(&box);
    cr_assert(black_box_next(&copy, &item));
    cr_expect_eq(item.tag, step_schema.tag);
    cr_expect_eq(item.flags & TRP_ENVELOPE_STRUCT, 0);
    cr_expect_eq(item.size, item.whole);
    const trp_text_t bytes = {(const char *)item.data, item.size};
    cr_assert_eq(trp_schema_unpack(&step_schema, bytes, &document, &step, &fault), TRP_OK);
    cr_expect_eq(step.number, 70000);
    trp_document_fini(&document);
    cr_assert(envelope_is_native(message), "the actor is shown the struct");
    envelope_free(message);
    black_box_copy_free(&copy);
}

Test(black_box, messages_and_lines_come_back_in_order)
{
    black_box_item_t item;
    say(0x1001, 'a', 3);
    black_box_log(&box, "{}", 2);
    say(0x1002, 'b', 0);

    black_box_copy_t copy = copy_of(&box);

    cr_assert(black_box_next(&copy, &item));
    cr_expect_eq(item.kind, BLACK_BOX_MESSAGE);
    cr_expect_eq(item.tag, 0x1001);
    cr_expect_eq(item.turn, 1);
    cr_expect_eq(item.size, 3);
    cr_expect_arr_eq(item.data, "aaa", 3);
    cr_assert(black_box_next(&copy, &item));
    cr_expect_eq(item.kind, BLACK_BOX_LOG);
    cr_expect_arr_eq(item.data, "{}", 2);
    cr_assert(black_box_next(&copy, &item));
    cr_expect_eq(item.turn, 2);
    cr_expect_not(black_box_next(&copy, &item));
    cr_expect_not(copy.is_damaged);
    black_box_copy_free(&copy);
}

Test(black_box, the_oldest_records_make_room_for_the_newest)
{
    black_box_item_t item;
    uint64_t first = 0, last = 0, count = 0;
    for (size_t i = 0; i < 1000; i++) {
        say(0x1001, (char)('a' + i % 26), i % 700);
    }

    black_box_copy_t copy = copy_of(&box);
    while (black_box_next(&copy, &item)) {
        const char letter = (char)('a' + (item.turn - 1) % 26);
        first = first == 0 ? item.turn : first;
        cr_assert_eq(item.size, (item.turn - 1) % 700);
        for (size_t i = 0; i < item.size; i++) {
            cr_assert_eq(((const char *)item.data)[i], letter);
        }
        last = item.turn;
        count++;
    }

    cr_expect_eq(last, 1000);
    cr_expect_eq(count, last - first + 1);
    cr_expect_gt(first, 1);
    cr_expect_not(copy.is_damaged);
    black_box_copy_free(&copy);
}

Test(black_box, of_a_large_message_the_beginning_is_kept)
{
    black_box_item_t item;
    say(0x1001, 'x', 1 << 20);

    black_box_copy_t copy = copy_of(&box);

    cr_assert(black_box_next(&copy, &item));
    cr_expect_eq(item.whole, 1 << 20);
    cr_expect_lt(item.size, 32768 / 4);
    cr_expect_gt(item.size, 0);
    black_box_copy_free(&copy);
}

Test(black_box, the_message_in_hand_is_the_last_one_begun)
{
    trp_envelope_t *message = envelope_alloc();
    say(0x1001, 'a', 1);
    black_box_begin(&box, message);

    black_box_copy_t copy = copy_of(&box);

    cr_expect_eq(copy.turn, 2);
    cr_expect_neq(copy.since_ns, 0);
    black_box_copy_free(&copy);
    envelope_free(message);
}

/* ---- foreign input ---- */

Test(black_box, a_sealed_box_neither_shrinks_nor_grows)
{
    struct stat found;
    cr_assert_eq(fstat(box_fd, &found), 0);

    cr_expect_eq(ftruncate(box_fd, found.st_size - 4096), -1);
    cr_expect_eq(errno, EPERM);
    cr_expect_eq(ftruncate(box_fd, found.st_size + 4096), -1);
    cr_expect_eq(fcntl(box_fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static size_t chance(unsigned *seed)
{
    return (size_t)rand_r(seed);
}

static volatile unsigned touched; /* so that the reads are done */

/* Reads to the end whatever there is; what must hold is that it ends and stays inside. */
static void read_all(const black_box_t *from)
{
    black_box_copy_t copy;
    black_box_item_t item;
    if (black_box_copy(from, &copy) != TRP_OK) {
        return;
    }
    for (unsigned count = 0; black_box_next(&copy, &item); count++) {
        cr_assert_lt(count, 32768);
        for (size_t i = 0; i < item.size; i++) {
            touched += ((const unsigned char *)item.data)[i];
        }
    }
    black_box_copy_free(&copy);
}

Test(black_box, a_box_that_was_scribbled_over_is_read_without_harm)
{
    unsigned seed = 7;
    for (unsigned round = 0; round < 3000; round++) {
        say(0x1001, 'a', chance(&seed) % 5000);
        unsigned char *bytes = (unsigned char *)box.head;
        for (unsigned i = 0; i < 1 + round % 40; i++) {
            const size_t at = chance(&seed) % 3 == 0 ? chance(&seed) % sizeof(black_box_head_t)
                                                     : chance(&seed) % box.size;
            bytes[at] = (unsigned char)chance(&seed);
        }
        read_all(&box);
        if (round % 10 == 9) { /* a fresh one, or all would stay broken in the same way */
            tear_down();
            set_up();
        }
    }
}

Test(black_box, noise_is_no_box)
{
    black_box_copy_t copy;
    unsigned seed = 1;
    unsigned char *noise = malloc(box.size);
    for (size_t i = 0; i < box.size; i++) {
        noise[i] = (unsigned char)chance(&seed);
    }

    cr_expect_eq(black_box_parse(noise, box.size, &copy), TRP_INVALID);
    cr_expect_eq(black_box_parse(noise, 3, &copy), TRP_INVALID);
    free(noise);
}

/* ---- files ---- */

static box_owner_t owner_at(int64_t ended_ms, const char *name)
{
    return (box_owner_t){.pid = {"<1.0.2.1.1>", 11},
                         .name = {name, strlen(name)},
                         .class = {"echo", 4},
                         .os_pid = 77,
                         .has_ended_ms = true,
                         .ended_ms = ended_ms};
}

Test(black_box, a_file_holds_the_owner_and_the_box)
{
    char folder[64], path[BLACK_BOX_PATH_MAX], found[BLACK_BOX_PATH_MAX];
    black_box_file_t file;
    black_box_item_t item;
    snprintf(folder, sizeof(folder), "/tmp/troupe-boxes-%d", (int)getpid());
    say(0x1001, 'a', 3);
    black_box_copy_t copy = copy_of(&box);
    const box_owner_t owner = owner_at(1000, "echo.1");

    cr_assert_eq(black_box_save(folder, &owner, &copy, path), TRP_OK);
    cr_assert_eq(black_box_find(folder, "echo.1", found), TRP_OK);
    cr_assert_eq(black_box_load(found, &file), TRP_OK);

    cr_expect_str_eq(path, found);
    cr_expect_eq(file.owner.os_pid, 77);
    cr_expect(black_box_next(&file.copy, &item) && item.size == 3);
    black_box_file_free(&file);
    black_box_copy_free(&copy);
    black_box_remove_all(folder);
    cr_expect_eq(access(folder, F_OK), -1);
}

Test(black_box, the_number_of_files_is_bounded_and_the_newest_stay)
{
    char folder[64], path[BLACK_BOX_PATH_MAX];
    snprintf(folder, sizeof(folder), "/tmp/troupe-boxes-%d", (int)getpid());
    black_box_copy_t copy = copy_of(&box);
    for (int i = 0; i < BLACK_BOX_FILES + 3; i++) {
        const box_owner_t owner = owner_at(1000 + i, i < 3 ? "old" : "new");
        cr_assert_eq(black_box_save(folder, &owner, &copy, path), TRP_OK);
    }

    cr_expect_eq(black_box_find(folder, "old", path), TRP_NOT_FOUND);
    cr_expect_eq(black_box_find(folder, "new", path), TRP_OK);
    black_box_copy_free(&copy);
    black_box_remove_all(folder);
}

/* ---- kept by a thread ---- */

Test(black_box, a_keeper_that_is_closed_has_written_what_it_was_given)
{
    char folder[64], found[BLACK_BOX_PATH_MAX];
    black_box_keeper_t *keeper = NULL;
    black_box_file_t file;
    snprintf(folder, sizeof(folder), "/tmp/troupe-boxes-%d", (int)getpid());
    cr_assert_eq(black_box_keeper_open(&host_os, folder, &keeper), TRP_OK);
    say(0x1001, 'a', 3);
    box_owner_t owner = owner_at(1000, "echo.1");
    owner.has_reason = true;
    owner.reason = (trp_text_t){"signal 9 (Killed)", 17};

    black_box_keep(keeper, &box, &owner);
    black_box_keeper_close(&keeper);

    cr_expect_null(box.head, "the mapping is the keeper's");
    cr_assert_eq(black_box_find(folder, "echo.1", found), TRP_OK);
    cr_assert_eq(black_box_load(found, &file), TRP_OK);
    cr_expect(file.owner.reason.size == 17 && file.copy.end > 0);
    black_box_file_free(&file);
    black_box_remove_all(folder);
}

Test(black_box, a_folder_that_takes_no_file_leaves_no_part_of_one)
{
    char path[BLACK_BOX_PATH_MAX];
    black_box_copy_t copy = copy_of(&box);
    const box_owner_t owner = owner_at(1000, "echo.1");

    errno = 0;
    const trp_status_t status = black_box_save("/proc/self", &owner, &copy, path);

    cr_expect_eq(status, TRP_SYSTEM);
    cr_expect_neq(errno, 0);
    black_box_copy_free(&copy);
}

static trp_status_t no_thread(void *user, void (*body)(void *arg), void *arg,
                              host_thread_t **thread)
{
    (void)user, (void)body, (void)arg, (void)thread;
    return TRP_SYSTEM;
}

Test(black_box, a_keeper_without_a_thread_lets_the_box_go)
{
    trp_host_t host = host_os;
    black_box_keeper_t *keeper = NULL;
    host.thread_start = no_thread;
    cr_assert_eq(black_box_keeper_open(&host, "/nowhere", &keeper), TRP_OK);
    const box_owner_t owner = owner_at(1000, "echo.1");

    black_box_keep(keeper, &box, &owner);

    cr_expect_null(box.head);
    black_box_keeper_close(&keeper);
    cr_expect_null(keeper);
}
