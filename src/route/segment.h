/* route/segment.h - the part of a rule between two slashes that has variables in it.
 *
 * Place in the flow: rule.c makes them, trie.c hangs them on its edges, match.c asks them
 * whether a piece of the path fits. A segment with a path converter is `final`: it takes all
 * that is left of the path, slashes included. Inside src/route only.
 */
#ifndef QLUA_ROUTE_SEGMENT_H
#define QLUA_ROUTE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "route/converter.h"

struct segment_variable {
    const struct converter *converter;
    struct slice literal; /* the fixed text behind it */
};

struct segment {
    struct slice prefix; /* the fixed text before the first variable */
    const struct segment_variable *variables;
    size_t nvariables;    /* at least 1 */
    const size_t *pieces; /* lengths of the pieces of fixed text between slashes, in characters */
    size_t npieces;
    bool final;    /* takes the rest of the path */
    bool suffixed; /* final, and the rule ends with a slash: one may stand at the end */
};

/* Whether text fits. values[nvariables] then borrow from it: texts as long as possible (of paths:
 * as short as possible) from left to right, as a regular expression would share it out.
 * Takes time in proportion to the length for one variable. With several the work is bounded:
 * a text that would take more (kilobytes that fit in thousands of ways) does not fit. */
bool segment_match(const struct segment *segment, struct slice text, struct slice *values);

/* Werkzeug's order: <0 when a is tried before b. More fixed pieces first, then longer ones, then
 * more variables, then the converters' weights. */
int segment_compare(const struct segment *a, const struct segment *b);

/* Whether both fit the same texts in the same way. */
bool segment_same(const struct segment *a, const struct segment *b);

#endif
