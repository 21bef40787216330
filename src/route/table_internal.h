/* route/table_internal.h - what a table is made of.
 *
 * Place in the flow: table.c keeps it, match.c and build.c read it. What lookups use is one
 * image, counted: a registration makes the next lookup compile another, while a lookup that is
 * under way (it may be inside a custom converter) holds on to its own. Inside src/route only.
 */
#ifndef QLUA_ROUTE_TABLE_INTERNAL_H
#define QLUA_ROUTE_TABLE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "route/endpoint.h"
#include "route/rule.h"
#include "route/table.h"
#include "route/trie.h"

struct image {
    int references;
    struct arena memory;
    struct endpoints endpoints;
    struct trie trie;
};

struct route_table {
    struct arena memory; /* rules and names; nothing in it is ever given back alone */
    struct route_options options;
    struct rule **rules; /* by registration */
    size_t nrules;
    size_t capacity;
    struct rule_converters converters;
    struct image *image; /* NULL: the rules have changed since the last one was made */
};

/* The image of all rules there are now, with a reference for the caller. */
struct image *image_ref(struct route_table *table);
void image_unref(struct image **image);

#endif
