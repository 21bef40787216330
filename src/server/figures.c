/* server/figures.c - what is counted and measured, in shared memory. See figures.h. */
#include "server/figures.h"

#include <errno.h>
#include <sys/mman.h>

/* Two notes of a rate are at least so far from each other. */
#define RATE_STEP_MS 900

int figures_map(struct figures *figures, size_t count)
{
    size_t size = sizeof(struct service_figures) + count * sizeof(struct worker_figures);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    figures->service = memory;
    figures->workers = (void *)(figures->service + 1);
    figures->count = count;
    return 0;
}

void figures_unmap(struct figures *figures)
{
    if (figures->service != NULL)
        munmap(figures->service,
               sizeof(struct service_figures) + figures->count * sizeof(struct worker_figures));
    *figures = (struct figures){0};
}

/* What is true now, of a process that is there no more. */
static void forget_present(struct worker_figures *place)
{
    counter_set(&place->serves, 0);
    counter_set(&place->http.open, 0);
    counter_set(&place->http.active, 0);
    counter_set(&place->lua_bytes, 0);
    counter_set(&place->jit, 0);
    counter_set(&place->traces, 0);
    counter_set(&place->lmdb, STORE_FIGURE_NONE);
    counter_set(&place->redis, STORE_FIGURE_NONE);
    for (size_t i = 0; i < FIGURES_GENERATIONS; i++) {
        counter_set(&place->generations[i].number, 0);
        counter_set(&place->generations[i].requests, 0);
    }
}

void figures_begin(const struct figures *figures, struct worker_figures *place)
{
    forget_present(place);
    counter_set(&place->over, 0);
    counter_raise(&figures->service->longest_ns, counter_get(&place->http.latency.longest_ns));
    counter_set(&place->http.latency.longest_ns, 0);
}

void figures_end(struct worker_figures *place)
{
    forget_present(place);
}

void figures_ended(struct worker_figures *place, uint64_t cpu_us)
{
    /* a reader that sees no process sees its time here */
    atomic_store(&place->former_cpu_us, counter_get(&place->former_cpu_us) + cpu_us);
    atomic_store(&place->pid, 0);
}

const char *restart_word(enum restart_reason reason)
{
    static const char *const words[] = {
        [RESTART_SIGNAL] = "signal",         [RESTART_EXIT] = "exit",
        [RESTART_SILENT] = "worker_timeout", [RESTART_LOADING] = "start_timeout",
        [RESTART_RECYCLED] = "max_requests", [RESTART_MODULE] = "c_module",
    };
    return words[reason];
}

void figures_add(struct figures_total *total, const struct worker_figures *place)
{
    const struct http_figures *http = &place->http;
    total->accepted += counter_get(&http->accepted);
    total->open += counter_get(&http->open);
    total->active += counter_get(&http->active);
    total->requests += counter_get(&http->requests);
    for (size_t i = 0; i < 6; i++)
        total->answers[i] += counter_get(&http->answers[i]);
    total->bytes_in += counter_get(&http->bytes_in);
    total->bytes_out += counter_get(&http->bytes_out);
    total->errors += counter_get(&place->errors);
    total->stopped += counter_get(&place->stopped);
    histogram_add(&total->latency, &http->latency);
}

void figures_add_all(struct figures_total *total, const struct figures *figures)
{
    uint64_t longest = counter_get(&figures->service->longest_ns);
    for (size_t i = 0; i < figures->count; i++)
        figures_add(total, &figures->workers[i]);
    if (total->latency.longest_ns < longest)
        total->latency.longest_ns = longest;
}

void figures_subtract(struct figures_total *total, const struct figures_total *former)
{
    total->accepted -= former->accepted;
    total->requests -= former->requests;
    for (size_t i = 0; i < 6; i++)
        total->answers[i] -= former->answers[i];
    total->bytes_in -= former->bytes_in;
    total->bytes_out -= former->bytes_out;
    total->errors -= former->errors;
    total->stopped -= former->stopped;
    histogram_subtract(&total->latency, &former->latency);
}

/* ---- rates ---- */

void rate_note(struct rate *rate, uint64_t now, uint64_t count)
{
    unsigned latest = (rate->next + RATE_SECONDS - 1) % RATE_SECONDS;
    if (rate->ms[latest] != 0 && now - rate->ms[latest] < RATE_STEP_MS)
        return;
    rate->ms[rate->next] = now;
    rate->counts[rate->next] = count;
    rate->next = (rate->next + 1) % RATE_SECONDS;
}

double rate_of(const struct rate *rate, uint64_t now, uint64_t count)
{
    /* from the oldest note on */
    for (unsigned i = 0; i < RATE_SECONDS; i++) {
        unsigned at = (rate->next + i) % RATE_SECONDS;
        if (rate->ms[at] != 0 && rate->ms[at] < now && rate->counts[at] <= count)
            return (double)(count - rate->counts[at]) * 1000 / (double)(now - rate->ms[at]);
    }
    return 0;
}
