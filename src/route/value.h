/* route/value.h - a value of a rule's variable: matched from a path, given to url_for, or a
 * default.
 *
 * Place in the flow: match.h hands them out, build.h takes them in, table.h keeps those of
 * `defaults`. Knows no Lua: what has no form here (a table as a default) is ROUTE_OPAQUE.
 */
#ifndef QLUA_ROUTE_VALUE_H
#define QLUA_ROUTE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum route_value_type {
    ROUTE_NIL,    /* not given */
    ROUTE_STRING, /* text */
    ROUTE_INT,    /* integer */
    ROUTE_FLOAT,  /* number */
    ROUTE_BOOL,   /* boolean; only given to url_for or as a default */
    ROUTE_UUID,   /* text as it stands in the path; the value's canonical form is lower case */
    ROUTE_CUSTOM, /* text of a custom converter: as in the path, or converted for the path */
    ROUTE_OPAQUE  /* integer is the caller's name for it; equal only to itself, in no path */
};

struct route_value {
    enum route_value_type type;
    union {
        struct slice text;
        int64_t integer;
        double number;
        bool boolean;
    };
};

#endif
