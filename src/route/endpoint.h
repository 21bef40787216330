/* route/endpoint.h - the rules of each endpoint, in the order url_for tries them.
 *
 * Place in the flow: table.c makes the list beside the trie; build.c picks from it, and match.c
 * for redirects to a rule with defaults. Werkzeug's order: most arguments first, then most
 * defaults, then by registration. Inside src/route only.
 */
#ifndef QLUA_ROUTE_ENDPOINT_H
#define QLUA_ROUTE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct arena;
struct rule;

struct endpoint {
    struct slice name;
    struct rule *const *rules;
    size_t nrules;
};

struct endpoints {
    const struct endpoint *list; /* by name */
    size_t count;
};

/* Group rules (in order of registration); the lists live in memory. */
void endpoints_init(struct endpoints *endpoints, struct arena *memory, struct rule *const *rules,
                    size_t nrules);

/* The endpoint of a name, or NULL. */
const struct endpoint *endpoints_find(const struct endpoints *endpoints, struct slice name);

/* Whether `rule` is the canonical one, by its defaults, for some values of `other`. */
bool endpoint_provides_defaults(const struct rule *rule, const struct rule *other);
/* Whether any rule tried before `rule` is. */
bool endpoint_may_redirect(const struct endpoints *endpoints, const struct rule *rule);

/* How many names a rule takes: its variables and the defaults it has no variable for. */
size_t endpoint_arguments(const struct rule *rule);

#endif
