/* server/crew.h - the supervisor's table of workers: start, watch, replace, stop.
 *
 * Place in the flow: supervisor.c owns one, waits on its descriptors, and tells it what happened
 * (a message, a child's end, time passed). Decides who runs; knows neither sockets nor signals.
 *
 * Each worker id has two places in the table: a worker that retires serves on in one while its
 * replacement loads in the other.
 */
#ifndef QLUA_SERVER_CREW_H
#define QLUA_SERVER_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/figures.h"
#include "server/privilege.h"
#include "server/worker.h"

struct config;
struct history;
struct identity;
struct listeners;
struct log;
struct log_files;
struct status_worker;

enum member_state {
    MEMBER_UNUSED,   /* no process, none wanted */
    MEMBER_WAITING,  /* no process; one is started at `due` */
    MEMBER_STARTING, /* loading the app */
    MEMBER_READY,    /* serving */
    MEMBER_RETIRING, /* serving, until its replacement is READY */
    MEMBER_STOPPING, /* told to stop; killed at `due` */
    MEMBER_KILLED    /* sent SIGKILL; its end is awaited */
};

struct member {
    enum member_state state;
    int id;
    pid_t pid;      /* 0: no process */
    int control_fd; /* -1: none */
    struct worker_figures *figures;
    struct figures_total former; /* what they were when the process was started */
    struct rate rate;            /* of its requests */
    uint64_t started;            /* monotonic milliseconds, as all times here */
    uint64_t ready;              /* 0: not yet */
    uint64_t due;                /* see the states */
    unsigned failures;           /* ends in a row without a good while of service between */
    unsigned restarts;           /* for status */
    enum restart_reason doom;    /* RETIRING, or KILLED while it was wanted: why */
    uint32_t identity;           /* version of the identity that it has */
    bool prepares;               /* it was asked to prepare a generation */
    bool awaited;                /* its answer to that, or to the commit, has not come yet */
};

struct crew {
    struct config *config;
    const struct log *log; /* the one in files */
    struct log_files *files;
    const struct listeners *listeners;
    const struct figures *figures; /* a place each member */
    struct history *history;
    struct privilege privilege;
    struct identity *identity;    /* the supervisor's; NULL: no TLS. See crew_identity.h */
    void (*in_child)(void *data); /* closes what is the supervisor's */
    void *data;
    struct reload *reload;  /* the supervisor's; NULL: none */
    struct member *members; /* 2k and 2k+1 have the id k+1 */
    size_t count;
    size_t opened;  /* ids that are to run: 1 until the first worker is ready */
    uint64_t *ends; /* ring: when the last max_restarts replacements were */
    size_t nends;
    uint64_t started;
    uint64_t watch_from; /* silence before this does not count: the supervisor did not run */
    bool held;           /* workers get ready but serve only after crew_open */
    bool serving;        /* every worker was ready once */
    bool stopping;
    bool succeeded; /* ... because another server serves in our place */
    bool failed;    /* the service ends because of an error ... */
    bool misused;   /* ... on the command line */
};

/* `config->workers` is at least 1; the figures have two places for each. */
void crew_init(struct crew *crew, struct config *config, struct log_files *files,
               const struct listeners *listeners, const struct figures *figures, uint64_t now);
void crew_clear(struct crew *crew);

/* Let workers that were `held` serve, and those that come. */
void crew_open(struct crew *crew, uint64_t now);

/* Start whom it is time to start, kill whom it is time to kill. */
void crew_tick(struct crew *crew, uint64_t now);

/* Milliseconds until crew_tick has something to do, at most `most`. */
int crew_timeout(const struct crew *crew, uint64_t now, int most);

/* The supervisor itself was stopped or starved until now: forgive the workers' silence. */
void crew_forgive(struct crew *crew, uint64_t now);

/* Have it replaced because of this: it serves on until the other is ready. */
void crew_retire(struct member *member, enum restart_reason why);

/* Read the messages of one member. */
void crew_messages(struct crew *crew, struct member *member, uint64_t now);

/* Lines of one of enum log_file are to go to fd, in all workers. */
void crew_send_log(struct crew *crew, uint32_t which, int fd);

/* Collect the processes that have ended. */
void crew_reap(struct crew *crew, uint64_t now);

/* Tell everyone to stop, gracefully or at once; may be called again with at_once. */
void crew_stop(struct crew *crew, bool at_once, uint64_t now);

/* Whether no process is left. */
bool crew_is_gone(const struct crew *crew);

/* Fill a row for each process that is or is to be, of at most `count`; gives how many. */
size_t crew_status(const struct crew *crew, uint64_t now, struct status_worker *rows);

#endif
