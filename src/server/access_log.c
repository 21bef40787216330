/* server/access_log.c - one line per answer. See access_log.h. */
#include "server/access_log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/log_sink.h"
#include "base/mem.h"
#include "http/access_format.h"
#include "http/request.h"
#include "http/request_id.h"
#include "net/loop.h"

/* Lines gather up to this size; whatever there is leaves at the end of the loop's turn. */
#define GATHER_MAX 32768
/* Quart's own line, behind a stamp. */
#define USUAL "%(h)s %(r)s %(s)s %(b)s %(D)s"
/* Lines that are lost are told of so often at most. */
#define TELL_MS 60000

struct access_log {
    struct loop *loop;
    struct log_sink *sink;
    const struct log *log;
    struct access_format *format;
    bool stamped;          /* lines begin with the stamp of the log's lines */
    bool json;             /* lines are objects; format is not used */
    int64_t second;        /* what the texts below show */
    char stamp[LOG_STAMP]; /* "2026-01-31 12:00:00 +0000" */
    char date[LOG_STAMP];  /* "31/Jan/2026:12:00:00 +0000" */
    char iso[LOG_STAMP];   /* "2026-01-31T12:00:00" and ... */
    char zone[LOG_STAMP];  /* ... "+00:00" */
    uint64_t told;         /* when lost lines were told of; 0: never */
    struct buf lines;
    struct later flush;
};

void access_log_flush(struct access_log *log)
{
    if (log->lines.len > 0)
        log_sink_write(log->sink, buf_view(&log->lines));
    log->lines.len = 0;
}

static void on_flush(void *data)
{
    access_log_flush(data);
}

struct access_log *access_log_new(struct loop *loop, struct log_sink *sink, const struct log *log,
                                  const char *format)
{
    struct access_log *access = mem_zalloc(sizeof(*access));
    access->loop = loop;
    access->sink = sink;
    access->log = log;
    access->stamped = format == NULL;
    access->json = log->json && format == NULL;
    access->format = access_format_new(format == NULL ? USUAL : format, NULL);
    assert(access->format != NULL); /* config_finish has tried it */
    access->flush = (struct later){.fn = on_flush, .data = access};
    return access;
}

void access_log_free(struct access_log *log)
{
    if (log == NULL)
        return;
    access_log_flush(log);
    access_format_free(log->format);
    buf_clear(&log->lines);
    free(log);
}

bool access_log_needs_heads(const struct access_log *log)
{
    return access_format_needs_heads(log->format);
}

void access_log_tick(struct access_log *log)
{
    struct log_sink *sink = log->sink;
    uint64_t now = clock_ms();
    log_sink_flush(sink);
    if (sink->lost == 0 || (log->told != 0 && now - log->told < TELL_MS))
        return;
    log_write(log->log, LOG_WARNING, "%llu lines of the access log were lost: %s",
              (unsigned long long)sink->lost,
              sink->reason == EAGAIN ? "its reader is too slow" : err_text(-sink->reason));
    sink->lost = 0;
    log->told = now;
}

/* The texts of this second. */
static void read_clock(struct access_log *log, int64_t seconds)
{
    if (seconds == log->second)
        return;
    time_t now = (time_t)seconds;
    struct tm local = {0};
    localtime_r(&now, &local);
    strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%d %H:%M:%S %z", &local);
    strftime(log->date, sizeof(log->date), "%d/%b/%Y:%H:%M:%S %z", &local);
    log_stamp(seconds, log->iso, log->zone);
    log->second = seconds;
}

static void append_string(struct buf *out, const char *name, struct slice text)
{
    if (text.len == 0)
        return;
    buf_printf(out, ",\"%s\":\"", name);
    escape_json(out, text, true);
    buf_char(out, '"');
}

static void append_header(struct buf *out, const char *name, const struct request *req,
                          enum header_id id)
{
    const struct field *field = fields_get_id(&req->headers, id);
    append_string(out, name, field == NULL ? SLICE("") : field->value);
}

static void append_json(struct access_log *log, struct buf *out, struct request *req, int64_t ms,
                        uint64_t took_us)
{
    int port;
    struct slice method = method_name(req->method);
    struct slice peer = request_peer(req, &port);
    buf_printf(out, "{\"time\":\"%s.%03d%s\",\"level\":\"info\",\"logger\":\"access\"", log->iso,
               (int)(ms % 1000), log->zone);
    buf_printf(out, ",\"message\":\"%.*s ", (int)method.len, method.data);
    escape_json(out, req->target.raw_path, true);
    buf_printf(out, " %d\",\"pid\":%d", req->status, (int)getpid());
    if (log->log->worker != 0)
        buf_printf(out, ",\"worker\":%d", log->log->worker);
    append_string(out, "request_id", request_id(req));
    append_string(out, "remote_addr", peer.len == 0 ? SLICE("<local>") : peer);
    if (port != 0)
        buf_printf(out, ",\"remote_port\":%d", port);
    append_string(out, "method", method);
    append_string(out, "path", req->target.raw_path);
    buf_printf(out, ",\"http_version\":\"1.%d\"", req->http_minor);
    if (req->status != 0) /* else the client left before there was one */
        buf_printf(out, ",\"status\":%d", req->status);
    buf_printf(out, ",\"bytes\":%llu,\"duration_us\":%llu", (unsigned long long)req->bytes_sent,
               (unsigned long long)took_us);
    append_string(out, "scheme", request_scheme(req));
    append_string(out, "host", req->host);
    append_header(out, "referer", req, HEADER_REFERER);
    append_header(out, "user_agent", req, HEADER_USER_AGENT);
    buf_char(out, '}');
}

void access_log_write(struct access_log *log, struct request *req)
{
    struct buf *out = &log->lines;
    int64_t ms = clock_date_ms();
    uint64_t took_us = (clock_ns() - req->started_ns) / 1000;
    read_clock(log, ms / 1000);
    if (log->json) {
        append_json(log, out, req, ms, took_us);
    } else {
        struct access_moment moment = {slice_cstr(log->date), took_us, log->log->worker};
        if (log->stamped)
            buf_printf(out, "[%s] [%d] [INFO] ", log->stamp, (int)getpid());
        access_format_append(log->format, out, req, &moment);
    }
    buf_char(out, '\n');
    if (out->len >= GATHER_MAX)
        access_log_flush(log);
    else
        loop_later(log->loop, &log->flush);
}
