/* server/supervisor_internal.h - the supervisor, for the supervisor*.c files. */
#ifndef QLUA_SERVER_SUPERVISOR_INTERNAL_H
#define QLUA_SERVER_SUPERVISOR_INTERNAL_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/control_socket.h"
#include "server/crew.h"
#include "server/figures.h"
#include "server/history.h"
#include "server/identity.h"
#include "server/listen.h"
#include "server/notify.h"
#include "server/pid_file.h"
#include "server/reload.h"
#include "server/successor.h"
#include "server/upgrade.h"

struct buf;
struct config;
struct err;
struct launch;
struct log;
struct log_files;
struct renewal;

/* A profile that a worker writes. */
struct profile_file {
    pid_t pid;
    int fd;
};

/* `qlua profile` is at work; count 0: it is not. */
struct profile_desk {
    struct profile_file *files;
    size_t count;
    uint64_t until; /* when the workers are done */
};

/* What the service manager was told last. */
enum told { TOLD_NOTHING, TOLD_READY, TOLD_RELOADING, TOLD_STOPPING };

struct supervisor {
    struct config *config;
    const struct log *log; /* the one in files */
    struct log_files *files;
    struct launch *launch;
    struct listeners listeners;
    struct identity identity; /* when there is TLS */
    struct control_socket control;
    struct crew crew;
    struct reload reload;
    struct upgrade upgrade;     /* to a new program */
    struct successor successor; /* of a former one */
    struct notify notify;
    enum told told;
    struct renewal *lone; /* --workers 0: the worker's, while it lives */
    struct pollfd *fds;
    sigset_t held; /* signals that are blocked here */
    int signals;   /* the descriptor by which they come */
    struct figures figures;
    struct history history;
    struct profile_desk profiles;
    struct rate rate; /* of all requests */
    uint64_t started;
    struct pid_file pid_file;
    bool announced;
    bool stop_asked;   /* by a signal: the next SIGINT is impatient */
    bool reload_later; /* SIGHUP came during an upgrade: for the one that serves then */
};

/* ---- supervisor.c ---- */

/* The control socket. A default path that another server holds costs only this comfort: two
 * servers may listen on one port at different addresses. 0, or err. */
int supervisor_open_control(struct supervisor *supervisor, struct err *err);
/* Certificate and key may have changed: have the workers use what the files hold now. */
void supervisor_refresh_identity(struct supervisor *supervisor);
/* Gracefully, or at once. */
void supervisor_stop(struct supervisor *supervisor, bool at_once);

/* ---- supervisor_status.c ---- */

/* Map the memory that all processes share. 0, or err. */
int supervisor_open_figures(struct supervisor *supervisor, struct err *err);
/* The certificate has been read: until when it is valid. */
void supervisor_show_identity(struct supervisor *supervisor);
/* To be called once a second or oftener. */
void supervisor_note_rate(struct supervisor *supervisor, uint64_t now);
/* Append the answer to `qlua status`, with the protocol's first line. */
void supervisor_status(struct supervisor *supervisor, bool json, struct buf *out);

/* ---- supervisor_profile.c ---- */

/* Append the answer to a command that begins with "profile ". */
void supervisor_profile(struct supervisor *supervisor, struct slice command, struct buf *out);
/* Close what is open for a profile. */
void supervisor_drop_profiles(struct supervisor *supervisor);

/* ---- supervisor_upgrade.c ---- */

/* SIGHUP: a reload. During an upgrade it is for whoever serves afterwards. */
void supervisor_wish_reload(struct supervisor *supervisor);
/* SIGUSR2: start the program that is at our path now, on the same sockets. */
void supervisor_upgrade(struct supervisor *supervisor);
/* What an upgrade, to a new program or from a former one, has come to; in each turn. */
void supervisor_turn_upgrade(struct supervisor *supervisor);
/* All is ready, and the former server has handed over, or has died. */
void supervisor_take_over(struct supervisor *supervisor);

#endif
