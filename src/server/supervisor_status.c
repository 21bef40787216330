/* server/supervisor_status.c - what the supervisor does for `qlua status` and the metrics: the
 * memory that all processes share, and the answer.
 *
 * Place in the flow: supervisor.c opens it before the first fork and passes the question on. What
 * is told of each worker comes from the crew, how it is put from server/status.h.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/status.h"
#include "server/supervisor_internal.h"

/* ---- the shared memory ---- */

void supervisor_show_identity(struct supervisor *supervisor)
{
    struct service_figures *service = supervisor->figures.service;
    counter_set(&service->certificate_ends, (uint64_t)supervisor->identity.expires);
    counter_set(&service->certificate_refused, supervisor->identity.refused);
}

int supervisor_open_figures(struct supervisor *supervisor, struct err *err)
{
    struct figures *figures = &supervisor->figures;
    int64_t workers = supervisor->config->workers;
    int rc = figures_map(figures, workers == 0 ? 1 : 2 * (size_t)workers);
    if (rc != 0)
        return err_set(err, rc, "no memory shared with the workers: %s", err_text(rc));
    supervisor->history.service = figures->service;
    counter_set(&figures->service->started_ms, supervisor->started);
    counter_set(&figures->service->started_at, (uint64_t)clock_seconds());
    counter_set(&figures->service->wanted, workers == 0 ? 1 : (uint64_t)workers);
    counter_set(&figures->service->generation, 1);
    supervisor_show_identity(supervisor);
    if (workers == 0) {
        counter_set(&figures->workers->id, 1);
        counter_set(&figures->workers->pid, (uint64_t)getpid());
        counter_set(&figures->workers->started_ms, supervisor->started);
    }
    return 0;
}

/* ---- the answer ---- */

static uint64_t count_requests(const struct supervisor *supervisor)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < supervisor->figures.count; i++)
        sum += counter_get(&supervisor->figures.workers[i].http.requests);
    return sum;
}

void supervisor_note_rate(struct supervisor *supervisor, uint64_t now)
{
    rate_note(&supervisor->rate, now, count_requests(supervisor));
}

/* The row of --workers 0. */
static struct status_worker alone_status(const struct supervisor *supervisor, uint64_t now)
{
    static const struct figures_total none;
    return (struct status_worker){
        .id = 1,
        .pid = (int)getpid(),
        .state = supervisor->announced ? "ready" : "starting",
        .uptime = (double)(now - supervisor->started) / 1000,
        .rate = rate_of(&supervisor->rate, now, count_requests(supervisor)),
        .figures = supervisor->figures.workers,
        .former = &none,
    };
}

void supervisor_status(struct supervisor *supervisor, bool json, struct buf *out)
{
    const struct config *config = supervisor->config;
    uint64_t now = clock_ms();
    struct status_worker *rows = mem_array(supervisor->figures.count, sizeof(*rows));
    struct status status = {
        .config = config,
        .listeners = &supervisor->listeners,
        .figures = &supervisor->figures,
        .history = &supervisor->history,
        .supervised = config->workers > 0,
        .starting = !supervisor->announced,
        .stopping = supervisor->stop_asked || supervisor->crew.stopping,
        .now = now,
        .rate = rate_of(&supervisor->rate, now, count_requests(supervisor)),
        .workers = rows,
        .nworkers = 1,
    };
    if (config->workers > 0)
        status.nworkers = crew_status(&supervisor->crew, now, rows);
    else
        rows[0] = alone_status(supervisor, now);
    buf_cstr(out, status_is_well(&status) ? "ok\n" : "degraded\n");
    status_write(&status, json, out);
    free(rows);
}
