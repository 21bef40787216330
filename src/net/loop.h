/* net/loop.h - the worker's event loop.
 *
 * Place in the flow: the root of everything that waits. One loop a worker; listeners, streams,
 * timers and watched descriptors hang on it. uv.h does not leave this room: other rooms wait
 * through timer.h, stream.h, file.h, resolve.h and loop_watch.
 */
#ifndef QLUA_NET_LOOP_H
#define QLUA_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct watch;

/* Bytes of the read buffer which all streams of a loop share. */
#define LOOP_READ_SIZE 65536

struct loop *loop_new(void);
/* Closes what is still open on it and frees it. Not from inside loop_run. */
void loop_free(struct loop *loop);

/* Run until loop_stop. Callbacks run here and nowhere else. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* One turn: what is ready now; with wait, sleep until something is. */
void loop_turn(struct loop *loop, bool wait);

/* Monotonic milliseconds as of this turn of the loop. */
uint64_t loop_now(const struct loop *loop);
/* Monotonic nanoseconds when this was first asked in this turn: the clock is read once a turn. */
uint64_t loop_now_ns(struct loop *loop);
/* Read the clock again, after a callback that took long. */
void loop_update_now(struct loop *loop);

/* Call fn(data) whenever descriptor fd is readable, until unwatched. The descriptor stays the
 * caller's. NULL when fd cannot be watched. */
struct watch *loop_watch(struct loop *loop, int fd, void (*fn)(void *data), void *data);
/* Call on_writable(data) as well whenever the descriptor is writable; NULL: no more. An error of
 * the descriptor calls fn, whose read meets it. */
void loop_watch_writable(struct watch *watch, void (*on_writable)(void *data));
/* Neither is called any more. The descriptor may be closed right after. */
void loop_unwatch(struct watch *watch);

/* Call fn(data) once at the end of this turn, before the loop sleeps (at most one such call is
 * kept per `struct later`). */
struct later {
    struct later *next;
    void (*fn)(void *data);
    void *data;
    bool queued;
};
void loop_later(struct loop *loop, struct later *later);

#endif
