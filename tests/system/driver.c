/* SPDX-License-Identifier: MIT */
/* The C client for test_clients_under_faults.py: driver ENDPOINT. Lines as of driver.py. */
#include <stdio.h>
#include <string.h>

#include "runtime/tools.h"

#define LINE_MAX_SIZE 65536

static void make_call(trp_tools_t *tools, char *line)
{
    char tool[256];
    long long timeout_ms = 0;
    int retry = 0, at = 0;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%255s %lld %d %n", tool, &timeout_ms, &retry, &at) != 3) {
        printf("error usage E_USAGE %s\n", line);
        return;
    }
    const trp_tools_request_t request = {
        .tool = tool, .body = line + at, .timeout_ms = timeout_ms, .retry = retry == 1};
    const trp_tools_answer_t *answer;
    const trp_status_t status = trp_tools_call(tools, &request, &answer);
    if (status == TRP_OK) {
        printf("ok %.*s\n", (int)answer->size, (const char *)answer->data);
    } else if (status == TRP_FAILED) {
        printf("error tool %s %s\n", answer->code, answer->message);
    } else {
        printf("error status %s %s\n", trp_status_name(status), trp_status_text(status));
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_SIZE];
    trp_tools_t *tools;
    if (argc != 2 || trp_tools_open(argv[1], NULL, &tools) != TRP_OK) {
        fprintf(stderr, "usage: driver ENDPOINT\n");
        return 2;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        make_call(tools, line);
        fflush(stdout);
    }
    trp_tools_close(&tools);
    return 0;
}
