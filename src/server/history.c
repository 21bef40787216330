/* server/history.c - what has happened to the service. See history.h. */
#include "server/history.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void history_restart(struct history *history, enum restart_reason reason, uint64_t now,
                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(history->restart, sizeof(history->restart), format, args);
    va_end(args);
    history->restart_ms = now;
    counter_add(&history->service->restarts[reason], 1);
}

void history_reload(struct history *history, bool ok, const char *text, uint64_t now)
{
    snprintf(history->reload, sizeof(history->reload), "%.*s", (int)strcspn(text, "\n"), text);
    history->reload_ms = now;
    counter_add(&history->service->reloads, 1);
    counter_add(&history->service->reloads_failed, ok ? 0 : 1);
    counter_set(&history->service->reload_failed, ok ? 0 : 1);
}
