/* net/socket.c - the stream of a TCP or Unix socket. See socket.h. */
#include "net/socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/net_internal.h"
#include "net/stream.h"

#define MAX_PARTS 8

struct socket_stream {
    struct stream base;
    struct loop *loop;
    size_t pending;     /* queued bytes the kernel has not taken */
    int error;          /* the peer is gone: reported once, nothing is written any more */
    bool shut;          /* shutdown asked for, once pending is 0 */
    bool close_pending; /* close asked for, once pending is 0 */
    struct later report;
    uv_shutdown_t shutdown;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
        struct socket_stream *next_free;
    } handle;
};

struct queued_write {
    uv_write_t req;
    size_t len;
    char data[];
};

static struct socket_stream *of(const struct stream *stream)
{
    return LIST_ENTRY(stream, struct socket_stream, base);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct socket_stream *s = handle->data;
    *buf = uv_buf_init(s->loop->read_buffer, sizeof(s->loop->read_buffer));
}

static void report_error(void *data)
{
    struct socket_stream *s = data;
    if (!s->base.closing)
        s->base.handler->on_error(s->base.data, s->error);
}

/* The peer is gone; told at the end of the turn, so that nobody is called back from a write. */
static void fail(struct socket_stream *s, int code)
{
    if (s->error != 0)
        return;
    s->error = code;
    s->base.reading = false;
    uv_read_stop(&s->handle.stream);
    loop_later(s->loop, &s->report);
}

static void on_read(uv_stream_t *handle, ssize_t nread, const uv_buf_t *buf)
{
    struct socket_stream *s = handle->data;
    if (nread > 0) {
        s->base.handler->on_read(s->base.data, slice_of(buf->base, (size_t)nread));
    } else if (nread == UV_EOF) {
        uv_read_stop(handle);
        s->base.reading = false;
        s->base.handler->on_eof(s->base.data);
    } else if (nread < 0) {
        fail(s, (int)nread);
    }
}

static void read_start(struct stream *stream)
{
    struct socket_stream *s = of(stream);
    if (s->error == 0)
        uv_read_start(&s->handle.stream, on_alloc, on_read);
}

static void read_stop(struct stream *stream)
{
    uv_read_stop(&of(stream)->handle.stream);
}

/* ---- closing ---- */

static void on_closed(uv_handle_t *handle)
{
    struct socket_stream *s = handle->data;
    struct loop *loop = s->loop;
    s->base.handler->on_close(s->base.data);
    s->handle.next_free = loop->free_sockets;
    loop->free_sockets = s;
}

static void close_now(struct socket_stream *s)
{
    uv_handle_t *handle = (uv_handle_t *)&s->handle.stream;
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

/* Closing sends a RST now. (uv_tcp_close_reset refuses once a shutdown was asked for.) */
static void drop_output(struct socket_stream *s)
{
    struct linger none = {.l_onoff = 1};
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&s->handle.stream, &fd) == 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void close_stream(struct stream *stream, bool reset)
{
    struct socket_stream *s = of(stream);
    uv_read_stop(&s->handle.stream);
    if (reset)
        drop_output(s);
    if (s->pending > 0 && s->error == 0 && !reset)
        s->close_pending = true;
    else
        close_now(s);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    (void)req; /* a failure shows as an error of the next read */
    (void)status;
}

static void shutdown_stream(struct stream *stream)
{
    struct socket_stream *s = of(stream);
    if (s->shut || s->error != 0)
        return;
    s->shut = true; /* libuv waits for queued writes itself */
    uv_shutdown(&s->shutdown, &s->handle.stream, on_shutdown);
}

/* ---- writing ---- */

static void on_written(uv_write_t *req, int status)
{
    struct queued_write *write = req->data;
    struct socket_stream *s = req->handle->data;
    s->pending -= write->len;
    free(write);
    if (uv_is_closing((uv_handle_t *)&s->handle.stream))
        return;
    if (s->close_pending) {
        if (s->pending == 0 || status != 0)
            close_now(s);
    } else if (status != 0) {
        fail(s, status);
    } else if (s->pending == 0) {
        s->base.handler->on_drain(s->base.data);
    }
}

/* Copy what lies behind the first `skip` bytes of the parts and queue it. */
static void queue_rest(struct socket_stream *s, const struct slice *parts, size_t nparts,
                       size_t skip, size_t total)
{
    struct queued_write *write = mem_alloc(sizeof(*write) + (total - skip));
    write->len = total - skip;
    size_t at = 0;
    for (size_t i = 0; i < nparts; i++) {
        struct slice rest = slice_from(parts[i], skip);
        skip -= parts[i].len - rest.len;
        if (rest.len > 0)
            memcpy(write->data + at, rest.data, rest.len);
        at += rest.len;
    }
    uv_buf_t buf = {.base = write->data, .len = write->len};
    write->req.data = write;
    s->pending += write->len;
    int rc = uv_write(&write->req, &s->handle.stream, &buf, 1, on_written);
    if (rc != 0) {
        s->pending -= write->len;
        free(write);
        fail(s, rc);
    }
}

static void write_parts(struct stream *stream, const struct slice *parts, size_t nparts)
{
    struct socket_stream *s = of(stream);
    assert(nparts <= MAX_PARTS && "too many parts for one write");
    if (s->error != 0)
        return;
    uv_buf_t bufs[MAX_PARTS] = {{0}};
    size_t total = 0;
    for (size_t i = 0; i < nparts; i++) {
        bufs[i].base = (char *)(uintptr_t)parts[i].data; /* libuv does not write to it */
        bufs[i].len = parts[i].len;
        total += parts[i].len;
    }
    int taken = 0;
    if (s->pending == 0) {
        taken = uv_try_write(&s->handle.stream, bufs, (unsigned)nparts);
        if (taken == UV_EAGAIN)
            taken = 0;
        if (taken < 0) {
            fail(s, taken);
            return;
        }
    }
    if ((size_t)taken < total)
        queue_rest(s, parts, nparts, (size_t)taken, total);
}

static int64_t send_file(struct stream *stream, int fd, int64_t *offset, uint64_t length)
{
    struct socket_stream *s = of(stream);
    uv_os_fd_t out;
    if (s->error != 0)
        return s->error;
    if (s->pending > 0 || uv_fileno((uv_handle_t *)&s->handle.stream, &out) != 0)
        return 0;
    /* 2 GiB is the most that one call takes on Linux. */
    size_t want = length > 0x7ffff000u ? 0x7ffff000u : (size_t)length;
    ssize_t n = sendfile(out, fd, offset, want);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    if (errno == EINVAL || errno == ENOSYS || errno == EIO) /* the file's fault, not the peer's */
        return QLUA_ELIMIT;
    fail(s, -errno);
    return s->error;
}

static size_t pending(const struct stream *stream)
{
    const struct socket_stream *s = of(stream);
    /* libuv's own count falls with every partial write, ours with whole ones. */
    return s->pending == 0 ? 0 : uv_stream_get_write_queue_size(&s->handle.stream);
}

/* What the kernel holds counts: it takes a large piece at once, and again only when a third of
 * its buffer is free, while a slow peer acknowledges all the time. */
static uint64_t backlog(const struct stream *stream)
{
    uv_os_fd_t fd;
    int queued = 0;
    if (uv_fileno((const uv_handle_t *)&of(stream)->handle.stream, &fd) != 0 ||
        ioctl(fd, SIOCOUTQ, &queued) != 0)
        queued = 0;
    return pending(stream) + (uint64_t)queued;
}

static bool has_input(const struct stream *stream)
{
    uv_os_fd_t fd;
    int waiting = 0;
    return uv_fileno((const uv_handle_t *)&of(stream)->handle.stream, &fd) == 0 &&
           ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

static void peer_of(const struct stream *stream, char *dst, size_t size, int *port)
{
    dst[0] = '\0';
    *port = 0;
    if (of(stream)->handle.stream.type != UV_TCP)
        return;
    struct sockaddr_storage addr;
    int len = sizeof(addr);
    if (uv_tcp_getpeername(&of(stream)->handle.tcp, (struct sockaddr *)&addr, &len) != 0)
        return;
    if (addr.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&addr;
        uv_ip4_name(in, dst, size);
        *port = ntohs(in->sin_port);
    } else if (addr.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&addr;
        uv_ip6_name(in6, dst, size);
        *port = ntohs(in6->sin6_port);
    }
}

static const struct stream_ops socket_ops = {
    .read_start = read_start,
    .read_stop = read_stop,
    .write = write_parts,
    .send_file = send_file,
    .shutdown = shutdown_stream,
    .close = close_stream,
    .pending = pending,
    .backlog = backlog,
    .has_input = has_input,
    .peer = peer_of,
};

/* ---- making ---- */

static int open_handle(struct socket_stream *s, struct loop *loop, int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    bool is_unix =
        getsockname(fd, (struct sockaddr *)&addr, &len) == 0 && addr.ss_family == AF_UNIX;
    int rc;
    if (is_unix) {
        uv_pipe_init(&loop->uv, &s->handle.pipe, 0);
        rc = uv_pipe_open(&s->handle.pipe, fd);
    } else {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        uv_tcp_init(&loop->uv, &s->handle.tcp);
        rc = uv_tcp_open(&s->handle.tcp, fd);
    }
    s->handle.stream.data = s;
    return rc;
}

static void on_never_opened(uv_handle_t *handle)
{
    free(handle->data);
}

struct stream *socket_stream_new(struct loop *loop, int fd)
{
    struct socket_stream *s = loop->free_sockets;
    if (s != NULL)
        loop->free_sockets = s->handle.next_free;
    else
        s = mem_alloc(sizeof(*s));
    *s = (struct socket_stream){0};
    s->loop = loop;
    s->base.ops = &socket_ops;
    s->report = (struct later){.fn = report_error, .data = s};
    if (open_handle(s, loop, fd) != 0) {
        close(fd);
        uv_close((uv_handle_t *)&s->handle.stream, on_never_opened);
        return NULL;
    }
    return &s->base;
}

void socket_free_spares(struct loop *loop)
{
    while (loop->free_sockets != NULL) {
        struct socket_stream *s = loop->free_sockets;
        loop->free_sockets = s->handle.next_free;
        free(s);
    }
}
