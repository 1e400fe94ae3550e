/* SPDX-License-Identifier: MIT */
#include "messages/reason.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define NAME(name, text) text,
    TRP_REASON_MAP(NAME)
#undef NAME
};

trp_reason_t trp_reason(trp_reason_kind_t kind, int32_t code, const char *text)
{
    trp_reason_t reason = {.kind = kind, .code = code};
    if (text != NULL) {
        snprintf(reason.text, sizeof(reason.text), "%s", text);
    }
    return reason;
}

const char *trp_reason_name(uint32_t kind)
{
    return kind < TRP_REASON_COUNT ? names[kind] : "unknown";
}

bool trp_reason_is_clean(const trp_reason_t *reason)
{
    return reason->kind == TRP_REASON_NORMAL || reason->kind == TRP_REASON_SHUTDOWN;
}

trp_status_t trp_reason_read(const void *data, size_t size, trp_reason_t *reason)
{
    if (size != sizeof(*reason)) {
        return TRP_PROTOCOL;
    }
    memcpy(reason, data, size);
    bool ends = memchr(reason->text, '\0', sizeof(reason->text)) != NULL;
    return ends && reason->kind < TRP_REASON_COUNT ? TRP_OK : TRP_PROTOCOL;
}

static void format_code(const trp_reason_t *reason, char *code, size_t size)
{
    switch (reason->kind) {
    case TRP_REASON_ERROR:
    case TRP_REASON_START_FAILED:
        snprintf(code, size, " %s", trp_status_name((trp_status_t)reason->code));
        break;
    case TRP_REASON_EXIT_CODE:
        snprintf(code, size, " %d", reason->code);
        break;
    case TRP_REASON_SIGNAL:
        snprintf(code, size, " %d (%s)", reason->code, strsignal(reason->code));
        break;
    default:
        code[0] = '\0';
    }
}

char *trp_reason_format(const trp_reason_t *reason, char line[TRP_REASON_LINE_MAX])
{
    char code[56];
    format_code(reason, code, sizeof(code));
    snprintf(line, TRP_REASON_LINE_MAX, "%s%s%s%.*s", trp_reason_name(reason->kind), code,
             reason->text[0] != '\0' ? ": " : "", TRP_REASON_TEXT_MAX - 1, reason->text);
    return line;
}
