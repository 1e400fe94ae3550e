/* SPDX-License-Identifier: MIT */
/* The actor of runtime/offload.h learns the size of a file. */
#include "runtime/offload.h"

#include <sys/stat.h>

#include "tests/manual/manual.h"

enum { TAG_SIZE = 0x1000 };

MANUAL("runtime/offload.h", 1)

static uint64_t id;

static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    return ask_size(ctx, "/proc/self/exe", &id);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    size_t size = 0;
    off_t bytes = 0;
    const void *data = trp_message_data(message, &size);
    (void)ctx;
    (void)state;
    EXPECT(message->tag == TAG_SIZE && message->request_id == id && size == sizeof(bytes));
    memcpy(&bytes, data, size);
    EXPECT(bytes > 1000);
    manual_done();
    return TRP_OK;
}

static const trp_class_t asker_class = {.name = "asker", .init = begin, .receive = receive};

int main(void)
{
    return manual_run(&asker_class);
}
