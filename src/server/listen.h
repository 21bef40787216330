/* server/listen.h - the sockets of the service, opened once by the supervisor.
 *
 * Place in the flow: supervisor.c opens them before the first fork; every worker inherits them and
 * accepts. One socket per address: a dead worker's backlog is taken by the living, and a second
 * server is told that the address is in use. Plain socket calls; knows no loop.
 */
#ifndef QLUA_SERVER_LISTEN_H
#define QLUA_SERVER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;
struct config;
struct err;
struct inherited;

/* A Unix socket's file as we made it, so that only our own is removed. */
struct listen_file {
    char path[108]; /* "": none */
    dev_t device;
    ino_t inode;
};

struct listener {
    int fd;
    char address[160]; /* for people: "http://127.0.0.1:5000", "unix:/run/app.sock" */
    char asked[300];   /* as the settings name it, with the port: "localhost:0" */
    bool is_inherited; /* a former server opened it, whose its file is, too */
    struct listen_file file;
};

struct listeners {
    struct listener *items;
    int *fds; /* the descriptors of items, for the workers */
    size_t count;
    bool managed;       /* they are the service manager's: bind, host and port are not used */
    int port;           /* of the first TCP address as bound, or the setting's */
    const char *scheme; /* of TCP addresses, for people: "http" or "https" */
};

/* The port that tells servers of one machine apart, in the name of the default control socket: that
 * of the first TCP address, as the settings say (0 is chosen only when it is opened). */
int listen_port(const struct config *config);

/* Whether a text is HOST:PORT, HOST, [V6]:PORT or unix:/PATH. */
bool listen_is_address(const char *text);

/* Open the addresses of the configuration, or take systemd's (LISTEN_FDS); what a former server
 * hands over is taken in place of an address of its own. 0, or err with one sentence that names
 * the address; then nothing is open. */
int listen_open(struct listeners *listeners, const struct config *config,
                struct inherited *inherited, struct err *err);

/* Write the sockets for the server that follows (inherit.h). */
void listen_hand_over(const struct listeners *listeners, struct buf *list);
/* It serves: the files of Unix sockets are its own now. */
void listen_disown(struct listeners *listeners);
/* The other side of it: the files of inherited sockets are ours. */
void listen_own(struct listeners *listeners);

/* Close the descriptors; they may be closed already. */
void listen_close(struct listeners *listeners);

/* Remove the files of Unix sockets, in the process that made them, and free the list. */
void listen_clear(struct listeners *listeners);

/* A listening Unix socket with the file mode `mode` (-1: as umask says). A file left behind by a
 * dead server is removed. Returns the descriptor, or a negative code and err. */
int listen_unix(const char *path, int mode, int backlog, struct listen_file *file, struct err *err);

/* The file of a Unix socket that somebody else opened is ours from now on. */
void listen_own_file(struct listen_file *file, const char *path);

/* Remove the file if it is still the one we made. */
void listen_unlink(struct listen_file *file);

#endif
