/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_tool.h"

#include "actors/transform/transform_check.h"
#include "runtime/base/host.h"

#define NS_PER_US 1000

static trp_status_t race_transform(tool_call_t *call, const void *request)
{
    const transform_worker_t *worker = call->state;
    const transform_t *transform;
    trp_fault_t fault;
    trp_status_t status = transform_check(request, &fault);
    if (status != TRP_OK) {
        return tool_fail_fault(call, &fault);
    }
    int64_t checked_ns = host_os.now_ns(host_os.user);
    status = transform_run(request, &worker->settings, call->zone, &transform);
    if (status != TRP_OK) {
        return status;
    }
    int64_t done_ns = host_os.now_ns(host_os.user);
    transform_timing_t timing = {.validate_us = (checked_ns - call->started_ns) / NS_PER_US,
                                 .transform_us = (done_ns - checked_ns) / NS_PER_US};
    transform_write(transform, timing, &call->result);
    return TRP_OK;
}

static const tool_t tools[] = {{"race_transform", &race_data_schema, race_transform}};

trp_status_t transform_worker_init(transform_worker_t *worker, const transform_options_t *options)
{
    transform_settings_default(&worker->settings);
    worker->tools = (tool_table_t){.tools = tools, .count = sizeof(tools) / sizeof(tools[0])};
    worker->tools.lenient = options->has_strict && !options->strict;
    if (options->has_takeout_win) {
        worker->settings.takeout = transform_units(options->takeout_win, TRANSFORM_PRICE_UNITS);
    }
    if (options->has_intervals &&
        transform_labels_read(&worker->settings.labels, options->intervals) != TRP_OK) {
        return TRP_CONFIG;
    }
    return TRP_OK;
}
