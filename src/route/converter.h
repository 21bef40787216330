/* route/converter.h - what a variable of a rule accepts, and how it is written.
 *
 * Place in the flow: rule.c makes one a variable; segment.c asks where its text may end, match.c
 * for the value, build.c for the text. What the form of a text cannot say (min, max,
 * fixed_digits, a custom converter's own mind) is judged by converter_read, once the whole rule
 * fits: rules that differ in that only share one path of the tree, as in Werkzeug. Inside
 * src/route only.
 */
#ifndef QLUA_ROUTE_CONVERTER_H
#define QLUA_ROUTE_CONVERTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "route/argument.h"
#include "route/value.h"

struct arena;
struct buf;
struct err;

enum converter_kind {
    CONVERTER_STRING,
    CONVERTER_INT,
    CONVERTER_FLOAT,
    CONVERTER_PATH,
    CONVERTER_ANY,
    CONVERTER_UUID,
    CONVERTER_CUSTOM
};

struct converter {
    enum converter_kind kind;
    int custom;          /* number of a custom one, else -1 */
    bool is_signed;      /* int, float */
    bool has_min;        /* int, float */
    bool has_max;        /* int, float */
    size_t fixed_digits; /* int; 0: any */
    size_t min_length;   /* string, in characters */
    size_t max_length;   /* string, in characters; SIZE_MAX: no limit */
    union {
        int64_t integer;
        double number;
    } min, max;
    const struct slice *items; /* any */
    size_t nitems;
};

/* The built-in kind of a name ("default" is string), or -1. */
int converter_kind_of(struct slice name);
/* The built-in names, for proposals. */
#define CONVERTER_NAMES 6
extern const char *const converter_names[CONVERTER_NAMES];

/* Fill converter from its arguments; items are copied into arena. Returns 0, or a negative code
 * with message and column in err (the column of the fault, `column` when there is none). */
int converter_init(struct converter *converter, enum converter_kind kind, struct arena *arena,
                   const struct arguments *arguments, int column, struct err *err);

/* Werkzeug's weight: numbers before texts before paths. */
int converter_weight(const struct converter *converter);

/* Whether two converters take texts of the same form; whether they are the same altogether. */
bool converter_same_form(const struct converter *a, const struct converter *b);
bool converter_same(const struct converter *a, const struct converter *b);

/* Where a text of this form that begins at `at` may end: anywhere in *lo..*hi. False when none
 * begins there. Not for `any`, whose items are not a range. */
bool converter_ends(const struct converter *converter, struct slice text, size_t at, size_t *lo,
                    size_t *hi);

/* Whether the whole of text has the form. */
bool converter_fits(const struct converter *converter, struct slice text);

/* The value of a text that has the form; false when the value is not accepted. Says yes to every
 * text of a custom converter. */
bool converter_read(const struct converter *converter, struct slice text,
                    struct route_value *value);
/* Whether converter_read can ever say no, or a custom converter must be asked. */
bool converter_rejects(const struct converter *converter);

/* Append a value's text for a URL, percent-encoded if quoted. Returns 0, or -EINVAL with err
 * filled when the value has no place in this variable. */
int converter_write(const struct converter *converter, const struct route_value *value, bool quoted,
                    struct buf *out, struct err *err);

#endif
