/* SPDX-License-Identifier: MIT */
/* Why an actor ended: a small value that travels in EXIT and DOWN signals and in reports. */
#ifndef TRP_MESSAGES_REASON_H
#define TRP_MESSAGES_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/api.h"
#include "messages/status.h"

/** The one list of kinds: X(NAME, "name"). `code` means what the comment says, else 0. */
#define TRP_REASON_MAP(X)                                                                       \
    X(NORMAL, "normal")              /* ended by itself, work done */                           \
    X(SHUTDOWN, "shutdown")          /* asked to stop; text: Erlang's {shutdown, text} */       \
    X(KILLED, "killed")              /* ended by force */                                       \
    X(ERROR, "error")                /* its callback failed; code: trp_status_t */              \
    X(START_FAILED, "start_failed")  /* init failed; code: trp_status_t */                      \
    X(NO_PROCESS, "noproc")          /* it did not exist (any more) */                          \
    X(NO_CONNECTION, "noconnection") /* its node or link is lost */                             \
    X(EXIT_CODE, "exit_code")        /* its OS process exited; code: exit status */             \
    X(SIGNAL, "signal")              /* its OS process died of a signal; code: signal number */ \
    X(PROTOCOL, "protocol")          /* its OS process broke the link's protocol */             \
    X(STUCK, "stuck")                /* its handler did not return: ended by the watchdog */    \
    X(STOPPED, "stopped")            /* its OS process did not run at all, as after SIGSTOP */  \
    X(MEMORY, "memory_limit")        /* its OS process reached its memory limit */              \
    X(CPU, "cpu_limit")              /* its OS process used up its processor time */            \
    X(SECCOMP, "seccomp") /* it made a forbidden system call; code: number, text: name */       \
    X(QUOTA, "quota")     /* it passed its memory quota (runtime/memory.h) */

typedef enum trp_reason_kind {
#define TRP_REASON_ENUM(name, text) TRP_REASON_##name,
    TRP_REASON_MAP(TRP_REASON_ENUM)
#undef TRP_REASON_ENUM
        TRP_REASON_COUNT
} trp_reason_kind_t;

#define TRP_REASON_TEXT_MAX 48 /* bytes, the NUL included */

/** 56 bytes: fits the inline part of an envelope. */
typedef struct trp_reason {
    uint32_t kind; /* trp_reason_kind_t */
    int32_t code;
    char text[TRP_REASON_TEXT_MAX]; /* detail for people, may be empty */
} trp_reason_t;

_Static_assert(sizeof(trp_reason_t) == 56, "a reason fits an envelope");

/** A reason with a text cut to its bound; `text` may be NULL. */
TRP_API trp_reason_t trp_reason(trp_reason_kind_t kind, int32_t code, const char *text);

/** The kind's name: "exit_code". Never NULL. */
TRP_API const char *trp_reason_name(uint32_t kind);

/** normal or shutdown: what restarts no transient child and needs no error report. */
TRP_API bool trp_reason_is_clean(const trp_reason_t *reason);

/** Reads a reason from bytes of any origin: of exactly its size, the text NUL-terminated.
 * errors: TRP_PROTOCOL */
TRP_API TRP_MUST_USE trp_status_t trp_reason_read(const void *data, size_t size,
                                                  trp_reason_t *reason);

#define TRP_REASON_LINE_MAX 128

/** For people and logs: "signal 11 (Segmentation fault)", "error payload: field x". Returns
 * `line`. */
TRP_API char *trp_reason_format(const trp_reason_t *reason, char line[TRP_REASON_LINE_MAX]);

#endif
