/* SPDX-License-Identifier: MIT */
/* Every option of a configuration file: one row each. */
#include "runtime/config/config_tables.h"

#include <stddef.h>

#include "runtime/core/runtime.h"

/* A body and what is packed around it must fit into a worker's mailbox of 64 MiB, or it would wait
 * at the head of its queue for ever. */
#define BODY_MAX (63 * 1024 * 1024)

#define MAILBOX_MAX 4000000 /* messages: twice as many can be counted */

#define INT_ROW(type, member, fallback, min, max, text)                                \
    {                                                                                  \
#member, OPTION_INT, offsetof(type, member), 0, fallback, min, max, NULL, text \
    }
#define TEXT_ROW(type, member, fallback, text)                                                     \
    {                                                                                              \
#member, OPTION_TEXT, offsetof(type, member), sizeof(((type *)0)->member), fallback, 0, 0, \
            NULL, text                                                                             \
    }
#define CHOICE_ROW(type, member, fallback, choices, text)                                \
    {                                                                                    \
#member, OPTION_CHOICE, offsetof(type, member), 0, fallback, 0, 0, choices, text \
    }
#define TABLE(section, rows)                          \
    {                                                 \
        section, rows, sizeof(rows) / sizeof(rows[0]) \
    }

static const option_t node_rows[] = {
    TEXT_ROW(config_node_t, name, "node", "name of the node, part of its run directory"),
    TEXT_ROW(config_node_t, run_dir, "",
             "folder of its sockets and lock; empty: the user's run directory, then the name"),
    INT_ROW(config_node_t, threads, "0", 0, RUNTIME_THREADS_MAX,
            "pool threads; 0: cores less one, at least 1"),
    INT_ROW(config_node_t, stop_ms, "30000", 100, 3600000,
            "ms: limit of a whole stop, after which all is killed"),
    INT_ROW(config_node_t, stuck_ms, "1000", 4, 3600000,
            "ms: a handler that takes longer is logged with its calls, its thread replaced"),
    INT_ROW(config_node_t, edge_stuck_ms, "10000", 4, 3600000,
            "ms: the edge thread does not move for so long: the node is ended and started again"),
    INT_ROW(config_node_t, kill_grace_ms, "1000", 4, 3600000,
            "ms: a killed actor whose handler takes longer to return is written off"),
    INT_ROW(config_node_t, stuck_max, "4", 0, 1000,
            "threads of actors that are written off; more: the node is ended and started again"),
    INT_ROW(config_node_t, quarantine_after, "3", 0, 16,
            "deaths of the node by the same child, or by workers of the same pool, after which it "
            "runs in a process of its own until troupe is started again; 0: never"),
    INT_ROW(config_node_t, quarantine_window_s, "600", 1, 31536000,
            "s: within which these deaths are counted"),
    TEXT_ROW(config_node_t, black_box_dir, "",
             "folder for black boxes of workers that died; empty: in run_dir, and removed with it"),
    CHOICE_ROW(config_node_t, log_level, "info", "trace|debug|info|warn|error|fatal",
               "lowest level that is logged"),
};

static const option_t majordomo_rows[] = {
    TEXT_ROW(config_majordomo_t, endpoint, "",
             "where clients connect, as tcp://127.0.0.1:5555; port * picks one; empty: none"),
    INT_ROW(config_majordomo_t, bytes_max, "268435456", 1048576, 1099511627776,
            "bytes: bodies of all accepted tasks together; above it requests are refused"),
    INT_ROW(config_majordomo_t, body_max, "16777216", 1024, BODY_MAX, "bytes: one request body"),
    INT_ROW(
        config_majordomo_t, unread_max, "134217728", 0, 1099511627776,
        "bytes: replies of 1 KiB and more that wait for one client to read them; further ones are "
        "dropped; 0: no limit"),
    INT_ROW(config_majordomo_t, heartbeat_ms, "2500", 10, 3600000,
            "ms: interval of heartbeats to and from workers of other programs"),
    INT_ROW(config_majordomo_t, liveness, "3", 2, 100,
            "heartbeats that such a worker may miss before it counts as dead"),
    INT_ROW(config_majordomo_t, unknown_wait_ms, "0", 0, 3600000,
            "ms: how long a request for a tool that nobody knows waits for a first worker"),
    INT_ROW(config_majordomo_t, services_max, "1000", 0, 100000,
            "tools that only workers of other programs tell of"),
    TEXT_ROW(
        config_majordomo_t, curve_secret, "",
        "file of the node's key, made by `troupe keygen`: clients and workers of other programs "
        "need keys then"),
    TEXT_ROW(config_majordomo_t, keys, "", "file of their keys, with what each may do"),
    INT_ROW(config_majordomo_t, insecure, "0", 0, 1,
            "1: no keys are wanted, although other computers can reach the endpoint"),
};

static const option_t key_rows[] = {
    TEXT_ROW(config_key_t, public_key, "", "what `troupe keygen` printed; required"),
    TEXT_ROW(config_key_t, tools, "", "tools it may call, separated by blanks; *: all"),
    TEXT_ROW(config_key_t, serves, "", "tools its workers may serve, separated by blanks; *: all"),
    INT_ROW(config_key_t, rate, "0", 0, 1000000, "calls a second; 0: no limit"),
    INT_ROW(config_key_t, burst, "10", 1, 1000000, "calls at once, with rate"),
};

static const option_t cache_rows[] = {
    INT_ROW(config_cache_t, entries_max, "10000", 0, 10000000,
            "answers kept: results by tool and body, and as many by idempotency key"),
    INT_ROW(config_cache_t, bytes_max, "67108864", 0, 1099511627776,
            "bytes that they take, of each of the two; one answer may have an eighth"),
    INT_ROW(config_cache_t, ttl_ms, "300000", 1, 86400000, "ms: how long a result is kept"),
    INT_ROW(config_cache_t, idem_ms, "60000", 1, 86400000,
            "ms: how long the answer to an idempotency key is kept"),
};

#define SUPERVISOR_ROWS(strategy_default, intensity_default, period_default)                       \
    CHOICE_ROW(config_supervisor_t, strategy, strategy_default,                                    \
               "one_for_one|one_for_all|rest_for_one", "who else is restarted when a child dies"), \
        INT_ROW(config_supervisor_t, intensity, intensity_default, 0, 1000000,                     \
                "restarts within the period that are still accepted"),                             \
        INT_ROW(config_supervisor_t, period_s, period_default, 1, 86400, "s: that period"),        \
        CHOICE_ROW(config_supervisor_t, window, "passing", "passing|active",                       \
                   "time that the period counts; active: not while children are stopped"),         \
        CHOICE_ROW(config_supervisor_t, starts, "ordered", "ordered|parallel|awaited",             \
                   "ordered: each when the one before is ready; awaited: and nothing else is "     \
                   "looked at meanwhile, as in Erlang/OTP"),                                       \
        INT_ROW(config_supervisor_t, start_max, "0", 0, 1000000,                                   \
                "parallel starts at a time; 0: all"),                                              \
        CHOICE_ROW(config_supervisor_t, auto_shutdown, "never",                                    \
                   "never|any_significant|all_significant",                                        \
                   "whether the ends of significant children end all"),                            \
        INT_ROW(config_supervisor_t, restarts_per_s, "0", 0, 1000000,                              \
                "restarts a second that are not delayed, of it and all below it; 0: no limit")

static const option_t tree_rows[] = {SUPERVISOR_ROWS("one_for_one", "10", "10")};
static const option_t branch_rows[] = {SUPERVISOR_ROWS("one_for_one", "1", "5")};
static const option_t pool_supervisor_rows[] = {SUPERVISOR_ROWS("one_for_one", "100", "10")};

#define ON_EXIT_ROW(member, cause)                                                          \
    CHOICE_ROW(config_child_t, member, "default", "default|backoff|now|wait|never|give_up", \
               "what is done when it ends so and restart says yes; the cause: " cause)

static const option_t child_type_rows[] = {
    CHOICE_ROW(config_child_t, type, "worker", "worker|supervisor",
               "supervisor (also when there is a section `children`): no actor of a class, but one "
               "with children of its own, to 10 levels; its shutdown_ms is -1 and its start has no "
               "limit unless they are set"),
    CHOICE_ROW(config_child_t, while_down, "gone", "gone|fail|queue",
               "what messages meet while it is down: gone: no address; fail: it keeps its pid, and "
               "requests fail at once; queue: they wait for it, up to mailbox_max or 10000"),
};

static const option_t child_rows[] = {
    {"class", OPTION_TEXT, offsetof(config_child_t, class_name),
     sizeof(((config_child_t *)0)->class_name), "", 0, 0, NULL, "class of the actor; required"},
    CHOICE_ROW(config_child_t, place, "pool", "pool|thread|process", "where the actor runs"),
    TEXT_ROW(config_child_t, program, "",
             "place process: program to run instead of a fork of this one"),
    CHOICE_ROW(config_child_t, restart, "permanent", "permanent|transient|temporary",
               "when it is started again"),
    INT_ROW(config_child_t, shutdown_ms, "5000", -1, 86400000,
            "ms: limit for its stop, then it is killed; 0: killed at once, -1: no limit"),
    INT_ROW(config_child_t, start_ms, "10000", 1, 86400000, "ms: limit for getting ready"),
    INT_ROW(config_child_t, backoff_ms, "50", 1, 3600000,
            "ms: delay before the second restart of a streak; the first is immediate"),
    INT_ROW(config_child_t, backoff_max_ms, "30000", 1, 86400000,
            "ms: the delay grows up to this, chance included"),
    INT_ROW(config_child_t, backoff_factor, "0", 0, 100,
            "from one delay to the next; 0: 2, or what backoff_steps says"),
    INT_ROW(config_child_t, backoff_steps, "0", 0, 1000,
            "restarts from the first delay to the longest, in equal ratios; 0: backoff_factor"),
    CHOICE_ROW(config_child_t, jitter, "equal", "equal|full",
               "what chance may take of a delay: half of it, or all"),
    INT_ROW(config_child_t, reset_after_ms, "0", 0, 86400000,
            "ms: ready for so long, a streak is forgotten; halved each tenth of it. 0: halved each "
            "second"),
    CHOICE_ROW(config_child_t, significant, "no", "no|yes", "auto_shutdown looks at it"),
    CHOICE_ROW(config_child_t, give_up, "stop", "stop|hold|escalate",
               "after one restart too many: its supervisor ends, the child waits at its longest "
               "delay, or the supervisor ends with an error"),
    ON_EXIT_ROW(on_clean, "normal, shutdown or exit code 0"),
    ON_EXIT_ROW(on_config, "its options or arguments are wrong"),
    ON_EXIT_ROW(on_unready, "what it needs is not there yet"),
    CHOICE_ROW(config_child_t, on_memory, "default", "default|backoff|now|wait|never|give_up|raise",
               "the same; the cause: it is out of memory. raise: its limit `memory` grows first"),
    ON_EXIT_ROW(on_stuck, "its handler did not return"),
    ON_EXIT_ROW(on_crash, "any other"),
    INT_ROW(config_child_t, mailbox_max, "100000", 1, MAILBOX_MAX, "messages in its mailbox"),
    INT_ROW(config_child_t, mailbox_bytes, "67108864", 1024, 1099511627776 / 4,
            "bytes in its mailbox"),
    INT_ROW(config_child_t, memory_quota, "0", 0, 1099511627776,
            "bytes: quota of what it asks for by trp_alloc and trp_scratch; 0: none"),
    CHOICE_ROW(config_child_t, overflow, "refuse", "refuse|drop_new|drop_old",
               "what becomes of a message for its full mailbox"),
};

static const option_t limit_rows[] = {
    INT_ROW(trp_limits_t, memory, "0", 0, 1099511627776,
            "bytes that it may have beside what it is forked from, at least 67108864; 0: no limit"),
    INT_ROW(trp_limits_t, memory_ceiling, "0", 0, 1099511627776,
            "bytes: with on_memory = raise: `memory` grows up to this; one more death of it and it "
            "stays down"),
    INT_ROW(trp_limits_t, memory_raise, "50", 1, 1000, "percent that are added to it each time"),
    INT_ROW(trp_limits_t, cpu_s, "0", 0, 31536000,
            "s: processor time of its whole life; 0: no limit"),
    INT_ROW(trp_limits_t, files, "0", 0, 1048576, "open descriptors; 0: as the node"),
    INT_ROW(trp_limits_t, processes, "0", -1, 100000,
            "processes that it may have beside itself; 0: none, -1: any number"),
    INT_ROW(trp_limits_t, probe_ms, "1000", 10, 3600000,
            "ms: how long it may owe an answer before it is asked whether it runs at all"),
    INT_ROW(trp_limits_t, stuck_ms, "0", 0, 86400000,
            "ms: limit for one message in its handler, then it is killed; 0: no limit"),
    INT_ROW(trp_limits_t, black_box, "262144", 32768, 1073741824, "bytes of its black box"),
    CHOICE_ROW(trp_limits_t, seccomp, "basic", "basic|strict|off",
               "system calls that it may make: basic: none that makes a process, but with "
               "`processes`; strict: nor programs, network, tracing, mounting, keys"),
    CHOICE_ROW(trp_limits_t, pin, "no", "no|yes",
               "yes: it stays on one core: worker by worker on all but the first, the node's"),
    {"no_new_privs", OPTION_CHOICE, offsetof(trp_limits_t, new_privs), 0, "yes", 0, 0, "yes|no",
     "whether no program that it runs may gain privileges"},
    TEXT_ROW(trp_limits_t, read_paths, "",
             "folders that it may read, separated by blanks; with write_paths: nothing else"),
    TEXT_ROW(trp_limits_t, write_paths, "", "folders that it may read and write"),
};

static const option_t pool_rows[] = {
    CHOICE_ROW(config_pool_t, strategy, "least_loaded",
               "least_loaded|round_robin|least_matches|weighted|two_choices|hash",
               "which worker gets a task"),
    INT_ROW(config_pool_t, fair, "1", 0, 1,
            "1: the clients that wait take turns; 0: first in, first out for all together"),
    CHOICE_ROW(
        config_pool_t, size, "given", "given|cores",
        "cores: min is the number of cores less one, at least 1, and max as min unless it is "
        "set"),
    INT_ROW(config_pool_t, min, "1", 0, 1024, "workers at least"),
    INT_ROW(config_pool_t, max, "0", 0, 1024, "workers at most; 0: as min"),
    INT_ROW(config_pool_t, understudies, "0", 0, 64,
            "workers beside them that are ready and get nothing until another one dies"),
    INT_ROW(config_pool_t, inflight_max, "1", 1, 1000, "tasks that one worker is given at a time"),
    INT_ROW(config_pool_t, queue_max, "10000", 0, 10000000,
            "tasks that may wait; more are refused"),
    INT_ROW(config_pool_t, queue_ms, "60000", 1, 86400000, "ms: limit for waiting"),
    INT_ROW(config_pool_t, run_ms, "30000", 1, 86400000,
            "ms: limit for one attempt; the worker is then replaced"),
    INT_ROW(config_pool_t, attempts_max, "3", 1, 100, "attempts, when workers die of a task"),
    INT_ROW(config_pool_t, retry_ms, "10", 0, 60000,
            "ms: longest rest before the third attempt, by chance; doubles for each further one"),
    INT_ROW(
        config_pool_t, breaker_failures, "0", 0, 1000000,
        "attempts in a row that end by a death or a limit, after which the pool rests; 0: never"),
    INT_ROW(config_pool_t, breaker_ms, "5000", 1, 86400000,
            "ms: that rest, in which requests are refused at once; then one attempt decides"),
    INT_ROW(
        config_pool_t, eject_failures, "5", 0, 1000000,
        "faults in a row (E_INTERNAL, answers that can't be read), while another worker has "
        "successes, after which a worker gets no new work for a while; so does one with far more "
        "errors than the others; 0: never"),
    INT_ROW(config_pool_t, eject_ms, "30000", 1, 86400000,
            "ms: that while, the first time; twice as long each further time, up to ten times"),
    INT_ROW(config_pool_t, eject_percent, "50", 0, 100,
            "percent of the workers that may be so at a time; one is always left"),
    CHOICE_ROW(config_pool_t, order, "none", "none|key",
               "key: tasks of one key run one after another, in the order of their arrival"),
    INT_ROW(config_pool_t, slow_start_ms, "0", 0, 3600000,
            "ms: within which the share of a new worker grows from an eighth to the whole "
            "(least_loaded, round_robin, least_matches, two_choices)"),
    INT_ROW(config_pool_t, idle_ms, "300000", 10, 86400000,
            "ms: a worker above min that was idle so long is stopped"),
    INT_ROW(config_pool_t, auto_scale, "0", 0, 1,
            "1: scale_up is 80 and scale_down is 20, where they are not set"),
    INT_ROW(
        config_pool_t, scale_up, "100", 0, 100,
        "percent of the pool's places in use, above which one more worker is started; at 0 or 100 "
        "only when a task has to wait"),
    INT_ROW(
        config_pool_t, scale_down, "0", 0, 100,
        "percent in use over scale_ms, below which an idle worker above min is stopped; 0: only "
        "after idle_ms"),
    INT_ROW(config_pool_t, scale_ms, "10000", 10, 86400000, "ms: over which scale_down looks"),
    INT_ROW(config_pool_t, recycle_tasks, "0", 0, 1000000000,
            "tasks after which a worker is replaced, the next one first; 0: never"),
    INT_ROW(config_pool_t, recycle_ms, "0", 0, 31536000000,
            "ms: age at which a worker is replaced, when it has ended a task; 0: never"),
    INT_ROW(config_pool_t, recycle_bytes, "0", 0, 1099511627776,
            "bytes: a worker whose process once had more in use is replaced; 0: never"),
    INT_ROW(config_pool_t, keys_max, "0", 0, 1000000,
            "keys (matches) that one worker holds; 0: no limit"),
    INT_ROW(config_pool_t, cancel_ms, "1000", 0, 86400000,
            "ms: a task that was cancelled while it ran may run on so long; then its worker is "
            "replaced"),
    INT_ROW(config_pool_t, cache, "0", 0, 1,
            "1: results are kept, and the same call under way is made once; for tools whose result "
            "depends on the body alone"),
    INT_ROW(config_pool_t, foreign, "0", 0, 1,
            "1: workers of other programs serve it, by Majordomo; it has no class then"),
    INT_ROW(config_pool_t, options, "0", 0, 1,
            "1, with foreign: options frames are read, and sent on to the workers"),
    TEXT_ROW(config_pool_t, weights, "",
             "strategy weighted: weights (1 to 1000) of worker 1, 2, ...; the others have 1"),
    TEXT_ROW(config_pool_t, tools, "",
             "names of its tools, separated by blanks; required without rollout_tools"),
    TEXT_ROW(config_pool_t, key_member, "",
             "member of the body that names a key: such tasks go to the worker that holds it"),
    TEXT_ROW(config_pool_t, key_tools_new, "",
             "tools that make a key: they go to the worker that holds the fewest"),
    TEXT_ROW(config_pool_t, rollout_tools, "",
             "tools of other pools, of whose calls this pool gets a share; see `troupe rollout`"),
    INT_ROW(config_pool_t, rollout_share, "0", 0, 100, "percent of their calls; 0: none"),
    CHOICE_ROW(config_pool_t, rollout_mode, "compare", "compare|take",
               "compare: the other pool answers all calls, and results are compared; take: this "
               "one answers its share"),
    TEXT_ROW(config_pool_t, rollout_ignore, "",
             "members of results that are not compared, at any depth, separated by blanks"),
};

static const option_table_t tables[] = {
    [CONFIG_NODE] = TABLE("node", node_rows),
    [CONFIG_MAJORDOMO] = TABLE("majordomo", majordomo_rows),
    [CONFIG_CACHE] = TABLE("cache", cache_rows),
    [CONFIG_TREE] = TABLE("tree", tree_rows),
    [CONFIG_CHILD_TYPE] = TABLE("tree.children.ID", child_type_rows),
    [CONFIG_BRANCH] = TABLE("tree.children.ID, type supervisor", branch_rows),
    [CONFIG_CHILD] = TABLE("tree.children.ID and pools.NAME", child_rows),
    [CONFIG_LIMITS] = TABLE("tree.children.ID and pools.NAME, place process", limit_rows),
    [CONFIG_POOL] = TABLE("pools.NAME", pool_rows),
    [CONFIG_POOL_SUPERVISOR] = TABLE("pools.NAME", pool_supervisor_rows),
    [CONFIG_KEY] = TABLE("NAME in the file majordomo.keys", key_rows),
};

_Static_assert(sizeof(tables) / sizeof(tables[0]) == CONFIG_TABLE_COUNT,
               "a table for each section");

const option_table_t *config_tables(size_t *count)
{
    *count = CONFIG_TABLE_COUNT;
    return tables;
}
