/* SPDX-License-Identifier: MIT */
#include "actors/match/match_bank.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_question.h"

#define BANK_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define ERROR_MAX      512

static trp_status_t fail(char error[ERROR_MAX], const char *path, const char *why)
{
    snprintf(error, ERROR_MAX, "bank of questions %s: %s", path, why);
    return TRP_CONFIG;
}

/* The whole of a file. */
static trp_status_t slurp(const char *path, char **bytes, size_t *size, char error[ERROR_MAX])
{
    FILE *stream = fopen(path, "rbe");
    if (stream == NULL) {
        return fail(error, path, strerror(errno));
    }
    size_t room = 64 * 1024, used = 0, got;
    char *buffer = malloc(room);
    while (buffer != NULL && (got = fread(buffer + used, 1, room - used, stream)) != 0) {
        used += got;
        if (used < room) {
            continue;
        }
        char *larger = used < BANK_BYTES_MAX ? realloc(buffer, 2 * room) : NULL;
        if (larger == NULL) {
            break;
        }
        buffer = larger;
        room *= 2;
    }
    bool is_whole = feof(stream) != 0;
    fclose(stream);
    if (buffer == NULL || !is_whole) {
        free(buffer);
        return buffer == NULL ? TRP_NO_MEMORY : fail(error, path, "can't be read, or too large");
    }
    *bytes = buffer;
    *size = used;
    return TRP_OK;
}

trp_status_t match_bank_open(match_bank_file_t *file, const char *path, char error[ERROR_MAX])
{
    trp_fault_t fault = {0};
    size_t size = 0;
    *file = (match_bank_file_t){.bytes = NULL};
    trp_status_t status = slurp(path, &file->bytes, &size, error);
    if (status != TRP_OK) {
        return status;
    }
    status = trp_schema_unpack(&match_bank_schema, (trp_text_t){file->bytes, size}, &file->document,
                               &file->bank, &fault);
    if (status != TRP_OK) {
        free(file->bytes);
    } else {
        status = match_questions_check(file->bank.questions, file->bank.questions_count, &fault);
        if (status != TRP_OK) {
            match_bank_close(file);
        }
    }
    if (status != TRP_PAYLOAD) {
        return status;
    }
    char why[420];
    snprintf(why, sizeof(why), "%s should be %s, is %s", fault.path[0] == '\0' ? "it" : fault.path,
             fault.rule, fault.value);
    return fail(error, path, why);
}

void match_bank_close(match_bank_file_t *file)
{
    if (file->bytes == NULL) {
        return;
    }
    trp_document_fini(&file->document);
    free(file->bytes);
    *file = (match_bank_file_t){.bytes = NULL};
}
