/* server/status.c - the answer to `qlua status`. See status.h. */
#include "server/status.h"

#include "base/buf.h"
#include "server/worker.h"

void status_begin(struct buf *out, bool json, const char *title, int pid, double uptime)
{
    if (json)
        buf_printf(out, "{\"pid\":%d,\"uptime\":%.1f,\"workers\":[", pid, uptime);
    else
        buf_printf(out, "%s pid %d, up %.1f s\n", title, pid, uptime);
}

void status_worker(struct buf *out, bool json, bool first, const struct status_worker *worker)
{
    unsigned long long requests = atomic_load(&worker->beat->requests);
    unsigned long long connections = atomic_load(&worker->beat->connections);
    if (json)
        buf_printf(out,
                   "%s{\"id\":%d,\"pid\":%d,\"state\":\"%s\",\"uptime\":%.1f,\"restarts\":%u,"
                   "\"requests\":%llu,\"connections\":%llu}",
                   first ? "" : ",", worker->id, worker->pid, worker->state, worker->uptime,
                   worker->restarts, requests, connections);
    else
        buf_printf(out,
                   "worker %d: pid %d, %s, up %.1f s, restarts %u, requests %llu, "
                   "connections %llu\n",
                   worker->id, worker->pid, worker->state, worker->uptime, worker->restarts,
                   requests, connections);
}

void status_end(struct buf *out, bool json)
{
    if (json)
        buf_cstr(out, "]}\n");
}
