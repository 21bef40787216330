/* value/number.c - numbers as text and back. See number.h. */
#include "value/number.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANTISSA_BITS 52
#define IMPLICIT_BIT  ((uint64_t)1 << MANTISSA_BITS)

typedef unsigned __int128 uint128;

size_t number_write_uint(char *dst, uint64_t x)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    if (x < 10) {
        dst[0] = (char)('0' + x);
        return 1;
    }
    char digits[20];
    size_t at = sizeof(digits);
    for (; x >= 10; x /= 100) {
        at -= 2;
        memcpy(digits + at, pairs + x % 100 * 2, 2);
    }
    if (x > 0)
        digits[--at] = (char)('0' + x);
    memcpy(dst, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

/* The shortest digits of x, 1e-4 <= x < 2^53 and not whole, by Steele and White's method: x is
 * m / 2^s with s <= 66, so that all of it fits 128 bits and is exact. rest is what is still to
 * be written; low and high are how far below and above x other digits still read back as x (half
 * the distance to the next double; inclusive when m is even, since ties then round to x). */
static size_t write_fraction(char *dst, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    uint64_t m = (bits & (IMPLICIT_BIT - 1)) | IMPLICIT_BIT;
    unsigned s = 1023 + MANTISSA_BITS - (unsigned)(bits >> MANTISSA_BITS);

    size_t n = number_write_uint(dst, s <= MANTISSA_BITS ? m >> s : 0);
    dst[n++] = '.';
    /* In units of a quarter of m's last bit: a power of two has its lower neighbour nearer. */
    uint128 one = (uint128)1 << (s + 2);
    uint128 rest = ((uint128)m << 2) & (one - 1);
    uint128 high = 2;
    uint128 low = m == IMPLICIT_BIT ? 1 : 2;
    bool even = (m & 1) == 0;
    for (;;) {
        rest *= 10;
        high *= 10;
        low *= 10;
        unsigned digit = (unsigned)(rest >> (s + 2));
        rest &= one - 1;
        bool below = even ? rest <= low : rest < low;
        bool above = even ? rest + high >= one : rest + high > one;
        if (above && (!below || rest * 2 > one || (rest * 2 == one && (digit & 1))))
            digit++;
        dst[n++] = (char)('0' + digit);
        if (below || above)
            return n;
    }
}

/* d.ddde+XX with the fewest digits: for what is very large or very small, and rare. */
static size_t write_exponent(char *dst, double x)
{
    char text[NUMBER_TEXT_MAX];
    /* 15 digits are always exact, but of subnormals, which have fewer */
    for (int precision = x < DBL_MIN ? 0 : 14; precision <= 16; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, x);
        if (strtod(text, NULL) == x)
            break;
    }
    char *e = strchr(text, 'e');
    char *last = e - 1;
    while (*last == '0')
        last--;
    size_t n = 0;
    dst[n++] = text[0];
    if (last > text + 1) {
        dst[n++] = '.'; /* not text[1]: the process's locale may have written a comma */
        memcpy(dst + n, text + 2, (size_t)(last - text - 1));
        n += (size_t)(last - text - 1);
    }
    while (*e != 0)
        dst[n++] = *e++;
    return n;
}

size_t number_write(char *dst, double x)
{
    size_t n = 0;
    if (x < 0) {
        dst[n++] = '-';
        x = -x;
    }
    if (x < 1e16 && (double)(uint64_t)x == x)
        return n + number_write_uint(dst + n, (uint64_t)x);
    if (x >= 1e-4 && x < 1e16)
        return n + write_fraction(dst + n, x);
    return n + write_exponent(dst + n, x);
}

/* Of numbers below this many digits are written exactly by write_cents; its product with the number
 * fits 64 bits, and 128 before the rounding. */
#define CENTS_DIGITS 6
#define CENTS_BELOW  1e12

/* number_write_fixed for 0 <= x < CENTS_BELOW, digits <= CENTS_DIGITS: prices and the like. */
static size_t write_cents(char *dst, double x, int digits)
{
    static const uint64_t scales[CENTS_DIGITS + 1] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    unsigned biased = (unsigned)(bits >> MANTISSA_BITS);
    uint64_t m = (bits & (IMPLICIT_BIT - 1)) | (biased > 0 ? IMPLICIT_BIT : 0);
    unsigned s = 1023 + MANTISSA_BITS - (biased > 0 ? biased : 1); /* x is m / 2^s; s > 12 */
    uint64_t whole = 0;
    if (s < 128) { /* else it is less than half of the last digit */
        uint128 product = (uint128)m * scales[digits], half = (uint128)1 << (s - 1);
        uint128 rest = product & (2 * half - 1);
        whole = (uint64_t)(product >> s);
        whole += rest > half || (rest == half && (whole & 1) == 1);
    }
    char text[24]; /* from its end: 18 digits at most, and the point */
    size_t at = sizeof(text);
    for (int i = 0; i < digits; i++, whole /= 10)
        text[--at] = (char)('0' + whole % 10);
    if (digits > 0)
        text[--at] = '.';
    do
        text[--at] = (char)('0' + whole % 10);
    while ((whole /= 10) != 0);
    memcpy(dst, text + at, sizeof(text) - at);
    return sizeof(text) - at;
}

size_t number_write_fixed(char *dst, double x, int digits)
{
    size_t n = 0;
    if (fabs(x) < CENTS_BELOW && digits <= CENTS_DIGITS) {
        if (signbit(x))
            dst[n++] = '-';
        return n + write_cents(dst + n, fabs(x), digits);
    }
    n = (size_t)snprintf(dst, NUMBER_FIXED_MAX + (size_t)digits, "%.*f", digits, x);
    if (digits > 0)
        dst[n - (size_t)digits - 1] = '.'; /* the process's locale may have written a comma */
    return n;
}

/* What a pass over a number's text gathers. */
struct decimal {
    const char *digits; /* first digit */
    const char *end;    /* behind the last digit or the point */
    uint64_t mantissa;  /* of the digits but leading zeros; void when there are more than 19 */
    unsigned count;     /* of digits but leading zeros, at most UINT_MAX / 2 */
    int64_t exponent;   /* the value is mantissa * 10^exponent */
};

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static const char *read_digits(const char *p, const char *end, struct decimal *decimal)
{
    for (; is_digit(p, end); p++) {
        decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*p - '0');
        if (decimal->mantissa != 0 && decimal->count < UINT_MAX / 2)
            decimal->count++;
    }
    return p;
}

/* The exponent behind "e", or NULL when there is none. One beyond a million is as good as it. */
static const char *read_exponent(const char *p, const char *end, struct decimal *decimal)
{
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (!is_digit(p, end))
        return NULL;
    int64_t exponent = 0;
    for (; is_digit(p, end); p++)
        if (exponent < 1000000)
            exponent = exponent * 10 + (*p - '0');
    decimal->exponent += negative ? -exponent : exponent;
    return p;
}

/* Any decimal through strtod, as whole digits with an exponent: a point would depend on the
 * locale. 767 digits decide a double's rounding; a 1 behind them stands for the others. */
static double read_slow(const struct decimal *decimal)
{
    char text[800];
    size_t n = 0;
    int64_t exponent = decimal->exponent;
    bool more = false;
    for (const char *p = decimal->digits; p < decimal->end; p++) {
        if (*p == '.' || (n == 0 && *p == '0'))
            continue;
        if (n < 770) {
            text[n++] = *p;
        } else {
            more = more || *p != '0';
            exponent++;
        }
    }
    if (n == 0)
        return 0;
    if (more) {
        text[n++] = '1';
        exponent--;
    }
    text[n++] = 'e';
    if (exponent < 0) {
        text[n++] = '-';
        exponent = -exponent;
    }
    n += number_write_uint(text + n, (uint64_t)exponent);
    text[n] = 0;
    return strtod(text, NULL);
}

static double decimal_value(const struct decimal *decimal)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    /* Both operands exact: one correctly rounded operation (Clinger 1990). */
    if (decimal->count <= 19 && decimal->mantissa <= 2 * IMPLICIT_BIT && decimal->exponent >= -22 &&
        decimal->exponent <= 22) {
        double mantissa = (double)decimal->mantissa;
        return decimal->exponent < 0 ? mantissa / powers[-decimal->exponent]
                                     : mantissa * powers[decimal->exponent];
    }
    return read_slow(decimal);
}

size_t number_read(struct slice text, struct number *number)
{
    const char *p = text.data;
    const char *end = text.data + text.len;
    bool negative = *p == '-';
    p += negative;
    if (!is_digit(p, end))
        return 0;
    struct decimal decimal = {.digits = p};
    if (*p == '0')
        p++; /* RFC 8259 6: no digit may follow a leading zero */
    else
        p = read_digits(p, end, &decimal);
    decimal.end = p;
    bool whole = true;
    if (p < end && *p == '.') {
        const char *point = p++;
        p = read_digits(p, end, &decimal);
        if (p == point + 1)
            return 0;
        decimal.exponent = -(int64_t)(p - point - 1);
        decimal.end = p;
        whole = false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p = read_exponent(p + 1, end, &decimal);
        if (p == NULL)
            return 0;
        whole = false;
    }
    number->is_int = whole && decimal.count <= 19 && decimal.mantissa <= INT64_MAX;
    if (number->is_int) {
        number->whole = negative ? -(int64_t)decimal.mantissa : (int64_t)decimal.mantissa;
    } else {
        double value = decimal_value(&decimal);
        number->real = negative ? -value : value;
    }
    return (size_t)(p - text.data);
}
