/* store/redis_conn.c - hiredis' asynchronous connection on the worker's loop. See redis_conn.h. */
#include "store/redis_conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "net/loop.h"

/* hiredis reads 16 KB at a time: of a larger value, several times that in one turn of the loop. */
#define READS_A_TURN 16
/* Bytes in hiredis' output buffer from which on commands wait. */
#define FULL (64u * 1024)

/* Part with the context: nothing of it calls back any more. Who frees it: hiredis itself where it
 * calls on_connect or on_disconnect with bad news, else redisAsyncFree. */
static redisAsyncContext *detach(struct redis_conn *conn)
{
    redisAsyncContext *context = conn->context;
    conn->context = NULL;
    loop_unwatch(conn->watch);
    conn->watch = NULL;
    if (context != NULL)
        context->data = context->ev.data = NULL;
    return context;
}

/* `why` may be the context's own, and what is called may do much before it reads it. */
static void tell_closed(struct redis_conn *conn, int code, const char *why)
{
    char copy[128];
    snprintf(copy, sizeof(copy), "%s", why);
    conn->events->on_closed(conn->data, code, copy);
}

/* ---- what hiredis calls ---- */

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis_conn *conn = context->data;
    if (conn == NULL)
        return;
    if (status == REDIS_OK) {
        conn->events->on_open(conn->data);
        return;
    }
    detach(conn);
    tell_closed(conn, QLUA_ECLOSED, context->c.errstr);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    (void)status;
    struct redis_conn *conn = context->data;
    if (conn == NULL)
        return;
    detach(conn);
    tell_closed(conn, QLUA_ECLOSED,
                conn->reply.refused != NULL ? conn->reply.refused : context->c.errstr);
}

static void on_reply(redisAsyncContext *context, void *data, void *ignored)
{
    (void)ignored;
    struct redis_conn *conn = context->data;
    if (conn == NULL || data == NULL) /* the connection is being taken down */
        return;
    conn->reply.expected--;
    conn->events->on_reply(conn->data, data);
}

/* ---- readiness, both ways ---- */

static void on_readable(void *data)
{
    struct redis_conn *conn = data;
    const char *why = NULL;
    bool is_partial = true;
    for (int i = 0; i < READS_A_TURN && is_partial && why == NULL; i++) {
        redisAsyncHandleRead(conn->context);
        if (conn->context == NULL)
            return;
        const redisReader *reader = conn->context->c.reader;
        is_partial = reader->pos < reader->len;
        why = redis_reply_check(reader);
    }
    if (why == NULL)
        return;
    redis_conn_close(conn);
    tell_closed(conn, QLUA_ELIMIT, why);
}

static void on_writable(void *data)
{
    struct redis_conn *conn = data;
    redisAsyncHandleWrite(conn->context);
    if (conn->context != NULL && sdslen(conn->context->c.obuf) == 0)
        conn->events->on_drained(conn->data);
}

static void add_write(void *data)
{
    struct redis_conn *conn = data;
    if (conn != NULL && conn->watch != NULL)
        loop_watch_writable(conn->watch, on_writable);
}

static void del_write(void *data)
{
    struct redis_conn *conn = data;
    if (conn != NULL && conn->watch != NULL)
        loop_watch_writable(conn->watch, NULL);
}

/* Before the socket is closed. */
static void clean_up(void *data)
{
    struct redis_conn *conn = data;
    if (conn == NULL)
        return;
    loop_unwatch(conn->watch);
    conn->watch = NULL;
}

/* Hang a context, whose socket is connecting, on the loop. False when the socket cannot be watched.
 */
static bool attach(struct redis_conn *conn, redisAsyncContext *context)
{
    fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
    conn->watch = loop_watch(conn->loop, context->c.fd, on_readable, conn);
    if (conn->watch == NULL)
        return false;
    conn->context = context;
    context->data = context->ev.data = conn;
    context->ev.addWrite = add_write; /* reading is watched all the time */
    context->ev.delWrite = del_write;
    context->ev.cleanup = clean_up;
    redis_reply_attach(&conn->reply, context->c.reader);
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    return true;
}

/* ---- what the link calls ---- */

void redis_conn_init(struct redis_conn *conn, struct loop *loop,
                     const struct redis_conn_events *events, void *data)
{
    *conn = (struct redis_conn){.loop = loop, .events = events, .data = data};
}

void redis_conn_clear(struct redis_conn *conn)
{
    redis_conn_close(conn);
    redis_reply_clear(&conn->reply);
}

void redis_conn_open(struct redis_conn *conn, const char *host, int port, const char *path)
{
    assert(conn->context == NULL && "opened twice");
    char why[sizeof(conn->context->c.errstr)];
    redisAsyncContext *context =
        host == NULL ? redisAsyncConnectUnix(path) : redisAsyncConnect(host, port);
    if (context == NULL) {
        tell_closed(conn, -ENOMEM, "out of memory");
        return;
    }
    if (context->err == 0 && attach(conn, context)) {
        if (host != NULL)
            redisEnableKeepAlive(&context->c); /* a peer that vanishes while nobody asks it */
        return;
    }
    snprintf(why, sizeof(why), "%s",
             context->err != 0 ? context->c.errstr : "its socket cannot be watched");
    redisAsyncFree(context);
    tell_closed(conn, QLUA_ECLOSED, why);
}

/* Within one of its callbacks hiredis frees the context when that has returned. */
void redis_conn_close(struct redis_conn *conn)
{
    redisAsyncContext *context = detach(conn);
    if (context != NULL)
        redisAsyncFree(context);
}

void redis_conn_send(struct redis_conn *conn, struct slice command)
{
    assert(conn->context != NULL && "sent when closed");
    redisAsyncFormattedCommand(conn->context, on_reply, NULL, command.data, command.len);
    conn->reply.expected++;
}

bool redis_conn_is_full(const struct redis_conn *conn)
{
    return sdslen(conn->context->c.obuf) >= FULL;
}

void redis_write_command(struct buf *text, size_t count, const struct slice *words)
{
    buf_printf(text, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        buf_printf(text, "$%zu\r\n", words[i].len);
        buf_slice(text, words[i]);
        buf_cstr(text, "\r\n");
    }
}
