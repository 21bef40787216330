/* http/conn.c - the life of one connection. See conn.h; answers are written in answer.c. */
#include "http/conn.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/conn_internal.h"
#include "net/file.h"
#include "net/loop.h"
#include "net/stream.h"

static void conn_set_state(struct conn *conn, enum conn_state state)
{
    assert(conn->state != CONN_CLOSED && "a closed connection changes no more");
    conn->state = (uint8_t)state;
}

/* ---- closing ---- */

/* The request leaves the connection: it may live on in copied contexts, but answers no more. */
static void drop_request(struct conn *conn)
{
    struct request *req = conn->req;
    if (req == NULL)
        return;
    bool owed = conn->dispatched && req->answer_state != ANSWER_DONE;
    conn->req = NULL;
    counter_subtract(&conn->server->figures->active, 1);
    if (owed) {
        req->gone = true;
        if (req->body_state == BODY_READING)
            req->body_state = BODY_BROKEN;
        conn->server->handler->on_gone(conn->server->data, req);
        req->answer_state = ANSWER_DONE;
        request_is_done(req);
    }
    req->conn = NULL;
    request_unref(&req);
}

static void drop_file(struct conn *conn)
{
    file_fetch_cancel(conn->file_fetch);
    conn->file_fetch = NULL;
    if (conn->file_fd >= 0)
        close(conn->file_fd);
    conn->file_fd = -1;
}

void conn_close(struct conn *conn, bool reset)
{
    if (conn->state == CONN_CLOSED)
        return;
    conn_set_state(conn, CONN_CLOSED);
    timer_stop(&conn->timer);
    conn_drop_coded(conn);
    drop_file(conn);
    drop_request(conn);
    buf_clear(&conn->input);
    buf_clear(&conn->output);
    stream_close(conn->stream, reset);
}

void conn_linger(struct conn *conn)
{
    conn_flush(conn);
    drop_request(conn);
    conn_set_state(conn, CONN_LINGER);
    buf_clear(&conn->input);
    conn->since = conn->last_input = loop_now(conn->server->loop);
    stream_shutdown(conn->stream);
    if (conn->eof && stream_pending(conn->stream) == 0)
        conn_close(conn, false);
    else
        conn_settle(conn);
}

void conn_end(struct conn *conn)
{
    conn_flush(conn);
    if (stream_pending(conn->stream) > 0)
        conn_linger(conn);
    else
        conn_close(conn, false);
}

/* ---- a request's head ---- */

/* RFC 9112 6.1: chunked is the only coding we know; HTTP/1.0 has none. Status, or 0. */
static int check_coding(const struct request *req)
{
    const struct field *coding = fields_get_id(&req->headers, HEADER_TRANSFER_ENCODING);
    if (coding == NULL)
        return 0;
    if (req->http_minor == 0 || fields_get_id(&req->headers, HEADER_CONTENT_LENGTH) != NULL)
        return 400; /* RFC 9112 6.1 and 6.3: smuggling by two framings */
    if (!slice_eq_nocase(coding->value, SLICE("chunked")) ||
        fields_next(&req->headers, coding, coding->name) != NULL)
        return 501;
    return 0;
}

/* RFC 9112 3.2: exactly one valid Host; HTTP/1.0 may do without. Status, or 0. */
static int check_host(struct request *req)
{
    const struct field *host = fields_get_id(&req->headers, HEADER_HOST);
    if (host == NULL) {
        if (req->http_minor != 0)
            return 400;
    } else {
        if (host->value.len > 0 && !host_is_valid(host->value))
            return 400;
        if (fields_next(&req->headers, host, host->name) != NULL)
            return 400;
    }
    /* RFC 9112 3.2.2: an absolute target's host is the one that counts. */
    req->host = req->target.form == TARGET_ABSOLUTE ? req->target.authority
                : host != NULL                      ? host->value
                                                    : SLICE("");
    return 0;
}

/* RFC 9110 10.1.1. Status, or 0. */
static int check_expect(struct request *req)
{
    const struct field *expect = fields_get_id(&req->headers, HEADER_EXPECT);
    if (expect == NULL || req->http_minor == 0)
        return 0;
    if (!slice_eq_nocase(expect->value, SLICE("100-continue")))
        return 417;
    req->expect_continue = req->body_state == BODY_READING;
    return 0;
}

/* What llhttp leaves to us. Status to refuse with, or 0. */
static int check_head(struct request *req)
{
    req->head_checked = true;
    if (req->conn->stream->security == STREAM_MISTAKEN)
        return 400; /* conn_refuse says why */
    if (req->method == METHOD_CONNECT)
        return 501; /* no proxy */
    enum target_method method =
        req->method == METHOD_OPTIONS ? TARGET_METHOD_OPTIONS : TARGET_METHOD_OTHER;
    if (target_parse(req->raw_target, method, &req->arena, &req->target) != 0)
        return 400;
    int status = check_host(req);
    if (status == 0)
        status = check_coding(req);
    if (status == 0)
        status = check_expect(req);
    return status;
}

/* ---- requests, one after the other ---- */

static void begin_request(struct conn *conn)
{
    conn->req = request_new(conn->server, conn);
    conn->req->started_ns = loop_now_ns(conn->server->loop);
    counter_add(&conn->server->figures->active, 1);
    if (conn->stream->security == STREAM_SECURE)
        conn->req->scheme = SLICE("https");
    parser_begin(&conn->parser, conn->req);
    conn->message_done = false;
    conn->dispatched = false;
    conn->since = loop_now(conn->server->loop);
    conn_set_state(conn, CONN_HEAD);
}

static void dispatch(struct conn *conn)
{
    conn->dispatched = true;
    counter_add(&conn->server->figures->requests, 1);
    conn->server->handler->on_request(conn->server->data, conn->req);
}

/* The request is over on both sides. */
static void finish_request(struct conn *conn)
{
    struct request *req = conn->req;
    bool keep = req->keep_alive && !conn->draining;
    /* Input that nobody will read turns a close into a reset (RFC 9112 9.6). */
    bool more = conn->input.len > 0 || conn->has_more || conn->draining ||
                req->body_state >= BODY_TOO_LARGE;
    drop_request(conn);
    if (!keep) {
        if (more)
            conn_linger(conn);
        else
            conn_end(conn);
        return;
    }
    conn->since = loop_now(conn->server->loop);
    conn_set_state(conn, CONN_IDLE);
}

/* After something happened to the request: is it over? */
static void advance(struct conn *conn)
{
    struct request *req = conn->req;
    if (conn->state != CONN_ACTIVE || req == NULL || !conn->dispatched ||
        req->answer_state != ANSWER_DONE || conn->file_fd >= 0)
        return;
    if (conn->message_done)
        finish_request(conn);
    else if (!req->keep_alive)
        conn_linger(conn); /* answered early: the rest of the body is not wanted */
    else
        buf_clear(&req->body);
}

static void body_ended(struct conn *conn, int state)
{
    struct request *req = conn->req;
    if (req->body_state == BODY_READING)
        req->body_state = (uint8_t)state;
    if (conn->dispatched && req->answer_state != ANSWER_DONE)
        conn->server->handler->on_body(conn->server->data, req);
}

static void body_too_large(struct conn *conn)
{
    conn->req->body_state = BODY_TOO_LARGE;
    conn->req->keep_alive = false;
    buf_clear(&conn->req->body);
    if (!conn->dispatched)
        dispatch(conn);
    else
        body_ended(conn, BODY_TOO_LARGE);
}

static void on_head(struct conn *conn)
{
    struct request *req = conn->req;
    int status = check_head(req);
    if (status != 0) {
        conn_refuse(conn, status);
        return;
    }
    conn_set_state(conn, CONN_ACTIVE);
    conn->last_input = loop_now(conn->server->loop);
    req->body_started_ms = conn->last_input;
    conn->server->handler->on_head(conn->server->data, req);
    if (req->content_length >= 0 && (uint64_t)req->content_length > req->max_body)
        body_too_large(conn);
}

static void on_message(struct conn *conn)
{
    struct request *req = conn->req;
    conn->message_done = true;
    if (!req->head_checked) {
        int status = check_head(req);
        if (status != 0) {
            conn_refuse(conn, status);
            return;
        }
        conn_set_state(conn, CONN_ACTIVE);
    }
    if (req->body_state == BODY_READING && req->body_received > req->max_body) {
        body_too_large(conn);
        return;
    }
    if (conn->dispatched) {
        body_ended(conn, BODY_COMPLETE);
        return;
    }
    if (req->body_state == BODY_READING)
        req->body_state = BODY_COMPLETE;
    dispatch(conn);
}

/* All input is consumed and the message goes on: let the handler begin with what is there. */
static void on_partial(struct conn *conn)
{
    struct request *req = conn->req;
    if (conn->state != CONN_ACTIVE || req->body_state != BODY_READING)
        return;
    conn->last_input = loop_now(conn->server->loop);
    if (req->body_received > req->max_body)
        body_too_large(conn);
    else if (!conn->dispatched)
        dispatch(conn);
    else if (req->answer_state != ANSWER_DONE)
        conn->server->handler->on_body(conn->server->data, req);
}

static void on_parse_error(struct conn *conn)
{
    struct request *req = conn->req;
    if (!conn->dispatched) {
        conn_refuse(conn, conn->parser.status);
        return;
    }
    req->keep_alive = false;
    conn->message_done = true;
    body_ended(conn, BODY_BROKEN);
}

static bool may_parse(const struct conn *conn)
{
    if (conn->state >= CONN_LINGER || conn->message_done)
        return false;
    if (conn->req == NULL)
        return stream_pending(conn->stream) < CONN_HIGH_WATER;
    return !conn_body_is_full(conn) &&
           (conn->req->body_state < BODY_TOO_LARGE || conn->req->answer_state == ANSWER_DONE);
}

/* No more input comes and all that came is parsed. That is not "gone": what was asked is
 * answered (RFC 9112 9.6). */
static void input_ended(struct conn *conn)
{
    switch (conn->state) {
    case CONN_IDLE: conn_end(conn); break;
    case CONN_HEAD: conn_refuse(conn, 400); break;
    case CONN_ACTIVE:
        if (conn->req == NULL || conn->message_done)
            break;
        conn->req->keep_alive = false;
        conn->message_done = true;
        body_ended(conn, BODY_BROKEN);
        advance(conn);
        break;
    case CONN_LINGER:
        if (stream_pending(conn->stream) == 0)
            conn_close(conn, false);
        break;
    default: break;
    }
}

/* RFC 9112 2.2: line ends before a request are no part of it; between requests they are nothing
 * to time or to answer. */
static struct slice skip_line_ends(struct slice input)
{
    while (input.len > 0 && (input.data[0] == '\r' || input.data[0] == '\n'))
        input = slice_from(input, 1);
    return input;
}

/* The part of process() that gathers: afterwards *input holds what may not be parsed now. */
static void process_batch(struct conn *conn, struct slice *input)
{
    while (input->len > 0 && may_parse(conn)) {
        if (conn->req == NULL) {
            *input = skip_line_ends(*input);
            if (input->len == 0)
                break;
            begin_request(conn);
        }
        enum parser_event event = parser_feed(&conn->parser, input);
        conn->has_more = input->len > 0;
        switch (event) {
        case PARSER_MORE: on_partial(conn); break;
        case PARSER_HEAD: on_head(conn); break;
        case PARSER_DONE: on_message(conn); break;
        case PARSER_ERROR: on_parse_error(conn); break;
        }
        if (conn->state == CONN_ACTIVE)
            advance(conn);
        if (conn->req == NULL)
            conn->message_done = false;
        if (conn->output.len >= CONN_HIGH_WATER)
            conn_flush(conn);
    }
    /* A head whose body begins in the next read: it waits no longer. */
    if (conn->state == CONN_ACTIVE && conn->req != NULL && !conn->dispatched) {
        dispatch(conn);
        advance(conn);
    }
}

/* Parse and hand up as much as may be; answers gather in one write. */
static void process(struct conn *conn, struct slice input)
{
    conn->in_batch = true;
    process_batch(conn, &input);
    conn->in_batch = false;
    conn->has_more = false;
    if (conn->state == CONN_CLOSED)
        return;
    if (input.len > 0 && conn->state < CONN_LINGER)
        buf_slice(&conn->input, input);
    conn_flush(conn);
    if (conn->eof && conn->input.len == 0)
        input_ended(conn);
    conn_settle(conn);
}

/* What was read behind a parked request has its turn. */
static void process_saved(struct conn *conn)
{
    struct buf saved = conn->input;
    conn->input = (struct buf){0};
    process(conn, buf_view(&saved));
    buf_clear(&saved);
}

void conn_resume(struct conn *conn)
{
    if (!conn->in_batch && conn->state != CONN_CLOSED && conn->input.len > 0 && may_parse(conn))
        process_saved(conn);
    conn_settle(conn);
}

void conn_answered(struct conn *conn)
{
    if (conn->in_batch || conn->state == CONN_CLOSED)
        return; /* the loop in process() looks itself */
    conn_flush(conn);
    advance(conn);
    if (conn->state == CONN_CLOSED || conn->state == CONN_LINGER)
        return;
    if (conn->req == NULL)
        conn->message_done = false;
    if (conn->eof && conn->input.len == 0)
        input_ended(conn);
    conn_resume(conn);
}

/* ---- what the stream says ---- */

static void on_read(void *data, struct slice bytes)
{
    struct conn *conn = data;
    counter_add(&conn->server->figures->bytes_in, bytes.len);
    if (conn->state == CONN_LINGER) {
        conn->last_input = loop_now(conn->server->loop);
        conn_settle(conn);
        return;
    }
    if (conn->input.len > 0 || !may_parse(conn)) {
        buf_slice(&conn->input, bytes);
        conn_settle(conn);
        return;
    }
    process(conn, bytes);
}

static void on_eof(void *data)
{
    struct conn *conn = data;
    conn->eof = true;
    if (conn->input.len == 0)
        input_ended(conn);
    conn_settle(conn);
}

static void on_error(void *data, int code)
{
    (void)code; /* reset or failed write: nothing to tell and nobody to tell it to */
    conn_close(data, true);
}

static void on_drain(void *data)
{
    struct conn *conn = data;
    if (conn->state == CONN_CLOSED)
        return;
    conn->backlog = 0;
    if (conn->coded != NULL) {
        conn_send_coded(conn);
        return;
    }
    if (conn->file_fd >= 0) {
        conn_send_file(conn);
        return;
    }
    struct request *req = conn->req;
    if (req != NULL && conn->dispatched && req->answer_state == ANSWER_STREAMING)
        conn->server->handler->on_drain(conn->server->data, req);
    else if (conn->state == CONN_IDLE || conn->state == CONN_LINGER)
        conn->since = conn->last_input = loop_now(conn->server->loop);
    if (conn->state == CONN_LINGER && conn->eof)
        conn_close(conn, false);
    conn_resume(conn);
}

static void on_close(void *data)
{
    struct conn *conn = data;
    struct http_server *server = conn->server;
    list_remove(&conn->node);
    server->connections--;
    counter_subtract(&server->figures->open, 1);
    conn->next_free = server->free_conns;
    server->free_conns = conn;
    server->handler->on_closed(server->data);
}

static const struct stream_handler stream_handler = {
    .on_read = on_read,
    .on_eof = on_eof,
    .on_error = on_error,
    .on_drain = on_drain,
    .on_close = on_close,
};

void conn_open(struct http_server *server, struct stream *stream)
{
    struct conn *conn = server->free_conns;
    if (conn != NULL)
        server->free_conns = conn->next_free;
    else
        conn = mem_alloc(sizeof(*conn));
    *conn = (struct conn){.server = server, .stream = stream, .file_fd = -1};
    parser_init(&conn->parser, server->settings.max_target_size, server->settings.max_header_size);
    timer_init(&conn->timer, conn_on_timer);
    conn->since = loop_now(server->loop);
    conn->draining = server->stopping;
    conn->drain_ms = server->drain_ms;
    list_append(&server->conns, &conn->node);
    server->connections++;
    counter_add(&server->figures->accepted, 1);
    counter_add(&server->figures->open, 1);
    stream->handler = &stream_handler;
    stream->data = conn;
    conn_settle(conn);
}
