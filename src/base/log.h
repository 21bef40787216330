/* base/log.h - the levelled log: one line per event.
 *
 * Place in the flow: the supervisor opens the target, workers inherit it (base/log_sink.h); whoever
 * logs is handed a struct log (there is no global one). A line is one write(2), so that lines
 * of several processes do not mix. A text of several lines (a traceback) is one event.
 */
#ifndef QLUA_BASE_LOG_H
#define QLUA_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;
struct log_sink;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL };

struct log {
    int fd;                /* where lines go when there is no sink; borrowed */
    enum log_level level;  /* lines below are dropped */
    bool json;             /* one JSON object a line instead of text */
    int worker;            /* the worker's id; 0: another process */
    struct log_sink *sink; /* borrowed; NULL in short-lived commands */
};

/* One event; what it does not have is empty. */
struct log_event {
    enum log_level level;
    struct slice logger;     /* whose it is; "" is "qlua" */
    struct slice request_id; /* of the request that was being answered */
    struct slice message;
    struct slice traceback; /* what comes on further lines, or in JSON in a field of its own */
};

/* As text: "[2026-01-31 12:00:00 +0000] [PID] [LEVEL] message" and a line feed, "[REQUEST ID]"
 * before the level when there is one. Control bytes other than line feed and tab, and what is no
 * UTF-8, are written as \xNN, so that input cannot forge lines or drive a terminal.
 * In JSON: {"time","level","logger","message","pid","worker","request_id","traceback"}, the last
 * three where there is one; ASCII whatever is logged. */
void log_event(const struct log *log, const struct log_event *event);

/* Events of qlua's own. */
void log_write(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_text(const struct log *log, enum log_level level, struct slice text);
/* LOG_ERROR with a traceback, NUL-terminated. */
void log_trace(const struct log *log, const char *traceback, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline bool log_wants(const struct log *log, enum log_level level)
{
    return level >= log->level;
}

/* "debug", "info", "warning", "error", "critical" -> level, -1 for anything else. */
int log_level_of(struct slice name);

/* Append text with control bytes but line feed and tab, and what is no UTF-8, as \xNN. */
void log_clean(struct buf *out, struct slice text);

/* Longest text of log_stamp, with its NUL. */
#define LOG_STAMP 48
/* The time of an event as RFC 3339 without a fraction, in two parts between which one may stand:
 * "2026-01-31T12:00:00" and "+00:00". Returns the length of the first. */
size_t log_stamp(int64_t seconds, char *first, char *zone);

#endif
