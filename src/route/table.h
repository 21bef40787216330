/* route/table.h - the URL rules of one app.
 *
 * Place in the flow: a generation makes one while the app loads; match.h looks requests up in
 * it, build.h makes URLs from it. A rule may be added at any time: the next lookup compiles the
 * rules anew, a lookup that is under way ends with those it began with. Knows neither HTTP
 * objects nor Lua: methods are bit numbers of the caller's.
 */
#ifndef QLUA_ROUTE_TABLE_H
#define QLUA_ROUTE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "route/value.h"

struct err;
struct route_table;

#define ROUTE_MAX_VARS 16 /* variables of one rule, those of its host included */

struct route_options {
    bool host_matching;       /* rules match on their `host`; without one they never match */
    bool strict_slashes;      /* /branch is redirected to /branch/ */
    bool merge_slashes;       /* /a//b is redirected to /a/b */
    bool redirect_defaults;   /* /page/1 is redirected to /page/, whose default is 1 */
    struct slice server_name; /* the host below which subdomains lie, default port stripped */
    const char *(*method_name)(int method); /* for the texts of url_for's errors; may be NULL */
};

/* The options of an app that sets none. */
#define ROUTE_OPTIONS_DEFAULT                                                    \
    {                                                                            \
        .strict_slashes = true, .merge_slashes = true, .redirect_defaults = true \
    }

enum route_switch {
    ROUTE_AS_TABLE, /* what the table's options say */
    ROUTE_ON,
    ROUTE_OFF
};

struct route_default {
    struct slice name;
    struct route_value value;
};

/* What is registered. The table copies every text. */
struct route_spec {
    struct slice rule; /* "/users/<int:id>" */
    struct slice endpoint;
    uint64_t methods;       /* bit 1 << n for method n; HEAD and OPTIONS added by the caller */
    struct slice host;      /* looked at with host_matching only; may hold variables */
    struct slice subdomain; /* looked at without host_matching; may hold variables */
    enum route_switch strict_slashes;
    enum route_switch merge_slashes;
    bool websocket;
    const struct route_default *defaults;
    size_t ndefaults;
    int id; /* the caller's own, given back by lookups */
};

struct route_variable {
    struct slice name;
    struct slice converter; /* "string" when the rule names none */
    int custom;             /* number of the custom converter, or -1 */
};

/* A rule as it was registered; lives as long as the table. */
struct route_rule_info {
    struct slice rule;
    struct slice endpoint;
    struct slice host;
    struct slice subdomain;
    uint64_t methods;
    bool strict_slashes;
    bool merge_slashes;
    bool websocket;
    const struct route_variable *variables; /* in the order of values: host's first, then path's */
    size_t nvariables;
    const struct route_default *defaults;
    size_t ndefaults;
    int id;
};

struct route_table *route_table_new(const struct route_options *options);
void route_table_free(struct route_table *table);

/* Make `name` known as a custom converter for one path segment; rules added from now on may use
 * it, and it wins over a built-in one of that name. Returns its number (that of before when it
 * is known already), which lookups give to struct route_custom. */
int route_table_converter(struct route_table *table, struct slice name);

/* Add a rule. Returns its index (0, 1, ... in order of registration), or a negative code with err
 * filled: err->name is the rule, err->column the place in it. */
int route_table_add(struct route_table *table, const struct route_spec *spec, struct err *err);

/* Compile what was added since the last time. Lookups do so by themselves; calling it at the end
 * of loading keeps the first request from paying for it. */
void route_table_build(struct route_table *table);

/* Do lookups look at the request's host at all? */
bool route_table_uses_host(const struct route_table *table);

int route_table_count(const struct route_table *table);
/* The rule of an index below route_table_count. */
const struct route_rule_info *route_rule_at(const struct route_table *table, int index);

/* Fill indices[route_table_count] with the rules' indices in the order lookups try them. */
void route_table_order(struct route_table *table, int *indices);

#endif
