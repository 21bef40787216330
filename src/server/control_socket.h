/* server/control_socket.h - the Unix socket by which people ask a running supervisor.
 *
 * Place in the flow: the supervisor (or the lone worker of --workers 0) answers on it; `qlua
 * status` and `qlua reload` ask. Both ends of the protocol are here: the asker sends one line, a
 * command; the answer is a first line "ok", "degraded" (answered, but not all is well) or "error:
 * WHY", then text until the end of the connection (of an error: more of why). What commands there
 * are is the supervisor's business.
 */
#ifndef QLUA_SERVER_CONTROL_SOCKET_H
#define QLUA_SERVER_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/slice.h"
#include "server/listen.h"

struct config;
struct err;

/* Askers at a time; more wait in the backlog. */
#define CONTROL_CLIENTS 8

struct control_client {
    int fd;           /* -1: free */
    uint64_t started; /* monotonic milliseconds */
    bool waiting;     /* for control_socket_reply */
    struct buf out;   /* the answer, or what of it the asker has not taken yet */
    size_t len;
    char line[64];
};

struct control_socket {
    int fd;      /* listens; -1: there is none */
    int poll_fd; /* readable when control_socket_turn has something to do; -1: there is none */
    struct listen_file file;
    struct control_client clients[CONTROL_CLIENTS];
};

/* The path from the settings, or the default for this port. 0 or -ENAMETOOLONG. */
int control_socket_path(const struct config *config, int port, char *path, size_t size);

void control_socket_init(struct control_socket *socket);
/* 0, or err. */
int control_socket_open(struct control_socket *socket, const char *path, struct err *err);
/* Answer on a socket that a former server opened at this path; its file is ours from now on. 0, or
 * a negative errno; then fd is closed. */
int control_socket_adopt(struct control_socket *socket, int fd, const char *path);
/* Close everything; the file is removed by listen_unlink, in the supervisor only. */
void control_socket_close(struct control_socket *socket);

/* Accept, read and answer without waiting; also to be called each second or so, for askers that
 * say nothing. `answer` appends the whole answer to a command; when it appends nothing, the
 * asker waits for control_socket_reply. */
void control_socket_turn(struct control_socket *socket, uint64_t now,
                         void (*answer)(void *data, struct slice command, struct buf *out),
                         void *data);

/* Answer those that wait. */
void control_socket_reply(struct control_socket *socket, struct slice text);

/* What the asker's end comes to. */
enum control_answer {
    CONTROL_OK,
    CONTROL_DEGRADED,
    CONTROL_ERROR,  /* what the server said is printed to standard error */
    CONTROL_NOBODY, /* no server answers there, which is said on standard error */
    CONTROL_BROKEN  /* it gave no answer; the same */
};

/* The asker's end: send `command`, append the answer to *out; failures are told to `complaints`,
 * NULL: to nobody. */
enum control_answer control_socket_fetch(const char *path, const char *command,
                                         uint64_t patience_ms, struct buf *out, FILE *complaints);
/* The same: print the answer, for which it waits so long. */
enum control_answer control_socket_ask(const char *path, const char *command, uint64_t patience_ms);

#endif
