/* server/metrics.c - the figures of the service for Prometheus. See metrics.h.
 *
 * Names are a promise (README, "Watching it"). Base units: seconds and bytes. What is counted for a
 * worker's id goes on when its process is replaced.
 */
#include "server/metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "http/headers.h"
#include "http/status.h"
#include "server/figures.h"
#include "server/usage.h"
#include "server/version.h"

/* The buckets of latency: powers of two nanoseconds, 16 us to 69 s, at which steps end exactly. */
#define FIRST_BUCKET 14
#define LAST_BUCKET  36
/* A reader that takes nothing for so long is cut. */
#define STALL_MS 60000

static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

/* All places of one id. */
struct worker {
    uint64_t id;
    const struct worker_figures *places;
    size_t nplaces;
    struct figures_total total;
    struct usage usage;
};

static struct worker worker_at(const struct figures *figures, size_t at)
{
    struct worker worker = {.places = &figures->workers[at]};
    worker.id = counter_get(&worker.places->id);
    for (; at + worker.nplaces < figures->count; worker.nplaces++) {
        const struct worker_figures *place = &worker.places[worker.nplaces];
        struct usage usage;
        if (counter_get(&place->id) != worker.id)
            break;
        figures_add(&worker.total, place);
        usage_of_place(place, &usage);
        worker.usage.cpu_us += usage.cpu_us;
        worker.usage.rss_bytes += usage.rss_bytes;
    }
    return worker;
}

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void whole(struct buf *out, const char *name, const char *type, const char *help,
                  uint64_t value)
{
    family(out, name, type, help);
    buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

/* "1792.000014" of 1792000014 millionths */
static void append_millionths(struct buf *out, uint64_t value)
{
    buf_printf(out, "%" PRIu64 ".%06u\n", value / 1000000, (unsigned)(value % 1000000));
}

static void append_nanoseconds(struct buf *out, uint64_t ns)
{
    buf_printf(out, "%" PRIu64 ".%09u", ns / 1000000000, (unsigned)(ns % 1000000000));
}

/* ---- the service ---- */

static void append_latency(struct buf *out, const struct figures *figures)
{
    static const char name[] = "qlua_http_request_duration_seconds";
    struct figures_total total = {0};
    figures_add_all(&total, figures);
    family(out, name, "histogram",
           "Time from a request's first byte until its answer was handed to the kernel.");
    for (unsigned bits = FIRST_BUCKET; bits <= LAST_BUCKET; bits++) {
        buf_printf(out, "%s_bucket{le=\"", name);
        append_nanoseconds(out, (uint64_t)1 << bits);
        buf_printf(out, "\"} %" PRIu64 "\n", histogram_below(&total.latency, bits));
    }
    uint64_t count = histogram_count(&total.latency);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, count, name);
    append_nanoseconds(out, total.latency.sum_ns);
    buf_printf(out, "\n%s_count %" PRIu64 "\n", name, count);
}

static void append_service(struct buf *out, const struct figures *figures)
{
    const struct service_figures *service = figures->service;
    uint64_t ready = 0, last = 0, failed = counter_get(&service->reloads_failed);
    for (size_t i = 0; i < figures->count; i++) {
        uint64_t id = counter_get(&figures->workers[i].id);
        if (counter_get(&figures->workers[i].serves) == 0 || id == last)
            continue;
        last = id;
        ready++;
    }
    family(out, "qlua_build_info", "gauge", "The version, as a label.");
    buf_cstr(out, "qlua_build_info{version=\"" QLUA_VERSION "\"} 1\n");
    whole(out, "qlua_start_time_seconds", "gauge", "When the service was started, since 1970.",
          counter_get(&service->started_at));
    whole(out, "qlua_workers_wanted", "gauge", "Workers that should serve.",
          counter_get(&service->wanted));
    whole(out, "qlua_workers_ready", "gauge", "Workers that serve.", ready);
    whole(out, "qlua_generation", "gauge", "Generation of the code that new requests get.",
          counter_get(&service->generation));
    family(out, "qlua_worker_restarts_total", "counter", "Workers replaced, by reason.");
    for (int i = 0; i < RESTART_REASONS; i++)
        buf_printf(out, "qlua_worker_restarts_total{reason=\"%s\"} %" PRIu64 "\n", restart_word(i),
                   counter_get(&service->restarts[i]));
    family(out, "qlua_reloads_total", "counter", "Reloads of the app, by result.");
    buf_printf(out, "qlua_reloads_total{result=\"success\"} %" PRIu64 "\n",
               counter_get(&service->reloads) - failed);
    buf_printf(out, "qlua_reloads_total{result=\"failure\"} %" PRIu64 "\n", failed);
    whole(out, "qlua_last_reload_successful", "gauge", "0 when the latest reload has failed.",
          counter_get(&service->reload_failed) == 0);
    if (counter_get(&service->certificate_ends) != 0)
        whole(out, "qlua_certificate_expiry_timestamp_seconds", "gauge",
              "Until when the certificate is valid, since 1970.",
              counter_get(&service->certificate_ends));
    append_latency(out, figures);
}

/* ---- the workers ---- */

/* One sample a worker. */
#define PER_WORKER(name, type, help, value)                                               \
    do {                                                                                  \
        family(out, name, type, help);                                                    \
        for (size_t i = 0; i < count; i++)                                                \
            buf_printf(out, name "{worker=\"%" PRIu64 "\"} %" PRIu64 "\n", workers[i].id, \
                       (uint64_t)(value));                                                \
    } while (0)

static void append_http(struct buf *out, const struct worker *workers, size_t count)
{
    PER_WORKER("qlua_http_requests_total", "counter", "Requests that began.",
               workers[i].total.requests);
    family(out, "qlua_http_responses_total", "counter",
           "Answers by class of status; none: the client left before there was one.");
    for (size_t i = 0; i < count; i++)
        for (size_t class = 0; class < 6; class ++)
            buf_printf(
                out, "qlua_http_responses_total{worker=\"%" PRIu64 "\",class=\"%s\"} %" PRIu64 "\n",
                workers[i].id, classes[class], workers[i].total.answers[class]);
    PER_WORKER("qlua_http_connections_accepted_total", "counter", "Connections accepted.",
               workers[i].total.accepted);
    family(out, "qlua_http_connections", "gauge", "Open connections, with a request and without.");
    for (size_t i = 0; i < count; i++) {
        uint64_t open = workers[i].total.open, active = workers[i].total.active;
        buf_printf(out,
                   "qlua_http_connections{worker=\"%" PRIu64 "\",state=\"active\"} %" PRIu64 "\n"
                   "qlua_http_connections{worker=\"%" PRIu64 "\",state=\"idle\"} %" PRIu64 "\n",
                   workers[i].id, active, workers[i].id, open > active ? open - active : 0);
    }
    PER_WORKER("qlua_http_received_bytes_total", "counter", "Bytes of HTTP received.",
               workers[i].total.bytes_in);
    PER_WORKER("qlua_http_sent_bytes_total", "counter", "Bytes of HTTP sent.",
               workers[i].total.bytes_out);
    PER_WORKER("qlua_errors_total", "counter", "Exceptions that were logged.",
               workers[i].total.errors);
    PER_WORKER("qlua_handlers_stopped_total", "counter",
               "Handlers stopped because their processor time was used up.",
               workers[i].total.stopped);
}

/* The sum of a figure over the places of a worker. */
#define SUM(worker, field) sum_places(worker, offsetof(struct worker_figures, field))

static uint64_t sum_places(const struct worker *worker, size_t offset)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < worker->nplaces; i++)
        sum += counter_get((const void *)((const char *)&worker->places[i] + offset));
    return sum;
}

static void append_processes(struct buf *out, const struct worker *workers, size_t count)
{
    family(out, "qlua_worker_cpu_seconds_total", "counter", "Processor time, user and system.");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "qlua_worker_cpu_seconds_total{worker=\"%" PRIu64 "\"} ", workers[i].id);
        append_millionths(out, workers[i].usage.cpu_us);
    }
    PER_WORKER("qlua_worker_resident_memory_bytes", "gauge", "Resident memory.",
               workers[i].usage.rss_bytes);
    PER_WORKER("qlua_worker_lua_memory_bytes", "gauge", "Memory that Lua holds.",
               SUM(&workers[i], lua_bytes));
    PER_WORKER("qlua_worker_jit_enabled", "gauge", "1 where LuaJIT compiles.",
               SUM(&workers[i], jit) != 0);
    PER_WORKER("qlua_worker_jit_traces", "gauge", "Traces that LuaJIT keeps.",
               SUM(&workers[i], traces));
}

static void append_generations(struct buf *out, const struct worker *workers, size_t count)
{
    family(out, "qlua_generation_requests", "gauge",
           "Requests in flight by generation: the one that serves, and older ones that end.");
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < FIGURES_GENERATIONS; j++) {
            uint64_t number = 0, requests = 0;
            for (size_t k = 0; k < workers[i].nplaces && number == 0; k++) {
                const struct worker_figures *place = &workers[i].places[k];
                if (counter_get(&place->serves) == 0)
                    continue;
                number = counter_get(&place->generations[j].number);
                requests = counter_get(&place->generations[j].requests);
            }
            if (number != 0)
                buf_printf(out,
                           "qlua_generation_requests{worker=\"%" PRIu64 "\",generation=\"%" PRIu64
                           "\"} %" PRIu64 "\n",
                           workers[i].id, number, requests);
        }
}

static void append_store(struct buf *out, const struct worker *workers, size_t count,
                         const char *name, size_t offset)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t worst = STORE_FIGURE_NONE;
        for (size_t j = 0; j < workers[i].nplaces; j++) {
            const char *place = (const char *)&workers[i].places[j];
            uint64_t state = counter_get((const void *)(place + offset));
            worst = state > worst ? state : worst;
        }
        if (worst != STORE_FIGURE_NONE)
            buf_printf(out, "qlua_session_store_up{worker=\"%" PRIu64 "\",store=\"%s\"} %d\n",
                       workers[i].id, name, worst == STORE_FIGURE_WELL);
    }
}

void metrics_write(const struct figures *figures, struct buf *out)
{
    struct worker *workers = mem_array(figures->count, sizeof(*workers));
    size_t count = 0;
    for (size_t at = 0; at < figures->count; at += workers[count++].nplaces)
        workers[count] = worker_at(figures, at);
    append_service(out, figures);
    append_http(out, workers, count);
    append_processes(out, workers, count);
    append_generations(out, workers, count);
    family(out, "qlua_session_store_up", "gauge", "0 where the latest operation has failed.");
    append_store(out, workers, count, "lmdb", offsetof(struct worker_figures, lmdb));
    append_store(out, workers, count, "redis", offsetof(struct worker_figures, redis));
    free(workers);
}

/* ---- the answer ---- */

void metrics_answer(const struct metrics *metrics, struct request *req)
{
    struct buf text = {0};
    struct answer answer = {.status = 200,
                            .content_type = SLICE("text/plain; version=0.0.4; charset=utf-8")};
    struct fields headers;
    req->stall_ms = STALL_MS;
    if (req->method == METHOD_GET || req->method == METHOD_HEAD) {
        metrics_write(metrics->figures, &text);
    } else {
        answer.status = 405;
        answer.content_type = SLICE("text/html; charset=utf-8");
        fields_init(&headers, &req->arena, true);
        fields_add_id(&headers, HEADER_ALLOW, SLICE("GET, HEAD"));
        answer.headers = &headers;
        status_page(&text, 405, SLICE(""));
    }
    request_answer(req, &answer, buf_view(&text));
    buf_clear(&text);
}
