/* server/history.h - what has happened to the service: workers replaced, code loaded anew.
 *
 * Place in the flow: the crew and the supervisor tell it; server/status shows it. The counts lie
 * in the shared figures, the texts of the latest events here.
 */
#ifndef QLUA_SERVER_HISTORY_H
#define QLUA_SERVER_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "server/figures.h"

struct history {
    struct service_figures *service;
    char restart[200];   /* the latest, in words; "": none */
    uint64_t restart_ms; /* monotonic */
    char reload[400];    /* the latest: the first line of what was logged; "": none */
    uint64_t reload_ms;
};

/* A worker has been replaced, or is about to be. */
void history_restart(struct history *history, enum restart_reason reason, uint64_t now,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A reload is over; text may have several lines. */
void history_reload(struct history *history, bool ok, const char *text, uint64_t now);

#endif
