/* SPDX-License-Identifier: MIT */
#include "messages/status.h"

static const char *const texts[] = {
#define TEXT(name, text) text,
    TRP_STATUS_MAP(TEXT)
#undef TEXT
};

static const char *const names[] = {
    "ok",        "busy",   "full",      "gone",   "timeout", "expired",  "cancelled", "pending",
    "not_found", "exists", "invalid",   "state",  "payload", "protocol", "too_large", "unsupported",
    "denied",    "config", "no_memory", "system", "failed",  "ignore",   "conflict",
};

_Static_assert(sizeof(texts) / sizeof(texts[0]) == TRP_STATUS_COUNT, "a text for each code");
_Static_assert(sizeof(names) / sizeof(names[0]) == TRP_STATUS_COUNT, "a name for each code");

const char *trp_status_name(trp_status_t status)
{
    return (unsigned)status < TRP_STATUS_COUNT ? names[status] : "unknown";
}

const char *trp_status_text(trp_status_t status)
{
    return (unsigned)status < TRP_STATUS_COUNT ? texts[status] : "an unknown status code";
}
