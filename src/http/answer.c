/* http/answer.c - the answer functions of request.h: head, body and pieces to the stream.
 *
 * Place in the flow: dispatch and bindings call these; what is written gathers in the
 * connection's output buffer and leaves in one write per read batch. Files are sent by
 * answer_file.c, compressed bodies by answer_coded.c.
 */
#include "base/err.h"
#include "http/conn_internal.h"
#include "http/status.h"
#include "net/stream.h"

/* A body up to this size is copied behind its head; a larger one goes out from where it lies. */
#define BODY_COPY_MAX (16 * 1024)
/* A buffer larger than this is not kept for the next connection. */
#define SPARE_MAX (512 * 1024)
/* What an early answer may leave unread of a body on a connection that is kept. */
#define UNREAD_MAX (256 * 1024)

/* ---- the output buffer ---- */

struct buf *conn_output(struct conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->output.cap == 0) {
        conn->output = server->spare;
        server->spare = (struct buf){0};
    }
    return &conn->output;
}

/* The output and `body`, in one system call when the kernel takes them. */
static void write_out(struct conn *conn, struct slice body)
{
    struct http_server *server = conn->server;
    struct slice parts[2] = {buf_view(&conn->output), body};
    if (conn->backlog > 0)
        conn_note_progress(conn);
    counter_add(&server->figures->bytes_out, parts[0].len + body.len);
    if (parts[0].len + body.len > 0)
        stream_write(conn->stream, parts, body.len > 0 ? 2 : 1); /* write is cheaper than writev */
    conn->output.len = 0;
    if (server->spare.cap == 0 && conn->output.cap <= SPARE_MAX) {
        server->spare = conn->output;
        conn->output = (struct buf){0};
    } else {
        buf_clear(&conn->output);
    }
}

void conn_flush(struct conn *conn)
{
    if (conn->output.cap > 0)
        write_out(conn, SLICE(""));
}

/* ---- the head ---- */

int answer_check(const struct answer *answer, struct err *err)
{
    if (answer->content_type.len > 0 && !header_value_is_valid(answer->content_type))
        return err_set(err, QLUA_ESYNTAX,
                       "the value of header \"Content-Type\" has a line break or another control "
                       "character; remove it");
    for (uint32_t i = 0; answer->headers != NULL && i < answer->headers->count; i++) {
        const struct field *field = &answer->headers->items[i];
        int shown = field->name.len > 100 ? 100 : (int)field->name.len;
        if (!header_name_is_valid(field->name))
            return err_set(err, QLUA_ESYNTAX,
                           "\"%.*s\" is not a header name; use letters, digits and \"-\"", shown,
                           field->name.data);
        if (!header_value_is_valid(field->value))
            return err_set(err, QLUA_ESYNTAX,
                           "the value of header \"%.*s\" has a line break or another control "
                           "character; remove it",
                           shown, field->name.data);
    }
    return 0;
}

static void append_field(struct buf *out, struct slice name, struct slice value)
{
    char *at = buf_reserve(out, name.len + value.len + 4);
    memcpy(at, name.data, name.len);
    at += name.len;
    *at++ = ':';
    *at++ = ' ';
    if (value.len > 0)
        memcpy(at, value.data, value.len);
    at += value.len;
    *at++ = '\r';
    *at++ = '\n';
    out->len = (size_t)(at - out->data);
}

/* Framing and connection fields are ours alone; Date and Server may be the app's. */
static bool is_ours(uint16_t id)
{
    return id == HEADER_CONTENT_LENGTH || id == HEADER_TRANSFER_ENCODING ||
           id == HEADER_CONNECTION || id == HEADER_KEEP_ALIVE || id == HEADER_UPGRADE;
}

static void append_fields(struct buf *out, const struct fields *headers, struct coding_head *coding,
                          bool *has_date, bool *has_server)
{
    for (uint32_t i = 0; headers != NULL && i < headers->count; i++) {
        const struct field *field = &headers->items[i];
        if (is_ours(field->id))
            continue;
        *has_date |= field->id == HEADER_DATE;
        *has_server |= field->id == HEADER_SERVER;
        if (coding->coding != CODING_NONE && coding_head_field(coding, field, out))
            continue;
        append_field(out, field->name, field->value);
    }
}

static void append_status(struct buf *out, int status)
{
    struct slice line = status_line(status);
    if (line.len > 0)
        buf_slice(out, line);
    else
        buf_printf(out, "HTTP/1.1 %d UNKNOWN\r\n", status);
}

/* RFC 9110 8.6: a 204 has no Content-Length; a 304 and an answer to HEAD may say what the length
 * would be. RFC 9112 6.1: no chunks for HTTP/1.0, whose body ends with the connection. */
static void append_framing(struct request *req, struct buf *out, const struct answer *answer)
{
    int status = answer->status;
    req->answer_to_head = req->method == METHOD_HEAD || status_forbids_body(status);
    req->answer_chunked = false;
    req->answer_left = req->answer_to_head ? -1 : answer->length;
    if (status_forbids_body(status) && (status != 304 || answer->length <= 0))
        return;
    if (answer->length >= 0) {
        buf_slice(out, SLICE("Content-Length: "));
        buf_uint(out, (uint64_t)answer->length);
        buf_slice(out, SLICE("\r\n"));
    } else if (req->http_minor > 0) {
        req->answer_chunked = !req->answer_to_head;
        buf_slice(out, SLICE("Transfer-Encoding: chunked\r\n"));
    } else if (!req->answer_to_head) {
        req->keep_alive = false;
    }
}

/* May the connection be used again? An answer that comes before the body has been read keeps it
 * only when little of it is left. */
static bool keeps_connection(const struct request *req)
{
    const struct conn *conn = req->conn;
    if (!req->keep_alive || conn->draining || conn->server->stopping)
        return false;
    if (conn->message_done || req->body_state != BODY_READING)
        return req->body_state < BODY_TOO_LARGE;
    return !req->expect_continue && req->content_length >= 0 &&
           (uint64_t)req->content_length - req->body_received <= UNREAD_MAX;
}

void conn_append_head(struct request *req, const struct answer *answer, enum coding coding)
{
    struct conn *conn = req->conn;
    struct http_server *server = conn->server;
    struct buf *out = conn_output(conn);
    size_t start = out->len;
    bool has_date = false, has_server = false;
    req->status = (uint16_t)answer->status;
    conn->stall_ms = req->stall_ms;
    append_status(out, answer->status);
    if (answer->content_type.len > 0)
        append_field(out, SLICE("Content-Type"), answer->content_type);
    struct coding_head said = {0};
    if (coding != CODING_NONE)
        said = coding_head_begin(coding, answer->headers);
    append_fields(out, answer->headers, &said, &has_date, &has_server);
    if (coding != CODING_NONE)
        coding_head_end(&said, answer->status, out);
    append_framing(req, out, answer);
    if (!has_date)
        buf_append(out, server->date, server->date_len);
    if (!has_server && server->settings.server_header.len > 0)
        append_field(out, SLICE("Server"), server->settings.server_header);
    req->keep_alive = keeps_connection(req);
    if (!req->keep_alive)
        buf_slice(out, SLICE("Connection: close\r\n"));
    else if (req->http_minor == 0)
        buf_slice(out, SLICE("Connection: keep-alive\r\n"));
    if (server->keep_heads)
        req->answer_head = arena_dup(&req->arena, slice_of(out->data + start, out->len - start));
    buf_slice(out, SLICE("\r\n"));
}

/* ---- the answer ---- */

void conn_answer_done(struct request *req)
{
    struct conn *conn = req->conn;
    req->answer_state = ANSWER_DONE;
    request_is_done(req);
    if (conn != NULL)
        conn_answered(conn);
}

bool conn_is_lost(const struct request *req)
{
    return req->conn == NULL || req->gone || req->answer_state == ANSWER_DONE;
}

void request_answer(struct request *req, const struct answer *answer, struct slice body)
{
    if (conn_is_lost(req))
        return;
    struct conn *conn = req->conn;
    struct answer whole = *answer;
    whole.length = (int64_t)body.len;
    enum coding coding = conn_coding(req, &whole);
    if (coding == CODING_GZIP)
        coding = conn_code_body(req, &whole, &body);
    conn_append_head(req, &whole, coding);
    if (conn->coded != NULL) {
        conn_send_coded_body(conn, body, answer->keeper);
        return;
    }
    if (!req->answer_to_head) {
        req->bytes_sent = body.len;
        if (body.len <= BODY_COPY_MAX)
            buf_slice(&conn->output, body);
        else
            write_out(conn, body);
    }
    conn_answer_done(req);
}

void request_answer_start(struct request *req, const struct answer *answer)
{
    if (conn_is_lost(req))
        return;
    struct answer head = *answer;
    enum coding coding = conn_coding(req, answer);
    if (coding == CODING_GZIP)
        coding = conn_code_stream(req, &head);
    conn_append_head(req, &head, coding);
    if (!req->answer_to_head)
        req->answer_left = answer->length; /* of what is written, compressed or not */
    req->answer_state = ANSWER_STREAMING;
    conn_flush(req->conn);
    conn_settle(req->conn);
}

bool request_answer_write(struct request *req, struct slice bytes, const struct keeper *keeper)
{
    if (conn_is_lost(req) || bytes.len == 0 || req->answer_to_head)
        return false;
    struct conn *conn = req->conn;
    if (req->answer_left >= 0) {
        if (bytes.len > (uint64_t)req->answer_left)
            bytes.len = (size_t)req->answer_left; /* more than was stated must not be sent */
        req->answer_left -= (int64_t)bytes.len;
    }
    if (conn->coded != NULL)
        return bytes.len > 0 && conn_write_coded(conn, bytes, keeper);
    req->bytes_sent += bytes.len;
    struct buf *out = conn_output(conn);
    if (req->answer_chunked)
        buf_printf(out, "%zx\r\n", bytes.len);
    if (bytes.len <= BODY_COPY_MAX)
        buf_slice(out, bytes);
    else
        write_out(conn, bytes);
    if (req->answer_chunked)
        buf_slice(conn_output(conn), SLICE("\r\n"));
    conn_flush(conn); /* each piece is sent as it is made */
    bool slow = stream_pending(conn->stream) >= CONN_HIGH_WATER;
    conn_settle(conn);
    return slow;
}

void request_answer_end(struct request *req)
{
    if (conn_is_lost(req))
        return;
    if (req->answer_left > 0) {
        request_abort(req);
        return;
    }
    if (req->conn->coded != NULL) {
        conn_end_coded(req->conn);
        return;
    }
    if (req->answer_chunked)
        buf_slice(conn_output(req->conn), SLICE("0\r\n\r\n"));
    conn_answer_done(req);
}

void request_abort(struct request *req)
{
    if (conn_is_lost(req))
        return;
    struct conn *conn = req->conn;
    conn_drop_coded(conn);
    req->answer_state = ANSWER_DONE; /* given up by us: nobody is to be told that the peer left */
    request_is_done(req);
    conn_close(conn, true);
}

void conn_refuse(struct conn *conn, int status)
{
    struct request *req = conn->req;
    req->keep_alive = false;
    req->stall_ms = conn->stall_ms; /* no route says one: that of the answer before */
    struct slice why = SLICE("");
    if (conn->stream->security == STREAM_MISTAKEN) {
        status = 400;
        why = SLICE("This port speaks HTTPS; the request came as plain HTTP. Use https:// in the "
                    "address.");
    }
    struct buf page = {0};
    status_page(&page, status, why);
    struct answer answer = {.status = status,
                            .content_type = SLICE("text/html; charset=utf-8"),
                            .length = (int64_t)page.len};
    conn_append_head(req, &answer, CODING_NONE);
    if (req->method != METHOD_HEAD || !conn->parser.in_body)
        buf_slice(&conn->output, buf_view(&page));
    buf_clear(&page);
    if (!conn->dispatched)
        counter_add(&conn->server->figures->requests, 1);
    if (conn->state == CONN_ACTIVE) { /* the handler has seen the head */
        req->answer_state = ANSWER_DONE;
        request_is_done(req);
    } else {
        request_count(req);
    }
    conn->dispatched = false;
    conn_linger(conn);
}
