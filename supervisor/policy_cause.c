/* SPDX-License-Identifier: MIT */
#include "supervisor/policy_cause.h"

#include "runtime/base/backoff.h"

#define MS                INT64_C(1000000)
#define HALVING_NS        (1000 * MS) /* of readiness; docs/decisions/0003-restart-streak.md */
#define HALVINGS_TO_RESET 10
#define RAISE_PERCENT     50

static trp_cause_t cause_of_status(int32_t status)
{
    switch (status) {
    case TRP_CONFIG:
    case TRP_INVALID:
        return TRP_CAUSE_CONFIG;
    case TRP_BUSY:
    case TRP_GONE:
        return TRP_CAUSE_UNREADY;
    case TRP_NO_MEMORY:
        return TRP_CAUSE_MEMORY;
    default:
        return TRP_CAUSE_CRASH;
    }
}

trp_cause_t policy_cause(const trp_reason_t *reason)
{
    switch (reason->kind) {
    case TRP_REASON_NORMAL:
    case TRP_REASON_SHUTDOWN:
        return TRP_CAUSE_CLEAN;
    case TRP_REASON_ERROR:
    case TRP_REASON_START_FAILED:
        return cause_of_status(reason->code);
    case TRP_REASON_NO_CONNECTION:
        return TRP_CAUSE_UNREADY;
    case TRP_REASON_MEMORY:
        return TRP_CAUSE_MEMORY;
    case TRP_REASON_STUCK:
    case TRP_REASON_STOPPED:
        return TRP_CAUSE_STUCK;
    case TRP_REASON_KILLED: /* "stuck": written off */
        return reason->text[0] == '\0' ? TRP_CAUSE_CRASH : TRP_CAUSE_STUCK;
    case TRP_REASON_EXIT_CODE:
        return reason->code == 0 ? TRP_CAUSE_CLEAN : TRP_CAUSE_CRASH;
    default:
        return TRP_CAUSE_CRASH;
    }
}

trp_on_exit_t policy_choice(const trp_child_spec_t *spec, const trp_reason_t *reason)
{
    trp_on_exit_t choice = spec->on_exit[policy_cause(reason)];
    return choice == TRP_ON_EXIT_DEFAULT ? TRP_ON_EXIT_BACKOFF : choice;
}

/* acquire: what a reload wrote before it gave the pointer */
const trp_limits_t *policy_limits(const trp_child_spec_t *spec)
{
    return spec->limits_now != NULL ? atomic_load_explicit(spec->limits_now, memory_order_acquire)
                                    : spec->limits;
}

bool policy_raise_memory(policy_child_t *child)
{
    const trp_limits_t *limits = policy_limits(child->spec);
    if (limits == NULL || limits->memory <= 0) {
        return false;
    }
    const int64_t now = child->memory > limits->memory ? child->memory : limits->memory;
    const int64_t percent = limits->memory_raise > 0 ? limits->memory_raise : RAISE_PERCENT;
    if (now >= limits->memory_ceiling) {
        return false;
    }
    const int64_t room = limits->memory_ceiling - now, more = now / 100 * percent;
    child->memory = now + (more < room ? more : room);
    return true;
}

int64_t policy_backoff_ns(const policy_child_t *child, uint64_t random)
{
    const trp_child_spec_t *spec = child->spec;
    backoff_t backoff = {.base_ns = spec->backoff_ms * MS,
                         .max_ns = spec->backoff_max_ms * MS,
                         .factor = (double)spec->backoff_factor,
                         .is_full = spec->jitter == TRP_JITTER_FULL};
    if (spec->backoff_steps > 0 && spec->backoff_ms > 0) {
        backoff.factor = backoff_factor(backoff.base_ns, backoff.max_ns, spec->backoff_steps);
    }
    return backoff_delay_ns(&backoff, child->streak, random);
}

uint32_t policy_streak_left(const policy_child_t *child, int64_t now_ns)
{
    int64_t stable_ns = now_ns - child->ready_at_ns;
    int64_t reset_ns = child->spec->reset_after_ms * MS;
    if (reset_ns == 0) {
        return backoff_decay(child->streak, stable_ns, HALVING_NS);
    }
    return stable_ns >= reset_ns
               ? 0
               : backoff_decay(child->streak, stable_ns,
                               (reset_ns + HALVINGS_TO_RESET - 1) / HALVINGS_TO_RESET);
}
