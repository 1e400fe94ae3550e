/* SPDX-License-Identifier: MIT */
/* The reading of runtime/typed.h is sent and read as what it is. */
#include "runtime/typed.h"

#include "tests/manual/manual.h"

#define READING_FIELDS(F)                     \
    F(INT, sensor, _, 0, 100, "which sensor") \
    F(REAL, celsius, _, -90, 60, "what it says")

TRP_SCHEMA_DECLARE(reading, READING_FIELDS)
TRP_SCHEMA_DEFINE(reading, 0x1000, TRP_SCHEMA_FIXED, READING_FIELDS, "a reading")

static trp_status_t send_reading(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_pid_t chart = trp_self(ctx);
    trp_status_t status = TRP_OK;
    (void)state;
    (void)args;
    MANUAL("runtime/typed.h", 1)
    return status;
}

static trp_status_t hear(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    trp_status_t status = TRP_OK;
    reading_t reading;
    trp_fault_t fault;
    (void)state;
    MANUAL("runtime/typed.h", 2)
    EXPECT(status == TRP_OK && reading.sensor == 4 && reading.celsius == 21.5);
    manual_done();
    return TRP_OK;
}

static const trp_schema_t *const messages[] = {&reading_schema, NULL};

static const trp_class_t chart_class = {
    .name = "chart", .init = send_reading, .receive = hear, .messages = messages};

int main(void)
{
    return manual_run(&chart_class);
}
