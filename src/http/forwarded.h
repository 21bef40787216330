/* http/forwarded.h - proxies that are trusted, and what they say of a request.
 *
 * Place in the flow: the worker makes a struct trust of the setting trusted_proxies; server/
 * dispatch lets it rewrite each request that comes from such a proxy, before it is looked up:
 * client, scheme, host and prefix then are those the proxy saw. Knows no Lua.
 */
#ifndef QLUA_HTTP_FORWARDED_H
#define QLUA_HTTP_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct request;
struct trust;

/* Is this an address, a network (10.0.0.0/8, fc00::/7) or "unix"? */
bool trust_is_valid(const char *text);

/* What these texts name; each must be valid. NULL when there are none. */
struct trust *trust_new(const char *const *texts, size_t count);
void trust_free(struct trust *trust);

/* Is the address among them? "" is the peer of a Unix socket. */
bool trust_has(const struct trust *trust, struct slice address);

/* Are the request's peer, and all for whom X-Forwarded-For, Forwarded and X-Real-IP say that it
 * asks, among them? Of the request as received. */
bool trust_has_all(const struct trust *trust, struct request *req);

/* Take over what trusted proxies say, when the request comes from one: X-Forwarded-For is walked
 * from the right past trusted addresses to the client; -Proto, -Host and -Prefix count from the
 * outermost of these proxies. Forwarded (RFC 7239) does the same when it alone is there. */
void trust_apply(const struct trust *trust, struct request *req);

#endif
