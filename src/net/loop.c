/* net/loop.c - the worker's event loop. See loop.h. */
#include "net/loop.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/net_internal.h"
#include "net/socket.h"

/* Of the time, as much goes to whom the loop lets go first: one part in so many. */
#define GIVE_WAY_SHARE 5

struct watch {
    uv_poll_t poll;
    void (*fn)(void *data);
    void (*on_writable)(void *data); /* NULL: only reading is watched */
    void *data;
};

/* The loop will not sleep. Whom its answers have just woken may wait for this very processor, and
 * would until the scheduler's next tick, 4 ms as Linux is mostly built: it goes first. Not when
 * that takes long, because somebody else has much to do there: then the scheduler's word is fair.
 */
static void give_way(struct loop *loop)
{
    uint64_t began = clock_ns();
    if (began < loop->give_way_at)
        return;
    sched_yield();
    uint64_t now = clock_ns();
    loop->give_way_at = now + (now - began) * (GIVE_WAY_SHARE - 1);
}

/* Only what was queued before this turn's end: a callback that puts itself off again runs in
 * the next turn, after input has been read. */
static void run_later(struct loop *loop)
{
    struct later *list = loop->later;
    loop->later = NULL;
    loop->later_end = &loop->later;
    while (list != NULL) {
        struct later *later = list;
        list = later->next;
        later->queued = false;
        later->fn(later->data);
    }
    if (loop->later == NULL)
        uv_idle_stop(&loop->idle);
    else
        give_way(loop);
}

/* The last before the loop sleeps. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    run_later(loop);
    loop->turn_ns = 0;
}

/* Its only use is that the loop does not sleep while it is started. */
static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

struct loop *loop_new(void)
{
    struct loop *loop = mem_zalloc(sizeof(*loop));
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return NULL;
    }
    loop->uv.data = loop;
    uv_timer_init(&loop->uv, &loop->alarm);
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_idle_init(&loop->uv, &loop->idle);
    loop->alarm.data = loop->prepare.data = loop->idle.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    loop->later_end = &loop->later;
    wheel_init(&loop->wheel, uv_now(&loop->uv));
    return loop;
}

static void close_handle(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    uv_walk(&loop->uv, close_handle, NULL);
    while (uv_loop_alive(&loop->uv))    /* a stop asked for earlier ends one run at once; */
        uv_run(&loop->uv, UV_RUN_ONCE); /* a thread of the pool may take its time */
    int rc = uv_loop_close(&loop->uv);
    assert(rc == 0 && "a handle outlived its loop");
    (void)rc;
    socket_free_spares(loop);
    free(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

void loop_turn(struct loop *loop, bool wait)
{
    loop->in_turn = true;
    uv_run(&loop->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    loop->in_turn = false;
}

uint64_t loop_now(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

uint64_t loop_now_ns(struct loop *loop)
{
    if (loop->turn_ns == 0)
        loop->turn_ns = clock_ns();
    return loop->turn_ns;
}

void loop_update_now(struct loop *loop)
{
    uv_update_time(&loop->uv);
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    if ((events & UV_WRITABLE) && watch->on_writable != NULL)
        watch->on_writable(watch->data);
    /* an error is seen by the reader, whose read fails */
    if (((events & UV_READABLE) || status != 0) && !uv_is_closing((uv_handle_t *)poll))
        watch->fn(watch->data);
}

struct watch *loop_watch(struct loop *loop, int fd, void (*fn)(void *data), void *data)
{
    struct watch *watch = mem_zalloc(sizeof(*watch));
    if (uv_poll_init(&loop->uv, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->fn = fn;
    watch->data = data;
    uv_poll_start(&watch->poll, UV_READABLE, on_watch);
    return watch;
}

void loop_watch_writable(struct watch *watch, void (*on_writable)(void *data))
{
    if (watch->on_writable == on_writable)
        return;
    watch->on_writable = on_writable;
    uv_poll_start(&watch->poll, UV_READABLE | (on_writable != NULL ? UV_WRITABLE : 0), on_watch);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void loop_unwatch(struct watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

void loop_later(struct loop *loop, struct later *later)
{
    if (later->queued)
        return;
    later->queued = true;
    later->next = NULL;
    *loop->later_end = later;
    loop->later_end = &later->next;
    uv_idle_start(&loop->idle, on_idle);
}
