/* server/status.h - the answer to `qlua status`, as text or as JSON.
 *
 * Place in the flow: crew.c describes its workers with it, supervisor.c the lone worker of
 * `--workers 0`. Formats; knows neither processes nor sockets.
 */
#ifndef QLUA_SERVER_STATUS_H
#define QLUA_SERVER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct worker_beat;

struct status_worker {
    int id;
    int pid;
    const char *state; /* "ready", ... */
    double uptime;     /* seconds */
    unsigned restarts;
    const struct worker_beat *beat;
};

/* Begin with the process that was started; `title` is what text calls it. */
void status_begin(struct buf *out, bool json, const char *title, int pid, double uptime);
void status_worker(struct buf *out, bool json, bool first, const struct status_worker *worker);
void status_end(struct buf *out, bool json);

#endif
