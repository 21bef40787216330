/* route/number.h - decimal texts to numbers and back.
 *
 * Place in the flow: arguments of converters, the int and float converters both ways. Python's
 * forms: a float is written so that reading it gives the same number. Inside src/route only.
 */
#ifndef QLUA_ROUTE_NUMBER_H
#define QLUA_ROUTE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Room for the longest text number_write_float writes, its end included. */
#define NUMBER_FLOAT_SIZE 32

/* "-?[0-9]+" to a number; false beyond 64 bits or when text is something else. */
bool number_read_int(struct slice text, int64_t *number);

/* "-?[0-9]+.[0-9]*" to a number; false when it is not finite, longer than 500 bytes, or
 * something else. */
bool number_read_float(struct slice text, double *number);

/* Python's str(float): 1.0, 0.1, 1e+20. Returns the length; buf is NUL-terminated. */
size_t number_write_float(char buf[NUMBER_FLOAT_SIZE], double number);

#endif
