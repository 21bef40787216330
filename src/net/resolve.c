/* net/resolve.c - the addresses of a host, looked up without stopping the loop. See resolve.h. */
#include "net/resolve.h"

#include <netdb.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/net_internal.h"

struct resolve {
    uv_getaddrinfo_t request;
    void (*fn)(void *data, const struct resolved *resolved); /* NULL: cancelled */
    void *data;
};

/* The numeric forms of what was found; getnameinfo asks nobody for those. */
static void collect(struct resolved *resolved, const struct addrinfo *found)
{
    for (; found != NULL && resolved->count < RESOLVE_MAX; found = found->ai_next) {
        char *text = resolved->addresses[resolved->count];
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, RESOLVE_ADDRESS_SIZE, NULL, 0,
                        NI_NUMERICHOST) == 0)
            resolved->count++;
    }
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct resolve *resolve = request->data;
    if (resolve->fn != NULL) {
        struct resolved resolved = {.error = status == 0 ? "no address" : uv_strerror(status)};
        collect(&resolved, found);
        resolve->fn(resolve->data, &resolved);
    }
    uv_freeaddrinfo(found);
    free(resolve);
}

struct resolve *resolve_new(struct loop *loop, const char *host,
                            void (*fn)(void *data, const struct resolved *resolved), void *data)
{
    /* one entry an address, not one for each kind of socket */
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolve *resolve = mem_zalloc(sizeof(*resolve));
    resolve->fn = fn;
    resolve->data = data;
    resolve->request.data = resolve;
    if (uv_getaddrinfo(&loop->uv, &resolve->request, on_resolved, host, NULL, &hints) == 0)
        return resolve;
    free(resolve);
    return NULL;
}

void resolve_cancel(struct resolve *resolve)
{
    if (resolve == NULL)
        return;
    resolve->fn = NULL;
    uv_cancel((uv_req_t *)&resolve->request); /* while it has no thread yet */
}
