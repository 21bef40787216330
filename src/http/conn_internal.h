/* http/conn_internal.h - what the files of a connection share.
 *
 * Place in the flow: inside http/ only. conn.c reads and decides, conn_time.c sets deadlines,
 * answer.c writes.
 */
#ifndef QLUA_HTTP_CONN_INTERNAL_H
#define QLUA_HTTP_CONN_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "http/coding.h"
#include "http/handler.h"
#include "http/parser.h"
#include "http/request.h"
#include "net/timer.h"

#include <sys/types.h>

struct coded_body;
struct file_fetch;
struct stream;

enum conn_state {
    CONN_IDLE,   /* between requests: nothing of the next one has arrived */
    CONN_HEAD,   /* part of a head has arrived */
    CONN_ACTIVE, /* a request is with the handler, or its body or answer is under way */
    CONN_LINGER, /* the last answer is written: input is dropped until the peer has it and closes */
    CONN_CLOSED  /* stream_close was called: only on_close follows */
};

struct conn {
    struct list node; /* in server->conns */
    struct http_server *server;
    struct stream *stream;
    struct request *req; /* being read or answered; NULL when idle */
    struct parser parser;
    struct timer timer;
    uint64_t deadline;      /* loop milliseconds; 0: none. The timer may be due earlier. */
    uint64_t since;         /* when it became idle, the head began, or it began to linger */
    uint64_t last_input;    /* when body bytes (LINGER: any) came last */
    uint64_t backlog;       /* output the peer had not taken when last looked at; 0: none */
    uint64_t last_progress; /* when the peer last took output */
    struct buf input;       /* read and not yet parsed: behind a parked request */
    struct buf output;      /* written and not yet given to the stream */
    uint8_t state;          /* enum conn_state */
    bool message_done;      /* the whole of req has been parsed */
    bool dispatched;        /* req was handed to the handler */
    bool in_batch;          /* conn_process is running: it flushes at its end */
    bool eof;               /* the peer sends no more */
    bool has_more;          /* process() holds input behind the message just parsed */
    bool draining;          /* the server stops: close when idle for drain_ms */
    uint32_t drain_ms;
    uint32_t stall_ms; /* RESPONSE_TIMEOUT of the latest answer; 0: none */
    int file_fd;       /* being sent as the body, or -1 */
    int64_t file_offset;
    uint64_t file_left;
    int64_t file_warm;             /* up to here it is known to be in memory */
    struct file_fetch *file_fetch; /* a piece is being read into memory, or NULL */
    struct coded_body *coded;      /* the body is compressed as it is sent, or NULL */
    struct conn *next_free;
};

/* Output queued above which producers wait and pipelined requests are not begun. */
#define CONN_HIGH_WATER (256 * 1024)
/* Body bytes held for a reader that does not take them, above which reading stops. */
#define CONN_BODY_WATER (64 * 1024)
/* Unparsed input behind a parked request, above which reading stops. */
#define CONN_INPUT_WATER (64 * 1024)

struct request *request_new(struct http_server *server, struct conn *conn);
/* The answer is out, or given up: count it and tell the handler, for the last time. */
void request_is_done(struct request *req);
/* The same for one that the handler has not seen. */
void request_count(struct request *req);

/* Give what was written to the stream, and the buffer back to the server. */
void conn_flush(struct conn *conn);
/* The answer of conn->req is whole (or given up): go on with the next request, or close. */
void conn_answered(struct conn *conn);
/* Readable or not, deadline: decide anew after something changed. */
void conn_settle(struct conn *conn);
/* Called by conn->timer. */
void conn_on_timer(struct timer *timer);
/* Holds as much of the body as it may: nothing is read until the handler takes some. */
bool conn_body_is_full(const struct conn *conn);
/* Look whether the peer has taken output; before every write to a peer that is behind. */
void conn_note_progress(struct conn *conn);
/* Close now, whatever is queued; with reset the peer sees that something went wrong. */
void conn_close(struct conn *conn, bool reset);
/* The last answer is written: drop what still comes until the peer has taken it and closes. */
void conn_linger(struct conn *conn);
/* No request follows: close once the peer has taken what is written. */
void conn_end(struct conn *conn);
/* Parse what was kept behind a parked request or a full body, if that may be now. */
void conn_resume(struct conn *conn);
/* Answer with a default page from here and close: the request cannot be handed up. */
void conn_refuse(struct conn *conn, int status);

/* ---- what the answer*.c files share ---- */

/* Where to write what the peer is to get; conn_flush sends it. */
struct buf *conn_output(struct conn *conn);
/* Write the head. Framing goes by answer->length. */
void conn_append_head(struct request *req, const struct answer *answer, enum coding coding);
/* The last byte of the answer is written. */
void conn_answer_done(struct request *req);
/* Nobody is there to read the answer. */
bool conn_is_lost(const struct request *req);

/* Send on from the file being sent, as far as the peer takes it. */
void conn_send_file(struct conn *conn);
/* How much of the file may be read now without waiting for the disk; 0: conn_send_file, or
 * conn_send_coded, goes on when a thread has read it. So it does when it is not in_turn: others
 * have a turn. */
uint64_t conn_warm_piece(struct conn *conn, bool in_turn);
/* Read on in the file: bytes read, 0 or less when it is shorter than it was. */
ssize_t conn_read_file(struct conn *conn, char *dst, size_t size);

/* What becomes of this answer, whose length is that of its body as it is (-1: not known). */
static inline enum coding conn_coding(const struct request *req, const struct answer *answer)
{
    const struct coding_rules *rules = req->server->settings.coding;
    return rules == NULL ? CODING_NONE : coding_of(rules, req, answer);
}

/* CODING_GZIP was decided. A body that comes in pieces, or as a file: settle the framing, and
 * unless none is to be sent, conn->coded. Returns CODING_VARIES when that cannot be now. */
enum coding conn_code_stream(struct request *req, struct answer *answer);
/* The same for a body in memory: when it is not large *body is its compressed form (valid until
 * the next answer), and conn->coded is left alone. */
enum coding conn_code_body(struct request *req, struct answer *answer, struct slice *body);
/* With conn->coded: send this body or the file whole, from here on without more calls. */
void conn_send_coded_body(struct conn *conn, struct slice body, const struct keeper *keeper);
void conn_send_coded_file(struct conn *conn);
/* With conn->coded: send a piece. True: wait for on_drain. */
bool conn_write_coded(struct conn *conn, struct slice bytes, const struct keeper *keeper);
/* No piece follows. */
void conn_end_coded(struct conn *conn);
/* The peer takes more, or a piece of the file is in memory: go on. */
void conn_send_coded(struct conn *conn);
/* Let go of it; does nothing when there is none. */
void conn_drop_coded(struct conn *conn);

#endif
