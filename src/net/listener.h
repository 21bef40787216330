/* net/listener.h - accepts connections on sockets that the supervisor opened.
 *
 * Place in the flow: first room of the request's way: listener -> stream -> http/conn.
 */
#ifndef QLUA_NET_LISTENER_H
#define QLUA_NET_LISTENER_H

#include <stdbool.h>

struct listener;
struct loop;
struct log;
struct stream;

/* Accept on the listening socket fd (stays the caller's) and hand each connection to
 * on_accept(data, stream). */
struct listener *listener_new(struct loop *loop, const struct log *log, int fd,
                              void (*on_accept)(void *data, struct stream *stream), void *data);
/* Stop accepting for now (too many connections), and go on. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);
/* Accept what is queued already, then stop for good and free. */
void listener_drain(struct listener *listener);

#endif
