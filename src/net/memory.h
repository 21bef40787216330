/* net/memory.h - a stream without a socket.
 *
 * Place in the flow: the test client, the fuzz target of connections and the micro benchmark
 * feed bytes here and read what was answered, through the same parser and writer as a socket.
 */
#ifndef QLUA_NET_MEMORY_H
#define QLUA_NET_MEMORY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct loop;
struct stream;

/* A stream whose output is appended to *output (the caller's). With `window` above 0 at most
 * that many bytes are taken before memory_stream_drain: a peer that reads slowly. */
struct stream *memory_stream_new(struct loop *loop, struct buf *output, size_t window);
/* Call fn(data, false) whenever output was taken or its end was said, and fn(data, true) when the
 * other side has closed: the stream must not be used from then on. fn may not touch the stream;
 * NULL: nobody is told. */
void memory_stream_watch(struct stream *stream, void (*fn)(void *data, bool closed), void *data);
/* The peer sends bytes. Whatever the other side does with them happens inside this call, as far
 * as it reads; false when it does not read at the moment (nothing was delivered). */
bool memory_stream_feed(struct stream *stream, struct slice bytes);
/* The peer sends no more. */
void memory_stream_eof(struct stream *stream);
/* The peer resets the connection. */
void memory_stream_reset(struct stream *stream);
/* The peer has read what was taken: take more of what is queued. */
void memory_stream_drain(struct stream *stream);
/* The other side has closed (or shut down its writing). */
bool memory_stream_is_closed(const struct stream *stream);

#endif
