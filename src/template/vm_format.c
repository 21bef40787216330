/* template/vm_format.c - numbers and texts put into a width. See vm_format.h.
 *
 * A number is made in parts (sign, prefix, digits, rest), because zeros and separators go between
 * them.
 */
#include "template/vm_format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "template/chars.h"
#include "template/vm_value.h"
#include "value/number.h"

/* The largest finite double has 309 digits before the point. */
#define DIGITS_MAX 320

/* The smallest has 1,074 behind it. */
#define FRACTION_MAX 1100

/* ---- padding --------------------------------------------------------------------------------- */

static void append_fill(struct buf *out, struct slice fill, double times)
{
    for (double i = 0; i < times; i++)
        buf_slice(out, fill);
}

/* How many fill characters go before a content of so many characters. */
static double left_fill(double missing, char align)
{
    return align == '<' ? 0 : align == '^' ? floor(missing / 2) : missing;
}

void format_text(struct vm *vm, struct slice text, const struct format_spec *spec, struct buf *out)
{
    if (spec->precision >= 0 && spec->precision < (double)text.len)
        text.len = chars_offset(text, (size_t)spec->precision);
    double missing = spec->width > 0 ? spec->width - (double)chars_count(text) : 0;
    if (missing <= 0) {
        buf_slice(out, text);
        return;
    }
    value_check_text(vm, missing * (double)spec->fill.len + (double)text.len);
    double before = left_fill(missing, spec->align != 0 ? spec->align : '<');
    append_fill(out, spec->fill, before);
    buf_slice(out, text);
    append_fill(out, spec->fill, missing - before);
}

/* ---- digits ---------------------------------------------------------------------------------- */

/* A number in parts. */
struct parts {
    char sign;           /* or 0 */
    const char *prefix;  /* "0x" */
    struct slice digits; /* before the point: these are grouped and zero-filled */
    struct slice rest;   /* from the point or exponent on */
    const char *suffix;  /* "%" */
    unsigned group;      /* digits a group */
};

/* Digits of a whole number >= 0 in base 2, 8 or 16, ending at end; gives where they begin. */
static char *write_base(char *end, double number, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char *at = end;
    do {
        double digit = fmod(number, base);
        *--at = digits[(unsigned)digit];
        number = (number - digit) / base;
    } while (number > 0);
    return at;
}

/* Append the digits of a whole number, and give them as slice of out from `start`. */
static void append_whole(struct buf *out, double number, char type, const char **prefix)
{
    char digits[1100];
    char *end = digits + sizeof(digits);
    unsigned base = type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
    *prefix = type == 'b' ? "0b" : type == 'o' ? "0o" : type == 'x' ? "0x" : "0X";
    if (base == 10) {
        *prefix = "";
        out->len += number_write_fixed(buf_reserve(out, NUMBER_FIXED_MAX), number, 0);
    } else {
        char *at = write_base(end, number, base, type == 'X');
        buf_append(out, at, (size_t)(end - at));
    }
}

/* Append a finite number >= 0 with C's printf, which agrees with Python for e, f and g. What is
 * behind the last digit that a double can have are zeros, which are put there by hand. */
static void append_real(struct vm *vm, struct buf *out, double number, char type, double precision,
                        bool alternate)
{
    char format[] = {'%', '#', '.', '*', type, 0};
    if (!alternate)
        memmove(format + 1, format + 2, 4);
    value_check_text(vm, precision);
    int digits = (int)fmin(precision, FRACTION_MAX);
    size_t start = out->len, room = FRACTION_MAX + DIGITS_MAX;
    char *at = buf_reserve(out, room + (size_t)precision);
    if ((type == 'f' || type == 'F') && !alternate && precision <= FRACTION_MAX) {
        out->len += number_write_fixed(at, number, digits);
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    out->len += (size_t)snprintf(at, room, format, digits, number);
#pragma GCC diagnostic pop
    char *comma = memchr(at, ',', out->len - start); /* of the process's locale */
    if (comma != NULL)
        *comma = '.';
    bool drops_zeros = (type == 'g' || type == 'G') && !alternate;
    if (precision <= FRACTION_MAX || drops_zeros)
        return;
    size_t zeros = (size_t)precision - FRACTION_MAX;
    struct slice text = slice_from(buf_view(out), start);
    size_t exponent = type == 'f' || type == 'F' ? text.len : slice_find(text, 'e');
    if (exponent == text.len)
        exponent = slice_find(text, 'E');
    memmove(at + exponent + zeros, at + exponent, text.len - exponent);
    memset(at + exponent, '0', zeros);
    out->len += zeros;
}

/* Cut zeros at the end of the fraction of what was appended from start on. */
static void cut_zeros(struct buf *out, size_t start)
{
    char *text = out->data + start;
    size_t len = out->len - start;
    size_t exponent = slice_find(slice_of(text, len), 'e');
    size_t end = exponent;
    if (slice_find(slice_of(text, end), '.') == end)
        return;
    while (text[end - 1] == '0')
        end--;
    if (text[end - 1] == '.')
        end--;
    memmove(text + end, text + exponent, len - exponent);
    out->len -= exponent - end;
}

/* No letter, but a precision: as g, but with a digit behind the point (float.__format__). */
static void append_general(struct vm *vm, struct buf *out, double number, double precision,
                           bool alternate)
{
    size_t start = out->len;
    precision = precision > 0 ? precision : 1;
    append_real(vm, out, number, 'e', precision - 1, alternate);
    buf_char(out, 0);
    int exponent = atoi(strchr(out->data + start, 'e') + 1);
    out->len--;
    if (exponent + 1 > -4 && exponent + 1 <= precision - 1) {
        out->len = start;
        append_real(vm, out, number, 'f', precision - 1 - exponent, alternate);
        if (!alternate)
            cut_zeros(out, start);
        if (slice_find(slice_from(buf_view(out), start), '.') == out->len - start)
            buf_cstr(out, ".0");
    } else if (!alternate) {
        cut_zeros(out, start);
    }
}

/* ---- a number -------------------------------------------------------------------------------- */

static bool is_whole(double number)
{
    return isfinite(number) && number == floor(number);
}

/* Does it print without an exponent or point (value/number.h)? */
static bool prints_whole(double number)
{
    return is_whole(number) && fabs(number) < 1e16;
}

_Noreturn static void fail_type(struct vm *vm, char type, const char *object)
{
    vm_fail(vm, TEMPLATE_RUNTIME, "Unknown format code '%c' for object of type '%s'", type, object);
}

static bool is_real_type(char type)
{
    return type != 0 && strchr("eEfFgG%", type) != NULL;
}

static void append_nonfinite(struct buf *out, double number, char type)
{
    bool upper = type == 'E' || type == 'F' || type == 'G';
    buf_cstr(out, isnan(number) ? (upper ? "NAN" : "nan") : upper ? "INF" : "inf");
}

/* Append the digits of a number >= 0 as the letter says. */
static void append_digits(struct vm *vm, double number, const struct format_spec *spec,
                          struct buf *out, struct parts *parts)
{
    char type = spec->type == 'n' ? (prints_whole(number) ? 'd' : 'g') : spec->type;
    if (type == '%') {
        number *= 100;
        type = 'f';
        parts->suffix = "%";
    }
    if (!isfinite(number)) {
        append_nonfinite(out, number, type);
    } else if (is_real_type(type)) {
        append_real(vm, out, number, type, spec->precision < 0 ? 6 : spec->precision,
                    spec->alternate);
    } else if (type == 0 && spec->precision >= 0) {
        if (prints_whole(number))
            append_real(vm, out, number, 'g', spec->precision, spec->alternate);
        else
            append_general(vm, out, number, spec->precision, spec->alternate);
    } else if (type == 0 && !prints_whole(number)) {
        out->len += number_write(buf_reserve(out, NUMBER_TEXT_MAX), number);
    } else {
        const char *prefix;
        append_whole(out, number, type, &prefix);
        if (spec->alternate)
            parts->prefix = prefix;
    }
}

/* The width that the separators of n digits add. */
static double group_length(double digits, const struct parts *parts)
{
    return digits > 0 ? digits + floor((digits - 1) / parts->group) : 0;
}

static void append_grouped(struct buf *out, struct slice digits, double zeros, char separator,
                           unsigned group)
{
    if (separator == 0) {
        append_fill(out, SLICE("0"), zeros);
        buf_slice(out, digits);
        return;
    }
    double left = zeros + (double)digits.len;
    for (double i = 0; i < zeros; i++) {
        buf_char(out, '0');
        left--;
        if (left > 0 && fmod(left, group) == 0)
            buf_char(out, separator);
    }
    for (size_t i = 0; i < digits.len; i++) {
        buf_char(out, digits.data[i]);
        left--;
        if (left > 0 && fmod(left, group) == 0)
            buf_char(out, separator);
    }
}

/* Zeros before the digits which fill the width, that of their separators counted. */
static double zeros_to_fill(double width, double others, const struct format_spec *spec,
                            const struct parts *parts)
{
    double n = (double)parts->digits.len;
    double room = width - others;
    if (spec->grouping == 0)
        return room > n ? room - n : 0;
    double all = n;
    if (room > group_length(n, parts)) {
        all = floor(room * parts->group / (parts->group + 1.0));
        while (group_length(all, parts) < room) /* a separator is never the first */
            all++;
    }
    return all - n;
}

static void append_parts(struct vm *vm, const struct format_spec *spec, const struct parts *parts,
                         struct buf *out)
{
    if (spec->width == 0 && spec->grouping == 0 && spec->precision < (double)parts->digits.len) {
        if (parts->sign != 0)
            buf_char(out, parts->sign);
        buf_cstr(out, parts->prefix);
        buf_slice(out, parts->digits);
        buf_slice(out, parts->rest);
        buf_cstr(out, parts->suffix);
        return;
    }
    char align = spec->align != 0 ? spec->align : '>';
    double others = (parts->sign != 0) + (double)strlen(parts->prefix) + (double)parts->rest.len +
                    (double)strlen(parts->suffix);
    bool zero_fill = align == '=' && slice_eq(spec->fill, SLICE("0"));
    double zeros = zero_fill ? zeros_to_fill(spec->width, others, spec, parts) : 0;
    if (spec->percent && !is_real_type(spec->type) && spec->precision > (double)parts->digits.len)
        zeros = fmax(zeros, spec->precision - (double)parts->digits.len);
    double digits = zeros + (double)parts->digits.len;
    double len = others + (spec->grouping != 0 ? group_length(digits, parts) : digits);
    double missing = spec->width > len ? spec->width - len : 0;
    value_check_text(vm, missing * (double)spec->fill.len + len);
    double before = left_fill(missing, align);
    if (align != '=')
        append_fill(out, spec->fill, before);
    if (parts->sign != 0)
        buf_char(out, parts->sign);
    buf_cstr(out, parts->prefix);
    if (align == '=')
        append_fill(out, spec->fill, before);
    append_grouped(out, parts->digits, zeros, spec->grouping, parts->group);
    buf_slice(out, parts->rest);
    buf_cstr(out, parts->suffix);
    append_fill(out, spec->fill, missing - before);
}

/* The letter must suit the number. */
static void check_type(struct vm *vm, double number, const struct format_spec *spec)
{
    char type = spec->type;
    if (type != 0 && strchr("bcdoxXneEfFgG%", type) == NULL)
        fail_type(vm, type, is_whole(number) ? "int" : "float");
    bool for_whole = type != 0 && strchr("bcdoxX", type) != NULL;
    if (for_whole && !is_whole(number))
        fail_type(vm, type, "float");
    if (spec->percent)
        return;
    if (for_whole && spec->precision >= 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "Precision not allowed in integer format specifier");
    if (spec->grouping != 0 &&
        (type == 'n' || type == 'c' || (spec->grouping == ',' && for_whole && type != 'd')))
        vm_fail(vm, TEMPLATE_RUNTIME, "Cannot specify '%c' with '%c'.", spec->grouping, type);
}

/* A whole number as the character of this code. */
static void append_character(struct vm *vm, double number, const struct format_spec *spec,
                             struct buf *out)
{
    if (spec->sign != 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "Sign not allowed with integer format specifier 'c'");
    if (spec->alternate && !spec->percent)
        vm_fail(vm, TEMPLATE_RUNTIME,
                "Alternate form (#) not allowed with integer format specifier 'c'");
    if (!(number >= 0 && number < 0x110000))
        vm_fail(vm, TEMPLATE_RUNTIME, "%%c arg not in range(0x110000)");
    char text[4];
    struct buf character = {text, 0, sizeof(text)};
    utf8_encode(&character, (uint32_t)number);
    struct format_spec plain = *spec;
    plain.precision = -1;
    plain.align = spec->align != 0 ? spec->align : '>';
    format_text(vm, buf_view(&character), &plain, out);
}

void format_number(struct vm *vm, double number, const struct format_spec *spec, struct buf *out)
{
    check_type(vm, number, spec);
    if (spec->type == 'c') {
        append_character(vm, number, spec, out);
        return;
    }
    if (is_whole(number) && number == 0 && !is_real_type(spec->type))
        number = 0; /* no -0 among whole numbers */
    size_t start = vm->text.len;
    struct parts parts = {.prefix = "", .suffix = "", .group = 3};
    parts.sign = signbit(number) && !isnan(number)      ? '-'
                 : spec->sign != 0 && spec->sign != '-' ? spec->sign
                                                        : 0;
    if (spec->type != 0 && strchr("boxX", spec->type) != NULL)
        parts.group = 4;
    append_digits(vm, fabs(number), spec, &vm->text, &parts);
    /* out may be vm->text itself: what is copied from it stands elsewhere */
    char few[DIGITS_MAX];
    struct slice text = slice_from(buf_view(&vm->text), start);
    int top = lua_gettop(vm->L);
    if (text.len <= sizeof(few)) {
        memcpy(few, text.data, text.len);
        text.data = few;
    } else {
        lua_pushlstring(vm->L, text.data, text.len);
        text.data = lua_tostring(vm->L, -1);
    }
    vm->text.len = start;
    size_t whole = 0;
    if (parts.group == 4)
        whole = text.len;
    while (whole < text.len && text.data[whole] >= '0' && text.data[whole] <= '9')
        whole++;
    parts.digits = slice_of(text.data, whole);
    parts.rest = slice_from(text, whole);
    append_parts(vm, spec, &parts, out);
    lua_settop(vm->L, top);
}
