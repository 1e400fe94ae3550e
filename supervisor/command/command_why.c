/* SPDX-License-Identifier: MIT */
/* why and limits: what the black box of a worker process holds, and what it may use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/guardian/black_box_file.h"
#include "runtime/guardian/black_box_show.h"
#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define ASK_MS   10000
#define TIME_MAX 32

/* ---- asking ---- */

/* A file needs no node. */
static bool read_file(const command_call_t *call, const char *path, client_answer_t *answer)
{
    black_box_file_t file;
    trp_writer_t writer;
    trp_fault_t fault;
    if (black_box_load(path, &file) != TRP_OK) {
        command_fail(call, EXIT_FAILED, "%s is not a black box that can be read", path);
        return false;
    }
    trp_writer_init(&writer);
    black_box_show(&file.owner, &file.copy, NULL, 0, &writer);
    black_box_file_free(&file);
    const trp_status_t status = trp_writer_take(&writer, &answer->body);
    trp_writer_fini(&writer);
    if (status != TRP_OK) {
        command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
        return false;
    }
    if (trp_document_init(&answer->document, zmq_msg_data(&answer->body),
                          zmq_msg_size(&answer->body), &fault) != TRP_OK) {
        command_fail(call, EXIT_FAILED, "%s", fault.rule);
        zmq_msg_close(&answer->body);
        return false;
    }
    answer->result = &answer->document.root;
    return true;
}

static bool ask(const command_call_t *call, client_answer_t *answer)
{
    const char *who = call->arguments[0];
    trp_writer_t request;
    if (strchr(who, '/') != NULL) {
        return read_file(call, who, answer);
    }
    trp_writer_init(&request);
    trp_write_map(&request, 2);
    trp_put_text(&request, "cmd", "why");
    trp_put_text(&request, "who", who);
    return client_ask(call, &request, ASK_MS, answer);
}

/* ---- why ---- */

static const char *format_time(int64_t epoch_ms, char text[TIME_MAX])
{
    const time_t seconds = (time_t)(epoch_ms / 1000);
    struct tm parts;
    text[0] = '\0';
    if (localtime_r(&seconds, &parts) != NULL) {
        const size_t used = strftime(text, TIME_MAX, "%H:%M:%S", &parts);
        snprintf(text + used, TIME_MAX - used, ".%03d", (int)(epoch_ms % 1000));
    }
    return text;
}

static void print_head(const msgpack_object *box)
{
    const msgpack_object *hand = trp_member(box, "in_hand");
    const char *reason = client_text(box, "reason");
    char time[TIME_MAX];
    printf("%s %s, class %s, process %lld: ", client_text(box, "name"), client_text(box, "pid"),
           client_text(box, "class"), (long long)client_int(box, "os_pid"));
    if (reason[0] != '\0') {
        printf("ended at %s by %s\n", format_time(client_int(box, "ended_ms"), time), reason);
    } else {
        printf("it runs\n");
    }
    if (hand != NULL && hand->type == MSGPACK_OBJECT_MAP) {
        printf("in hand: message %lld", (long long)client_int(hand, "turn"));
        if (reason[0] == '\0') {
            printf(", for %lld ms", (long long)client_int(hand, "for_ms"));
        }
        putchar('\n');
    }
}

static void add_record(text_table_t *table, const msgpack_object *row)
{
    const msgpack_object *payload = trp_member(row, "payload");
    char time[TIME_MAX], tag[16];
    char *json = NULL;
    size_t size = 0;
    const bool is_log = strcmp(client_text(row, "kind"), "log") == 0;
    snprintf(tag, sizeof(tag), "0x%04llx", (unsigned long long)client_int(row, "tag"));
    if (payload != NULL && payload->type == MSGPACK_OBJECT_MAP) {
        (void)!trp_json_from_object(payload, &json, &size);
    }
    text_table_text(table, format_time(client_int(row, "time"), time));
    text_table_int(table, client_int(row, "turn"));
    text_table_text(table, client_text(row, "kind"));
    text_table_text(table, is_log ? "" : tag);
    text_table_text(table, client_text(row, "from"));
    text_table_int(table, client_int(row, "size"));
    text_table_text(table, json != NULL ? json : client_text(row, is_log ? "line" : "payload"));
    free(json);
}

static int print_why(const msgpack_object *box)
{
    static const char *const headings[] = {"TIME", "#TURN", "KIND", "TAG",
                                           "FROM", "#SIZE", "WHAT", NULL};
    const msgpack_object *records = trp_member(box, "records");
    text_table_t table;
    print_head(box);
    text_table_init(&table, headings);
    if (records != NULL && records->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < records->via.array.size; i++) {
            add_record(&table, &records->via.array.ptr[i]);
        }
    }
    return text_table_print(&table) ? EXIT_OK : EXIT_FAILED;
}

/* ---- limits ---- */

static void print_list(const char *heading, const msgpack_object *list)
{
    printf("%s", heading);
    if (list == NULL || list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size == 0) {
        printf(" nothing\n");
        return;
    }
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *name = &list->via.array.ptr[i];
        if (name->type == MSGPACK_OBJECT_STR) {
            printf(" %.*s", (int)name->via.str.size, name->via.str.ptr);
        }
    }
    putchar('\n');
}

static int print_limits(const msgpack_object *box)
{
    static const char *const numbers[] = {"memory", "cpu_s", "files", "processes"};
    static const char *const texts[] = {"seccomp", "read_paths", "write_paths"};
    const msgpack_object *limits = trp_member(box, "limits");
    for (size_t i = 0; limits != NULL && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        printf("%-12s %lld\n", numbers[i], (long long)client_int(limits, numbers[i]));
    }
    for (size_t i = 0; limits != NULL && i < sizeof(texts) / sizeof(texts[0]); i++) {
        printf("%-12s %s\n", texts[i], client_text(limits, texts[i]));
    }
    print_list("enforced:   ", trp_member(box, "enforced"));
    print_list("advisory:   ", trp_member(box, "advisory"));
    return EXIT_OK;
}

static int show(const command_call_t *call, int (*print)(const msgpack_object *box))
{
    client_answer_t answer;
    if (!ask(call, &answer)) {
        return EXIT_FAILED;
    }
    const int status = call->json ? command_print_json(call, answer.result) : print(answer.result);
    client_answer_fini(&answer);
    return status;
}

int command_why(const command_call_t *call)
{
    return show(call, print_why);
}

int command_limits(const command_call_t *call)
{
    return show(call, print_limits);
}
