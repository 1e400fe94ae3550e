/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <math.h>

#define DIVIDEND_STEP 10 /* dividends are in tenths ... */
#define DIVIDEND_MIN  10 /* ... and not under 1.0 */

/* takeout of the input, else the configured one; negative: none */
static int64_t takeout_of(const transform_t *transform)
{
    const race_takeout_t *takeout = transform->race->takeout;
    if (takeout != NULL && takeout->has_win) {
        return transform_units(takeout->win, TRANSFORM_PRICE_UNITS);
    }
    return transform->settings->takeout;
}

static double dividend_of(int64_t total, int64_t win, int64_t takeout)
{
    if (takeout < 0 || win == 0) {
        return NAN;
    }
    int64_t kept_units = TRANSFORM_PRICE_UNITS / DIVIDEND_STEP * win;
    int64_t tenths = (TRANSFORM_PRICE_UNITS - takeout) * total / kept_units;
    return (double)(tenths < DIVIDEND_MIN ? DIVIDEND_MIN : tenths) / DIVIDEND_STEP;
}

static void price_runner(const transform_t *transform, transform_runner_t *runner, int64_t takeout)
{
    const race_entrant_t *entrant = runner->entrant;
    const previous_entrant_t *before = runner->before;
    runner->implied = runner->move = runner->log_move = runner->value_gap = NAN;
    runner->dividend = dividend_of(transform->win.total, runner->win, takeout);
    if (before != NULL && before->odds.has_fixed_win) {
        runner->price_before = transform_units(before->odds.fixed_win, TRANSFORM_PRICE_UNITS);
    }
    if (!entrant->has_fixed_win) {
        return;
    }
    runner->price = transform_units(entrant->fixed_win, TRANSFORM_PRICE_UNITS);
    runner->implied = TRANSFORM_PRICE_UNITS / (double)runner->price;
    if (!entrant->scratched && transform->win.total != 0) {
        runner->value_gap = runner->implied - (double)runner->win / (double)transform->win.total;
    }
    if (runner->price_before != 0) {
        double was = (double)runner->price_before;
        runner->move = 100.0 * (double)(runner->price_before - runner->price) / was;
        runner->log_move = log(was / (double)runner->price);
    }
}

void transform_prices(transform_t *transform)
{
    int64_t takeout = takeout_of(transform);
    double book = 0;
    for (size_t i = 0; i < transform->runner_count; i++) {
        transform_runner_t *runner = &transform->runners[i];
        price_runner(transform, runner, takeout);
        if (runner->price != 0 && !runner->entrant->scratched) {
            book += runner->implied;
        }
    }
    transform->book = book == 0 ? NAN : 100.0 * book;
}
