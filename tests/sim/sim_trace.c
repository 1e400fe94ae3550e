/* SPDX-License-Identifier: MIT */
/* What happened: lines in a ring, a chart of them, and the hash of all steps. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define RING_LINES  4096
#define TEXT_MAX    112
#define CHART_LINES 400 /* the last ones: a chart of more can't be read */

typedef struct line {
    int64_t at_ns;
    uint64_t step;
    char from[24], to[24]; /* to "": nobody else */
    char text[TEXT_MAX];
} line_t;

struct sim_trace {
    line_t *lines;
    size_t room, count; /* count: ever */
    bool keep;
};

sim_trace_t *sim_trace_make(bool keep)
{
    sim_trace_t *trace = calloc(1, sizeof(*trace));
    if (trace == NULL) {
        return NULL;
    }
    trace->keep = keep;
    return trace;
}

void sim_trace_free(sim_trace_t *trace)
{
    free(trace->lines);
    free(trace);
}

static line_t *next_line(sim_trace_t *trace)
{
    if (trace->count == trace->room && (trace->keep || trace->room < RING_LINES)) {
        const size_t room = trace->room == 0 ? 256 : trace->room * 2;
        line_t *lines = realloc(trace->lines, room * sizeof(*lines));
        if (lines == NULL) {
            abort();
        }
        trace->lines = lines;
        trace->room = room;
    }
    return &trace->lines[trace->count++ % trace->room];
}

void sim_trace_add(trp_sim_t *sim, const char *from, const char *to, const char *format, ...)
{
    line_t *line = next_line(sim->trace);
    line->at_ns = sim->now_ns - sim->began_ns;
    line->step = sim->steps;
    snprintf(line->from, sizeof(line->from), "%.23s", from);
    snprintf(line->to, sizeof(line->to), "%.23s", to == NULL ? "" : to);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->text, sizeof(line->text), format, arguments);
    va_end(arguments);
}

void sim_hash_add(trp_sim_t *sim, uint64_t value)
{
    /* FNV-1a, a word at a time. */
    sim->hash = (sim->hash ^ value ^ (uint64_t)(sim->now_ns << 20)) * 1099511628211u;
    sim->hash ^= sim->hash >> 29;
}

/* ---- messages ---- */

static const char *tag_name(const trp_envelope_t *message, char text[16])
{
    static const char *const signals[] = {"EXIT",      "KILL", "LINK",  "UNLINK", "MONITOR",
                                          "DEMONITOR", "DOWN", "TIMER", "LOOK",   "NODE_DOWN"};
    static const char *const tags[] = {"", "EXIT", "DOWN", "STARTED", "TIMEOUT"};
    if (message->tag >= TRP_SIGNAL_EXIT && message->tag <= TRP_SIGNAL_NODE_DOWN) {
        return signals[message->tag - TRP_SIGNAL_EXIT];
    }
    if (message->tag > 0 && message->tag < sizeof(tags) / sizeof(tags[0])) {
        return tags[message->tag];
    }
    snprintf(text, 16, "0x%04x", message->tag);
    return text;
}

static const char *cell_name(const cell_t *cell, char text[24])
{
    if (cell->life != NULL && cell->life->name[0] != '\0') {
        snprintf(text, 24, "%.23s", cell->life->name);
    } else {
        snprintf(text, 24, "%.14s.%u", cell->class->name, cell->slot);
    }
    return text;
}

static void name_of(const trp_sim_t *sim, trp_pid_t pid, char text[24])
{
    snprintf(text, 24, "%s", trp_pid_is_none(pid) ? "outside" : "?");
    for (const sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        if (!domain->is_alive || domain->runtime == NULL || domain->child.node != pid.node ||
            domain->child.incarnation != pid.incarnation) {
            continue;
        }
        const cell_t *cell = cell_at(&domain->runtime->table, pid.slot);
        if (cell != NULL && cell_phase(cell) != CELL_VACANT) {
            (void)cell_name(cell, text);
        }
    }
}

static const trp_envelope_t *oldest(const cell_t *cell)
{
    const trp_envelope_t *message = cell->first;
    if (message == NULL) {
        message = mailbox_list_of(atomic_load_explicit(&cell->mailbox.word, memory_order_acquire));
        while (message != NULL && message->next != NULL) {
            message = message->next;
        }
    }
    return message;
}

/* The tag that the actor sees: a timer's own, where it still has one. */
static uint16_t shown_tag(const cell_t *cell, const trp_envelope_t *message)
{
    const bool is_timer = message->tag == TRP_SIGNAL_TIMER &&
                          (message->flags & TRP_ENVELOPE_SIGNAL) != 0 && cell->life != NULL;
    const watch_t *row = is_timer ? watch_mine(&cell->life->mine, message->request_id) : NULL;
    return row != NULL && row->kind == WATCH_TIMER ? row->tag : message->tag;
}

void sim_trace_cell(sim_thread_t *thread, const cell_t *cell)
{
    trp_sim_t *sim = thread->domain->sim;
    const trp_envelope_t *message = oldest(cell);
    char to[24], from[24], tag[16];
    (void)cell_name(cell, to);
    sim_hash_add(sim, (uint64_t)cell->slot << 32 | cell_phase(cell));
    if (cell_phase(cell) == CELL_NEW) {
        sim_trace_add(sim, to, NULL, "init on %s", thread->domain->name);
        return;
    }
    if (message == NULL) {
        return;
    }
    size_t size = 0;
    (void)trp_message_data(message, &size);
    sim->handled[shown_tag(cell, message)]++;
    sim_hash_add(sim, (uint64_t)message->tag << 32 | size);
    sim_hash_add(sim, message->request_id << 8 | message->flags);
    name_of(sim, message->from, from);
    sim_trace_add(sim, from, to, "%s%s %zu bytes%s", tag_name(message, tag),
                  (message->flags & TRP_ENVELOPE_REPLY) != 0 ? " (reply)" : "", size,
                  message->request_id != 0 ? " #" : "");
}

/* ---- print ---- */

static void print_line(const line_t *line)
{
    const bool is_alone = line->to[0] == '\0';
    printf("%6llu %12.6f s  %-14s %s %-14s %s\n", (unsigned long long)line->step,
           (double)line->at_ns / 1e9, line->from, is_alone ? "  " : "->", line->to, line->text);
}

/* Mermaid takes no points and few other signs in a name. */
static void print_name(const char *name)
{
    for (; *name != '\0'; name++) {
        const bool is_plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                              (*name >= '0' && *name <= '9');
        putchar(is_plain ? *name : '_');
    }
}

static void print_arrow(const line_t *line)
{
    const bool is_alone = line->to[0] == '\0';
    printf("    ");
    if (is_alone) {
        printf("Note over ");
    }
    print_name(line->from);
    if (!is_alone) {
        printf("->>");
        print_name(line->to);
    }
    printf(": %.3f ms ", (double)line->at_ns / 1e6);
    for (const char *at = line->text; *at != '\0'; at++) {
        putchar(*at == ';' || *at == '#' || *at == ':' ? ' ' : *at);
    }
    putchar('\n');
}

void trp_sim_print(const trp_sim_t *sim, bool chart)
{
    const sim_trace_t *trace = sim->trace;
    size_t shown = trace->count < trace->room ? trace->count : trace->room;
    shown = chart && shown > CHART_LINES ? CHART_LINES : shown;
    if (chart) {
        printf("sequenceDiagram\n");
    }
    for (size_t i = trace->count - shown; i < trace->count; i++) {
        const line_t *line = &trace->lines[i % trace->room];
        if (chart) {
            print_arrow(line);
        } else {
            print_line(line);
        }
    }
    fflush(stdout);
}
