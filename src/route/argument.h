/* route/argument.h - what stands between a converter's parentheses.
 *
 * Place in the flow: rule.c cuts "min=2, max=5" out of a rule, this makes a list of it, and
 * converter.c takes the list. Inside src/route only.
 */
#ifndef QLUA_ROUTE_ARGUMENT_H
#define QLUA_ROUTE_ARGUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct arena;
struct err;

enum argument_type {
    ARGUMENT_NONE, /* None */
    ARGUMENT_BOOL, /* True, False */
    ARGUMENT_INT,
    ARGUMENT_FLOAT,
    ARGUMENT_TEXT /* a word, or what stands between quotes */
};

struct argument {
    struct slice name; /* of key=value; else empty */
    struct slice text; /* as written, without quotes */
    int column;        /* 1-based, in the rule */
    enum argument_type type;
    union {
        int64_t integer;
        double number;
        bool boolean;
    };
};

struct arguments {
    struct argument *list;
    size_t count;
};

/* Read the comma-separated arguments of `text`, whose first byte stands at `column` of the rule.
 * The texts borrow from it. Returns 0, or a negative code with message and column in err. */
int argument_parse(struct arena *arena, struct slice text, int column, struct arguments *arguments,
                   struct err *err);

#endif
