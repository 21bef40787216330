/* server/status.h - the answer to `qlua status`, as text or as JSON.
 *
 * Place in the flow: the supervisor (or the lone worker of `--workers 0`) gathers a struct status
 * from its table of workers, the figures and the history; this formats it. Knows no sockets.
 */
#ifndef QLUA_SERVER_STATUS_H
#define QLUA_SERVER_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/figures.h"

struct buf;
struct config;
struct history;
struct listeners;

struct status_worker {
    int id;
    int pid;           /* 0: no process now */
    const char *state; /* "ready", ... */
    double uptime;     /* seconds */
    unsigned restarts; /* of this id */
    double rate;       /* requests a second */
    const struct worker_figures *figures;
    const struct figures_total *former; /* what was counted in its place before it */
};

struct status {
    const struct config *config;
    const struct listeners *listeners;
    const struct figures *figures;
    const struct history *history;
    bool supervised; /* false: --workers 0 */
    bool starting;   /* not all workers were ready once */
    bool stopping;
    uint64_t now; /* monotonic milliseconds */
    double rate;
    const struct status_worker *workers;
    size_t nworkers;
};

/* Whether all is well: `qlua status` ends with 0, else with 1. */
bool status_is_well(const struct status *status);

/* Append it for people, or as one JSON object with a line feed. README names its fields. */
void status_write(const struct status *status, bool json, struct buf *out);

#endif
