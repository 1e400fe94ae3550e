/* SPDX-License-Identifier: MIT */
/* A tool that tells how far it is: each step of its work is a partial answer, long before the last.
 *
 *     build/examples/primes run examples/primes/primes.conf
 *     build/examples/primes call primes_count '{"to": 20000000}' --stream
 *
 * Ctrl-C of the call cancels the task. */
#include "actors/router/router.h"
#include "actors/tool.h"

#define STEPS 10

#define PRIMES_COUNT_FIELDS(F)                                  \
    F(INT, to, _, 2, 1000000000, "primes up to it are counted") \
    F(OPT_INT, steps, _, 1, 1000000, "partial answers; default 10")

TRP_SCHEMA_DECLARE(primes_count, PRIMES_COUNT_FIELDS)
TRP_SCHEMA_DEFINE(primes_count, 0, 0, PRIMES_COUNT_FIELDS, "counts primes")

static bool is_prime(int64_t number)
{
    if (number < 4 || number % 2 == 0) {
        return number == 2 || number == 3;
    }
    for (int64_t divisor = 3; divisor * divisor <= number; divisor += 2) {
        if (number % divisor == 0) {
            return false;
        }
    }
    return true;
}

static void put_progress(trp_writer_t *writer, int64_t done, int64_t found)
{
    trp_write_map(writer, 2);
    trp_put_int(writer, "done", done);
    trp_put_int(writer, "found", found);
}

static trp_status_t count(tool_call_t *call, const void *request)
{
    const primes_count_t *wanted = request;
    const int64_t steps = wanted->has_steps ? wanted->steps : STEPS;
    int64_t found = 0, number = 2;
    for (int64_t step = 1; step <= steps; step++) {
        const int64_t end = wanted->to / steps * step + wanted->to % steps * step / steps;
        for (; number <= end; number++) {
            found += is_prime(number);
        }
        if (step < steps) {
            trp_writer_t progress;
            trp_writer_init(&progress);
            put_progress(&progress, end, found);
            (void)tool_part(call, &progress); /* a client that misses one has lost nothing */
            trp_writer_fini(&progress);
        }
    }
    put_progress(&call->result, wanted->to, found);
    return TRP_OK;
}

static const tool_t tools[] = {{"primes_count", &primes_count_schema, count}};
static const tool_table_t table = {.tools = tools, .count = sizeof(tools) / sizeof(tools[0])};

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const trp_status_t status = tool_serve(ctx, state, message, &table);
    return status == TRP_UNSUPPORTED ? TRP_OK : status;
}

static const trp_schema_t *const messages[] = {&task_run_schema, &primes_count_schema, NULL};

static const trp_class_t primes_class = {.name = "primes",
                                         .version = 1,
                                         .receive = receive,
                                         .messages = messages,
                                         .answers = tool_answers};

int main(int argc, char **argv)
{
    return trp_main(argc, argv, (const trp_class_t *const[]){&router_class, &primes_class, NULL});
}
