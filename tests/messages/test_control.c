/* SPDX-License-Identifier: MIT */
/* What comes in by the control socket, and what supervisors are told and tell. */
#include "messages/control.h"

#include <criterion/criterion.h>
#include <string.h>

#include "messages/supervisor.h"

static trp_document_t document;
static trp_fault_t fault;

static trp_status_t read_request(const char *json, control_request_t *request)
{
    return trp_schema_unpack(&control_request_schema, (trp_text_t){json, strlen(json)}, &document,
                             request, &fault);
}

Test(control_messages, request_names_a_verb_and_other_members_are_ignored)
{
    control_request_t request;

    cr_assert_eq(read_request("{\"cmd\":\"ping\",\"colour\":\"blue\"}", &request), TRP_OK);

    cr_assert(request.cmd.size == 4 && memcmp(request.cmd.data, "ping", 4) == 0);
    cr_assert(!request.has_tool && request.body == NULL);
    trp_document_fini(&document);
}

Test(control_messages, request_without_a_verb_is_refused_by_name)
{
    control_request_t request;

    cr_assert_eq(read_request("{\"tool\":\"x\"}", &request), TRP_PAYLOAD);

    cr_assert_str_eq(fault.path, "cmd");
    cr_assert_str_eq(fault.value, "missing");
}

Test(control_messages, request_out_of_bounds_is_refused)
{
    static const char *const bad[] = {
        "{\"cmd\":\"\"}",
        "{\"cmd\":1}",
        "{\"cmd\":\"a\\u0000b\"}",
        "{\"cmd\":\"123456789012345678901234567890123\"}",
        "{\"cmd\":\"call\",\"timeout_ms\":0}",
        "{\"cmd\":\"call\",\"timeout_ms\":86400001}",
        "{\"cmd\":\"call\",\"tool\":\"\"}",
        "[\"cmd\"]",
        "{\"cmd\":\"ping\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        control_request_t request;
        cr_assert_eq(read_request(bad[i], &request), TRP_PAYLOAD, "%s", bad[i]);
    }
}

Test(control_messages, pools_status_survives_the_way_there_and_back)
{
    trp_text_t tool = {"code_parse", 10};
    pool_worker_t worker = {.id = {"parser.1", 8}, .pid = {"<1.0.5.1.1>", 11}, .state = 1};
    pool_status_t pool = {.name = {"parser", 6},
                          .tools = &tool,
                          .tools_count = 1,
                          .min = 2,
                          .max = 4,
                          .workers = &worker,
                          .workers_count = 1};
    pools_status_t status = {.pools = &pool, .pools_count = 1};
    zmq_msg_t message;

    cr_assert_eq(trp_schema_pack(&pools_status_schema, &status, &message), TRP_OK);
    pools_status_t back;
    trp_text_t bytes = {zmq_msg_data(&message), zmq_msg_size(&message)};
    cr_assert_eq(trp_schema_unpack(&pools_status_schema, bytes, &document, &back, &fault), TRP_OK,
                 "%s: %s", fault.path, fault.rule);

    cr_assert_eq(back.pools_count, 1);
    cr_assert_eq(back.pools[0].max, 4);
    cr_assert_eq(back.pools[0].tools_count, 1);
    cr_assert_eq(back.pools[0].workers[0].state, 1);
    trp_document_fini(&document);
    zmq_msg_close(&message);
}

Test(supervisor_messages, words_of_outcomes_match_their_numbers)
{
    child_answer_t answer;
    static const char json[] = "{\"outcome\":\"stopping\",\"id\":\"\"}";

    cr_assert_eq(trp_schema_unpack(&child_answer_schema, (trp_text_t){json, sizeof(json) - 1},
                                   &document, &answer, &fault),
                 TRP_OK);

    cr_assert_eq(answer.outcome, CHILD_STOPPING);
    trp_document_fini(&document);
}

Test(supervisor_messages, words_of_changes_match_their_numbers)
{
    child_event_t event;
    static const char json[] = "{\"supervisor\":\"pool.p\",\"id\":\"p.1\",\"pid\":\"<1.0.1.1.1>\","
                               "\"change\":\"down\",\"restarts\":0}";

    cr_assert_eq(trp_schema_unpack(&child_event_schema, (trp_text_t){json, sizeof(json) - 1},
                                   &document, &event, &fault),
                 TRP_OK);

    cr_assert_eq(event.change, CHILD_DOWN);
    trp_document_fini(&document);
}
