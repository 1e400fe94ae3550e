/* SPDX-License-Identifier: MIT */
/* trp_main: finds the command in the table, parses its options, runs it. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/node/node.h"
#include "supervisor/command/command.h"
#include "supervisor/command/version.h"

static int command_help(const command_call_t *call);
static int command_version(const command_call_t *call);

static const command_t commands[] = {
    {"run", "CONF", 1, 1, COMMAND_JSON | COMMAND_SET, "run a node until it is stopped",
     "Prints one line on standard output when all is ready: `ready` and the endpoints in use.\n"
     "Logs go to standard error, one JSON object a line. Ctrl-C or SIGTERM lets accepted work\n"
     "finish, then stops; Ctrl-C again stops at once. Exit status 1: some could not finish.\n"
     "--set \"pools.*.OPTION=VALUE\" is for every pool. The environment's LOG_LEVEL,\n"
     "LOAD_BALANCING_STRATEGY, MAX_MATCHES_PER_WORKER, MAX_MATCHES and USE_WORKER_POOL stand "
     "above\n"
     "the file and below --set.",
     command_run},
    {"tree", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL, "show the supervision tree of a node", NULL,
     command_tree},
    {"pools", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL, "show the pools of a node and their work",
     NULL, command_pools},
    {"child", "ACTION SUPERVISOR [ID]", 2, 3, COMMAND_JSON | COMMAND_CONTROL,
     "ask a supervisor about its children, or to start or stop one",
     "which, count: all children. spec ID: how one is to be run. terminate ID: stops it and keeps\n"
     "its spec; restart ID, delete ID: of one that is down. start [ID]: one more worker of a "
     "pool.\n"
     "SUPERVISOR is root or pool.NAME. Prints the outcome; status 1 when it is not ok.",
     command_child},
    {"ps", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL, "list the actors of a node", NULL, command_ps},
    {"classes", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL, "show what each class of actors costs",
     "Actors that live; messages that were handled, and how long that took in all; how long a\n"
     "message waited before, of one in 256. Each worker process has figures of its own.",
     command_classes},
    {"waits", "PID|NAME [SECONDS]", 1, 2, COMMAND_JSON | COMMAND_CONTROL,
     "show how long the messages of one actor wait",
     "Looks for SECONDS, 1 to 60 (default 5), at each message that the actor takes from its\n"
     "mailbox, and prints how many waited how long.",
     command_waits},
    {"ledger", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL, "show where every message of a node is",
     "sent = handled + queued + refused + dropped + dead whenever nothing is under way; `missing`\n"
     "is what is: 0 when the node came to rest within a tenth of a second. The causes of the last\n"
     "two follow. With --json also the actors that have messages waiting, dead or refused.",
     command_ledger},
    {"state", "PID|NAME", 1, 1, COMMAND_JSON | COMMAND_CONTROL, "show the state of an actor",
     "What its class saves of it, between two messages; a class without `save` shows nothing.",
     command_state},
    {"call", "TOOL [JSON|@FILE|-]", 1, 2, COMMAND_JSON | COMMAND_CONTROL | COMMAND_CALL,
     "give a node one task and print its result",
     "JSON is the body, a map; `@FILE` and `-` read it from a file or standard input; left out: "
     "{}.\n"
     "Prints the result; with --json the whole reply, and partial answers as {attempt, part}. The\n"
     "task failed: its error on standard error, exit status 1; so, too, where partial answers "
     "were\n"
     "lost, with their number. Ctrl-C cancels the task.",
     command_call},
    {"keygen", "FILE", 1, 1, 0, "make a pair of keys for clients, workers or a node",
     "Writes FILE, which only its owner can read, and prints the public key: that of a client or "
     "a\n"
     "worker goes into the node's file majordomo.keys, that of a node to its clients.",
     command_keygen},
    {"set", "POOL OPTION=VALUE", 2, 2, COMMAND_JSON | COMMAND_CONTROL,
     "change an option of a pool while the node runs",
     "As strategy=round_robin, queue_max=500, run_ms=10000; it holds from the next task on, until\n"
     "the node ends. `troupe config` lists the options.",
     command_set},
    {"cache", "[clear]", 0, 1, COMMAND_JSON | COMMAND_CONTROL,
     "show what is kept of answers, or drop it", NULL, command_cache},
    {"port", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL,
     "show who is at the clients' port, and what was dropped there", NULL, command_port},
    {"poison", "[show|replay|drop ID]", 0, 2, COMMAND_JSON | COMMAND_CONTROL,
     "show, try again or drop tasks that killed their workers",
     "Without an argument: a list of them. `show` prints one with its input, `replay` gives it to\n"
     "a worker once more and prints what became of it, `drop` forgets it.",
     command_poison},
    {"snapshot", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL,
     "show a node's workers, tasks, times and cache in one map",
     "Of all pools together, since the start. healthy: up, not leaving, not ejected; pending: all\n"
     "that is accepted and not answered. Times are those of tasks that were answered.",
     command_snapshot},
    {"balance", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL,
     "show how pools spread their tasks, and what to change",
     "SHARE is what a worker got of its pool's tasks in its time, WANTED what it should have had.\n"
     "Recommendations follow the table; with --json they are in it, and the efficiency of the\n"
     "distribution, 0 to 1.",
     command_balance},
    {"select", "POOL [STRATEGY [KEY]]", 1, 3, COMMAND_JSON | COMMAND_CONTROL,
     "name the worker that would get a pool's next task", "Nothing is given to it.",
     command_select},
    {"rollout", "[TOOL [SHARE [compare|take]]]", 0, 3, COMMAND_JSON | COMMAND_CONTROL,
     "let a second pool have a share of a tool's calls, and see how it does",
     "The second pool names the tool in its option rollout_tools. SHARE is in percent; off: 0, at\n"
     "once. compare: the first pool answers all calls, the share is made in the second one as "
     "well\n"
     "and results are compared; take: the second pool answers its share. Without SHARE: what "
     "became\n"
     "of the calls of both; with TOOL also the last results that differed.",
     command_rollout},
    {"debug", "crash-router", 1, 1, COMMAND_JSON | COMMAND_CONTROL,
     "break a part of a node on purpose, to see it mended",
     "crash-router: the router fails and is started again; what it had accepted is answered.",
     command_debug},
    {"why", "WHO|FILE", 1, 1, COMMAND_JSON | COMMAND_CONTROL, "show what a worker process did last",
     "WHO is a pid, a name or the number of a process; one that died is found as well, while its\n"
     "black box is kept. FILE, with a slash in it, is such a box: it needs no node.",
     command_why},
    {"replay", "FILE", 1, 1, COMMAND_GDB,
     "run a worker's actor again on the messages of its black box",
     "FILE is a kept box (the log's event black_box_kept names it). The actor runs in this "
     "process,\n"
     "so that what killed the worker happens here: under gdb by --gdb, or in a program that was\n"
     "built with a sanitizer.",
     command_replay},
    {"limits", "WHO", 1, 1, COMMAND_JSON | COMMAND_CONTROL,
     "show the limits of a worker process, and which of them hold", NULL, command_limits},
    {"upgrade", "POOL PROGRAM", 2, 2, COMMAND_JSON | COMMAND_CONTROL,
     "replace the workers of a pool by those of a new program, one by one",
     "A new worker is started first; when it is ready and stays so, an old one finishes what it "
     "has\n"
     "and stops. No task fails. If a new one dies or does not start, the pool is made what it was.",
     command_upgrade},
    {"restart", "POOL", 1, 1, COMMAND_JSON | COMMAND_CONTROL | COMMAND_ROLLING,
     "replace the workers of a pool by fresh ones, one by one", NULL, command_restart},
    {"stop", "", 0, 0, COMMAND_JSON | COMMAND_CONTROL, "stop a node when its work is done", NULL,
     command_stop},
    {"work", "CLASS", 1, 1, 0, "run one worker without a node, over standard input and output",
     "Each line of input is a task, {\"tool\": ..., \"body\": {...}}, each line of output an "
     "answer, in\n"
     "their order: {success, result | error}, before it its partial answers, {part}. The worker "
     "has\n"
     "the default options of its class. It ends with the input; status 1: it died.",
     command_work},
    {"config", "", 0, 0, COMMAND_JSON, "print every configuration option, as Markdown", NULL,
     command_config},
    {"messages", "", 0, 0, 0, "print every message that this program knows, as Markdown", NULL,
     command_messages},
    {"version", "", 0, 0, COMMAND_JSON, "print the version", NULL, command_version},
    {"help", "[COMMAND]", 0, 1, 0, "print this list, or what a command does", NULL, command_help},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct {
    unsigned option;
    const char *usage, *text;
} options[] = {
    {COMMAND_JSON, "--json", "print JSON"},
    {COMMAND_CONTROL, "--control ENDPOINT",
     "the node's control socket; default: $TROUPE_CONTROL, else the one\n"
     "                              node in the user's run directory"},
    {COMMAND_CALL, "--stream", "print each partial answer as it comes, then the last one"},
    {COMMAND_CALL, "--timeout SECONDS", "time for all of it; default: an hour"},
    {COMMAND_CALL, "--key KEY", "the worker that holds this key serves it"},
    {COMMAND_CALL, "--idem KEY", "idempotency key: what was done under it is not done again"},
    {COMMAND_CALL, "--priority N", "0 to 9, higher goes first; default: 4"},
    {COMMAND_GDB, "--gdb", "run it under gdb"},
    {COMMAND_ROLLING, "--rolling", "one by one, which is the only way"},
    {COMMAND_SET, "--set SECTION.OPTION=VALUE", "override the configuration; may be repeated"},
};

int command_fail(const command_call_t *call, int status, const char *format, ...)
{
    const char *slash = strrchr(call->program, '/');
    va_list arguments;
    fflush(stdout);
    fprintf(stderr, "%s: ", slash == NULL ? call->program : slash + 1);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return status;
}

int command_print_json(const command_call_t *call, const msgpack_object *value)
{
    char *json = NULL;
    size_t size = 0;
    trp_status_t status = trp_json_from_object(value, &json, &size);
    if (status != TRP_OK) {
        return command_fail(call, EXIT_FAILED, "%s", trp_status_text(status));
    }
    puts(json);
    free(json);
    return EXIT_OK;
}

/* ---- help ---- */

static void print_command_help(const char *program, const command_t *command)
{
    printf("usage: %s %s%s%s%s\n\n%s.\n", program, command->name,
           command->arguments[0] == '\0' ? "" : " ", command->arguments,
           command->options == 0 ? "" : " [OPTION]...", command->text);
    if (command->more != NULL) {
        printf("%s\n", command->more);
    }
    printf("\n");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if ((command->options & options[i].option) != 0) {
            printf("  %-28s%s\n", options[i].usage, options[i].text);
        }
    }
    printf("  %-28s%s\n", "--help", "print this");
}

static const command_t *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int command_help(const command_call_t *call)
{
    if (call->argument_count == 1) {
        const command_t *command = find_command(call->arguments[0]);
        if (command == NULL) {
            return command_fail(call, EXIT_USAGE, "no command `%s`; `%s help` lists them",
                                call->arguments[0], call->program);
        }
        print_command_help(call->program, command);
        return EXIT_OK;
    }
    printf("usage: %s COMMAND [ARGUMENT]...\n\n", call->program);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "%s %s", commands[i].name, commands[i].arguments);
        printf("  %-40s  %s\n", usage, commands[i].text);
    }
    printf("\n%s COMMAND --help says more. Exit status: 0 done, 1 failed, 2 wrong use or\n"
           "configuration.\n",
           call->program);
    return EXIT_OK;
}

static int command_version(const command_call_t *call)
{
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    if (call->json) {
        printf("{\"version\":\"%s\",\"libzmq\":\"%d.%d.%d\"}\n", TRP_VERSION, major, minor, patch);
    } else {
        printf("troupe %s (libzmq %d.%d.%d)\n", TRP_VERSION, major, minor, patch);
    }
    return EXIT_OK;
}

/* ---- parsing ---- */

enum {
    OPTION_JSON = 1000,
    OPTION_CONTROL,
    OPTION_SET,
    OPTION_ROLLING,
    OPTION_GDB,
    OPTION_STREAM,
    OPTION_TIMEOUT,
    OPTION_KEY,
    OPTION_IDEM,
    OPTION_PRIORITY,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"set", required_argument, NULL, OPTION_SET},
    {"rolling", no_argument, NULL, OPTION_ROLLING},
    {"gdb", no_argument, NULL, OPTION_GDB},
    {"stream", no_argument, NULL, OPTION_STREAM},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"key", required_argument, NULL, OPTION_KEY},
    {"idem", required_argument, NULL, OPTION_IDEM},
    {"priority", required_argument, NULL, OPTION_PRIORITY},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int wrong_use(const command_call_t *call)
{
    return command_fail(call, EXIT_USAGE, "`%s %s --help` says how to use it", call->program,
                        call->name);
}

/* Takes an option with the word behind it. Returns what a command needs to have for it; 0: there is
 * no such option. */
static unsigned take_option(int option, command_call_t *call)
{
    switch (option) {
    case OPTION_JSON:
        call->json = true;
        return COMMAND_JSON;
    case OPTION_CONTROL:
        call->control = optarg;
        return COMMAND_CONTROL;
    case OPTION_SET:
        call->overrides[call->override_count++] = optarg;
        return COMMAND_SET;
    case OPTION_ROLLING:
        return COMMAND_ROLLING;
    case OPTION_GDB:
        call->gdb = true;
        return COMMAND_GDB;
    case OPTION_STREAM:
        call->stream = true;
        return COMMAND_CALL;
    case OPTION_TIMEOUT:
        call->timeout = optarg;
        return COMMAND_CALL;
    case OPTION_KEY:
        call->key = optarg;
        return COMMAND_CALL;
    case OPTION_IDEM:
        call->idem = optarg;
        return COMMAND_CALL;
    case OPTION_PRIORITY:
        call->priority = optarg;
        return COMMAND_CALL;
    default:
        return 0;
    }
}

/* Fills `call` from argv, whose first element is the command's name. Returns -1 to go on, or the
 * exit status. */
static int parse(const command_t *command, int argc, char **argv, command_call_t *call)
{
    int option;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h') {
            print_command_help(call->program, command);
            return EXIT_OK;
        }
        const unsigned needs = take_option(option, call);
        if (needs == 0) { /* getopt_long has said what is wrong */
            return wrong_use(call);
        }
        if ((command->options & needs) == 0) {
            command_fail(call, EXIT_USAGE, "%s does not take %s", call->name, argv[optind - 1]);
            return wrong_use(call);
        }
    }

    call->arguments = argv + optind;
    call->argument_count = argc - optind;
    if (call->argument_count < command->arguments_min ||
        call->argument_count > command->arguments_max) {
        command_fail(call, EXIT_USAGE, "usage: %s %s%s%s", call->program, call->name,
                     command->arguments[0] == '\0' ? "" : " ", command->arguments);
        return wrong_use(call);
    }
    return -1;
}

int trp_main(int argc, char **argv, const trp_class_t *const *classes)
{
    command_call_t call = {.program = argc > 0 ? argv[0] : "troupe", .classes = classes};
    if (argc == 2 && strcmp(argv[1], "--worker") == 0) { /* the guardian started us */
        return worker_exec(classes);
    }

    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    call.name = name;
    const command_t *command = find_command(name);
    if (command == NULL) {
        return command_fail(&call, EXIT_USAGE, "no command `%s`; `%s help` lists them", name,
                            call.program);
    }

    call.overrides = calloc((size_t)argc + 1, sizeof(*call.overrides));
    if (call.overrides == NULL) {
        return command_fail(&call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
    }
    int status = EXIT_OK;
    if (argc > 1) {
        status = parse(command, argc - 1, argv + 1, &call);
    }
    if (status == -1 || argc <= 1) {
        status = command->run(&call);
    }
    free(call.overrides);
    return argc > 1 ? status : EXIT_USAGE;
}
