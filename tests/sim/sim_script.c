/* SPDX-License-Identifier: MIT */
/* Faults as text, one a line; a line that begins with # is none.
 *
 *     at 3 s kill node b                   at 1500 ms kill process a.1
 *     at 2 s kill actor a/pool.parser      at 5 s stop node a
 *     at 1 s split a b | c for 2 s         both ways; * is all others
 *     at 1 s cut a -> b                    one way
 *     at 4 s heal                          at 6 s pause a.1 for 500 ms
 *     at 6 s slow b                        at 7 s resume a.1
 *     at 8 s kill store s for 2 s          what it had not synced is lost
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define LINE_MAX_BYTES 192

typedef struct form {
    const char *words;
    sim_fault_kind_t kind;
} form_t;

static const form_t forms[] = {
    {"kill actor", SIM_KILL_ACTOR},
    {"kill process", SIM_KILL_PROCESS},
    {"kill node", SIM_KILL_NODE},
    {"kill store", SIM_KILL_STORE},
    {"stop node", SIM_STOP_NODE},
    {"split", SIM_SPLIT},
    {"cut", SIM_SPLIT},
    {"heal", SIM_HEAL},
    {"pause", SIM_PAUSE},
    {"resume", SIM_RESUME},
    {"slow", SIM_SLOW},
};

/* Cuts blanks from both ends and copies. False: too long. */
static bool copy(char to[SIM_NAME_MAX], const char *from, size_t size)
{
    while (size > 0 && from[0] == ' ') {
        from++;
        size--;
    }
    while (size > 0 && from[size - 1] == ' ') {
        size--;
    }
    if (size >= SIM_NAME_MAX) {
        return false;
    }
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

/* "3 s", "1500 ms". */
static bool read_time(const char *text, int64_t *ns, const char **rest)
{
    char *end = NULL;
    const long long number = strtoll(text, &end, 10);
    if (end == text || number < 0) {
        return false;
    }
    end += strspn(end, " ");
    const bool is_ms = strncmp(end, "ms", 2) == 0;
    if (!is_ms && end[0] != 's') {
        return false;
    }
    *ns = number * (is_ms ? NS_PER_MS : NS_PER_S);
    *rest = end + (is_ms ? 2 : 1);
    *rest += strspn(*rest, " ");
    return true;
}

static bool read_groups(const char *text, size_t size, bool one_way, sim_fault_t *fault)
{
    char line[LINE_MAX_BYTES];
    const char *sign = one_way ? "->" : "|";
    if (size >= sizeof(line)) {
        return false;
    }
    memcpy(line, text, size);
    line[size] = '\0';
    const char *middle = strstr(line, sign);
    if (middle == NULL) {
        return false;
    }
    const char *second = middle + strlen(sign);
    fault->one_way = one_way;
    return copy(fault->group[0], line, (size_t)(middle - line)) &&
           copy(fault->group[1], second, strlen(second)) && fault->group[0][0] != '\0' &&
           fault->group[1][0] != '\0';
}

bool sim_script_line(const char *line, sim_fault_t *fault)
{
    const form_t *form = NULL;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && form == NULL; i++) {
        form = strncmp(line, forms[i].words, strlen(forms[i].words)) == 0 ? &forms[i] : NULL;
    }
    if (form == NULL) {
        return false;
    }
    fault->kind = form->kind;
    const char *rest = line + strlen(form->words);
    const char *span = strstr(rest, " for ");
    const size_t size = span == NULL ? strlen(rest) : (size_t)(span - rest);
    const char *end = "";
    if (span != NULL && (!read_time(span + 5, &fault->for_ns, &end) || *end != '\0')) {
        return false;
    }
    if (form->kind == SIM_SPLIT) {
        return read_groups(rest, size, form->words[0] == 'c', fault);
    }
    return copy(fault->target, rest, size) && strchr(fault->target, ' ') == NULL &&
           (form->kind == SIM_HEAL) == (fault->target[0] == '\0');
}

void sim_script_read(trp_sim_t *sim, const char *text)
{
    while (*text != '\0') {
        char line[LINE_MAX_BYTES];
        const size_t size = strcspn(text, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)size, text);
        text += size + (text[size] == '\n');
        const char *at = line + strspn(line, " ");
        if (*at == '\0' || *at == '#') {
            continue;
        }
        sim_fault_t fault = {.at_ns = 0};
        if (strncmp(at, "at ", 3) != 0 || !read_time(at + 3, &fault.at_ns, &at) ||
            !sim_script_line(at, &fault)) {
            trp_sim_fail(sim, "script: not understood: %s", line);
            return;
        }
        fault.at_ns += sim->began_ns;
        sim_fault_add(sim, &fault);
    }
}

void sim_script_write(const sim_fault_t *fault, char line[192])
{
    const char *words = fault->kind == SIM_SPLIT && fault->one_way ? "cut" : "";
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && words[0] == '\0'; i++) {
        words = forms[i].kind == fault->kind ? forms[i].words : "";
    }
    const int size = fault->kind == SIM_SPLIT
                         ? snprintf(line, LINE_MAX_BYTES, "%s %s %s %s", words, fault->group[0],
                                    fault->one_way ? "->" : "|", fault->group[1])
                         : snprintf(line, LINE_MAX_BYTES, "%s %s", words,
                                    fault->target[0] == '\0' ? "" : fault->target);
    if (fault->for_ns != 0 && size > 0 && (size_t)size < LINE_MAX_BYTES) {
        snprintf(line + size, LINE_MAX_BYTES - (size_t)size, " for %lld ms",
                 (long long)(fault->for_ns / NS_PER_MS));
    }
}
