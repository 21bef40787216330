/* store/redis_conn.h - hiredis' asynchronous connection on the worker's loop.
 *
 * Place in the flow: store/redis_link opens one after the other. All that hiredis wants to be
 * handled with care is here: who frees its context, and what it makes of its peer's bytes. Knows
 * no greeting and no retries.
 */
#ifndef QLUA_STORE_REDIS_CONN_H
#define QLUA_STORE_REDIS_CONN_H

#include <hiredis/async.h>
#include <stdbool.h>

#include "base/slice.h"
#include "store/redis_reply.h"

struct loop;
struct watch;

/* How a connection calls upward; any of them may close it. None is called once it is closed. */
struct redis_conn_events {
    void (*on_open)(void *data);
    /* The reply to the oldest command without one; borrowed until this returns. */
    void (*on_reply)(void *data, const redisReply *reply);
    /* All that was sent has been written. */
    void (*on_drained)(void *data);
    /* It is closed, or could not be opened: code (base/err.h) and why. Open the next one in a later
     * turn of the loop only. */
    void (*on_closed)(void *data, int code, const char *why);
};

/* Part of what uses it, for one connection at a time. */
struct redis_conn {
    struct loop *loop;
    const struct redis_conn_events *events;
    void *data;
    redisAsyncContext *context; /* NULL: closed */
    struct watch *watch;        /* of its socket */
    struct redis_reply reply;
};

void redis_conn_init(struct redis_conn *conn, struct loop *loop,
                     const struct redis_conn_events *events, void *data);
/* Close it and give its memory back. Not from inside of an event. */
void redis_conn_clear(struct redis_conn *conn);

/* Begin to connect to a numeric address, or to a Unix socket (host is NULL); it is closed now. What
 * fails at once is told by on_closed before this returns. */
void redis_conn_open(struct redis_conn *conn, const char *host, int port, const char *path);

/* Close it, without on_closed; harmless when it is. */
void redis_conn_close(struct redis_conn *conn);

/* Send a command in Redis' protocol (copied), after on_open. Those of one turn leave together. */
void redis_conn_send(struct redis_conn *conn, struct slice command);

/* Had more better wait for on_drained? hiredis moves what it could not write to the front of its
 * buffer, each time: that buffer had better be small. */
bool redis_conn_is_full(const struct redis_conn *conn);

/* Append a command in Redis' protocol: its name and its arguments. */
void redis_write_command(struct buf *text, size_t count, const struct slice *words);

#endif
