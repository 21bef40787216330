/* net/socket.h - the stream of a TCP or Unix socket.
 *
 * Place in the flow: net/listener makes one per accepted connection; http/conn uses it through
 * the face of stream.h only.
 */
#ifndef QLUA_NET_SOCKET_H
#define QLUA_NET_SOCKET_H

struct loop;
struct stream;

/* A stream on the connected socket fd, which it owns from here on (closed on failure too).
 * TCP_NODELAY is set. The storage is the loop's, reused after on_close. NULL on failure. */
struct stream *socket_stream_new(struct loop *loop, int fd);

/* Free the loop's spare streams; called by loop_free. */
void socket_free_spares(struct loop *loop);

#endif
