/* server/reload.h - one reload of the app at a time, in two phases: prepare, then commit or drop.
 * It is over when all have said that they have done so: who was told of it meets the new code.
 *
 * Place in the flow: the supervisor has one and drives its workers with it through the control
 * channel; the lone worker of --workers 0 has one and drives itself. It counts the generations,
 * keeps what is asked for meanwhile, times, and writes the one line of each reload. Knows neither
 * processes nor Lua: `ask` and `decide` do what is done.
 */
#ifndef QLUA_SERVER_RELOAD_H
#define QLUA_SERVER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct log;

/* A worker's id as the scope of a reload; or: */
#define RELOAD_ALL 0

/* What was asked for while a reload ran, or before the service was ready: one reload. */
struct reload_wish {
    struct buf why; /* "app.lua changed"; empty: nothing was asked for */
    int scope;      /* RELOAD_ALL, or a worker's id */
    uint64_t since; /* monotonic milliseconds */
};

struct reload {
    const struct log *log;
    uint64_t timeout; /* milliseconds that preparing may take */
    /* Have the workers of this scope prepare the generation: how many will. */
    unsigned (*ask)(void *data, uint32_t number, int scope);
    /* Those that were asked: commit it, or drop it. How many will say that they have committed. */
    unsigned (*decide)(void *data, uint32_t number, bool commit);
    /* A reload is over; text is its line: what `qlua reload` prints, or its error. */
    void (*on_over)(void *data, bool ok, const char *text);
    void *data;      /* of ask and decide */
    void *over_data; /* of on_over */

    uint32_t last;    /* the number given last */
    uint32_t serving; /* the generation that new requests go to */
    bool ready;       /* the service has started: reloads may run */
    bool running;
    bool committing;         /* it is decided; not all have said yet that they have committed */
    bool again;              /* a worker ended meanwhile: this was the second try */
    unsigned awaited;        /* answers still to come */
    struct reload_wish now;  /* running */
    struct reload_wish next; /* waits for its turn */
};

/* Fill the fields above the blank line yourself; the service starts with generation 1. */
void reload_init(struct reload *reload);
void reload_clear(struct reload *reload);

/* Reload because of this ("app.lua changed", "SIGHUP"): at once, or after the one that runs. */
void reload_wish(struct reload *reload, const char *why, int scope, uint64_t now);
/* The service has started: what was asked for meanwhile begins. */
void reload_start(struct reload *reload, uint64_t now);
/* The service stops: the one that runs is dropped, none begins any more. */
void reload_stop(struct reload *reload, uint64_t now);

/* One of those that were asked has prepared this generation. */
void reload_prepared(struct reload *reload, uint32_t number, uint64_t now);
/* One of them has committed it. */
void reload_committed(struct reload *reload, uint32_t number, uint64_t now);
/* It cannot: why, with a traceback. */
void reload_failed(struct reload *reload, uint32_t number, const char *error, uint64_t now);
/* One of those that were asked is gone without an answer. */
void reload_lost(struct reload *reload, uint64_t now);
/* To be called now and then: gives one up that takes too long. */
void reload_tick(struct reload *reload, uint64_t now);

#endif
