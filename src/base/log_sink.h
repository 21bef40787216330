/* base/log_sink.h - where the lines of a log go: whole, and without ever waiting.
 *
 * Place in the flow: base/log.c and server/access_log.c hand in whole lines; the supervisor opens
 * the files, workers inherit them and get new ones when they are opened again (SIGUSR1). A file
 * takes a line in one write at its end, so that several processes' lines do not mix. A pipe or
 * terminal whose reader is slow costs memory up to a limit and then lines, never time; a full disk
 * or a reader that is gone costs lines, which are counted.
 */
#ifndef QLUA_BASE_LOG_SINK_H
#define QLUA_BASE_LOG_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct log_sink {
    int fd;             /* where to; -1: nowhere */
    bool owned;         /* fd is ours to close */
    uint8_t kind;       /* how it takes bytes */
    bool torn;          /* what went out last was no whole line */
    int reason;         /* errno of the last failure */
    uint64_t lost;      /* lines that went nowhere; whoever tells of them sets it to 0 */
    struct buf waiting; /* lines for a reader that is slow */
};

/* Open the file of a log, to write at its end; it is made when it is not there. Close-on-exec.
 * Returns a descriptor or a negative errno (-ENXIO: a FIFO that nobody reads). */
int log_sink_open_file(const char *path);

/* Lines go to fd from now on. owned: fd is taken over; else it stays the caller's, like standard
 * error, whose flags (others share them) are left as they are. */
void log_sink_init(struct log_sink *sink, int fd, bool owned);
/* Write what waits, for at most `ms` milliseconds, and close what is owned. */
void log_sink_close(struct log_sink *sink, int ms);
/* The same file, opened again (or another): later lines go to fd, which is taken over. */
void log_sink_replace(struct log_sink *sink, int fd);
/* In a forked child: what waits is the parent's to write. */
void log_sink_forget(struct log_sink *sink);

/* Write whole lines, each with its line feed. False: some of them are lost (`lost` counts them). */
bool log_sink_write(struct log_sink *sink, struct slice lines);
/* Try again to write what waits. */
void log_sink_flush(struct log_sink *sink);

#endif
