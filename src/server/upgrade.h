/* server/upgrade.h - the running server's side of an upgrade: start the new program, wait for it.
 *
 * Place in the flow: on SIGUSR2 the supervisor begins one; it starts the program that is now at the
 * path of its own, with its listening sockets (inherit.h), and serves on meanwhile. The new one
 * (successor.h) tells over a channel like a worker's (control.h) that it could serve; then the
 * supervisor hands over and stops as it does on SIGTERM. Whatever else becomes of the new one is a
 * line in the log. Knows neither workers nor listeners.
 *
 * The new program is no child of ours in the end: a process between us, which waits for it, goes
 * when it is ready, so that it belongs to whoever started us. A service manager learns of its end,
 * and our end does not touch it.
 */
#ifndef QLUA_SERVER_UPGRADE_H
#define QLUA_SERVER_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct launch;
struct log;
struct notify;

enum upgrade_state {
    UPGRADE_NONE,      /* none runs; one may begin */
    UPGRADE_PREPARING, /* the new program loads; given up at `due` */
    UPGRADE_ENDING,    /* it was told to end; killed at `due` */
    UPGRADE_DONE       /* it serves in our place */
};

enum upgrade_event {
    UPGRADE_QUIET,
    UPGRADE_READY, /* it is ready: hand over, then call upgrade_commit */
    UPGRADE_FAILED /* it has ended, or will; the log says why */
};

struct upgrade {
    enum upgrade_state state;
    const struct launch *launch;
    const struct log *log;
    int channel;     /* to the new program; -1: none */
    pid_t between;   /* the process that waits for it; 0: none */
    pid_t pid;       /* of the new program; 0: not known yet */
    uint64_t due;    /* monotonic milliseconds */
    bool was_killed; /* ENDING: not only told */
};

void upgrade_init(struct upgrade *upgrade, const struct launch *launch, const struct log *log);

/* Start the program, which has `patience` milliseconds to be ready. `list` holds the sockets as
 * inherit_write wrote them, `guard` what debug_guard_pack gave (-1: none); both stay the caller's.
 * 0, or a negative errno; the log says why. */
int upgrade_begin(struct upgrade *upgrade, const struct buf *list, int guard, uint64_t patience,
                  uint64_t now);
/* To be called in each turn of the loop, after SIGCHLD too. */
enum upgrade_event upgrade_turn(struct upgrade *upgrade, uint64_t now);
/* Tell the new program that all is its own, with the keys of TLS tickets (identity.h; -1: none),
 * and the service manager which process is the main one now. 0; or a negative errno when it has
 * ended in the last moment: the upgrade has failed. */
int upgrade_commit(struct upgrade *upgrade, struct notify *notify, int tickets);
/* It is not wanted any more: the service stops, gracefully or at once. */
void upgrade_cancel(struct upgrade *upgrade, bool at_once, uint64_t now);

/* Whether there is still something to wait for. */
bool upgrade_is_running(const struct upgrade *upgrade);
/* Milliseconds until upgrade_turn has something to do by itself, at most `most`. */
int upgrade_timeout(const struct upgrade *upgrade, uint64_t now, int most);
/* In a forked child: close what is the supervisor's. */
void upgrade_leave(struct upgrade *upgrade);

#endif
