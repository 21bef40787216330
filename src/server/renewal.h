/* server/renewal.h - how a worker comes to newer code: its generations, its files, who says when.
 *
 * Place in the flow: the worker has one from its start to its end. Under a supervisor the control
 * channel brings the orders (server/control.h) and takes the news; with --workers 0 it drives a
 * server/reload.h of its own.
 */
#ifndef QLUA_SERVER_RENEWAL_H
#define QLUA_SERVER_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "server/generations.h"
#include "server/profiling.h"
#include "server/reload.h"

struct config;
struct control_message;
struct dispatcher;

struct renewal {
    struct dispatcher *dispatcher;
    int control_fd; /* -1: --workers 0 */
    bool hold;      /* the first generation gets ready but serves only after renewal_open */
    /* The first generation serves or is held (error is NULL), or does not load. */
    void (*on_first)(void *data, const char *error);
    /* renewal_shut_down is over. */
    void (*on_shut_down)(void *data);
    /* New code serves, which was loaded with these settings. */
    void (*on_settings)(void *data, const struct config *renewed);
    /* --workers 0: a reload is over; may be NULL. */
    void (*on_over)(void *data, bool ok, const char *text);
    void *data;
    void *over_data; /* on_over's */

    struct generations generations;
    struct profiling profiling; /* of the one that serves */
    struct reload reload;       /* --workers 0 */
    uint32_t first;             /* the number of the first generation */
    char *load_error;           /* what the dispatcher shows */
    uint64_t last_renewal;      /* monotonic milliseconds; 0: never */
    uint64_t full_pause;        /* so long after it one whose memory is full may be replaced */
    uint32_t renewed;           /* the number of the generation that was to be replaced */
};

/* The fields above the blank line are filled, and of generations: loop, log, config, stores and
 * worker_id. Begins to load the app as this generation. */
void renewal_start(struct renewal *renewal, uint32_t number);

/* A first generation that was held serves from now on. */
void renewal_open(struct renewal *renewal);

/* An order from the supervisor. False: it is about something else. */
bool renewal_take(struct renewal *renewal, const struct control_message *message);

/* --workers 0: reload, because of this. */
void renewal_wish(struct renewal *renewal, const char *why);

/* Once a second. */
void renewal_tick(struct renewal *renewal);

/* The last answer is out; and: end everything now, from outside of loop_run. */
void renewal_shut_down(struct renewal *renewal);
void renewal_clear(struct renewal *renewal);

#endif
