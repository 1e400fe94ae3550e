/* SPDX-License-Identifier: MIT */
/* The verb `why`: what the black box of a worker process holds, of a live one by asking its proxy,
 * of one that has died from the file that was kept. */
#include <stdio.h>
#include <string.h>

#include "runtime/guardian/black_box_file.h"
#include "runtime/guardian/black_box_show.h"
#include "supervisor/control/inquiry.h"

static char folder[BLACK_BOX_PATH_MAX];

void inquiry_box_folder(const char *configured, const char *run_dir)
{
    if (configured[0] != '\0') {
        snprintf(folder, sizeof(folder), "%s", configured);
    } else {
        snprintf(folder, sizeof(folder), "%.480s/" BLACK_BOX_FOLDER, run_dir);
    }
}

typedef struct search {
    char who[256];
    actor_info_t found;
    bool is_found;
} search_t;

static void look(void *user, const actor_info_t *info)
{
    search_t *search = user;
    char pid[TRP_PID_TEXT_MAX], number[16];
    snprintf(number, sizeof(number), "%d", info->os_pid);
    if (strcmp(trp_pid_format(info->pid, pid), search->who) == 0 ||
        strcmp(info->name, search->who) == 0 ||
        (info->place == TRP_PLACE_PROCESS && strcmp(number, search->who) == 0)) {
        search->found = *info;
        search->is_found = true;
    }
}

static void answer_file(inquiry_t *inquiry, trp_ctx_t *ctx, const char *path)
{
    black_box_file_t file;
    trp_writer_t result;
    if (black_box_load(path, &file) != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_NOT_FOUND", "its black box can't be read: %s", path);
        return;
    }
    trp_writer_init(&result);
    black_box_show(&file.owner, &file.copy, NULL, 0, &result);
    black_box_file_free(&file);
    inquiry_answer(inquiry, ctx, &result);
}

void inquiry_why(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    search_t search = {.is_found = false};
    char path[BLACK_BOX_PATH_MAX];
    if (!request->has_who) {
        inquiry_fail(inquiry, ctx, "E_BAD_REQUEST", "why needs who: a pid, a name or a process");
        return;
    }
    snprintf(search.who, sizeof(search.who), "%.*s", (int)request->who.size, request->who.data);
    runtime_each(runtime_of(ctx), look, &search);
    if (search.is_found && search.found.place == TRP_PLACE_PROCESS) {
        const trp_request_t ask = {
            .to = search.found.pid, .tag = TRP_TAG_WHY, .timeout_ms = INQUIRY_ASK_MS};
        inquiry->asked = "its proxy";
        inquiry_ask(inquiry, ctx, &ask, TRP_TAG_WHY_ANSWER);
    } else if (black_box_find(folder, search.who, path) == TRP_OK) {
        answer_file(inquiry, ctx, path);
    } else {
        inquiry_fail(inquiry, ctx, "E_NOT_FOUND",
                     search.is_found ? "%s is not in a process of its own: it has no black box"
                                     : "no worker process %s, and no black box of one",
                     search.who);
    }
}
