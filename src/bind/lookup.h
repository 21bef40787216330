/* bind/lookup.h - from a request to what answers it.
 *
 * Place in the flow: server/dispatch looks each request up as soon as its head is there;
 * bind/reroute does it again, from within a task, when middleware has changed the request.
 * Knows what is to answer, not how that is called (bind/handover).
 */
#ifndef QLUA_BIND_LOOKUP_H
#define QLUA_BIND_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/request.h"

struct exchange;
struct lua_State;

/* What answers a request. */
enum lookup_kind {
    LOOKUP_VIEW,     /* the rule's target */
    LOOKUP_OPTIONS,  /* the list of methods in match.allowed */
    LOOKUP_REDIRECT, /* another URL: lookup_redirect_url */
    LOOKUP_REFUSED,  /* a status; for 405 match.allowed says what would do */
    LOOKUP_RAISED    /* the error of a custom converter: x->converter_error */
};

struct lookup {
    enum lookup_kind kind;
    int status; /* REFUSED */
};

/* Look the request up and take over the limits of the rule that matched. Custom converters run
 * on L: the running coroutine, or the state's main thread outside of one. */
void lookup_route(struct exchange *x, struct lua_State *L);

/* What is to answer it; fills match.allowed where that counts. */
struct lookup lookup_decide(struct exchange *x);

/* Where a redirect goes: the path the router says, on the same host unless it says another, with
 * the query. In the request's arena. */
struct slice lookup_redirect_url(struct exchange *x);

/* The methods of the rules that fit the request's path, whatever its own is. */
uint64_t lookup_allowed(struct exchange *x);

/* The names of a set of methods, sorted; gives how many. */
size_t lookup_method_names(uint64_t methods, const char *names[METHOD_COUNT]);

#endif
