/* SPDX-License-Identifier: MIT */
/* Parses a source file with a node's code_parse tool and prints its tree, as JSON.
 *
 *     build/examples/parse FILE [ENDPOINT]
 *
 * Outside of this tree:  cc -I TROUPE parse.c libtroupe_tools.a -lzmq */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tools.h"

/* A file's bytes, NULL: it can't be read. owns: free */
static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    long length = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        length = ftell(file);
        rewind(file);
    }
    if (length >= 0) {
        data = malloc((size_t)length + 1);
        *size = data == NULL ? 0 : fread(data, 1, (size_t)length, file);
    }
    if (file != NULL) {
        fclose(file);
    }
    return data;
}

/* A JSON string of these bytes, behind what is in `to`, which has room for six times as many. */
static size_t put_string(char *to, const char *bytes, size_t size)
{
    size_t used = 0;
    to[used++] = '"';
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            used += (size_t)snprintf(to + used, 7, "\\u%04x", c);
        } else {
            to[used++] = (char)c;
        }
    }
    to[used++] = '"';
    return used;
}

/* {"filename": ..., "code": ...}; NULL: no memory. owns: free */
static char *make_body(const char *path, const char *code, size_t size, size_t *used)
{
    static const char first[] = "{\"filename\":", second[] = ",\"code\":";
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *body = malloc(6 * (strlen(name) + size) + sizeof(first) + sizeof(second) + 8);
    *used = 0;
    if (body != NULL) {
        memcpy(body, first, sizeof(first) - 1);
        *used = sizeof(first) - 1;
        *used += put_string(body + *used, name, strlen(name));
        memcpy(body + *used, second, sizeof(second) - 1);
        *used += sizeof(second) - 1;
        *used += put_string(body + *used, code, size);
        body[(*used)++] = '}';
    }
    return body;
}

static int parse(trp_tools_t *tools, const trp_tools_request_t *request)
{
    const trp_tools_answer_t *answer;
    const trp_status_t status = trp_tools_call(tools, request, &answer);
    if (status == TRP_OK) {
        printf("%.*s\n", (int)answer->size, (const char *)answer->data);
        return 0;
    }
    if (status == TRP_FAILED) {
        fprintf(stderr, "parse: %s: %s\n", answer->code, answer->message);
    } else {
        fprintf(stderr, "parse: %s\n", trp_status_text(status));
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: parse FILE [ENDPOINT]\n");
        return 2;
    }
    const char *endpoint = argc > 2 ? argv[2] : "tcp://127.0.0.1:5555";
    size_t size = 0;
    trp_tools_request_t request = {.tool = "code_parse", .timeout_ms = 10000};
    char *code = read_file(argv[1], &size);
    char *body = code == NULL ? NULL : make_body(argv[1], code, size, &request.size);
    trp_tools_t *tools = NULL;
    int status = 1;
    request.body = body;
    if (body == NULL) {
        fprintf(stderr, "parse: %s can't be read\n", argv[1]);
    } else if (trp_tools_open(endpoint, NULL, &tools) != TRP_OK) {
        fprintf(stderr, "parse: %s is no endpoint\n", endpoint);
    } else {
        status = parse(tools, &request);
    }
    trp_tools_close(&tools);
    free(body);
    free(code);
    return status;
}
