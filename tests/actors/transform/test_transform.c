/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/actors/tool_probe.h"

#define RACE                                                                                     \
    "{\"schema\":\"racedata/1\",\"race_id\":\"R\",\"start_time\":600000,\"polled_at\":0,"        \
    "\"status\":\"open\",\"currency\":\"AUD\",\"pools\":[{\"type\":\"win\",\"total_cents\":7}]," \
    "\"money\":[{\"entrant_id\":\"a\",\"hold_pct\":100,\"bet_pct\":100}],"                       \
    "\"entrants\":[{\"entrant_id\":\"a\",\"number\":1,\"name\":\"A\",\"scratched\":false}]"

Test(transform, a_worker_without_options_answers_and_is_strict)
{
    tool_probe_t *probe = tool_probe_new(&transform_class, NULL, 1);

    const tool_probe_answer_t *answer = tool_probe_ask(probe, "race_transform", RACE "}");
    cr_expect(answer->success, "%s", answer->body);
    cr_expect_not_null(strstr(answer->body, "\"est_dividend\":null"), "%s", answer->body);

    answer = tool_probe_ask(probe, "race_transform", RACE ",\"weather\":\"dry\"}");
    cr_expect_not(answer->success);
    cr_expect_not_null(strstr(answer->body, "\"path\":\"weather\""), "%s", answer->body);
    tool_probe_free(probe);
}

Test(transform, options_of_the_configuration_are_taken)
{
    tool_probe_t *probe = tool_probe_new(
        &transform_class, "{\"strict\":false,\"takeout_win\":0.15,\"intervals\":\"9 early, late\"}",
        1);

    const tool_probe_answer_t *answer =
        tool_probe_ask(probe, "race_transform", RACE ",\"weather\":\"dry\"}");

    cr_expect(answer->success, "%s", answer->body);
    cr_expect_not_null(strstr(answer->body, "\"est_dividend\":1.0"), "%s", answer->body);
    cr_expect_not_null(strstr(answer->body, "\"interval_type\":\"early\""), "%s", answer->body);
    tool_probe_free(probe);
}
