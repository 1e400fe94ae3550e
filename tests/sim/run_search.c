/* SPDX-License-Identifier: MIT */
/* Every schedule of a small world: it is run again and again, each time with the last choice that
 * has another way changed. Bounded by the number of times that a thread which could go on is left
 * (context bounding; source: M. Musuvathi, S. Qadeer, "Iterative context bounding", 2007). */
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/sim.h"

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    return message->tag == TRP_TAG_USER ? TRP_FAILED : TRP_OK;
}

static const trp_class_t mortal_class = {.name = "mortal", .version = 1, .receive = receive};
static const trp_class_t *const classes[] = {&mortal_class, NULL};

static void note_failure(void *user, trp_sim_t *sim)
{
    (void)sim;
    *(bool *)user = true;
}

/* A supervisor with one child; it is told to end, twice, and started again. */
static bool run_once(sim_choices_t *choices)
{
    bool failed = false;
    const trp_sim_options_t options = {
        .seed = 1, .schedule = TRP_SIM_FIFO, .failed = note_failure, .user = &failed};
    trp_sim_t *sim = trp_sim_open(&options);
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a",
                                        .classes = classes,
                                        .threads = 2,
                                        .config = "tree\n"
                                                  "    children\n"
                                                  "        only\n"
                                                  "            class = mortal\n"});
    trp_sim_advance(sim, 100);
    choices->count = choices->switches = 0;
    sim->choices = choices;
    const trp_pid_t first = trp_sim_whereis(sim, "a", "only");
    trp_sim_send(sim, first, TRP_TAG_USER, NULL, 0);
    trp_sim_send(sim, first, TRP_TAG_USER, NULL, 0);
    trp_sim_settle(sim);
    const trp_pid_t second = trp_sim_whereis(sim, "a", "only");
    if (trp_pid_is_none(second) || trp_pid_equal(first, second)) {
        trp_sim_fail(sim, "the child was not started again");
    }
    sim->choices = NULL;
    return trp_sim_close(&sim) && !failed;
}

/* To the next schedule; false: that was the last. */
static bool advance(sim_choices_t *choices)
{
    while (choices->count > 0) {
        const size_t last = choices->count - 1;
        if (choices->taken[last] + 1 < choices->of[last]) {
            choices->taken[last]++;
            choices->given = choices->count;
            return true;
        }
        choices->count = last;
    }
    return false;
}

int64_t run_search(uint32_t switches, int64_t runs_max, bool *is_complete)
{
    sim_choices_t choices = {.switches_max = switches};
    int64_t runs = 0;
    bool passed = true;
    *is_complete = false;
    while (passed && runs < runs_max && !*is_complete) {
        passed = run_once(&choices);
        runs++;
        *is_complete = passed && !advance(&choices);
    }
    free(choices.taken);
    free(choices.of);
    return passed ? runs : -runs;
}
