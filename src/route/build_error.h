/* route/build_error.h - why url_for cannot, in Werkzeug's words.
 *
 * Inside src/route only.
 */
#ifndef QLUA_ROUTE_BUILD_ERROR_H
#define QLUA_ROUTE_BUILD_ERROR_H

#include "base/slice.h"

struct err;
struct image;
struct route_build;
struct route_table;
struct rule;

/* No rule of the endpoint takes the values, or there is no such endpoint. Returns -ENOENT. */
int build_error_no_rule(const struct route_table *table, const struct image *image,
                        const struct route_build *build, struct err *err);

/* err says what is wrong with a value; put the variable's name in front. Returns rc. */
int build_error_in_variable(const struct rule *rule, struct slice name, int rc, struct err *err);

#endif
