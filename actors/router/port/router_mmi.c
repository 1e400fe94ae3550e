/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_mmi.h"

#include <stdio.h>
#include <string.h>

#include "actors/router/answer/router_reply.h"
#include "actors/router/base/frame.h"
#include "actors/router/base/majordomo.h"
#include "actors/router/dispatch/router_cancel.h"
#include "actors/router/state/router_services.h"

#define DETAIL_MAX 160

typedef struct mmi_answer {
    const char *code;
    char detail[DETAIL_MAX]; /* "": none */
} mmi_answer_t;

static service_t *named(const router_t *router, const request_t *request)
{
    const trp_text_t name = {request->body, request->body_size};
    return name.size > 0 ? service_find(router, name) : NULL;
}

static void answer_service(router_t *router, const request_t *request, mmi_answer_t *answer)
{
    const service_t *service = named(router, request);
    answer->code = service != NULL && service->pool->worker_count > 0 ? "200" : "404";
}

static void answer_workers(router_t *router, const request_t *request, mmi_answer_t *answer)
{
    const service_t *service = named(router, request);
    if (service == NULL) {
        answer->code = "404";
        return;
    }
    uint32_t busy = 0;
    for (const worker_t *worker = service->pool->workers; worker != NULL; worker = worker->next) {
        busy += worker->member.load > 0;
    }
    answer->code = "200";
    snprintf(answer->detail, DETAIL_MAX, "{\"workers\":%u,\"busy\":%u}",
             service->pool->worker_count, busy);
}

static void answer_queue(router_t *router, const request_t *request, mmi_answer_t *answer)
{
    const service_t *service = named(router, request);
    if (service == NULL) {
        answer->code = "404";
        return;
    }
    answer->code = "200";
    snprintf(answer->detail, DETAIL_MAX, "{\"queued\":%u,\"running\":%u,\"limit\":%lld}",
             service->pool->queued, service->pool->running,
             (long long)service->pool->config->queue_max);
}

static void answer_cancel(router_t *router, const request_t *request, mmi_answer_t *answer)
{
    origin_t origin = {.peer = request->origin.peer};
    const bool fits = request->body_size > 0 && request->body_size <= TRP_TASK_ID_MAX;
    if (fits) {
        memcpy(origin.id, request->body, request->body_size);
    }
    answer->code = fits && router_cancel(router, &origin) ? "200" : "404";
}

typedef struct mmi {
    const char *name;
    void (*answer)(router_t *router, const request_t *request, mmi_answer_t *answer);
} mmi_t;

static const mmi_t services[] = {{"mmi.service", answer_service},
                                 {"mmi.workers", answer_workers},
                                 {"mmi.queue", answer_queue},
                                 {"mmi.cancel", answer_cancel}};

static void send_answer(router_t *router, const request_t *request, const mmi_answer_t *answer)
{
    zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES + 2];
    majordomo_reply_t reply = {.version = request->origin.version,
                               .service = request->service,
                               .has_options = request->origin.has_options,
                               .id = request->options.id};
    size_t count = majordomo_head(&reply, true, frames);
    bool whole = count > 0 && frame_set_text(&frames[count], answer->code);
    count += whole;
    if (whole && answer->detail[0] != '\0') {
        whole = frame_set_text(&frames[count], answer->detail);
        count += whole;
    }
    if (whole) {
        router_post(router, request->origin.peer, frames, count);
        return;
    }
    router->unreachable++;
    frames_close(frames, count);
}

bool router_is_mmi(trp_text_t name)
{
    return name.size >= 4 && memcmp(name.data, "mmi.", 4) == 0;
}

void router_answer_mmi(router_t *router, const request_t *request)
{
    mmi_answer_t answer = {.code = "501"};
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (request->service.size == strlen(services[i].name) &&
            memcmp(request->service.data, services[i].name, request->service.size) == 0) {
            services[i].answer(router, request, &answer);
        }
    }
    send_answer(router, request, &answer);
}
