/* SPDX-License-Identifier: MIT */
/* A state machine: traffic lights and one who waits at them. The button is put off until the cars
 * have red. build/examples/lights run examples/lights/lights.conf, then `ps` shows the state. */
#include "runtime/log.h"
#include "runtime/machine.h"

enum { TAG_BUTTON = TRP_TAG_USER, TAG_WALK, TAG_WAIT };
enum { GREEN, AMBER, RED };

static trp_next_t to_amber(trp_ctx_t *ctx, void *data)
{
    (void)data;
    trp_log(ctx, LOG_INFO, "lights", "amber");
    return AMBER;
}

static trp_next_t to_red(trp_ctx_t *ctx, void *data)
{
    (void)data;
    trp_log(ctx, LOG_INFO, "lights", "red");
    return RED;
}

static trp_next_t to_green(trp_ctx_t *ctx, void *data)
{
    (void)data;
    trp_log(ctx, LOG_INFO, "lights", "green");
    return GREEN;
}

static trp_next_t put_off(trp_ctx_t *ctx, void *lights, const trp_envelope_t *message)
{
    trp_status_t status = trp_machine_defer(ctx, lights, message);
    return status == TRP_OK ? TRP_STAY : trp_machine_fail(status);
}

static trp_next_t let_walk(trp_ctx_t *ctx, void *lights, const trp_envelope_t *message)
{
    (void)lights;
    trp_status_t status = trp_reply(ctx, message, TAG_WALK, NULL, 0);
    return status == TRP_OK ? TRP_STAY : trp_machine_fail(status);
}

static const trp_machine_table_t table = {
    .states =
        (const trp_machine_state_t[]){
            [GREEN] = {.name = "green", .receive = put_off, .timeout_ms = 300, .timeout = to_amber},
            [AMBER] = {.name = "amber", .receive = put_off, .timeout_ms = 100, .timeout = to_red},
            [RED] = {.name = "red", .receive = let_walk, .timeout_ms = 300, .timeout = to_green}},
    .count = 3,
    .describe = true};

static trp_status_t lights_init(trp_ctx_t *ctx, void *lights, const trp_envelope_t *args)
{
    (void)args;
    return trp_machine_start(ctx, lights, &table, lights, GREEN);
}

static trp_status_t lights_receive(trp_ctx_t *ctx, void *lights, const trp_envelope_t *message)
{
    return trp_machine_receive(ctx, lights, message);
}

static trp_status_t walker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    return trp_idle_after(ctx, 50, TAG_WAIT);
}

static trp_status_t walker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (message->tag == TAG_WAIT) {
        uint64_t id;
        trp_request_t press = {.to = trp_whereis(ctx, "lights"), .tag = TAG_BUTTON};
        return trp_request(ctx, &press, &id);
    }
    trp_log(ctx, LOG_INFO, "walker", "%s", message->tag == TAG_WALK ? "walks" : "goes home");
    return trp_idle_after(ctx, 400, TAG_WAIT);
}

int main(int argc, char **argv)
{
    static const trp_class_t lights = {.name = "lights",
                                       .state_size = sizeof(trp_machine_t),
                                       .init = lights_init,
                                       .receive = lights_receive};
    static const trp_class_t walker = {
        .name = "walker", .init = walker_init, .receive = walker_receive};
    return trp_main(argc, argv, (const trp_class_t *const[]){&lights, &walker, NULL});
}
