/* server/access_log.c - one line per answer. See access_log.h. */
#include "server/access_log.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/request.h"
#include "net/loop.h"

/* Lines gather up to this size; whatever there is leaves at the end of the loop's turn. */
#define GATHER_MAX 32768

struct access_log {
    struct loop *loop;
    int fd;
    time_t stamped; /* the second that stamp shows */
    char stamp[40];
    struct buf lines;
    struct later flush;
};

void access_log_flush(struct access_log *log)
{
    for (size_t at = 0; at < log->lines.len;) {
        ssize_t n = write(log->fd, log->lines.data + at, log->lines.len - at);
        if (n <= 0)
            break; /* a log that cannot be written must not stop the server */
        at += (size_t)n;
    }
    log->lines.len = 0;
}

static void on_flush(void *data)
{
    access_log_flush(data);
}

struct access_log *access_log_new(struct loop *loop, int fd)
{
    struct access_log *log = mem_zalloc(sizeof(*log));
    log->loop = loop;
    log->fd = fd;
    log->flush = (struct later){.fn = on_flush, .data = log};
    return log;
}

void access_log_free(struct access_log *log)
{
    if (log == NULL)
        return;
    access_log_flush(log);
    buf_clear(&log->lines);
    free(log);
}

static const char *stamp_of(struct access_log *log)
{
    time_t now = time(NULL);
    if (now != log->stamped) {
        struct tm local;
        localtime_r(&now, &local);
        strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%d %H:%M:%S %z", &local);
        log->stamped = now;
    }
    return log->stamp;
}

/* What a client sent, without bytes that could drive a terminal. */
static void append_clean(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c >= 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
}

void access_log_write(struct access_log *log, struct request *req)
{
    struct buf *out = &log->lines;
    int port;
    struct slice peer = request_peer(req, &port);
    buf_printf(out, "[%s] [%d] [INFO] ", stamp_of(log), (int)getpid());
    if (peer.len > 0)
        buf_printf(out, "%.*s:%d", (int)peer.len, peer.data, port);
    else
        buf_cstr(out, "<local>");
    struct slice method = method_name(req->method);
    buf_printf(out, " %.*s ", (int)method.len, method.data);
    append_clean(out, req->target.raw_path);
    buf_printf(out, " 1.%d ", req->http_minor);
    if (req->status == 0)
        buf_cstr(out, "-"); /* the client left before there was one */
    else
        buf_uint(out, req->status);
    buf_char(out, ' ');
    if (req->bytes_sent > 0)
        buf_uint(out, req->bytes_sent);
    else
        buf_char(out, '-');
    buf_char(out, ' ');
    buf_uint(out, (clock_ns() - req->started_ns) / 1000);
    buf_char(out, '\n');
    if (out->len >= GATHER_MAX)
        access_log_flush(log);
    else
        loop_later(log->loop, &log->flush);
}
