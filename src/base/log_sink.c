/* base/log_sink.c - where the lines of a log go. See log_sink.h. */
#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much waits for a slow reader; lines beyond it are lost. */
#define WAITING_MAX ((size_t)1 << 20)

enum sink_kind {
    SINK_FILE,   /* never makes a writer wait for long */
    SINK_STREAM, /* our own, non-blocking view of a pipe or terminal */
    SINK_SOCKET, /* send() that does not wait */
    SINK_GUARDED /* blocking, and not to be opened anew: asked before each small write */
};

int log_sink_open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    return fd >= 0 ? fd : -errno;
}

/* A pipe or terminal that others write to as well: its flags are theirs, too, and must not change.
 * Opening it anew gives flags of our own. */
static int open_anew(int fd)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static uint8_t kind_of(int fd)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return SINK_FILE;
    if (S_ISSOCK(st.st_mode))
        return SINK_SOCKET;
    if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
        return SINK_FILE;
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? SINK_STREAM : SINK_GUARDED;
}

void log_sink_init(struct log_sink *sink, int fd, bool owned)
{
    *sink = (struct log_sink){.fd = fd, .owned = owned, .kind = kind_of(fd)};
    if (sink->kind != SINK_GUARDED || owned)
        return;
    int own = open_anew(fd);
    if (own < 0)
        return;
    sink->fd = own;
    sink->owned = true;
    sink->kind = SINK_STREAM;
}

void log_sink_replace(struct log_sink *sink, int fd)
{
    log_sink_flush(sink);
    if (sink->owned)
        close(sink->fd);
    sink->fd = fd;
    sink->owned = true;
    sink->kind = kind_of(fd);
    sink->torn = false;
    sink->reason = 0;
}

void log_sink_forget(struct log_sink *sink)
{
    sink->waiting.len = 0;
    sink->lost = 0;
}

/* As much of text as may go out at once: whole lines of at most PIPE_BUF bytes, which a pipe takes
 * in one piece. A longer line goes out as it is, but for a guarded sink. */
static size_t piece_of(const struct log_sink *sink, struct slice text)
{
    if (sink->kind == SINK_FILE || text.len <= PIPE_BUF)
        return text.len;
    const char *end = memrchr(text.data, '\n', PIPE_BUF);
    if (end != NULL)
        return (size_t)(end - text.data) + 1;
    if (sink->kind == SINK_GUARDED)
        return PIPE_BUF;
    end = memchr(text.data, '\n', text.len);
    return end != NULL ? (size_t)(end - text.data) + 1 : text.len;
}

/* write(2), in the way that does not wait. */
static ssize_t put(const struct log_sink *sink, struct slice text)
{
    if (sink->kind == SINK_SOCKET)
        return send(sink->fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sink->kind == SINK_GUARDED) {
        struct pollfd asked = {.fd = sink->fd, .events = POLLOUT};
        if (poll(&asked, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
    }
    return write(sink->fd, text.data, text.len);
}

/* Write what can be written now. Returns how many bytes; reason says why not all. */
static size_t push(struct log_sink *sink, struct slice text)
{
    size_t done = 0;
    while (done < text.len) {
        struct slice rest = slice_from(text, done);
        rest.len = piece_of(sink, rest);
        ssize_t n = put(sink, rest);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            sink->reason = n == 0 ? ENOSPC : errno;
            break;
        }
        done += (size_t)n;
    }
    if (done > 0)
        sink->torn = text.data[done - 1] != '\n';
    return done;
}

static uint64_t count_lines(struct slice text)
{
    uint64_t lines = 0;
    const char *at = text.data;
    const char *end = text.data + text.len;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        lines++;
        at++;
    }
    return lines;
}

/* What follows a line that was cut begins on a line of its own. */
static void mend(struct log_sink *sink)
{
    if (sink->torn && push(sink, SLICE("\n")) == 1)
        sink->torn = false;
}

void log_sink_flush(struct log_sink *sink)
{
    if (sink->waiting.len == 0)
        return;
    size_t done = push(sink, buf_view(&sink->waiting));
    buf_shift(&sink->waiting, done);
    if (sink->waiting.len == 0) {
        buf_clear(&sink->waiting);
    } else if (sink->reason != EAGAIN) {
        sink->lost += count_lines(buf_view(&sink->waiting));
        buf_clear(&sink->waiting);
    }
}

bool log_sink_write(struct log_sink *sink, struct slice lines)
{
    log_sink_flush(sink);
    if (sink->waiting.len == 0) {
        mend(sink); /* fails as the rest will */
        size_t done = push(sink, lines);
        lines = slice_from(lines, done);
        if (lines.len == 0)
            return true;
        if (sink->reason != EAGAIN) {
            sink->lost += count_lines(lines);
            return false;
        }
    }
    if (sink->waiting.len > 0 && sink->waiting.len + lines.len > WAITING_MAX) {
        sink->lost += count_lines(lines);
        return false;
    }
    buf_slice(&sink->waiting, lines);
    return true;
}

void log_sink_close(struct log_sink *sink, int ms)
{
    log_sink_flush(sink);
    for (int left = ms; sink->waiting.len > 0 && left > 0; left -= 10) {
        poll(NULL, 0, 10);
        log_sink_flush(sink);
    }
    buf_clear(&sink->waiting);
    if (sink->owned)
        close(sink->fd);
    *sink = (struct log_sink){.fd = -1};
}
