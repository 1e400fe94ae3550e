/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_unknown.h"

#include <stdio.h>
#include <string.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/base/refusal.h"

#define NEAR_MAX 5 /* tool names offered for a mistyped one */

/* Levenshtein's distance of two names of at most 63 bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    size_t width = strlen(b);
    if (width >= 64 || strlen(a) >= 64) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= width; i++) {
        row[i] = i;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t cost = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            size_t step = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            row[j + 1] = cost < step ? cost : step;
        }
    }
    return row[width];
}

/* E_UNKNOWN_TOOL with the names that are near; with none near, the first ones that there are. */
void router_refuse_unknown(router_t *router, const request_t *request)
{
    char name[64];
    snprintf(name, sizeof(name), "%.*s",
             (int)(request->service.size < 63 ? request->service.size : 63), request->service.data);
    refusal_t refusal;
    refusal_init(&refusal, "E_UNKNOWN_TOOL", "no tool is called \"%s\"", name);
    trp_writer_t *writer = refusal_member(&refusal, "tools");
    size_t mark = trp_write_array_begin(writer);
    size_t count = 0;
    for (int near = 1; near >= 0 && count == 0; near--) {
        for (service_t *service = router->services; service != NULL && count < NEAR_MAX;
             service = service->hh.next) {
            if (!near || distance(name, service->name) <= 3) {
                trp_write_text(writer, service->name);
                count++;
            }
        }
    }
    trp_write_array_end(writer, mark, count);
    router_refuse_origin(router, &request->origin, request->service, request->form, &refusal);
}
