/* value/number.h - numbers as text and back, as JSON and Python write them.
 *
 * Place in the flow: value/json writes with it, value/json_scan reads with it. Knows no Lua.
 * Exact both ways: what is written reads back as the same double, in the fewest digits; what is
 * read is the nearest double. Independent of the process's locale.
 */
#ifndef QLUA_VALUE_NUMBER_H
#define QLUA_VALUE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Room for any number's text. */
#define NUMBER_TEXT_MAX 32

/* Write x (finite) to dst without a NUL; gives the length. Whole numbers below 1e16 have neither
 * point nor exponent (5, not 5.0; -0 is 0: Lua has one type of number); else Python's repr:
 * 0.1, 1e-07, 1e+22. */
size_t number_write(char *dst, double x);
size_t number_write_uint(char *dst, uint64_t x);

/* Room for number_write_fixed besides the digits behind the point. */
#define NUMBER_FIXED_MAX 312

/* Write x (finite) with so many digits (0 or more) behind the point, without a NUL: the exact value
 * rounded half to even, as printf's %.*f in the C locale and Python. Gives the length. */
size_t number_write_fixed(char *dst, double x, int digits);

struct number {
    bool is_int;   /* written as an integer, and fits */
    int64_t whole; /* when is_int */
    double real;   /* else; infinite when the number is too large */
};

/* Read the number of JSON's grammar that text begins with (text.len > 0). Returns the bytes it
 * takes; 0 when there is none, as for "-", "1." and "1e". Of "01" it takes the 0. */
size_t number_read(struct slice text, struct number *number);

#endif
