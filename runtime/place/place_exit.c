/* SPDX-License-Identifier: MIT */
#include "runtime/place/place_exit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "messages/control.h"
#include "runtime/guardian/black_box_show.h"

static trp_reason_t reason_of_status(const place_link_t *link)
{
    if (WIFSIGNALED(link->wait_status)) {
        const int number = WTERMSIG(link->wait_status);
        if (number == SIGXCPU) {
            return trp_reason(TRP_REASON_CPU, 0, NULL);
        }
        return link->memory && number == SIGKILL
                   ? trp_reason(TRP_REASON_MEMORY, number, "of its control group")
                   : trp_reason(TRP_REASON_SIGNAL, number, NULL);
    }
    const int code = WEXITSTATUS(link->wait_status);
    if (code == 0 && link->said_bye) {
        return link->bye;
    }
    return trp_reason(TRP_REASON_EXIT_CODE, code, code == 0 ? "it left without a word" : NULL);
}

trp_reason_t place_exit_reason(const place_link_t *link)
{
    black_box_copy_t copy;
    trp_reason_t reason = reason_of_status(link);
    if (!trp_reason_is_clean(&reason) && black_box_copy(&link->box, &copy) == TRP_OK) {
        reason = black_box_reason(&copy, &reason);
        black_box_copy_free(&copy);
    }
    return reason;
}

static trp_text_t text_of(const char *text)
{
    return (trp_text_t){text, strlen(text)};
}

/* The texts are in `pid` and those of `owner`. */
static box_owner_t describe(const place_link_t *link, const place_owner_t *owner,
                            char pid[TRP_PID_TEXT_MAX])
{
    return (box_owner_t){.pid = text_of(trp_pid_format(owner->pid, pid)),
                         .name = text_of(owner->name),
                         .class = text_of(owner->class_name),
                         .os_pid = link->os_pid};
}

void place_exit_keep(place_link_t *link, const place_owner_t *owner, const trp_reason_t *reason,
                     black_box_keeper_t *keeper)
{
    char pid[TRP_PID_TEXT_MAX], line[TRP_REASON_LINE_MAX];
    if (trp_reason_is_clean(reason) || link->os_pid == 0 || link->box.head == NULL) {
        return;
    }
    box_owner_t of = describe(link, owner, pid);
    of.has_reason = true;
    of.reason = text_of(trp_reason_format(reason, line));
    of.has_ended_ms = true;
    of.ended_ms = host_os.epoch_ms(host_os.user);
    black_box_keep(keeper, &link->box, &of);
}

void place_exit_why(trp_ctx_t *ctx, const place_link_t *link, const place_owner_t *owner,
                    const trp_envelope_t *request)
{
    black_box_copy_t copy;
    char pid[TRP_PID_TEXT_MAX];
    trp_writer_t writer;
    zmq_msg_t answer;
    if (black_box_copy(&link->box, &copy) != TRP_OK) {
        return; /* no memory: the asker has a time limit */
    }
    const box_owner_t of = describe(link, owner, pid);
    trp_writer_init(&writer);
    black_box_show(&of, &copy, &link->limits, host_os.now_ns(host_os.user), &writer);
    black_box_copy_free(&copy);
    if (trp_writer_take(&writer, &answer) == TRP_OK) {
        (void)!trp_reply_move(ctx, request, TRP_TAG_WHY_ANSWER, &answer);
        zmq_msg_close(&answer);
    }
}
