/* SPDX-License-Identifier: MIT */
/* ./dev sim: runs scenarios with many seeds, and one seed for a look at it. */
#include "tests/sim/run.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/host.h"
#include "tests/sim/sim_cover.h"

#define SEEDS_DEFAULT 1000
#define AGAIN_EVERY   16 /* seeds: one in so many runs twice, for its hash and its memory */
#define EXACT_MALLOC  "GLIBC_TUNABLES" /* set by ./dev sim: no cache that hides what is freed */
#define SHOW_NS       2000000000LL
#define NS_OF_MINUTE  60000000000LL

static const scenario_t *const scenarios[] = {
    &scenario_pool,    &scenario_partition, &scenario_rolling, &scenario_tree,    &scenario_order,
    &scenario_nodes,   &scenario_ask,       &scenario_store,   &scenario_foreign, &scenario_late,
    &scenario_letters, &scenario_key,       &scenario_intake,  &scenario_rollout};
#define SCENARIO_COUNT (sizeof(scenarios) / sizeof(scenarios[0]))

typedef struct plan {
    uint64_t first, seeds;
    int64_t minutes;
    const char *scenario; /* NULL: all in turn */
    bool one, trace, chart, quiet;
    uint64_t without, calm_after;
    int64_t search; /* switches; negative: no search */
} plan_t;

static world_t running; /* for the last words of a world that ends the program */

/* ---- one world ---- */

static void note_failure(void *user, trp_sim_t *sim)
{
    outcome_t *outcome = user;
    snprintf(outcome->failure, sizeof(outcome->failure), "%s", trp_sim_failure(sim));
    outcome->steps = trp_sim_steps(sim);
}

bool run_world(const world_t *world, outcome_t *outcome)
{
    /* Seeds take turns with the ways to schedule. */
    const trp_sim_options_t options = {
        .seed = world->seed,
        .schedule = world->seed % 2 == 0 ? TRP_SIM_PCT : TRP_SIM_RANDOM,
        .depth = 2 + (uint32_t)(world->seed / 2 % 4),
        .faults = world->scenario->faults,
        .faults_without = world->without,
        .calm_after = world->calm_after,
        .keep_trace = world->trace,
        .failed = note_failure,
        .user = outcome,
    };
    running = *world;
    *outcome = (outcome_t){.steps = 0};
    trp_sim_t *sim = trp_sim_open(&options);
    world->scenario->play(sim);
    if (world->trace) {
        trp_sim_print(sim, world->chart);
    }
    if (outcome->failure[0] == '\0') {
        outcome->steps = trp_sim_steps(sim);
    }
    outcome->hash = trp_sim_hash(sim);
    return trp_sim_close(&sim);
}

void run_command(const world_t *world, char line[256])
{
    int size = snprintf(line, 256, "./dev sim --scenario %s --seed %llu", world->scenario->name,
                        (unsigned long long)world->seed);
    if (world->without != 0) {
        size += snprintf(line + size, 256 - (size_t)size, " --without 0x%llx",
                         (unsigned long long)world->without);
    }
    if (world->calm_after != 0) {
        size += snprintf(line + size, 256 - (size_t)size, " --calm-after %llu",
                         (unsigned long long)world->calm_after);
    }
    snprintf(line + size, 256 - (size_t)size, " --trace");
}

/* An assertion or a fault in the code under test: its world is named. */
static void last_words(int number)
{
    char line[256];
    run_command(&running, line);
    dprintf(STDERR_FILENO, "signal %d; again by: %s\n", number, line);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void report(const world_t *world, outcome_t *outcome)
{
    char line[256];
    run_command(world, line);
    printf("FAILED  %s seed %llu, step %llu: %s\n        %s\n", world->scenario->name,
           (unsigned long long)world->seed, (unsigned long long)outcome->steps, outcome->failure,
           line);
    const world_t smaller = run_shrink(world, outcome);
    run_command(&smaller, line);
    printf("smaller %llu steps: %s\n        %s\n", (unsigned long long)outcome->steps,
           outcome->failure, line);
    fflush(stdout);
}

/* ---- many ---- */

/* The same seed has the same steps, and the second time no memory is kept. */
static bool repeats(const world_t *world, const outcome_t *before)
{
    outcome_t again;
    const size_t used = mallinfo2().uordblks;
    bool same = run_world(world, &again) && again.hash == before->hash;
    const size_t used_after = mallinfo2().uordblks;
    if (!same) {
        printf("FAILED  %s seed %llu: not the same steps when it runs again\n",
               world->scenario->name, (unsigned long long)world->seed);
    } else if (getenv(EXACT_MALLOC) != NULL && used_after > used) {
        printf("FAILED  %s seed %llu: kept %zu bytes\n", world->scenario->name,
               (unsigned long long)world->seed, used_after - used);
        same = false;
    }
    return same;
}

static void show(const plan_t *plan, uint64_t done, uint64_t steps, int64_t took_ns)
{
    const double seconds = took_ns > 0 ? (double)took_ns / 1e9 : 1;
    printf("%8llu worlds  %6.0f a second  %6.1f million steps", (unsigned long long)done,
           (double)done / seconds, (double)steps / 1e6);
    for (int kind = 0; kind < SIM_COVER_KINDS; kind++) {
        printf("  %s %u", sim_cover_name((sim_cover_kind_t)kind),
               sim_cover_count((sim_cover_kind_t)kind));
    }
    putchar('\n');
    fflush(stdout);
    (void)plan;
}

static const scenario_t *scenario_of(const plan_t *plan, uint64_t seed)
{
    for (size_t i = 0; plan->scenario != NULL && i < SCENARIO_COUNT; i++) {
        if (strcmp(scenarios[i]->name, plan->scenario) == 0) {
            return scenarios[i];
        }
    }
    return plan->scenario == NULL ? scenarios[seed % SCENARIO_COUNT] : NULL;
}

static int run_many(const plan_t *plan)
{
    const int64_t began_ns = host_os.now_ns(host_os.user);
    int64_t shown_ns = began_ns;
    uint64_t steps = 0;
    uint64_t hash = 0;
    uint64_t done = 0;
    bool passed = true;
    while (passed && (plan->minutes > 0 || done < plan->seeds)) {
        const uint64_t seed = plan->first + done;
        const world_t world = {.scenario = scenario_of(plan, seed), .seed = seed};
        outcome_t outcome;
        passed = run_world(&world, &outcome);
        if (!passed) {
            report(&world, &outcome);
        } else if (done % AGAIN_EVERY == 0) {
            passed = repeats(&world, &outcome);
        }
        steps += outcome.steps;
        hash = (hash ^ outcome.hash) * 1099511628211u;
        done++;
        const int64_t now_ns = host_os.now_ns(host_os.user);
        if (!plan->quiet && now_ns - shown_ns > SHOW_NS) {
            shown_ns = now_ns;
            show(plan, done, steps, now_ns - began_ns);
        }
        if (plan->minutes > 0 && now_ns - began_ns > plan->minutes * NS_OF_MINUTE) {
            break;
        }
    }
    show(plan, done, steps, host_os.now_ns(host_os.user) - began_ns);
    printf("hash %016llx\n%s\n", (unsigned long long)hash, passed ? "passed" : "failed");
    return passed ? 0 : 1;
}

static int run_one(const plan_t *plan)
{
    outcome_t outcome;
    const world_t world = {.scenario = scenario_of(plan, plan->first),
                           .seed = plan->first,
                           .without = plan->without,
                           .calm_after = plan->calm_after,
                           .trace = plan->trace || plan->chart,
                           .chart = plan->chart};
    const bool passed = run_world(&world, &outcome);
    printf("%s%s seed %llu: %llu steps, hash %016llx: %s\n", plan->chart ? "%% " : "",
           world.scenario->name, (unsigned long long)world.seed, (unsigned long long)outcome.steps,
           (unsigned long long)outcome.hash, passed ? "passed" : outcome.failure);
    return passed ? 0 : 1;
}

static int search(const plan_t *plan)
{
    bool is_complete = false;
    const int64_t runs = run_search((uint32_t)plan->search, (int64_t)plan->seeds, &is_complete);
    printf("%lld schedules of a small tree with at most %lld switches, %s: %s\n",
           (long long)(runs < 0 ? -runs : runs), (long long)plan->search,
           is_complete ? "all" : "not all", runs < 0 ? "failed" : "passed");
    return runs < 0 ? 1 : 0;
}

/* ---- arguments ---- */

static const struct option long_options[] = {
    {"seeds", required_argument, NULL, 'n'},
    {"minutes", required_argument, NULL, 'm'},
    {"first", required_argument, NULL, 'f'},
    {"seed", required_argument, NULL, 's'},
    {"scenario", required_argument, NULL, 'w'},
    {"without", required_argument, NULL, 'o'},
    {"calm-after", required_argument, NULL, 'c'},
    {"trace", no_argument, NULL, 't'},
    {"chart", no_argument, NULL, 'g'},
    {"search", required_argument, NULL, 'x'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage(int status)
{
    fprintf(status == 0 ? stdout : stderr,
            "usage: ./dev sim [--seeds N] [--minutes M] [--first SEED] [--scenario NAME]\n"
            "       ./dev sim --seed S [--scenario NAME] [--trace] [--chart]\n"
            "                 [--without FAULTS] [--calm-after STEP]\n"
            "       ./dev sim --search SWITCHES [--seeds RUNS]\n\n"
            "Scenarios, in turn by the seed:\n");
    for (size_t i = 0; i < SCENARIO_COUNT; i++) {
        fprintf(status == 0 ? stdout : stderr, "    %-12s%s\n", scenarios[i]->name,
                scenarios[i]->text);
    }
    return status;
}

static bool read_option(plan_t *plan, int option)
{
    const uint64_t number = optarg == NULL ? 0 : strtoull(optarg, NULL, 0);
    switch (option) {
    case 'n':
        plan->seeds = number;
        return number > 0;
    case 'm':
        plan->minutes = (int64_t)number;
        return number > 0;
    case 's':
        plan->one = true;
        plan->first = number;
        return number > 0;
    case 'f':
        plan->first = number;
        return number > 0;
    case 'w':
        plan->scenario = optarg;
        return scenario_of(plan, 1) != NULL;
    case 'o':
        plan->without = number;
        return true;
    case 'c':
        plan->calm_after = number;
        return true;
    case 'x':
        plan->search = (int64_t)number;
        return true;
    case 't':
        plan->trace = true;
        return true;
    case 'g':
        plan->chart = true;
        return true;
    default:
        plan->quiet = option == 'q';
        return option == 'q';
    }
}

int main(int argc, char **argv)
{
    plan_t plan = {.first = 1, .seeds = SEEDS_DEFAULT, .search = -1};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'h') {
            return usage(0);
        }
        if (!read_option(&plan, option)) {
            return usage(2);
        }
    }
    (void)signal(SIGABRT, last_words);
    (void)signal(SIGSEGV, last_words);
    if (plan.search >= 0) {
        return search(&plan);
    }
    return plan.one ? run_one(&plan) : run_many(&plan);
}
