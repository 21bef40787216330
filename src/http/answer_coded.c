/* http/answer_coded.c - answers whose body is compressed on its way out.
 *
 * Place in the flow: answer.c and answer_file.c come here when coding.h says gzip. A body that is
 * in memory and not large is compressed at once and has its length; any other is compressed piece
 * by piece, sent in chunks as they come out, and others have a turn after each piece. What the
 * peer has not taken holds the next piece back, so a body of any length needs little memory.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/compress.h"
#include "http/conn_internal.h"
#include "http/status.h"
#include "net/loop.h"
#include "net/stream.h"

/* A body up to this size is compressed at once: 3 ms of a processor. */
#define WHOLE_MAX (256 * 1024)
/* How much is compressed before others have a turn: less than a millisecond. */
#define TURN_BYTES ((size_t)64 * 1024)
/* Read from a file, or come out of the compressor, at once. */
#define PIECE (16 * 1024)
/* A buffer larger than this is not kept for the next answer. */
#define PACKED_MAX (512 * 1024)

struct coded_body {
    struct http_server *server;
    struct conn *conn; /* NULL: the answer is over, only the turn is still to come */
    struct compressor *compressor;
    struct later turn;
    struct slice rest; /* in memory and not yet compressed */
    struct buf copy;   /* ours, and where rest is, when nobody keeps it for us */
    void (*release)(void *kept);
    void *kept;   /* what keeps rest, for release; or NULL */
    size_t fed;   /* compressed since others had a turn */
    bool last;    /* with rest, or the file, the body ends */
    bool waiting; /* the writer was told to wait for on_drain */
};

/* ---- the body's life ---- */

static void on_turn(void *data)
{
    struct coded_body *coded = data;
    coded->fed = 0;
    if (coded->conn != NULL) {
        conn_send_coded(coded->conn);
        return;
    }
    coded->server->coded_bodies--;
    free(coded);
}

static bool begin(struct conn *conn)
{
    struct http_server *server = conn->server;
    struct compressor *compressor = compressors_take(&server->compressors);
    if (compressor == NULL)
        return false;
    struct coded_body *coded = mem_alloc(sizeof(*coded));
    *coded = (struct coded_body){.server = server,
                                 .conn = conn,
                                 .compressor = compressor,
                                 .turn = {.fn = on_turn, .data = coded}};
    server->coded_bodies++;
    conn->coded = coded;
    return true;
}

static void let_go(struct coded_body *coded)
{
    if (coded->kept != NULL)
        coded->release(coded->kept);
    coded->kept = NULL;
    buf_clear(&coded->copy);
    coded->rest = SLICE("");
}

void conn_drop_coded(struct conn *conn)
{
    struct coded_body *coded = conn->coded;
    if (coded == NULL)
        return;
    conn->coded = NULL;
    let_go(coded);
    compressors_give(&conn->server->compressors, &coded->compressor);
    coded->conn = NULL;
    if (!coded->turn.queued)
        on_turn(coded);
}

/* Keep rest beyond the call that brought it. */
static void keep(struct coded_body *coded, const struct keeper *keeper)
{
    if (keeper != NULL) {
        coded->kept = keeper->keep(keeper->data);
        coded->release = keeper->release;
        return;
    }
    buf_slice(&coded->copy, coded->rest);
    coded->rest = buf_view(&coded->copy);
}

/* A piece comes before the last one is done with: one behind the other, in our own memory. */
static void append(struct coded_body *coded, struct slice bytes)
{
    struct buf both = {0};
    buf_slice(&both, coded->rest);
    buf_slice(&both, bytes);
    let_go(coded);
    coded->copy = both;
    coded->rest = buf_view(&both);
}

/* ---- compressing ---- */

static void put(struct conn *conn, struct slice bytes)
{
    struct request *req = conn->req;
    struct buf *out = conn_output(conn);
    req->bytes_sent += bytes.len;
    if (req->answer_chunked)
        buf_printf(out, "%zx\r\n", bytes.len);
    buf_slice(out, bytes);
    if (req->answer_chunked)
        buf_slice(out, SLICE("\r\n"));
}

static void pack(struct conn *conn, struct slice input, enum compress_mode mode)
{
    struct coded_body *coded = conn->coded;
    char piece[PIECE];
    size_t n;
    coded->fed += input.len;
    do {
        n = compressor_run(coded->compressor, &input, mode, piece, sizeof(piece));
        if (n > 0)
            put(conn, slice_of(piece, n));
    } while (n == sizeof(piece)); /* full: there may be more */
}

/* A turn's worth of what is in memory. */
static void pack_memory(struct conn *conn)
{
    struct coded_body *coded = conn->coded;
    if (coded->rest.len == 0 || coded->fed >= TURN_BYTES)
        return;
    size_t room = TURN_BYTES - coded->fed;
    size_t len = coded->rest.len < room ? coded->rest.len : room;
    struct slice part = slice_of(coded->rest.data, len);
    coded->rest = slice_from(coded->rest, len);
    if (coded->rest.len > 0)
        pack(conn, part, COMPRESS_ON);
    else
        pack(conn, part, coded->last ? COMPRESS_END : COMPRESS_FLUSH);
    if (coded->rest.len == 0)
        let_go(coded);
}

/* A turn's worth of the file, as far as it is in memory. False: it is short, the answer is cut. */
static bool pack_file(struct conn *conn)
{
    char piece[PIECE];
    while (conn->coded->fed < TURN_BYTES && conn->file_left > 0) {
        uint64_t most = conn_warm_piece(conn, true);
        if (most == 0)
            break;
        ssize_t n = conn_read_file(conn, piece, most < PIECE ? (size_t)most : PIECE);
        if (n <= 0) {
            request_abort(conn->req);
            return false;
        }
        pack(conn, slice_of(piece, (size_t)n), conn->file_left == 0 ? COMPRESS_END : COMPRESS_ON);
    }
    return true;
}

/* ---- sending ---- */

static void finish(struct conn *conn)
{
    struct request *req = conn->req;
    conn_drop_coded(conn);
    if (conn->file_fd >= 0)
        close(conn->file_fd);
    conn->file_fd = -1;
    if (req->answer_chunked)
        buf_slice(conn_output(conn), SLICE("0\r\n\r\n"));
    conn_answer_done(req);
}

static bool has_more(const struct conn *conn)
{
    return conn->file_fd >= 0 ? conn->file_left > 0 : conn->coded->rest.len > 0;
}

void conn_send_coded(struct conn *conn)
{
    struct coded_body *coded = conn->coded;
    if (coded->turn.queued || conn->file_fetch != NULL)
        return; /* that goes on */
    if (conn->file_fd < 0)
        pack_memory(conn);
    else if (!pack_file(conn))
        return;
    if (coded->last && !has_more(conn)) {
        finish(conn);
        return;
    }
    conn_flush(conn);
    bool slow = stream_pending(conn->stream) >= CONN_HIGH_WATER; /* then on_drain goes on */
    if (!slow && has_more(conn) && conn->file_fetch == NULL)
        loop_later(conn->server->loop, &coded->turn);
    conn_settle(conn);
    if (!slow && coded->waiting && !has_more(conn)) {
        coded->waiting = false;
        conn->server->handler->on_drain(conn->server->data, conn->req);
    }
}

bool conn_write_coded(struct conn *conn, struct slice bytes, const struct keeper *keeper)
{
    struct coded_body *coded = conn->coded;
    if (coded->rest.len > 0 || coded->turn.queued) {
        append(coded, bytes);
    } else {
        coded->rest = bytes;
        pack_memory(conn);
        if (coded->rest.len > 0)
            keep(coded, keeper);
        conn_flush(conn);
    }
    if (coded->rest.len > 0 || coded->fed >= TURN_BYTES)
        loop_later(conn->server->loop, &coded->turn);
    coded->waiting = coded->turn.queued || stream_pending(conn->stream) >= CONN_HIGH_WATER;
    conn_settle(conn);
    return coded->waiting;
}

void conn_end_coded(struct conn *conn)
{
    struct coded_body *coded = conn->coded;
    coded->last = true;
    if (coded->rest.len > 0)
        return; /* finished when that is sent */
    pack(conn, SLICE(""), COMPRESS_END);
    finish(conn);
}

void conn_send_coded_body(struct conn *conn, struct slice body, const struct keeper *keeper)
{
    struct coded_body *coded = conn->coded;
    conn->req->answer_state = ANSWER_STREAMING;
    coded->last = true;
    coded->rest = body;
    pack_memory(conn);
    keep(coded, keeper); /* there is more: it is larger than WHOLE_MAX */
    conn_send_coded(conn);
}

void conn_send_coded_file(struct conn *conn)
{
    conn->coded->last = true;
    conn_send_coded(conn);
}

/* ---- which way ---- */

static bool is_bodyless(const struct request *req, const struct answer *answer)
{
    return req->method == METHOD_HEAD || status_forbids_body(answer->status);
}

enum coding conn_code_stream(struct request *req, struct answer *answer)
{
    if (answer->status == 304)
        return CODING_GZIP;
    if (!is_bodyless(req, answer) && !begin(req->conn))
        return CODING_VARIES;
    answer->length = -1;
    return CODING_GZIP;
}

enum coding conn_code_body(struct request *req, struct answer *answer, struct slice *body)
{
    struct http_server *server = req->server;
    if (body->len > WHOLE_MAX || answer->status == 304)
        return conn_code_stream(req, answer);
    struct compressor *compressor = compressors_take(&server->compressors);
    if (compressor == NULL)
        return CODING_VARIES;
    struct buf *packed = &server->packed;
    if (packed->cap > PACKED_MAX)
        buf_clear(packed);
    packed->len = 0;
    size_t bound = compressor_bound(compressor, body->len);
    char *at = buf_reserve(packed, bound);
    packed->len = compressor_run(compressor, body, COMPRESS_END, at, bound);
    compressors_give(&server->compressors, &compressor);
    *body = buf_view(packed);
    answer->length = (int64_t)packed->len;
    return CODING_GZIP;
}
