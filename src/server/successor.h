/* server/successor.h - the new server's side of an upgrade: ready, but not before the other hands
 * over.
 *
 * Place in the flow: a supervisor that was started by a running one (upgrade.h) has one. Its
 * workers load the app and hold; when all are ready it says so, and takes over when the former
 * server tells it to, or is gone. Until then nothing is its own: no pid file, no control socket,
 * no file of a socket, no word to the service manager.
 */
#ifndef QLUA_SERVER_SUCCESSOR_H
#define QLUA_SERVER_SUCCESSOR_H

#include <stdbool.h>
#include <sys/types.h>

struct inherited;

struct successor {
    int channel;   /* to the former server; -1: there was none, or it is gone */
    bool waits;    /* it has not handed over yet */
    bool reported; /* it was told that all is ready */
    pid_t former;  /* its process id; 0: not known */
    int tickets;   /* keys of TLS tickets, as identity.h packs them; -1: none */
    int guard;     /* the debugger's secret and PIN, as debug_guard.h packs them; -1: none */
};

/* Take the channel, if there is one, and what the former server has put into it. */
void successor_init(struct successor *successor, struct inherited *inherited);
/* In a forked child, or when it is over. */
void successor_close(struct successor *successor);

/* All workers are ready: whether this server may serve. Else the former one is told, once. */
bool successor_may_serve(struct successor *successor);
/* Hear what the former server says. */
void successor_turn(struct successor *successor);

#endif
