/* net/listener.c - accepts connections. See listener.h. */
#include "net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/timer.h"

/* Connections taken in one turn: the rest waits for the next, so that requests are served and
 * other workers get their share. */
#define ACCEPT_BATCH    64
#define ACCEPT_RETRY_MS 100

struct listener {
    struct loop *loop;
    const struct log *log;
    int fd;
    bool paused;
    struct watch *watch;
    struct timer retry; /* out of descriptors: try again soon */
    void (*on_accept)(void *data, struct stream *stream);
    void *data;
};

static void on_readable(void *data);

static void watch_start(struct listener *l)
{
    if (l->watch == NULL && !l->paused)
        l->watch = loop_watch(l->loop, l->fd, on_readable, l);
}

static void watch_stop(struct listener *l)
{
    loop_unwatch(l->watch);
    l->watch = NULL;
}

/* True when another connection may be waiting. */
static bool accept_one(struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        struct stream *stream = socket_stream_new(l->loop, fd);
        if (stream != NULL)
            l->on_accept(l->data, stream);
        return true;
    }
    if (errno == EINTR || errno == ECONNABORTED)
        return true;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log_write(l->log, LOG_ERROR,
                  "cannot accept a connection: %s; raise rlimit_nofile or lower max_connections",
                  err_text(-errno));
        watch_stop(l);
        timer_start(l->loop, &l->retry, ACCEPT_RETRY_MS);
    }
    return false;
}

static void on_readable(void *data)
{
    struct listener *l = data;
    for (int i = 0; i < ACCEPT_BATCH && !l->paused; i++)
        if (!accept_one(l))
            return;
}

static void on_retry(struct timer *timer)
{
    watch_start(LIST_ENTRY(timer, struct listener, retry));
}

struct listener *listener_new(struct loop *loop, const struct log *log, int fd,
                              void (*on_accept)(void *data, struct stream *stream), void *data)
{
    struct listener *l = mem_zalloc(sizeof(*l));
    l->loop = loop;
    l->log = log;
    l->fd = fd;
    l->on_accept = on_accept;
    l->data = data;
    timer_init(&l->retry, on_retry);
    watch_start(l);
    return l;
}

void listener_pause(struct listener *l)
{
    l->paused = true;
    watch_stop(l);
}

void listener_resume(struct listener *l)
{
    l->paused = false;
    if (!timer_is_started(&l->retry))
        watch_start(l);
}

void listener_drain(struct listener *l)
{
    if (l == NULL)
        return;
    l->paused = false;
    while (accept_one(l))
        ;
    watch_stop(l);
    timer_stop(&l->retry);
    free(l);
}
