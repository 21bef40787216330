/* net/resolve.h - the addresses of a host, looked up without stopping the loop.
 *
 * Place in the flow: store/redis_link asks before each connection, so that a name which has moved
 * is followed. A thread of the pool waits for the name service. Knows no ports.
 */
#ifndef QLUA_NET_RESOLVE_H
#define QLUA_NET_RESOLVE_H

#include <stddef.h>

struct loop;
struct resolve;

#define RESOLVE_MAX 8
/* Bytes of an IPv6 address with a zone, and a NUL. */
#define RESOLVE_ADDRESS_SIZE 64

/* What a lookup came to. */
struct resolved {
    char addresses[RESOLVE_MAX][RESOLVE_ADDRESS_SIZE]; /* numeric, best first (RFC 6724) */
    size_t count;                                      /* 0: failed */
    const char *error; /* why, in the words of getaddrinfo; static storage */
};

/* Look up a name (a numeric address is its own), then call fn(data, ...) in a later turn; what it
 * is given lives until it returns. NULL when there is not even a way to ask. */
struct resolve *resolve_new(struct loop *loop, const char *host,
                            void (*fn)(void *data, const struct resolved *resolved), void *data);
/* fn is not called any more. The thread may go on waiting for a while: loop_free waits for it. */
void resolve_cancel(struct resolve *resolve);

#endif
