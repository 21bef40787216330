/* net/memory.c - a stream without a socket. See memory.h. */
#include "net/memory.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"

struct memory_stream {
    struct stream base;
    struct loop *loop;
    struct buf *output;
    struct buf queued; /* written beyond the window */
    size_t window;
    size_t taken;
    bool shut;
    struct later closed;
    void (*watch)(void *data, bool closed);
    void *watch_data;
};

static struct memory_stream *of(const struct stream *stream)
{
    return LIST_ENTRY(stream, struct memory_stream, base);
}

static void tell(const struct memory_stream *m, bool closed)
{
    if (m->watch != NULL)
        m->watch(m->watch_data, closed);
}

static void no_op(struct stream *stream)
{
    (void)stream; /* feed asks stream->reading itself */
}

static void take(struct memory_stream *m, struct slice bytes)
{
    size_t n = bytes.len;
    if (m->window > 0) {
        size_t room = m->window > m->taken ? m->window - m->taken : 0;
        if (m->queued.len > 0)
            room = 0;
        n = n < room ? n : room;
        m->taken += n;
    }
    buf_append(m->output, bytes.data, n);
    buf_append(&m->queued, bytes.data + n, bytes.len - n);
}

static void write_parts(struct stream *stream, const struct slice *parts, size_t nparts)
{
    assert(!of(stream)->shut && "written after the end of output");
    for (size_t i = 0; i < nparts; i++)
        if (parts[i].len > 0)
            take(of(stream), parts[i]);
    tell(of(stream), false);
}

static int64_t send_file(struct stream *stream, int fd, int64_t *offset, uint64_t length)
{
    (void)stream;
    (void)fd;
    (void)offset;
    (void)length;
    return QLUA_ELIMIT;
}

static void shutdown_stream(struct stream *stream)
{
    of(stream)->shut = true;
    tell(of(stream), false);
}

static void on_closed(void *data)
{
    struct memory_stream *m = data;
    m->base.handler->on_close(m->base.data);
    buf_clear(&m->queued);
    free(m);
}

static void close_stream(struct stream *stream, bool reset)
{
    struct memory_stream *m = of(stream);
    if (!reset && m->queued.len > 0) {
        buf_slice(m->output, buf_view(&m->queued));
        m->queued.len = 0;
    }
    m->shut = true;
    tell(m, true);
    loop_later(m->loop, &m->closed);
}

static size_t pending(const struct stream *stream)
{
    return of(stream)->queued.len;
}

static uint64_t backlog(const struct stream *stream)
{
    return pending(stream);
}

/* What comes is given to the handler at once. */
static bool has_input(const struct stream *stream)
{
    (void)stream;
    return false;
}

static void peer_of(const struct stream *stream, char *dst, size_t size, int *port)
{
    (void)stream;
    (void)size;
    dst[0] = '\0';
    *port = 0;
}

static const struct stream_ops memory_ops = {
    .read_start = no_op,
    .read_stop = no_op,
    .write = write_parts,
    .send_file = send_file,
    .shutdown = shutdown_stream,
    .close = close_stream,
    .pending = pending,
    .backlog = backlog,
    .has_input = has_input,
    .peer = peer_of,
};

struct stream *memory_stream_new(struct loop *loop, struct buf *output, size_t window)
{
    struct memory_stream *m = mem_zalloc(sizeof(*m));
    m->base.ops = &memory_ops;
    m->loop = loop;
    m->output = output;
    m->window = window;
    m->closed = (struct later){.fn = on_closed, .data = m};
    return &m->base;
}

void memory_stream_watch(struct stream *stream, void (*fn)(void *data, bool closed), void *data)
{
    of(stream)->watch = fn;
    of(stream)->watch_data = data;
}

bool memory_stream_feed(struct stream *stream, struct slice bytes)
{
    if (!stream->reading || stream->closing)
        return false;
    stream->handler->on_read(stream->data, bytes);
    return true;
}

void memory_stream_eof(struct stream *stream)
{
    if (!stream->closing) {
        stream->reading = false;
        stream->handler->on_eof(stream->data);
    }
}

void memory_stream_reset(struct stream *stream)
{
    if (!stream->closing)
        stream->handler->on_error(stream->data, QLUA_ECLOSED);
}

void memory_stream_drain(struct stream *stream)
{
    struct memory_stream *m = of(stream);
    m->taken = 0;
    if (m->queued.len == 0 || stream->closing)
        return;
    size_t n = m->window > 0 && m->queued.len > m->window ? m->window : m->queued.len;
    buf_append(m->output, m->queued.data, n);
    m->taken = n;
    buf_shift(&m->queued, n);
    if (m->queued.len == 0)
        stream->handler->on_drain(stream->data);
}

bool memory_stream_is_closed(const struct stream *stream)
{
    return stream->closing || of(stream)->shut;
}
