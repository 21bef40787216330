/* bind/lookup.c - from a request to what answers it. See lookup.h. */
#include "bind/lookup.h"

#include <string.h>

#include "base/buf.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/handover.h"
#include "bind/route.h"
#include "route/quote.h"
#include "route/table.h"

/* ---- routing ---- */

/* The host as rules know it: lower case, without the scheme's own port. */
static struct slice routed_host(const struct route_table *routes, struct request *req)
{
    if (!route_table_uses_host(routes))
        return SLICE("");
    struct slice host = host_without_default_port(req->host, request_is_secure(req));
    for (size_t i = 0; i < host.len; i++) {
        if (host.data[i] < 'A' || host.data[i] > 'Z')
            continue;
        char *lower = arena_alloc(&req->arena, host.len);
        for (size_t k = 0; k < host.len; k++)
            lower[k] = ascii_lower(host.data[k]);
        return slice_of(lower, host.len);
    }
    return host;
}

static struct route_query query_of(struct exchange *x, const struct route_custom *custom)
{
    return (struct route_query){
        .method = (int)request_method(x->req),
        .path = x->req->target.path,
        .host = routed_host(x->generation->routes, x->req),
        .custom = custom,
        .arena = &x->req->arena,
    };
}

void lookup_route(struct exchange *x, struct lua_State *L)
{
    struct request *req = x->req;
    struct route_custom custom = {.accept = handover_convert, .data = x};
    struct route_query query = query_of(x, &custom);
    x->converting = L;
    if (req->target.form == TARGET_ASTERISK)
        x->outcome = ROUTE_NOT_FOUND;
    else
        x->outcome = (uint8_t)route_match(x->generation->routes, &query, &x->match);
    const struct generation_limits *limits =
        generation_limits_of(x->generation, x->outcome == ROUTE_FOUND ? x->match.rule : -1);
    req->max_body = limits->max_content_length;
    req->body_timeout_ms = limits->body_timeout_ms;
    req->body_stall_ms = limits->body_stall_ms;
    req->stall_ms = limits->response_timeout_ms;
    x->budget.limit = limits->cpu_limit_ns;
}

uint64_t lookup_allowed(struct exchange *x)
{
    if (x->generation->routes == NULL || x->req->target.form == TARGET_ASTERISK)
        return 0;
    struct route_query query = query_of(x, NULL);
    return route_allowed(x->generation->routes, &query);
}

/* ---- what answers ---- */

/* RFC 9110 9.3.7: "*" asks of the server as a whole. */
static uint64_t all_methods(void)
{
    return (uint64_t)1 << METHOD_GET | (uint64_t)1 << METHOD_HEAD | (uint64_t)1 << METHOD_OPTIONS |
           (uint64_t)1 << METHOD_POST | (uint64_t)1 << METHOD_PUT | (uint64_t)1 << METHOD_PATCH |
           (uint64_t)1 << METHOD_DELETE;
}

static struct lookup refused(int status)
{
    return (struct lookup){.kind = LOOKUP_REFUSED, .status = status};
}

struct lookup lookup_decide(struct exchange *x)
{
    struct request *req = x->req;
    if (req->body_state == BODY_TOO_LARGE)
        return refused(413);
    if (x->converter_error != NULL)
        return (struct lookup){.kind = LOOKUP_RAISED};
    if (req->target.form == TARGET_ASTERISK) {
        x->match.allowed = all_methods();
        return (struct lookup){.kind = LOOKUP_OPTIONS};
    }
    switch (x->outcome) {
    case ROUTE_FOUND:
        if (request_method(req) != METHOD_OPTIONS || (x->match.id & ROUTE_FLAG_OPTIONS) == 0)
            return (struct lookup){.kind = LOOKUP_VIEW};
        x->match.allowed = lookup_allowed(x);
        return (struct lookup){.kind = LOOKUP_OPTIONS};
    case ROUTE_REDIRECT: return (struct lookup){.kind = LOOKUP_REDIRECT};
    case ROUTE_METHOD_NOT_ALLOWED: return refused(405);
    case ROUTE_WEBSOCKET_MISMATCH: return refused(400);
    default: return refused(404);
    }
}

struct slice lookup_redirect_url(struct exchange *x)
{
    struct request *req = x->req;
    struct slice host = x->match.redirect_host.len > 0
                            ? x->match.redirect_host
                            : host_without_default_port(req->host, request_is_secure(req));
    struct buf url = {0};
    if (host.len > 0) {
        buf_slice(&url, request_scheme(req));
        buf_cstr(&url, "://");
        buf_slice(&url, host);
    }
    route_quote_path(&url, req->root_path);
    route_quote_path(&url, x->match.redirect_path);
    if (req->target.has_query) {
        buf_char(&url, '?');
        buf_slice(&url, req->target.query);
    }
    struct slice whole = arena_dup(&req->arena, buf_view(&url));
    buf_clear(&url);
    return whole;
}

size_t lookup_method_names(uint64_t methods, const char *names[METHOD_COUNT])
{
    size_t count = 0;
    for (unsigned method = 0; method < METHOD_COUNT; method++) {
        if ((methods >> method & 1) == 0)
            continue;
        const char *name = method_name(method).data; /* static, NUL-terminated */
        size_t at = count++;
        for (; at > 0 && strcmp(names[at - 1], name) > 0; at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
    return count;
}
