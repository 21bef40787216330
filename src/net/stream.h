/* net/stream.h - bytes to and from one peer, behind one face.
 *
 * Place in the flow: listener -> stream -> http/conn. The face is a table of functions with
 * TCP and Unix sockets, TLS on one of these, and a memory stream behind it, so that the test
 * client, the fuzzers and the micro benchmark take the same way through parser and writer as a
 * socket.
 * Knows no HTTP; calls up through struct stream_handler.
 */
#ifndef QLUA_NET_STREAM_H
#define QLUA_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct stream;

/* Upward calls, filled by who owns the stream; `data` is stream->data. */
struct stream_handler {
    /* Bytes from the peer: borrowed until the callback returns. */
    void (*on_read)(void *data, struct slice bytes);
    /* The peer sends no more (it may still read). At most once. */
    void (*on_eof)(void *data);
    /* Reset, or a write failed: the peer is gone. At most once; only on_close follows. */
    void (*on_error)(void *data, int code);
    /* All queued output has been taken by the kernel. */
    void (*on_drain)(void *data);
    /* The last call: the stream's storage is about to be reused. */
    void (*on_close)(void *data);
};

struct stream_ops {
    void (*read_start)(struct stream *stream);
    void (*read_stop)(struct stream *stream);
    /* Write as much as goes at once; queue a copy of the rest. */
    void (*write)(struct stream *stream, const struct slice *parts, size_t nparts);
    /* Send up to `length` bytes of the file at *offset straight to the peer, advancing *offset.
     * Returns the bytes taken, 0 when the peer takes none now, or a negative code;
     * QLUA_ELIMIT when this stream cannot (the caller reads and writes instead). */
    int64_t (*send_file)(struct stream *stream, int fd, int64_t *offset, uint64_t length);
    /* Tell the peer that no more will be sent, once queued output is out. */
    void (*shutdown)(struct stream *stream);
    void (*close)(struct stream *stream, bool reset);
    /* Bytes accepted by write but not yet by the peer's side. */
    size_t (*pending)(const struct stream *stream);
    /* Bytes written which the peer's side has not acknowledged, as far as we can know: falls
     * whenever the peer takes something. */
    uint64_t (*backlog)(const struct stream *stream);
    /* Whether the peer has sent what was not read yet. */
    bool (*has_input)(const struct stream *stream);
    /* stream_peer. */
    void (*peer)(const struct stream *stream, char *dst, size_t size, int *port);
};

/* Who else can read what goes over a stream. */
enum stream_security {
    STREAM_PLAIN,     /* everybody on the way */
    STREAM_HANDSHAKE, /* nothing has come yet: TLS is being agreed on; on_drain tells its end */
    STREAM_SECURE,    /* nobody: TLS */
    STREAM_MISTAKEN   /* plain text where TLS was expected: it is passed on, both ways, so that the
                       * answer can say so */
};

struct stream {
    const struct stream_ops *ops;
    const struct stream_handler *handler;
    void *data;
    bool reading;
    bool closing;
    uint8_t security; /* enum stream_security */
};

static inline void stream_read_start(struct stream *stream)
{
    if (!stream->reading && !stream->closing) {
        stream->reading = true;
        stream->ops->read_start(stream);
    }
}

static inline void stream_read_stop(struct stream *stream)
{
    if (stream->reading) {
        stream->reading = false;
        stream->ops->read_stop(stream);
    }
}

/* At most 8 parts, in one system call when the kernel takes them. Nothing after close. */
static inline void stream_write(struct stream *stream, const struct slice *parts, size_t nparts)
{
    if (!stream->closing)
        stream->ops->write(stream, parts, nparts);
}

/* No more output follows: the peer sees the end once what is queued is out. */
static inline void stream_shutdown(struct stream *stream)
{
    if (!stream->closing)
        stream->ops->shutdown(stream);
}

static inline size_t stream_pending(const struct stream *stream)
{
    return stream->ops->pending(stream);
}

static inline uint64_t stream_backlog(const struct stream *stream)
{
    return stream->ops->backlog(stream);
}

static inline bool stream_has_input(const struct stream *stream)
{
    return stream->ops->has_input(stream);
}

/* Close after queued output has been given to the kernel (reset: at once, with a RST). */
static inline void stream_close(struct stream *stream, bool reset)
{
    if (!stream->closing) {
        stream->closing = true;
        stream->reading = false;
        stream->ops->close(stream, reset);
    }
}

/* The peer's address as text without port ("127.0.0.1", "::1"), "" for Unix and memory
 * streams; *port is 0 there. Written to dst (at least 64 bytes), NUL-terminated. */
static inline void stream_peer(const struct stream *stream, char *dst, size_t size, int *port)
{
    stream->ops->peer(stream, dst, size, port);
}

#endif
