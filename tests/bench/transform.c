/* SPDX-License-Identifier: MIT */
/* What one race_transform costs a worker, from the bytes of the task to those of its answer.
 *
 *     transform race_transform [runners=18] [draws=0] [n=5000] [form=msgpack|json]
 *
 * The race has been polled for an hour: `previous` has a full timeline and full histories. */
#include "actors/tool_frame.h"
#include "actors/transform/transform_tool.h"
#include "tests/bench/measure.h"

#define POLLS      120
#define PAUSE_MS   30000
#define FIRST_MS   (61 * 60000)
#define START_MS   1700000000000
#define ID_MAX     16
#define POOL_CENTS 5000000

typedef struct setting {
    int64_t runners, draws, n;
    bool is_json;
} setting_t;

static void die(const char *what)
{
    fprintf(stderr, "transform: %s\n", what);
    exit(1);
}

static void put_id(trp_writer_t *writer, int64_t number)
{
    char id[ID_MAX];
    snprintf(id, sizeof(id), "e%d", (int)number);
    trp_put_text(writer, "entrant_id", id);
}

static void write_pools(trp_writer_t *writer, int64_t poll)
{
    static const char *const types[] = {"win", "place"};
    trp_write_key(writer, "pools");
    trp_write_array(writer, 2);
    for (int64_t i = 0; i < 2; i++) {
        trp_write_map(writer, 2);
        trp_put_text(writer, "type", types[i]);
        trp_put_int(writer, "total_cents", POOL_CENTS / (i + 1) * (poll + 1) / POLLS);
    }
}

static void write_entrants(trp_writer_t *writer, const setting_t *setting, int64_t poll)
{
    trp_write_key(writer, "money");
    trp_write_array(writer, (size_t)setting->runners);
    for (int64_t i = 1; i <= setting->runners; i++) {
        trp_write_map(writer, 3);
        put_id(writer, i);
        double even = 100.0 / (double)setting->runners;
        trp_put_real(writer, "hold_pct", even * (0.9 + 0.02 * (double)((i + poll) % 11)));
        trp_put_real(writer, "bet_pct", even);
    }
    trp_write_key(writer, "entrants");
    trp_write_array(writer, (size_t)setting->runners);
    for (int64_t i = 1; i <= setting->runners; i++) {
        trp_write_map(writer, 6);
        put_id(writer, i);
        trp_put_int(writer, "number", i);
        trp_put_text(writer, "name", "A runner");
        trp_put_bool(writer, "scratched", false);
        trp_put_real(writer, "fixed_win", 2.0 + (double)((i * 7 + poll) % 40) / 4);
        trp_put_real(writer, "tote_win", 2.0 + (double)i);
    }
}

/* One poll, MessagePack; `previous` empty: the first. */
static void write_race(trp_writer_t *writer, const setting_t *setting, int64_t poll,
                       trp_text_t previous)
{
    bool is_first = previous.size == 0;
    trp_write_map(writer, 9U + (is_first ? 0U : 1U) + (setting->draws > 0 ? 1U : 0U));
    trp_put_text(writer, "schema", "racedata/1");
    trp_put_text(writer, "race_id", "bench");
    trp_put_int(writer, "start_time", START_MS);
    trp_put_int(writer, "polled_at", START_MS - FIRST_MS + poll * PAUSE_MS);
    trp_put_text(writer, "status", "open");
    trp_put_text(writer, "currency", "AUD");
    write_pools(writer, poll);
    write_entrants(writer, setting, poll);
    if (!is_first) {
        trp_write_key(writer, "previous");
        trp_write_raw(writer, previous.data, previous.size);
    }
    if (setting->draws > 0) {
        trp_write_key(writer, "monte_carlo");
        trp_write_map(writer, 1);
        trp_put_int(writer, "draws", setting->draws);
    }
}

/* Runs one task; `result` gets the encoded answer unless NULL. */
static void execute(trp_text_t task, trp_writer_t *result)
{
    static const transform_options_t defaults;
    transform_worker_t worker;
    tool_outcome_t outcome;
    trp_document_t document;
    trp_fault_t fault;
    task_done_t done;
    if (transform_worker_init(&worker, &defaults) != TRP_OK) {
        die("no worker");
    }
    tool_call_t call = {.state = &worker, .table = &worker.tools};
    if (tool_execute(&call, task, &outcome) != TRP_OK || !outcome.has_reply) {
        die("no answer");
    }
    if (result != NULL) {
        trp_text_t reply = {zmq_msg_data(&outcome.reply), zmq_msg_size(&outcome.reply)};
        if (trp_schema_unpack(&task_done_schema, reply, &document, &done, &fault) != TRP_OK ||
            !done.success) {
            die("the race was refused");
        }
        trp_write_raw(result, done.body.data, done.body.size);
        trp_document_fini(&document);
    }
    zmq_msg_close(&outcome.reply);
}

static void pack_task(trp_text_t body, zmq_msg_t *message)
{
    task_run_t task = {.task_id = {"t", 1}, .tool = {"race_transform", 14}, .body = body};
    if (trp_schema_pack(&task_run_schema, &task, message) != TRP_OK) {
        die("no memory");
    }
}

/* The task of a race's last poll, all those before it computed. */
static void make_task(const setting_t *setting, zmq_msg_t *message)
{
    setting_t quick = *setting;
    trp_writer_t results[2], race;
    trp_text_t previous = {NULL, 0}, body;
    char *json = NULL;
    quick.draws = 0;
    for (int64_t poll = 0; poll + 1 < POLLS; poll++) {
        trp_writer_t *result = &results[poll % 2];
        zmq_msg_t task;
        trp_writer_init(&race);
        write_race(&race, &quick, poll, previous);
        body.data = trp_writer_data(&race, &body.size);
        pack_task(body, &task);
        trp_writer_init(result);
        execute((trp_text_t){zmq_msg_data(&task), zmq_msg_size(&task)}, result);
        zmq_msg_close(&task);
        trp_writer_fini(&race);
        if (poll > 0) {
            trp_writer_fini(&results[(poll + 1) % 2]);
        }
        previous.data = trp_writer_data(result, &previous.size);
    }
    trp_writer_init(&race);
    write_race(&race, setting, POLLS - 1, previous);
    body.data = trp_writer_data(&race, &body.size);
    if (setting->is_json) {
        if (trp_json_from_msgpack(body.data, body.size, &json, &body.size) != TRP_OK) {
            die("no JSON");
        }
        body.data = json;
    }
    pack_task(body, message);
    printf("race_transform.request %zu bytes\n", body.size);
    free(json);
    trp_writer_fini(&race);
    trp_writer_fini(&results[(POLLS - 2) % 2]);
}

static void read_setting(setting_t *setting, const char *argument)
{
    long long number;
    if (sscanf(argument, "runners=%lld", &number) == 1 && number >= 1 &&
        number <= TRANSFORM_ENTRANTS_MAX) {
        setting->runners = number;
    } else if (sscanf(argument, "draws=%lld", &number) == 1 && number >= 0 && number <= 1000000) {
        setting->draws = number;
    } else if (sscanf(argument, "n=%lld", &number) == 1 && number >= 1 && number <= 10000000) {
        setting->n = number;
    } else if (strcmp(argument, "form=json") == 0) {
        setting->is_json = true;
    } else if (strcmp(argument, "form=msgpack") != 0 && strncmp(argument, "threads=", 8) != 0) {
        die("takes runners=1..40 draws=0..1000000 n=1..10000000 form=msgpack|json");
    }
}

int main(int argc, char **argv)
{
    setting_t setting = {.runners = 18, .n = 5000};
    if (argc < 2 || strcmp(argv[1], "race_transform") != 0) {
        die("knows one benchmark: race_transform");
    }
    for (int i = 2; i < argc; i++) {
        read_setting(&setting, argv[i]);
    }
    zmq_msg_t message;
    make_task(&setting, &message);
    trp_text_t task = {zmq_msg_data(&message), zmq_msg_size(&message)};
    int64_t *times = calloc((size_t)setting.n, sizeof(*times));
    if (times == NULL) {
        die("no memory");
    }
    for (int64_t i = 0; i < setting.n; i++) {
        int64_t begin = now_ns();
        execute(task, NULL);
        times[i] = now_ns() - begin;
    }
    print_latencies("race_transform", times, setting.n);
    free(times);
    zmq_msg_close(&message);
    return 0;
}
