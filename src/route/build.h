/* route/build.h - endpoint and values to URL (url_for).
 *
 * Place in the flow: bind/route calls this for url_for and appends query and anchor itself.
 * Picks the rule as Werkzeug does: one that takes what is given, most variables first. Knows
 * neither schemes nor the request.
 */
#ifndef QLUA_ROUTE_BUILD_H
#define QLUA_ROUTE_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "route/quote.h"
#include "route/value.h"

struct buf;
struct err;
struct route_table;

/* One value given to url_for. used is set when the path, the host or a default took it: the
 * others belong into the query. ROUTE_NIL counts as not given. */
struct route_argument {
    struct slice name;
    struct route_value value;
    bool used;
};

struct route_build {
    struct slice endpoint;
    int method;         /* rules that have this method only; -1: any */
    int default_method; /* with method -1: rules that have this one come first; -1: none */
    struct slice host;  /* with host_matching: among suitable rules the one of this host, if any */
    struct route_argument *arguments;
    size_t narguments;
};

/* The index of the rule that route_build would take, or a negative code with err filled. For
 * callers that must convert the values of its custom variables (to ROUTE_CUSTOM) before. */
int route_build_rule(struct route_table *table, const struct route_build *build, struct err *err);

/* Append the quoted path to `path` and the host to `host`: the rule's whole host with
 * host_matching, else the subdomain ("" is none). Returns the rule's index, or a negative code
 * with err filled, in Werkzeug's words, and both buffers as they were. A custom variable whose
 * value is not ROUTE_CUSTOM is written as its text. */
int route_build(struct route_table *table, struct route_build *build, struct buf *path,
                struct buf *host, struct err *err);

#endif
