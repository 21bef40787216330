/* server/status_json.c - the answer to `qlua status --json`. See status_internal.h.
 *
 * The names of the fields are a promise (README, "Watching it"): add some, never rename one.
 * Times are seconds, sizes bytes.
 */
#include "base/buf.h"
#include "base/escape.h"
#include "server/config.h"
#include "server/history.h"
#include "server/listen.h"
#include "server/status_internal.h"
#include "server/usage.h"
#include "server/version.h"

static void text(struct buf *out, const char *value)
{
    buf_char(out, '"');
    escape_json(out, slice_cstr(value), false);
    buf_char(out, '"');
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

/* What a worker has in common with the service. */
static void append_total(struct buf *out, const struct figures_total *total, double rate)
{
    const struct histogram_total *latency = &total->latency;
    buf_printf(out, "\"requests\":%llu,\"requests_per_second\":%.1f,\"answers\":{", PLAIN(requests),
               rate);
    for (unsigned i = 1; i < 6; i++)
        buf_printf(out, "\"%uxx\":%llu,", i, PLAIN(answers[i]));
    buf_printf(out, "\"none\":%llu},\"errors\":%llu,\"stopped\":%llu,", PLAIN(answers[0]),
               PLAIN(errors), PLAIN(stopped));
    buf_printf(out,
               "\"latency\":{\"count\":%llu,\"sum\":%.6f,\"p50\":%.6f,\"p90\":%.6f,\"p99\":%.6f,"
               "\"max\":%.6f},",
               (unsigned long long)histogram_count(latency), seconds(latency->sum_ns),
               seconds(histogram_quantile(latency, 0.5)), seconds(histogram_quantile(latency, 0.9)),
               seconds(histogram_quantile(latency, 0.99)), seconds(latency->longest_ns));
    buf_printf(out,
               "\"connections\":{\"accepted\":%llu,\"open\":%llu,\"active\":%llu,\"idle\":%llu},"
               "\"bytes\":{\"in\":%llu,\"out\":%llu}",
               PLAIN(accepted), PLAIN(open), PLAIN(active), (unsigned long long)status_idle(total),
               PLAIN(bytes_in), PLAIN(bytes_out));
}

static void append_generations(struct buf *out, const struct worker_figures *figures)
{
    bool first = true;
    buf_cstr(out, "\"generations\":[");
    for (size_t i = 0; i < FIGURES_GENERATIONS; i++) {
        uint64_t number = counter_get(&figures->generations[i].number);
        if (number == 0)
            continue;
        buf_printf(out, "%s{\"number\":%llu,\"serving\":%s,\"requests\":%llu}", first ? "" : ",",
                   (unsigned long long)number, i == 0 ? "true" : "false",
                   (unsigned long long)counter_get(&figures->generations[i].requests));
        first = false;
    }
    buf_char(out, ']');
}

static void append_stores(struct buf *out, uint64_t lmdb, uint64_t redis)
{
    buf_cstr(out, "\"stores\":{");
    if (lmdb != STORE_FIGURE_NONE)
        buf_printf(out, "\"lmdb\":\"%s\"", status_store_word(lmdb));
    if (redis != STORE_FIGURE_NONE)
        buf_printf(out, "%s\"redis\":\"%s\"", lmdb != STORE_FIGURE_NONE ? "," : "",
                   status_store_word(redis));
    buf_char(out, '}');
}

static void append_worker(struct buf *out, const struct status_worker *worker)
{
    const struct worker_figures *figures = worker->figures;
    struct figures_total total;
    struct usage usage;
    status_total_of(worker, &total);
    usage_of(worker->pid, &usage);
    buf_printf(out,
               "{\"id\":%d,\"pid\":%d,\"state\":\"%s\",\"generation\":%llu,\"uptime\":%.1f,"
               "\"restarts\":%u,",
               worker->id, worker->pid, worker->state, FIGURE(generations[0].number),
               worker->uptime, worker->restarts);
    append_total(out, &total, worker->rate);
    buf_printf(out,
               ",\"lua_memory\":%llu,\"rss\":%llu,\"cpu_time\":%.2f,\"jit\":{\"on\":%s,"
               "\"traces\":%llu},",
               FIGURE(lua_bytes), (unsigned long long)usage.rss_bytes, (double)usage.cpu_us / 1e6,
               counter_get(&figures->jit) != 0 ? "true" : "false", FIGURE(traces));
    append_generations(out, figures);
    buf_char(out, ',');
    append_stores(out, counter_get(&figures->lmdb), counter_get(&figures->redis));
    buf_char(out, '}');
}

static void append_restarts(struct buf *out, const struct status *status)
{
    const struct history *history = status->history;
    const struct service_figures *service = status->figures->service;
    buf_printf(out, "\"restarts\":{\"total\":%llu,\"reasons\":{",
               (unsigned long long)status_restarts(service));
    for (int i = 0; i < RESTART_REASONS; i++)
        buf_printf(out, "%s\"%s\":%llu", i == 0 ? "" : ",", restart_word(i),
                   (unsigned long long)counter_get(&service->restarts[i]));
    buf_cstr(out, "},\"last\":");
    if (history->restart[0] != '\0') {
        buf_printf(out, "{\"age\":%.1f,\"text\":", status_age(status, history->restart_ms));
        text(out, history->restart);
        buf_char(out, '}');
    } else {
        buf_cstr(out, "null");
    }
    buf_cstr(out, "},");
}

static void append_reloads(struct buf *out, const struct status *status)
{
    const struct history *history = status->history;
    const struct service_figures *service = status->figures->service;
    buf_printf(out, "\"reloads\":{\"total\":%llu,\"failed\":%llu,\"last\":",
               (unsigned long long)counter_get(&service->reloads),
               (unsigned long long)counter_get(&service->reloads_failed));
    if (history->reload[0] != '\0') {
        buf_printf(out, "{\"ok\":%s,\"age\":%.1f,\"text\":",
                   counter_get(&service->reload_failed) == 0 ? "true" : "false",
                   status_age(status, history->reload_ms));
        text(out, history->reload);
        buf_char(out, '}');
    } else {
        buf_cstr(out, "null");
    }
    buf_cstr(out, "},");
}

static void append_certificate(struct buf *out, const struct service_figures *service)
{
    if (counter_get(&service->certificate_ends) == 0) {
        buf_cstr(out, "null");
        return;
    }
    buf_printf(out, "{\"expires\":%llu,\"days\":%.1f,\"refused\":%s}",
               (unsigned long long)counter_get(&service->certificate_ends), status_days(service),
               counter_get(&service->certificate_refused) != 0 ? "true" : "false");
}

static void append_head(struct buf *out, const struct status *status)
{
    struct buf problems = {0};
    buf_printf(out,
               "{\"version\":\"" QLUA_VERSION "\",\"pid\":%d,\"supervised\":%s,\"state\":\"%s\","
               "\"uptime\":%.1f,\"generation\":%llu,\"workers_wanted\":%llu,\"workers_ready\":%u,",
               status_pid(), status->supervised ? "true" : "false", status_word(status),
               status_age(status, counter_get(&status->figures->service->started_ms)),
               (unsigned long long)counter_get(&status->figures->service->generation),
               (unsigned long long)counter_get(&status->figures->service->wanted),
               status_ready(status));
    buf_cstr(out, "\"problems\":[");
    status_problems(status, &problems);
    struct slice rest = buf_view(&problems);
    for (bool first = true; rest.len > 0; first = false) {
        struct slice line = slice_split(&rest, '\n');
        buf_cstr(out, first ? "\"" : ",\"");
        escape_json(out, line, false);
        buf_char(out, '"');
    }
    buf_clear(&problems);
    buf_cstr(out, "],\"addresses\":[");
    for (size_t i = 0; i < status->listeners->count; i++) {
        buf_cstr(out, i == 0 ? "" : ",");
        text(out, status->listeners->items[i].address);
    }
    buf_cstr(out, "],\"certificate\":");
    append_certificate(out, status->figures->service);
    buf_char(out, ',');
}

void status_write_json(const struct status *status, struct buf *out)
{
    struct figures_total total = {0};
    uint64_t lmdb, redis;
    figures_add_all(&total, status->figures);
    status_stores(status, &lmdb, &redis);
    append_head(out, status);
    append_total(out, &total, status->rate);
    buf_char(out, ',');
    append_restarts(out, status);
    append_reloads(out, status);
    append_stores(out, lmdb, redis);
    buf_cstr(out, ",\"workers\":[");
    for (size_t i = 0; i < status->nworkers; i++) {
        buf_cstr(out, i == 0 ? "" : ",");
        append_worker(out, &status->workers[i]);
    }
    buf_cstr(out, "]}\n");
}
