/* route/match.h - method and path to rule and values.
 *
 * Place in the flow: server/dispatch asks here once a request, middleware may ask again from
 * within a task: a lookup changes nothing and allocates nothing, but for the text of a redirect
 * and a path with doubled slashes.
 * Werkzeug's order: segment by segment, fixed text before variables, variables by weight; rules
 * that end at the same place by registration. A converter that rejects its text makes the lookup
 * go on with the next rule. Cost does not grow with the number of rules.
 */
#ifndef QLUA_ROUTE_MATCH_H
#define QLUA_ROUTE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "route/table.h"
#include "route/value.h"

struct arena;

/* How a lookup asks whether a custom converter takes a text. It is asked when all else of a rule
 * fits; slot is the index in values, so that the caller can keep what it converted (a later rule
 * may be asked with the same slot: the last one counts). It may look up and add rules; it must
 * return: no error may jump over the lookup. */
struct route_custom {
    bool (*accept)(void *data, int converter, struct slice text, int slot);
    void *data;
};

struct route_query {
    int method;        /* bit number, 0..63 */
    bool websocket;    /* a websocket handshake */
    struct slice path; /* decoded bytes; "" is "/", and slashes at its start count as one */
    struct slice host; /* lower case, default port stripped; unused without hosts, subdomains */
    const struct route_custom *custom; /* NULL: custom converters take every text */
    struct arena *arena;               /* for a redirect; route_allowed needs none */
};

enum route_outcome {
    ROUTE_FOUND,
    ROUTE_REDIRECT,           /* 308 to redirect_path */
    ROUTE_METHOD_NOT_ALLOWED, /* 405; allowed says which would be */
    ROUTE_WEBSOCKET_MISMATCH, /* 400: a websocket rule for a plain request, or the reverse */
    ROUTE_NOT_FOUND
};

/* Only what the outcome names is filled. */
struct route_match {
    int rule;                   /* FOUND: index, for route_rule_at */
    int id;                     /* FOUND: the caller's id of the rule */
    size_t nvalues;             /* FOUND: one a variable, in the order of info->variables */
    uint64_t allowed;           /* METHOD_NOT_ALLOWED: union of the methods of the rules that fit */
    struct slice redirect_path; /* REDIRECT: decoded, the caller quotes it and adds the query */
    struct slice redirect_host; /* REDIRECT: another host than the request's, or empty */
    /* Texts borrow from the query's path and host, those of defaults from the table. */
    struct route_value values[ROUTE_MAX_VARS];
};

/* Look a request up. An int beyond 64 bits and a float beyond double's range do not match. */
enum route_outcome route_match(struct route_table *table, const struct route_query *query,
                               struct route_match *match);

/* The methods which the rules fitting this path (and host) have between them, whatever
 * query->method says; 0 when none fits. Slashes are not merged. For automatic OPTIONS and Allow. */
uint64_t route_allowed(struct route_table *table, const struct route_query *query);

#endif
