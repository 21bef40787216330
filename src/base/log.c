/* base/log.c - the levelled log. See log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"

static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
static const char *const level_words[] = {"debug", "info", "warning", "error", "critical"};

int log_level_of(struct slice name)
{
    for (int i = 0; i <= LOG_CRITICAL; i++)
        if (slice_eq(name, slice_cstr(level_words[i])))
            return i;
    return -1;
}

/* Text without bytes that a terminal or a line reader would take for something else. */
static void append_clean(struct buf *line, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            buf_printf(line, "\\x%02x", c);
        else
            buf_char(line, (char)c);
    }
}

static void write_whole(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n <= 0)
            return; /* a log that cannot be written must not stop the server */
        text = slice_from(text, (size_t)n);
    }
}

void log_text(const struct log *log, enum log_level level, struct slice text)
{
    if (!log_wants(log, level))
        return;
    char stamp[64];
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    struct buf line = {0};
    if (log->json) {
        strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &local);
        buf_printf(&line, "{\"time\":\"%s\",\"pid\":%d,\"level\":\"%s\",\"message\":\"", stamp,
                   (int)getpid(), level_words[level]);
        escape_json(&line, text, true);
        buf_cstr(&line, "\"}\n");
    } else {
        strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S %z", &local);
        buf_printf(&line, "[%s] [%d] [%s] ", stamp, (int)getpid(), level_names[level]);
        append_clean(&line, text);
        buf_char(&line, '\n');
    }
    write_whole(log->fd, buf_view(&line));
    buf_clear(&line);
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    if (!log_wants(log, level))
        return;
    char fixed[1024];
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(fixed, sizeof(fixed), format, args);
    if (n >= 0 && (size_t)n < sizeof(fixed)) {
        log_text(log, level, slice_of(fixed, (size_t)n));
    } else if (n > 0) {
        struct buf text = {0};
        vsnprintf(buf_reserve(&text, (size_t)n + 1), (size_t)n + 1, format, again);
        text.len = (size_t)n;
        log_text(log, level, buf_view(&text));
        buf_clear(&text);
    }
    va_end(again);
    va_end(args);
}
