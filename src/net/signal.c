/* net/signal.c - signals as events of the loop. See signal.h. */
#include "net/signal.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/net_internal.h"

struct signal_watch {
    uv_signal_t handle;
    void (*fn)(void *data, int number);
    void *data;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct signal_watch *watch = handle->data;
    watch->fn(watch->data, number);
}

struct signal_watch *signal_watch_new(struct loop *loop, int number,
                                      void (*fn)(void *data, int number), void *data)
{
    struct signal_watch *watch = mem_zalloc(sizeof(*watch));
    watch->fn = fn;
    watch->data = data;
    watch->handle.data = watch;
    uv_signal_init(&loop->uv, &watch->handle);
    if (uv_signal_start(&watch->handle, on_signal, number) != 0) {
        signal_watch_free(watch);
        return NULL;
    }
    return watch;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void signal_watch_free(struct signal_watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->handle, on_closed);
}
