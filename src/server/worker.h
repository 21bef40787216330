/* server/worker.h - one worker process, from the fork to its exit code.
 *
 * Place in the flow: the supervisor calls worker_run in each forked child; `--workers 0` calls it
 * in the foreground. The worker owns a loop and the generations; it takes the listening sockets
 * and the control channel as they are and knows nothing of the supervisor's table.
 */
#ifndef QLUA_SERVER_WORKER_H
#define QLUA_SERVER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct figures;
struct identity;
struct log_files;
struct renewal;
struct worker_figures;

/* What worker_run returns: the process's exit code. */
enum worker_exit {
    WORKER_EXIT_DRAINED = 0,  /* told to stop (or max_requests reached), everything answered */
    WORKER_EXIT_FAILED = 1,   /* could not go on; the reason is in the log */
    WORKER_EXIT_NO_START = 3, /* the app or the access log failed; said on stderr already */
    WORKER_EXIT_USAGE = 64    /* the same: a mistake on the command line */
};

struct worker_start {
    struct config *config; /* the process's own: a reload changes it */
    struct log_files *files;
    uint32_t generation;  /* the service's, which is loaded at the start */
    int id;               /* from 1; a replacement keeps its predecessor's */
    const int *listeners; /* listening, non-blocking, close-on-exec; the worker closes them */
    size_t nlisteners;
    int control_fd;                 /* server/control.h, or -1 with --workers 0 */
    bool hold;                      /* load the app, say READY, but serve only after CONTROL_OPEN */
    struct worker_figures *figures; /* its own place, which it alone writes ... */
    const struct figures *all_figures; /* ... and everybody's */
    struct identity *identity; /* of TCP addresses; NULL: no TLS. A forked worker's own copy */
    /* With --workers 0, else NULL: called once the app is loaded, in place of CONTROL_READY; and
     * when ask_fd (the control socket's; -1: there is none) is readable, and each second. */
    void (*on_ready)(void *data);
    void (*on_ask)(void *data);
    /* The same: the worker's renewal, before the app is loaded; it lives until worker_run ends. */
    void (*on_renewal)(void *data, struct renewal *renewal);
    int ask_fd;
    void *data;
};

/* Load the app, send CONTROL_READY, serve until told to stop; gives a code of enum worker_exit.
 * The caller has blocked the signals that end a server; here they are let in, once somebody
 * listens to them. Under a supervisor SIGTERM means CONTROL_STOP, and SIGINT, SIGQUIT, SIGHUP
 * and SIGUSR1 (which go to a whole group) have handlers that do nothing: the worker leaves
 * them so. SIGPIPE does nothing, also with --workers 0. End of file on control_fd: the supervisor
 * is gone; stop as on CONTROL_STOP, but within 4 s. */
int worker_run(const struct worker_start *start);

#endif
