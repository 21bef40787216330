/* server/status.c - the answer to `qlua status`: the judgement and the text. See status.h. */
#include "server/status.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "server/config.h"
#include "server/history.h"
#include "server/listen.h"
#include "server/status_internal.h"
#include "server/usage.h"
#include "server/version.h"

/* ---- the judgement ---- */

int status_pid(void)
{
    return (int)getpid();
}

unsigned status_ready(const struct status *status)
{
    unsigned count = 0;
    int last = 0; /* two places of an id stand beside each other */
    for (size_t i = 0; i < status->nworkers; i++) {
        const struct status_worker *worker = &status->workers[i];
        if (counter_get(&worker->figures->serves) == 0 || worker->id == last)
            continue;
        last = worker->id;
        count++;
    }
    return count;
}

void status_stores(const struct status *status, uint64_t *lmdb, uint64_t *redis)
{
    *lmdb = *redis = STORE_FIGURE_NONE;
    for (size_t i = 0; i < status->nworkers; i++) {
        const struct worker_figures *figures = status->workers[i].figures;
        uint64_t its_lmdb = counter_get(&figures->lmdb), its_redis = counter_get(&figures->redis);
        *lmdb = its_lmdb > *lmdb ? its_lmdb : *lmdb;
        *redis = its_redis > *redis ? its_redis : *redis;
    }
}

const char *status_store_word(uint64_t state)
{
    return state == STORE_FIGURE_FAILING ? "failing" : "well";
}

double status_days(const struct service_figures *service)
{
    int64_t ends = (int64_t)counter_get(&service->certificate_ends);
    return ends == 0 ? 1 : (double)(ends - clock_seconds()) / 86400;
}

void status_problems(const struct status *status, struct buf *out)
{
    const struct service_figures *service = status->figures->service;
    unsigned ready = status_ready(status);
    unsigned long long wanted = counter_get(&service->wanted);
    uint64_t lmdb, redis;
    status_stores(status, &lmdb, &redis);
    if (status->stopping)
        buf_cstr(out, "the server stops\n");
    if (ready < wanted && !status->stopping)
        buf_printf(out, "%u of %llu workers %s\n", ready, wanted, ready == 1 ? "serves" : "serve");
    if (counter_get(&service->reload_failed) != 0)
        buf_printf(out, "the last reload failed: %s\n", status->history->reload);
    if (counter_get(&service->certificate_refused) != 0)
        buf_cstr(out,
                 "the former certificate is in use, for the new one is no good: see the log\n");
    if (status_days(service) <= 0)
        buf_cstr(out, "the certificate has expired\n");
    if (lmdb == STORE_FIGURE_FAILING)
        buf_cstr(out, "the sessions' lmdb file fails: see the log\n");
    if (redis == STORE_FIGURE_FAILING)
        buf_cstr(out, "the sessions' redis server fails: see the log\n");
}

bool status_is_well(const struct status *status)
{
    struct buf problems = {0};
    status_problems(status, &problems);
    bool well = problems.len == 0;
    buf_clear(&problems);
    return well;
}

const char *status_word(const struct status *status)
{
    if (status->stopping)
        return "stopping";
    if (status->starting)
        return "starting";
    return status_is_well(status) ? "serving" : "degraded";
}

/* ---- sums ---- */

uint64_t status_restarts(const struct service_figures *service)
{
    uint64_t sum = 0;
    for (int i = 0; i < RESTART_REASONS; i++)
        sum += counter_get(&service->restarts[i]);
    return sum;
}

double status_age(const struct status *status, uint64_t then)
{
    return status->now > then ? (double)(status->now - then) / 1000 : 0;
}

void status_total_of(const struct status_worker *worker, struct figures_total *total)
{
    *total = (struct figures_total){0};
    figures_add(total, worker->figures);
    figures_subtract(total, worker->former);
}

uint64_t status_idle(const struct figures_total *total)
{
    return total->open > total->active ? total->open - total->active : 0;
}

/* ---- the text ---- */

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

/* "1.5 MiB" */
static void append_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    unsigned unit = 0;
    for (; size >= 1024 && unit < 4; unit++)
        size /= 1024;
    buf_printf(out, "%.*f %s", unit == 0 ? 0 : 1, size, units[unit]);
}

static void append_answers(struct buf *out, const struct figures_total *total, const char *indent)
{
    buf_printf(out, "%sanswers", indent);
    for (unsigned i = 1; i < 6; i++)
        if (i > 1 || total->answers[i] > 0)
            buf_printf(out, " %uxx %llu,", i, PLAIN(answers[i]));
    buf_printf(out, " none %llu; errors %llu, handlers stopped %llu\n", PLAIN(answers[0]),
               PLAIN(errors), PLAIN(stopped));
}

static void append_latency(struct buf *out, const struct figures_total *total, const char *indent)
{
    const struct histogram_total *latency = &total->latency;
    buf_printf(out, "%slatency p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, max %.3f ms\n", indent,
               ms(histogram_quantile(latency, 0.5)), ms(histogram_quantile(latency, 0.9)),
               ms(histogram_quantile(latency, 0.99)), ms(latency->longest_ns));
}

static void append_traffic(struct buf *out, const struct figures_total *total, const char *indent)
{
    buf_printf(out, "%sconnections %llu open, %llu active, %llu idle, %llu accepted; ", indent,
               PLAIN(open), PLAIN(active), (unsigned long long)status_idle(total), PLAIN(accepted));
    append_size(out, total->bytes_in);
    buf_cstr(out, " in, ");
    append_size(out, total->bytes_out);
    buf_cstr(out, " out\n");
}

/* Old generations: "; generation 2 ends with 3 requests". */
static void append_generations(struct buf *out, const struct worker_figures *figures)
{
    buf_printf(out, "  generation %llu", FIGURE(generations[0].number));
    for (size_t i = 1; i < FIGURES_GENERATIONS; i++)
        if (counter_get(&figures->generations[i].number) != 0)
            buf_printf(out, ", %llu ends (requests %llu)", FIGURE(generations[i].number),
                       FIGURE(generations[i].requests));
}

static void append_worker(struct buf *out, const struct status_worker *worker)
{
    const struct worker_figures *figures = worker->figures;
    struct figures_total sum, *total = &sum;
    struct usage usage;
    status_total_of(worker, total);
    usage_of(worker->pid, &usage);
    buf_printf(out, "worker %d: pid %d, %s, up %.1f s, restarts %u, requests %llu (%.1f/s)\n",
               worker->id, worker->pid, worker->state, worker->uptime, worker->restarts,
               PLAIN(requests), worker->rate);
    append_answers(out, total, "  ");
    append_latency(out, total, "  ");
    append_traffic(out, total, "  ");
    append_generations(out, figures);
    buf_cstr(out, "; Lua memory ");
    append_size(out, counter_get(&figures->lua_bytes));
    buf_cstr(out, ", RSS ");
    append_size(out, usage.rss_bytes);
    buf_printf(out, ", CPU %.2f s, JIT %s, traces %llu\n", (double)usage.cpu_us / 1e6,
               counter_get(&figures->jit) != 0 ? "on" : "off", FIGURE(traces));
}

static void append_restarts(struct buf *out, const struct status *status)
{
    const struct history *history = status->history;
    const struct service_figures *service = status->figures->service;
    const char *before = " (";
    buf_printf(out, "restarts %llu", (unsigned long long)status_restarts(service));
    for (int i = 0; i < RESTART_REASONS; i++) {
        unsigned long long count = counter_get(&service->restarts[i]);
        if (count == 0)
            continue;
        buf_printf(out, "%s%s %llu", before, restart_word(i), count);
        before = ", ";
    }
    if (history->restart[0] != '\0')
        buf_printf(out, "); %.1f s ago: %s", status_age(status, history->restart_ms),
                   history->restart);
    buf_char(out, '\n');
}

static void append_reloads(struct buf *out, const struct status *status)
{
    const struct history *history = status->history;
    const struct service_figures *service = status->figures->service;
    buf_printf(out, "reloads %llu, failed %llu", (unsigned long long)counter_get(&service->reloads),
               (unsigned long long)counter_get(&service->reloads_failed));
    if (history->reload[0] != '\0')
        buf_printf(out, "; %.1f s ago: %s", status_age(status, history->reload_ms),
                   history->reload);
    buf_char(out, '\n');
}

static void append_stores(struct buf *out, const struct status *status)
{
    uint64_t lmdb, redis;
    status_stores(status, &lmdb, &redis);
    if (lmdb != STORE_FIGURE_NONE)
        buf_printf(out, "session store lmdb: %s\n", status_store_word(lmdb));
    if (redis != STORE_FIGURE_NONE)
        buf_printf(out, "session store redis: %s\n", status_store_word(redis));
}

/* Who, how, where. */
static void append_head(struct buf *out, const struct status *status)
{
    const struct service_figures *service = status->figures->service;
    struct buf problems = {0};
    buf_printf(out, "%s pid %d, up %.1f s\n", status->supervised ? "supervisor" : "no supervisor,",
               status_pid(), status_age(status, counter_get(&service->started_ms)));
    buf_printf(out, "qlua " QLUA_VERSION ", %s, generation %llu, workers %u of %llu\n",
               status_word(status), (unsigned long long)counter_get(&service->generation),
               status_ready(status), (unsigned long long)counter_get(&service->wanted));
    status_problems(status, &problems);
    struct slice rest = buf_view(&problems);
    while (rest.len > 0) {
        struct slice line = slice_split(&rest, '\n');
        buf_printf(out, "problem: %.*s\n", (int)line.len, line.data);
    }
    buf_clear(&problems);
    for (size_t i = 0; i < status->listeners->count; i++)
        buf_printf(out, "listens on %s\n", status->listeners->items[i].address);
    if (counter_get(&service->certificate_ends) != 0)
        buf_printf(out, "certificate ends in %.1f days\n", status_days(service));
}

static void write_text(const struct status *status, struct buf *out)
{
    struct figures_total sum = {0}, *total = &sum;
    figures_add_all(total, status->figures);
    append_head(out, status);
    buf_printf(out, "requests %llu (%.1f/s)\n", PLAIN(requests), status->rate);
    append_answers(out, total, "");
    append_latency(out, total, "");
    append_traffic(out, total, "");
    append_restarts(out, status);
    append_reloads(out, status);
    append_stores(out, status);
    for (size_t i = 0; i < status->nworkers; i++)
        append_worker(out, &status->workers[i]);
}

void status_write(const struct status *status, bool json, struct buf *out)
{
    if (json)
        status_write_json(status, out);
    else
        write_text(status, out);
}
