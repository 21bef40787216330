/* route/nearest.h - the name a person probably meant.
 *
 * Place in the flow: "did you mean" in the errors of rules and url_for. Inside src/route only.
 */
#ifndef QLUA_ROUTE_NEAREST_H
#define QLUA_ROUTE_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

/* How alike two names are: 1 for equal ones, 0 for nothing in common; by the number of letters
 * to insert, drop or change. Only the first 64 bytes are looked at. */
double nearest_ratio(struct slice a, struct slice b);

/* From this ratio on a name is worth proposing. */
#define NEAREST_WORTH 0.5

#endif
