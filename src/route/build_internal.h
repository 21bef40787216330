/* route/build_internal.h - the half of url_for that lookups need for redirects.
 *
 * Inside src/route only.
 */
#ifndef QLUA_ROUTE_BUILD_INTERNAL_H
#define QLUA_ROUTE_BUILD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "route/build.h"

struct buf;
struct err;
struct rule;

/* Append the path and host of a rule with these values; defaults stand in for those not given.
 * Returns 0, or -EINVAL with err filled, and both buffers as they were. */
int build_write(const struct rule *rule, const struct route_argument *arguments, size_t narguments,
                bool quoted, struct buf *path, struct buf *host, struct err *err);

/* Python's ==: numbers by what they count. */
bool build_same_value(const struct route_value *a, const struct route_value *b);

#endif
