/* route/number.c - decimal texts to numbers and back. See number.h. */
#include "route/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FLOAT_MAX_LENGTH 500

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool number_read_int(struct slice text, int64_t *number)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    struct slice digits = slice_from(text, negative ? 1 : 0);
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t sum = 0;
    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (!is_digit(digits.data[i]))
            return false;
        uint64_t digit = (uint64_t)(digits.data[i] - '0');
        if (sum > (limit - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *number = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

/* Up to 15 digits and 22 behind the dot divide exactly (Clinger), without strtod. */
static bool read_short_float(struct slice text, double *number)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = text.data[0] == '-';
    uint64_t sum = 0;
    size_t behind = 0;
    bool dot = false;
    if (text.len > 16)
        return false;
    for (size_t i = negative ? 1 : 0; i < text.len; i++) {
        if (text.data[i] == '.') {
            dot = true;
            continue;
        }
        sum = sum * 10 + (uint64_t)(text.data[i] - '0');
        behind += dot ? 1 : 0;
    }
    double value = (double)sum / powers[behind];
    *number = negative ? -value : value;
    return true;
}

/* "-?[0-9]+.[0-9]*", and no more. */
static bool is_float(struct slice text)
{
    size_t at = text.len > 0 && text.data[0] == '-' ? 1 : 0;
    size_t start = at;
    while (at < text.len && is_digit(text.data[at]))
        at++;
    if (at == start || at == text.len || text.data[at] != '.')
        return false;
    at++;
    while (at < text.len && is_digit(text.data[at]))
        at++;
    return at == text.len;
}

bool number_read_float(struct slice text, double *number)
{
    char cstr[FLOAT_MAX_LENGTH + 1];
    if (text.len > FLOAT_MAX_LENGTH || !is_float(text))
        return false;
    if (read_short_float(text, number))
        return true;
    memcpy(cstr, text.data, text.len);
    cstr[text.len] = '\0';
    *number = strtod(cstr, NULL);
    return isfinite(*number);
}

size_t number_write_float(char buf[NUMBER_FLOAT_SIZE], double number)
{
    int precision = 1;
    char digits[NUMBER_FLOAT_SIZE];
    int n;

    if (!isfinite(number)) {
        n = snprintf(buf, NUMBER_FLOAT_SIZE, "%s",
                     isnan(number) ? "nan" : (number > 0 ? "inf" : "-inf"));
        return (size_t)n;
    }
    /* The fewest digits that read back as the same number. */
    do
        snprintf(digits, sizeof(digits), "%.*e", precision - 1, number);
    while (strtod(digits, NULL) != number && ++precision <= 17);

    int exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent < -4 || exponent >= 16) /* Python's bounds for the form with an exponent */
        n = snprintf(buf, NUMBER_FLOAT_SIZE, "%s", digits);
    else
        n = snprintf(buf, NUMBER_FLOAT_SIZE, "%.*f",
                     precision - 1 - exponent > 1 ? precision - 1 - exponent : 1, number);
    return (size_t)n;
}
