/* net/inherit.h - the sockets that a running server hands to the one that follows it.
 *
 * Place in the flow: upgrade.c writes the list for the new program; launch.c reads it there;
 * listen.c and control_socket.c take what they would otherwise open. The descriptors pass by
 * inheritance, the list in one environment variable:
 *
 *     CHANNEL;FD=ADDRESS;FD=ADDRESS...     9;5=127.0.0.1:5000;6=unix:/run/app.sock
 *
 * An address is what the settings say, not what the kernel made of it (port 0, names), so that the
 * same settings find it again; ";" in one is written "%3B". Both sides are here.
 */
#ifndef QLUA_NET_INHERIT_H
#define QLUA_NET_INHERIT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct sockaddr;

#define INHERIT_VARIABLE "QLUA_UPGRADE"
/* Before the addresses of what the service manager opened (LISTEN_FDS), ... */
#define INHERIT_MANAGER "manager:"
/* ... and of the socket that qlua status asks. */
#define INHERIT_CONTROL "control:"

struct inherited_socket {
    int fd;              /* -1: taken */
    const char *address; /* with ";" as "%3B" */
};

struct inherited {
    int channel; /* server/control.h, to the former server; -1: there is none */
    char *text;
    struct inherited_socket *sockets;
    size_t count;
};

/* Read the variable's value (NULL: it is not set), check the descriptors and make them
 * close-on-exec. 0, or err. */
int inherit_read(struct inherited *inherited, const char *value, struct err *err);
/* Free the list; descriptors that nobody took are closed. Also in forked children, at once: a
 * listening socket that somebody holds open takes connections which nobody answers. */
void inherit_clear(struct inherited *inherited);
/* What nobody took will not be served any more: remove the files of Unix sockets among it. */
void inherit_unlink_rest(const struct inherited *inherited);

/* The descriptor handed over for `prefix` and `address`, or -1; after that it is the caller's.
 * Call it again: one name may stand for several. */
int inherit_take(struct inherited *inherited, const char *prefix, const char *address);
/* A socket of the service manager, whatever its address. */
int inherit_take_manager(struct inherited *inherited);
/* A TCP socket that is bound to just this. */
int inherit_take_bound(struct inherited *inherited, const struct sockaddr *at);

/* Append one socket to a list that begins with the channel's number. */
void inherit_write(struct buf *list, int fd, const char *prefix, const char *address);

#endif
