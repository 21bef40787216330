/* http/conn_time.c - what a connection reads now, and until when its peer must have done
 * something: send a head or a body, take the answer, come back, or close.
 *
 * Place in the flow: conn.c and answer.c call conn_settle whenever something has changed.
 */
#include "base/log.h"
#include "http/conn_internal.h"
#include "net/loop.h"
#include "net/stream.h"

/* How long input is dropped after the last answer, so that the peer can read the answer before
 * a reset (RFC 9112 9.6): since the last byte, and in all. */
#define LINGER_MS     2000
#define LINGER_ALL_MS 30000
/* A handshake goes to and fro before its request is on its way: once the server stops it has so
 * much longer than an idle connection. */
#define HANDSHAKE_DRAINS 5

bool conn_body_is_full(const struct conn *conn)
{
    const struct request *req = conn->req;
    return req != NULL && req->body_state == BODY_READING && !req->body_whole &&
           req->answer_state != ANSWER_DONE && req->body.len >= CONN_BODY_WATER;
}

/* Output waits, and there is a limit to how long the peer may take nothing of it. */
static bool watches_output(const struct conn *conn)
{
    return conn->stall_ms > 0 && stream_pending(conn->stream) > 0;
}

void conn_note_progress(struct conn *conn)
{
    uint64_t backlog = stream_backlog(conn->stream);
    if (conn->backlog == 0 || backlog < conn->backlog)
        conn->last_progress = loop_now(conn->server->loop);
    conn->backlog = backlog;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static uint64_t output_deadline(struct conn *conn, uint64_t now)
{
    if (conn->backlog == 0)
        conn_note_progress(conn);
    /* Progress shows only when it is looked for. */
    return sooner(conn->last_progress + conn->stall_ms, now + conn->stall_ms / 4 + 1);
}

static uint64_t linger_deadline(const struct conn *conn)
{
    if (stream_pending(conn->stream) > 0)
        return 0; /* the answer has no RESPONSE_TIMEOUT */
    uint64_t all = conn->draining ? conn->drain_ms : LINGER_ALL_MS;
    return sooner(conn->since + all, conn->last_input + LINGER_MS);
}

static uint64_t body_deadline(const struct conn *conn)
{
    const struct request *req = conn->req;
    if (req == NULL || req->body_state != BODY_READING || conn_body_is_full(conn))
        return 0;
    uint64_t stall = req->body_stall_ms == 0 ? 0 : conn->last_input + req->body_stall_ms;
    if (!req->body_whole || req->body_timeout_ms == 0)
        return stall;
    return sooner(stall, req->body_started_ms + req->body_timeout_ms);
}

/* When the peer must have done something; 0: never. */
static uint64_t deadline_of(struct conn *conn, uint64_t now)
{
    const struct http_settings *settings = &conn->server->settings;
    if (watches_output(conn))
        return output_deadline(conn, now);
    conn->backlog = 0;
    switch (conn->state) {
    case CONN_IDLE:
        if (conn->stream->security == STREAM_HANDSHAKE)
            return conn->since + (conn->draining ? HANDSHAKE_DRAINS * conn->drain_ms
                                                 : settings->header_timeout_ms);
        return conn->since + (conn->draining ? conn->drain_ms : settings->keep_alive_timeout_ms);
    case CONN_HEAD: return conn->since + settings->header_timeout_ms;
    case CONN_LINGER: return linger_deadline(conn);
    default: return body_deadline(conn);
    }
}

void conn_settle(struct conn *conn)
{
    if (conn->state == CONN_CLOSED || conn->in_batch)
        return;
    struct loop *loop = conn->server->loop;
    uint64_t now = loop_now(loop);
    if (conn->eof || conn->input.len >= CONN_INPUT_WATER || conn_body_is_full(conn)) {
        stream_read_stop(conn->stream);
    } else if (!conn->stream->reading) {
        conn->last_input = now; /* the peer could not send: its time begins anew */
        stream_read_start(conn->stream);
    }
    conn->deadline = deadline_of(conn, now);
    /* A timer due too early costs less than one moved for every request: it looks again. */
    if (conn->deadline != 0 &&
        (!timer_is_started(&conn->timer) || conn->timer.due > conn->deadline))
        timer_start(loop, &conn->timer, conn->deadline > now ? conn->deadline - now : 1);
}

static void watch_output(struct conn *conn, uint64_t now)
{
    conn_note_progress(conn);
    if (now - conn->last_progress < conn->stall_ms) {
        conn_settle(conn);
        return;
    }
    log_write(conn->server->log, LOG_WARNING,
              "a client took nothing of its answer for %u ms (RESPONSE_TIMEOUT); connection reset",
              conn->stall_ms);
    conn_close(conn, true);
}

static void body_is_late(struct conn *conn)
{
    struct request *req = conn->req;
    req->body_state = BODY_TIMED_OUT;
    req->keep_alive = false;
    if (req->answer_state == ANSWER_DONE) {
        conn_linger(conn);
        return;
    }
    conn->server->handler->on_body(conn->server->data, req);
    conn_settle(conn);
}

void conn_on_timer(struct timer *timer)
{
    struct conn *conn = LIST_ENTRY(timer, struct conn, timer);
    uint64_t now = loop_now(conn->server->loop);
    if (conn->deadline == 0)
        return;
    if (conn->deadline > now) {
        timer_start(conn->server->loop, timer, conn->deadline - now);
        return;
    }
    if (watches_output(conn)) {
        watch_output(conn, now);
        return;
    }
    switch (conn->state) {
    case CONN_IDLE:
        if (conn->stream->security == STREAM_HANDSHAKE)
            conn_close(conn, stream_pending(conn->stream) > 0);
        else if (stream_has_input(conn->stream))
            timer_start(conn->server->loop, timer, 1); /* a request came first, not read yet */
        else
            conn_end(conn);
        break;
    case CONN_HEAD: conn_refuse(conn, 408); break;
    case CONN_ACTIVE: body_is_late(conn); break;
    default: conn_close(conn, false);
    }
}
