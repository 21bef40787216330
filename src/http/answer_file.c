/* http/answer_file.c - answers whose body is a file: request_answer_file.
 *
 * Place in the flow: bind/respond hands an open file down; it goes to the stream by sendfile, or
 * in pieces when the peer or the stream does not take that. What is not in memory is read by a
 * thread first. A body that is to be compressed is read here and sent by answer_coded.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/conn_internal.h"
#include "net/file.h"
#include "net/stream.h"

#define FILE_PIECE (64 * 1024)
/* Of a file: what is sent at once, read into memory at once, and sent before others have a turn. */
#define FILE_WINDOW (512 * 1024)
#define FILE_TURN   (8 * FILE_WINDOW)

static void file_sent(struct conn *conn)
{
    close(conn->file_fd);
    conn->file_fd = -1;
    conn_answer_done(conn->req);
}

ssize_t conn_read_file(struct conn *conn, char *dst, size_t size)
{
    size_t want = conn->file_left < size ? (size_t)conn->file_left : size;
    ssize_t n;
    do
        n = pread(conn->file_fd, dst, want, conn->file_offset);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        conn->file_offset += n;
        conn->file_left -= (uint64_t)n;
    }
    return n;
}

/* Read a piece and write it: what sendfile does not take. False when the file is short. */
static bool copy_piece(struct conn *conn)
{
    char *piece = mem_alloc(FILE_PIECE);
    ssize_t n = conn_read_file(conn, piece, FILE_PIECE);
    if (n > 0) {
        struct slice part = slice_of(piece, (size_t)n);
        stream_write(conn->stream, &part, 1);
        counter_add(&conn->server->figures->bytes_out, (uint64_t)n);
        conn->req->bytes_sent += (uint64_t)n;
    }
    free(piece);
    return n > 0;
}

static void on_fetched(void *data)
{
    struct conn *conn = data;
    conn->file_fetch = NULL;
    if (conn->coded != NULL)
        conn_send_coded(conn);
    else
        conn_send_file(conn);
}

uint64_t conn_warm_piece(struct conn *conn, bool in_turn)
{
    int64_t at = conn->file_offset;
    if (at >= conn->file_warm) {
        size_t piece = conn->file_left < FILE_WINDOW ? (size_t)conn->file_left : FILE_WINDOW;
        conn->file_warm = at + (int64_t)piece;
        if (!in_turn || !file_is_warm(conn->file_fd, at, piece))
            conn->file_fetch =
                file_fetch_new(conn->server->loop, conn->file_fd, at, piece, on_fetched, conn);
        if (conn->file_fetch != NULL)
            return 0;
    }
    uint64_t warm = (uint64_t)(conn->file_warm - at);
    return warm < conn->file_left ? warm : conn->file_left;
}

/* Hand a piece to the stream. False when it is to be given up: the file is short, or the stream
 * has failed and will say so itself. */
static bool send_piece(struct conn *conn, uint64_t most)
{
    int64_t n = 0;
    if (stream_pending(conn->stream) == 0)
        n = conn->stream->ops->send_file(conn->stream, conn->file_fd, &conn->file_offset, most);
    if (n > 0) {
        counter_add(&conn->server->figures->bytes_out, (uint64_t)n);
        conn->file_left -= (uint64_t)n;
        conn->req->bytes_sent += (uint64_t)n;
        return true;
    }
    if (n < 0 && n != QLUA_ELIMIT)
        return false;
    /* The kernel takes no more now: queue a piece and go on when it is taken. */
    if (copy_piece(conn))
        return true;
    request_abort(conn->req); /* shorter than what was promised: only a cut says so */
    return false;
}

void conn_send_file(struct conn *conn)
{
    int64_t begin = conn->file_offset;
    while (conn->file_fetch == NULL && conn->file_left > 0) {
        uint64_t most = conn_warm_piece(conn, conn->file_offset - begin < FILE_TURN);
        if (most == 0)
            break;
        if (!send_piece(conn, most))
            return;
        if (stream_pending(conn->stream) > 0)
            break;
    }
    if (conn->file_left == 0)
        file_sent(conn);
    else
        conn_settle(conn);
}

void request_answer_file(struct request *req, const struct answer *answer, int fd, int64_t offset,
                         uint64_t length)
{
    if (conn_is_lost(req)) {
        close(fd);
        return;
    }
    struct conn *conn = req->conn;
    struct answer whole = *answer;
    whole.length = (int64_t)length;
    enum coding coding = conn_coding(req, &whole);
    if (coding == CODING_GZIP)
        coding = conn_code_stream(req, &whole);
    conn_append_head(req, &whole, coding);
    if (req->answer_to_head || length == 0) {
        close(fd);
        conn_answer_done(req);
        return;
    }
    conn_flush(conn);
    req->answer_state = ANSWER_STREAMING;
    conn->file_fd = fd;
    conn->file_offset = offset;
    conn->file_left = length;
    conn->file_warm = 0;
    if (conn->coded != NULL)
        conn_send_coded_file(conn);
    else
        conn_send_file(conn);
}
