/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_deaths.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "runtime/base/backoff.h"
#include "runtime/log.h"

#define NS_PER_MS   1000000LL
#define NS_PER_S    1000000000LL
#define RESTARTS_NS (GUARDIAN_RESTARTS_S * NS_PER_S)

static const backoff_t node_backoff = {.base_ns = 50 * NS_PER_MS, .max_ns = 30000 * NS_PER_MS};

void guardian_deaths_init(guardian_deaths_t *deaths, uint32_t after, int64_t window_s)
{
    memset(deaths, 0, sizeof(*deaths));
    deaths->quarantine.after = after > QUARANTINE_AFTER_MAX ? QUARANTINE_AFTER_MAX : after;
    deaths->quarantine.window_ns = window_s * NS_PER_S;
    deaths->page = culprit_open();
}

void guardian_deaths_fini(guardian_deaths_t *deaths)
{
    culprit_close(&deaths->page);
}

/* True: it has died GUARDIAN_RESTARTS_MAX times before within the time. */
static bool is_one_too_many(guardian_deaths_t *deaths, int64_t now_ns)
{
    int64_t *oldest = &deaths->at_ns[deaths->count % GUARDIAN_RESTARTS_MAX];
    const bool full = deaths->count >= GUARDIAN_RESTARTS_MAX && now_ns - *oldest <= RESTARTS_NS;
    *oldest = now_ns;
    deaths->count++;
    return full;
}

static uint32_t recent(const guardian_deaths_t *deaths, int64_t now_ns)
{
    uint32_t count = 0;
    for (size_t i = 0; i < GUARDIAN_RESTARTS_MAX && i < deaths->count; i++) {
        count += now_ns - deaths->at_ns[i] <= RESTARTS_NS;
    }
    return count;
}

/* Who did it, in the log's words; empty where nobody did. */
typedef struct blame {
    culprit_t culprit;
    char actor[TRP_PID_TEXT_MAX];
    char address[24];
    uint32_t deaths;
    bool is_moved;
} blame_t;

static blame_t blame_of(guardian_deaths_t *deaths, int64_t now_ns)
{
    blame_t blame = {.actor = ""};
    if (!culprit_take(deaths->page, &blame.culprit)) {
        memset(&blame.culprit, 0, sizeof(blame.culprit));
        return blame;
    }
    if (!trp_pid_is_none(blame.culprit.actor)) {
        trp_pid_format(blame.culprit.actor, blame.actor);
    }
    snprintf(blame.address, sizeof(blame.address), "0x%llx",
             (unsigned long long)blame.culprit.address);
    (void)quarantine_note(&deaths->quarantine, &blame.culprit, now_ns, &blame.deaths,
                          &blame.is_moved);
    return blame;
}

bool guardian_deaths_note(guardian_deaths_t *deaths, int number, int64_t now_ns, int64_t *delay_ns)
{
    const blame_t blame = blame_of(deaths, now_ns);
    if (blame.is_moved) {
        deaths->count = 0;
    } else if (is_one_too_many(deaths, now_ns)) {
        log_event(LOG_FATAL, "node_given_up", LOG_INT("signal", number),
                  LOG_TEXT("child", blame.culprit.origin),
                  LOG_INT("restarts", GUARDIAN_RESTARTS_MAX),
                  LOG_INT("seconds", GUARDIAN_RESTARTS_S));
        return false;
    }
    uint64_t chance = 0;
    (void)!getrandom(&chance, sizeof(chance), 0);
    *delay_ns = backoff_delay_ns(&node_backoff, recent(deaths, now_ns), chance);
    log_event(LOG_ERROR, "node_died", LOG_INT("signal", number), LOG_TEXT("actor", blame.actor),
              LOG_TEXT("class", blame.culprit.class_name), LOG_TEXT("child", blame.culprit.origin),
              LOG_TEXT("address", blame.address), LOG_INT("deaths", blame.deaths),
              LOG_INT("restart_ms", *delay_ns / NS_PER_MS));
    if (blame.is_moved) {
        log_event(
            LOG_ERROR, "child_quarantined", LOG_TEXT("child", blame.culprit.origin),
            LOG_TEXT("class", blame.culprit.class_name), LOG_INT("deaths", blame.deaths),
            LOG_INT("window_s", deaths->quarantine.window_ns / NS_PER_S),
            LOG_TEXT("effect", "it runs in a process of its own until troupe is started again"));
    }
    return true;
}
