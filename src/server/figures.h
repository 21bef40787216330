/* server/figures.h - what is counted and measured, in memory that all processes share.
 *
 * Place in the flow: mapped by the supervisor before it forks. Each worker writes its own place
 * alone, without locks; the supervisor writes what it knows of the worker, and of the service, in
 * lines of their own. `qlua status` (server/status.h) is answered from it by the supervisor,
 * metrics_path (server/metrics.h) by any worker with the figures of all.
 *
 * A place is never emptied: whoever is started in it counts on where the one before has ended, so
 * that sums never go backwards. What one process has done is the difference to a copy that was
 * taken at its start.
 */
#ifndef QLUA_SERVER_FIGURES_H
#define QLUA_SERVER_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/histogram.h"
#include "http/figures.h"

/* Generations that a place tells of: more live only while they end. */
#define FIGURES_GENERATIONS 4

/* Why a worker was replaced. */
enum restart_reason {
    RESTART_SIGNAL,   /* a signal has ended it */
    RESTART_EXIT,     /* it has ended itself */
    RESTART_SILENT,   /* no sign of life for worker_timeout */
    RESTART_LOADING,  /* not ready within start_timeout */
    RESTART_RECYCLED, /* max_requests was reached */
    RESTART_MODULE,   /* a C module has changed */
    RESTART_REASONS
};

/* What the worker has of session stores. */
enum store_figure { STORE_FIGURE_NONE, STORE_FIGURE_WELL, STORE_FIGURE_FAILING };

struct generation_figures {
    _Atomic uint64_t number;   /* 0: there is none */
    _Atomic uint64_t requests; /* in flight */
};

/* One place of the table of workers. */
struct worker_figures {
    /* Written by the worker: the first by its 1 s tick, the monotonic clock of base/clock.h. One
     * that was READY and is silent for worker_timeout is killed. */
    _Alignas(64) _Atomic uint64_t beat_ms;
    struct http_figures http;
    _Atomic uint64_t errors;    /* exceptions that were logged */
    _Atomic uint64_t stopped;   /* handlers that had used up their processor time */
    _Atomic uint64_t lua_bytes; /* held by its Lua states now */
    _Atomic uint64_t jit;       /* 1: the state that serves compiles */
    _Atomic uint64_t traces;    /* that it has compiled and keeps */
    _Atomic uint64_t lmdb;      /* enum store_figure */
    _Atomic uint64_t redis;
    _Atomic uint64_t over; /* 1: its exit code is an enum worker_exit, and no word of the app's */
    struct generation_figures generations[FIGURES_GENERATIONS]; /* the first serves */

    /* Written by the supervisor. */
    _Alignas(64) _Atomic uint64_t id;
    _Atomic uint64_t pid;           /* 0: no process */
    _Atomic uint64_t serves;        /* 1: it is ready */
    _Atomic uint64_t started_ms;    /* monotonic */
    _Atomic uint64_t former_cpu_us; /* used by those that were in this place before */
};

/* What the supervisor knows of the whole. */
struct service_figures {
    _Alignas(64) _Atomic uint64_t started_ms; /* monotonic */
    _Atomic uint64_t started_at;              /* seconds since 1970 */
    _Atomic uint64_t wanted;                  /* workers */
    _Atomic uint64_t generation;              /* the one that new requests go to */
    _Atomic uint64_t reloads;                 /* that have been tried */
    _Atomic uint64_t reloads_failed;
    _Atomic uint64_t reload_failed; /* 1: the last one */
    _Atomic uint64_t restarts[RESTART_REASONS];
    _Atomic uint64_t certificate_ends;    /* seconds since 1970; 0: no TLS */
    _Atomic uint64_t certificate_refused; /* 1: what its files hold now is no good */
    _Atomic uint64_t longest_ns;          /* latency of those who were in a place before */
};

struct figures {
    struct service_figures *service;
    struct worker_figures *workers;
    size_t count;
};

/* Map the memory for so many places. 0 or a negative errno. */
int figures_map(struct figures *figures, size_t count);
void figures_unmap(struct figures *figures);

/* A process is about to start in this place: what is true only of the one before goes. */
void figures_begin(const struct figures *figures, struct worker_figures *place);
/* The process in it has ended, having used so much of the processor: to be said at once, because
 * whoever adds up what it used finds it nowhere else any more. */
void figures_ended(struct worker_figures *place, uint64_t cpu_us);
/* All that it said has been heard: it serves no more. */
void figures_end(struct worker_figures *place);

/* "signal", "exit", ...: as `qlua status --json` and the metrics name it. */
const char *restart_word(enum restart_reason reason);

/* A sum of places, to reckon with. */
struct figures_total {
    uint64_t accepted, open, active;
    uint64_t requests, answers[6];
    uint64_t bytes_in, bytes_out;
    uint64_t errors, stopped;
    struct histogram_total latency;
};

/* *total is added to. */
void figures_add(struct figures_total *total, const struct worker_figures *place);
void figures_add_all(struct figures_total *total, const struct figures *figures);
/* Take away what was there at a former time, but for what is true now: open and active. */
void figures_subtract(struct figures_total *total, const struct figures_total *former);

/* How often something happens a second, over the last RATE_SECONDS. */
#define RATE_SECONDS 10

struct rate {
    uint64_t ms[RATE_SECONDS]; /* monotonic; 0: not yet */
    uint64_t counts[RATE_SECONDS];
    unsigned next;
};

/* To be called once a second or oftener, with a counter's value. */
void rate_note(struct rate *rate, uint64_t now, uint64_t count);
double rate_of(const struct rate *rate, uint64_t now, uint64_t count);

#endif
