/* SPDX-License-Identifier: MIT */
/* The actor of runtime/troupe.h counts what it is asked; its program says its version. */
#include "runtime/troupe.h"

#include "tests/manual/manual.h"

enum { TAG_COUNT = 0x1000, TAG_TOTAL };

struct counter {
    uint64_t total;
};

int example_main(int argc, char **argv);

#define main example_main
MANUAL("runtime/troupe.h", 1)
#undef main

static trp_status_t ask(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_spawn_t spawn = {.class = &counter_class};
    trp_request_t request = {.tag = TAG_COUNT};
    trp_status_t status = trp_spawn(ctx, &spawn, &request.to);
    uint64_t id = 0;
    (void)state;
    (void)args;
    for (int i = 0; i < 3 && status == TRP_OK; i++) {
        status = trp_request(ctx, &request, &id);
    }
    return status;
}

static trp_status_t hear(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    size_t size = 0;
    uint64_t total = 0;
    const void *data = trp_message_data(message, &size);
    (void)ctx;
    (void)state;
    EXPECT(message->tag == TAG_TOTAL && size == sizeof(total));
    memcpy(&total, data, size);
    if (total == 3) {
        manual_done();
    }
    return TRP_OK;
}

static const trp_class_t asker_class = {.name = "asker", .init = ask, .receive = hear};

int main(void)
{
    char program[] = "example", command[] = "version";
    char *arguments[] = {program, command, NULL};
    const int status = example_main(2, arguments);
    return status != 0 ? status : manual_run(&asker_class);
}
