/* base/log.h - the levelled log: one line per event.
 *
 * Place in the flow: the supervisor opens the target, workers inherit its descriptor; whoever
 * logs is handed a struct log (there is no global one). A line is one write(2), so that lines
 * of several processes do not mix. A text of several lines (a traceback) is one event.
 */
#ifndef QLUA_BASE_LOG_H
#define QLUA_BASE_LOG_H

#include <stdbool.h>

#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL };

struct log {
    int fd;               /* borrowed; standard error unless configured */
    enum log_level level; /* lines below are dropped */
    bool json;            /* one JSON object a line instead of text */
};

/* "[2026-01-31 12:00:00 +0000] [PID] [LEVEL] text" and a line feed. Control bytes other than
 * line feed and tab are written as \xNN, so that input cannot forge lines or drive a terminal. */
void log_write(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_text(const struct log *log, enum log_level level, struct slice text);

static inline bool log_wants(const struct log *log, enum log_level level)
{
    return level >= log->level;
}

/* "debug", "info", "warning", "error", "critical" -> level, -1 for anything else. */
int log_level_of(struct slice name);

#endif
