/* base/log.c - the levelled log. See log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/log_sink.h"
#include "base/utf8.h"

static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
static const char *const level_words[] = {"debug", "info", "warning", "error", "critical"};

int log_level_of(struct slice name)
{
    for (int i = 0; i <= LOG_CRITICAL; i++)
        if (slice_eq(name, slice_cstr(level_words[i])))
            return i;
    return -1;
}

void log_clean(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.data[i];
        uint32_t code = c;
        size_t n = c < 0x80 ? 1 : utf8_decode(slice_from(text, i), &code);
        bool control = (c < 0x20 && c != '\n' && c != '\t') || (code >= 0x7f && code < 0xa0);
        if (!control && code != UINT32_MAX)
            buf_append(out, text.data + i, n);
        else
            for (size_t k = 0; k < n; k++)
                buf_printf(out, "\\x%02x", (unsigned char)text.data[i + k]);
        i += n;
    }
}

size_t log_stamp(int64_t seconds, char *first, char *zone)
{
    time_t now = (time_t)seconds;
    struct tm local = {0};
    localtime_r(&now, &local);
    long minutes = local.tm_gmtoff / 60;
    snprintf(zone, LOG_STAMP, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', labs(minutes) / 60,
             labs(minutes) % 60);
    return strftime(first, LOG_STAMP, "%Y-%m-%dT%H:%M:%S", &local);
}

/* Some hand in a message and its traceback as one text. */
static struct log_event with_traceback(struct log_event event)
{
    static const char header[] = "\nstack traceback:\n";
    struct slice text = event.message;
    const char *at = text.len == 0 || event.traceback.len > 0
                         ? NULL
                         : memmem(text.data, text.len, header, sizeof(header) - 1);
    if (at != NULL) {
        event.message.len = (size_t)(at - text.data);
        event.traceback = slice_from(text, event.message.len + 1);
    }
    return event;
}

static void append_json(struct buf *line, const struct log *log, struct log_event event)
{
    event = with_traceback(event);
    char first[LOG_STAMP];
    char zone[LOG_STAMP];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    log_stamp(now.tv_sec, first, zone);
    buf_printf(line, "{\"time\":\"%s.%03ld%s\",\"level\":\"%s\",\"logger\":\"", first,
               now.tv_nsec / 1000000, zone, level_words[event.level]);
    escape_json(line, event.logger.len > 0 ? event.logger : SLICE("qlua"), true);
    buf_cstr(line, "\",\"message\":\"");
    escape_json(line, event.message, true);
    buf_printf(line, "\",\"pid\":%d", (int)getpid());
    if (log->worker != 0)
        buf_printf(line, ",\"worker\":%d", log->worker);
    if (event.request_id.len > 0) {
        buf_cstr(line, ",\"request_id\":\"");
        escape_json(line, event.request_id, true);
        buf_char(line, '"');
    }
    if (event.traceback.len > 0) {
        buf_cstr(line, ",\"traceback\":\"");
        escape_json(line, event.traceback, true);
        buf_char(line, '"');
    }
    buf_cstr(line, "}\n");
}

static void append_text(struct buf *line, const struct log_event *event)
{
    char stamp[64];
    time_t now = time(NULL);
    struct tm local = {0};
    localtime_r(&now, &local);
    strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S %z", &local);
    buf_printf(line, "[%s] [%d] ", stamp, (int)getpid());
    if (event->request_id.len > 0) {
        buf_char(line, '[');
        log_clean(line, event->request_id);
        buf_cstr(line, "] ");
    }
    buf_printf(line, "[%s] ", level_names[event->level]);
    log_clean(line, event->message);
    if (event->traceback.len > 0) {
        buf_char(line, '\n');
        log_clean(line, event->traceback);
    }
    buf_char(line, '\n');
}

static void append(struct buf *line, const struct log *log, const struct log_event *event)
{
    if (log->json)
        append_json(line, log, *event);
    else
        append_text(line, event);
}

/* Lines were lost since the last one: that comes first, if anything gets through now. */
static void append_loss(struct buf *line, const struct log *log)
{
    char text[160];
    int len = snprintf(text, sizeof(text), "%llu lines of the log were lost: %s",
                       (unsigned long long)log->sink->lost,
                       log->sink->reason == EAGAIN ? "its reader is too slow"
                                                   : err_text(-log->sink->reason));
    struct log_event event = {.level = LOG_WARNING, .message = slice_of(text, (size_t)len)};
    append(line, log, &event);
}

/* Without a sink: a command's few lines, on standard error. */
static void write_plain(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n <= 0)
            return;
        text = slice_from(text, (size_t)n);
    }
}

void log_event(const struct log *log, const struct log_event *event)
{
    if (!log_wants(log, event->level))
        return;
    struct buf line = {0};
    struct log_sink *sink = log->sink;
    uint64_t lost = sink != NULL ? sink->lost : 0;
    if (lost > 0)
        append_loss(&line, log);
    append(&line, log, event);
    if (sink == NULL) {
        write_plain(log->fd, buf_view(&line));
    } else {
        sink->lost = 0;
        if (!log_sink_write(sink, buf_view(&line)) && lost > 0)
            sink->lost += lost - 1; /* the line that told of them is none */
    }
    buf_clear(&line);
}

void log_text(const struct log *log, enum log_level level, struct slice text)
{
    struct log_event event = {.level = level, .message = text};
    log_event(log, &event);
}

/* Log what a format gives; `event` has the rest. */
static void write_format(const struct log *log, struct log_event event, const char *format,
                         va_list args)
{
    char fixed[1024];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(fixed, sizeof(fixed), format, args);
    if (n >= 0 && (size_t)n < sizeof(fixed)) {
        event.message = slice_of(fixed, (size_t)n);
        log_event(log, &event);
    } else if (n > 0) {
        struct buf text = {0};
        vsnprintf(buf_reserve(&text, (size_t)n + 1), (size_t)n + 1, format, again);
        text.len = (size_t)n;
        event.message = buf_view(&text);
        log_event(log, &event);
        buf_clear(&text);
    }
    va_end(again);
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    if (!log_wants(log, level))
        return;
    struct log_event event = {.level = level};
    va_list args;
    va_start(args, format);
    write_format(log, event, format, args);
    va_end(args);
}

void log_trace(const struct log *log, const char *traceback, const char *format, ...)
{
    if (!log_wants(log, LOG_ERROR))
        return;
    struct log_event event = {.level = LOG_ERROR,
                              .traceback = slice_cstr(traceback == NULL ? "?" : traceback)};
    va_list args;
    va_start(args, format);
    write_format(log, event, format, args);
    va_end(args);
}
