/* server/control.h - messages between the supervisor and its workers, and in an upgrade between
 * the running supervisor and the new one.
 *
 * Place in the flow: each worker has one SOCK_SEQPACKET pair with the supervisor; a message is one
 * packet, so neither side keeps a half-read one. End of file means that the other
 * side is gone. The socket that `qlua status` asks is server/control_socket.h.
 */
#ifndef QLUA_SERVER_CONTROL_H
#define QLUA_SERVER_CONTROL_H

#include <stdint.h>

enum control_type {
    CONTROL_READY = 1, /* worker: the app is loaded, connections are accepted */
    CONTROL_RETIRE,    /* worker: max_requests is reached; it serves on until CONTROL_STOP, which
                        * comes when its replacement is ready */
    CONTROL_PREPARED,  /* worker: generation `value` is ready to serve */
    CONTROL_FAILED,    /* worker: it does not load; the text says why */
    CONTROL_COMMITTED, /* worker: generation `value` gets its new requests */
    CONTROL_CHANGED,   /* worker: files have changed, which the text names; value 1: not even a
                        * new generation will do, the process has to be replaced */
    CONTROL_RENEW,     /* worker: it should have a new generation, it alone; the text says why */
    CONTROL_PREPARE,   /* supervisor: load generation `value` beside the one that serves */
    CONTROL_COMMIT,    /* supervisor: generation `value` serves from now on */
    CONTROL_DROP,      /* supervisor: what was prepared is not wanted */
    CONTROL_IDENTITY,  /* supervisor: certificate, key or tickets are new: server/identity.h, in the
                        * descriptor */
    CONTROL_LOG,       /* supervisor: lines of enum log_file `value` go to the descriptor with it */
    CONTROL_PROFILE,   /* supervisor: take a profile for `value` milliseconds and write it to the
                        * file in the descriptor: server/profiling.h */
    CONTROL_STOP,      /* supervisor: accept what is queued, close the listeners, drain, exit 0 */
    CONTROL_LEAVE,    /* supervisor: the same, but others serve on: idle connections get time to ask
                       * once more */
    CONTROL_STOP_NOW, /* supervisor: close everything and exit 0 */
    CONTROL_OPEN,     /* supervisor: a worker that was started so serves from now on */
    CONTROL_BORN,     /* upgrade: the new program's process id is `value`. It goes on with READY
                       * or FAILED; COMMIT of the running one, with its own id, hands over */
    CONTROL_GUARD     /* upgrade, before the new program is started: server/debug_guard.h, in the
                       * descriptor */
};

/* Longer texts are cut. */
#define CONTROL_TEXT 8192

struct control_message {
    uint32_t type;           /* enum control_type; one that is not known is ignored */
    uint32_t value;          /* CONTROL_STOP: milliseconds left to drain; else see the types */
    char text[CONTROL_TEXT]; /* NUL-terminated; only so much as there is of it is sent */
    int fd; /* received with it, the receiver's to close; -1: none. Not part of the packet. */
};

/* A connected pair, non-blocking and close-on-exec. Returns 0 or a negative errno. */
int control_pair(int fds[2]);

/* Send one message without waiting. Returns 0 or a negative errno (-EPIPE: the other side is
 * gone; never a signal). */
int control_send(int fd, enum control_type type, uint32_t value);
int control_send_text(int fd, enum control_type type, uint32_t value, const char *text);
/* The same with a descriptor, of which the other side gets its own; ours stays open. */
int control_send_fd(int fd, enum control_type type, uint32_t value, int passed);

/* Read one message without waiting. Returns 1 with *message filled, 0 when there is none yet,
 * -EPIPE when the other side is gone, or another negative errno. */
int control_receive(int fd, struct control_message *message);

#endif
