/* SPDX-License-Identifier: MIT */
#include "messages/pid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

char *trp_pid_format(trp_pid_t pid, char text[TRP_PID_TEXT_MAX])
{
    snprintf(text, TRP_PID_TEXT_MAX, "<%u.%u.%u.%u.%u>", pid.node >> 16, pid.node & 0xffffu,
             pid.slot, pid.generation, pid.incarnation);
    return text;
}

static trp_status_t parse_part(const char **cursor, char end, unsigned long max, uint32_t *value)
{
    const char *at = *cursor;
    if (*at < '0' || *at > '9') {
        return TRP_INVALID;
    }
    char *stop = NULL;
    errno = 0;
    unsigned long number = strtoul(at, &stop, 10);
    if (errno != 0 || number > max || *stop != end) {
        return TRP_INVALID;
    }
    *value = (uint32_t)number;
    *cursor = stop + 1;
    return TRP_OK;
}

trp_status_t trp_pid_parse(const char *text, trp_pid_t *pid)
{
    uint32_t part[5] = {0};
    if (*text++ != '<') {
        return TRP_INVALID;
    }
    for (int i = 0; i < 5; i++) {
        trp_status_t status =
            parse_part(&text, i == 4 ? '>' : '.', i < 2 ? 0xffffu : UINT32_MAX, &part[i]);
        if (status != TRP_OK) {
            return status;
        }
    }
    if (*text != '\0') {
        return TRP_INVALID;
    }
    *pid = (trp_pid_t){part[0] << 16 | part[1], part[2], part[3], part[4]};
    return TRP_OK;
}
