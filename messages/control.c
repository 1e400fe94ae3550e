/* SPDX-License-Identifier: MIT */
#include "messages/control.h"

TRP_SCHEMA_DEFINE(control_request, TRP_TAG_CONTROL_FRAME, TRP_SCHEMA_OPEN, CONTROL_REQUEST_FIELDS,
                  "a request to the control socket")
TRP_SCHEMA_DEFINE(call, TRP_TAG_CALL, 0, CALL_FIELDS, "asks the router to run a tool")
TRP_SCHEMA_DEFINE(router_order, TRP_TAG_ROUTER_ORDER, 0, ROUTER_ORDER_FIELDS,
                  "what people ask the router for: body of the verb router")
TRP_SCHEMA_DEFINE(pool_worker, 0, 0, POOL_WORKER_FIELDS, "a worker as the router sees it")
TRP_SCHEMA_DEFINE(pool_status, 0, 0, POOL_STATUS_FIELDS, "a pool as the router sees it")
TRP_SCHEMA_DEFINE(pools_status, TRP_TAG_POOLS_STATUS, 0, POOLS_STATUS_FIELDS, "all pools of a node")
