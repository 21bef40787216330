/* template/filter_number.c - abs, int, float, round, filesizeformat.
 *
 * Place in the flow: listed in filter.c. Texts are read as Python's int() and float() read them
 * (white space around, underscores between digits, prefixes by base); all numbers are doubles.
 */
#include <math.h>
#include <stdio.h>

#include "template/chars.h"
#include "template/filter_internal.h"
#include "template/unicode.h"
#include "value/number.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* Cut the sign off; true when it is a minus. */
static bool take_sign(struct slice *text)
{
    bool is_minus = text->len > 0 && text->data[0] == '-';
    if (is_minus || (text->len > 0 && text->data[0] == '+'))
        *text = slice_from(*text, 1);
    return is_minus;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 36;
}

/* The first character of text, with Unicode's other decimal digits as 0..9; they come in runs of
 * ten from their zero on. *len: its bytes. */
static char digit_char(struct slice text, size_t *len)
{
    uint32_t code, zero;
    *len = chars_decode(text, &code);
    if (code < 0x80 || !unicode_is_decimal(code))
        return code < 0x80 ? (char)code : ' ';
    for (zero = code; unicode_is_decimal(zero - 1);)
        zero--;
    return (char)('0' + (code - zero) % 10);
}

/* Cut a run of digits below base off, single underscores between them, and append them to out.
 * False when there is none or an underscore stands elsewhere. */
static bool take_digits(struct slice *text, int base, struct buf *out)
{
    bool was_digit = false;
    for (size_t len; text->len > 0; *text = slice_from(*text, len)) {
        char c = digit_char(*text, &len);
        if (c == '_' && was_digit) {
            was_digit = false;
            continue;
        }
        if (digit_value(c) >= base)
            break;
        buf_char(out, c);
        was_digit = true;
    }
    return was_digit;
}

/* The decimal number that out holds from start on, digits and perhaps point and exponent. */
static double read_decimal(const struct buf *out, size_t start)
{
    struct slice text = slice_of(out->data + start, out->len - start);
    while (text.len > 1 && text.data[0] == '0' && digit_value(text.data[1]) < 10)
        text = slice_from(text, 1); /* JSON's grammar has no leading zeros */
    struct number number = {0};
    number_read(text, &number);
    return number.is_int ? (double)number.whole : number.real;
}

/* The base that a prefix gives; 0: none. */
static int prefix_base(struct slice text)
{
    if (text.len < 2 || text.data[0] != '0')
        return 0;
    switch (ascii_lower(text.data[1])) {
    case 'x': return 16;
    case 'o': return 8;
    case 'b': return 2;
    default: return 0;
    }
}

/* Of the digits in vm->text from start on. */
static double digits_value(struct vm *vm, size_t start, int base)
{
    if (base == 10)
        return read_decimal(&vm->text, start);
    double value = 0;
    for (size_t i = start; i < vm->text.len; i++)
        value = value * base + digit_value(vm->text.data[i]);
    return value;
}

/* Python's int(text, base). */
static bool read_int(struct vm *vm, struct slice text, int base, double *value)
{
    value_spend_text(vm, 8 * text.len);
    text = filter_strip(text);
    bool is_minus = take_sign(&text);
    int prefix = prefix_base(text);
    bool must_be_zero = false; /* "012" has no meaning in base 0 */
    if (prefix != 0 && (base == 0 || base == prefix)) {
        text = slice_from(text, 2);
        base = prefix;
        if (text.len > 0 && text.data[0] == '_')
            text = slice_from(text, 1);
    } else if (base == 0) {
        must_be_zero = text.len > 0 && text.data[0] == '0';
        base = 10;
    }
    size_t start = vm->text.len;
    bool is_number = take_digits(&text, base, &vm->text) && text.len == 0;
    if (is_number)
        *value = digits_value(vm, start, base) * (is_minus ? -1 : 1);
    vm->text.len = start;
    return is_number && !(must_be_zero && *value != 0);
}

static bool read_word(struct slice text, double *value)
{
    if (slice_eq_nocase(text, SLICE("inf")) || slice_eq_nocase(text, SLICE("infinity")))
        *value = INFINITY;
    else if (slice_eq_nocase(text, SLICE("nan")))
        *value = NAN;
    else
        return false;
    return true;
}

/* digits [. digits] [e digits], digits on one side of the point at least: append as JSON has it. */
static bool take_decimal(struct slice text, struct buf *out)
{
    size_t start = out->len;
    bool has_whole = take_digits(&text, 10, out);
    if (!has_whole && out->len > start)
        return false; /* an underscore at its end */
    if (!has_whole)
        buf_char(out, '0');
    if (text.len > 0 && text.data[0] == '.') {
        text = slice_from(text, 1);
        buf_char(out, '.');
        size_t fraction = out->len;
        bool has_fraction = take_digits(&text, 10, out);
        if (!has_fraction && (out->len > fraction || !has_whole))
            return false;
        buf_char(out, '0');
    } else if (!has_whole) {
        return false;
    }
    if (text.len > 0 && ascii_lower(text.data[0]) == 'e') {
        text = slice_from(text, 1);
        buf_cstr(out, take_sign(&text) ? "e-" : "e+");
        if (!take_digits(&text, 10, out))
            return false;
    }
    return text.len == 0;
}

/* Python's float(text). */
static bool read_float(struct vm *vm, struct slice text, double *value)
{
    value_spend_text(vm, 8 * text.len);
    text = filter_strip(text);
    bool is_minus = take_sign(&text);
    bool is_number = read_word(text, value);
    if (!is_number) {
        size_t start = vm->text.len;
        is_number = take_decimal(text, &vm->text);
        if (is_number)
            *value = read_decimal(&vm->text, start);
        vm->text.len = start;
    }
    if (is_number && is_minus)
        *value = -*value;
    return is_number;
}

/* float() of any value; false where Python has a TypeError or ValueError. */
static bool as_float(struct vm *vm, int index, double *value)
{
    struct slice text;
    switch (value_kind(vm, index)) {
    case VALUE_UNDEFINED: value_fail_undefined(vm, index);
    case VALUE_BOOLEAN: *value = lua_toboolean(vm->L, index); return true;
    case VALUE_NUMBER: *value = lua_tonumber(vm->L, index); return true;
    default: return value_slice(vm, index, &text) && read_float(vm, text, value);
    }
}

/* ---- int, float, abs ------------------------------------------------------------------------- */

enum vm_status filter_float(struct vm *vm, struct vm_frame *frame)
{
    double value;
    if (as_float(vm, frame->base, &value))
        lua_pushnumber(vm->L, value);
    else
        lua_pushvalue(vm->L, frame->base + 1);
    return VM_DONE;
}

/* The base argument; -1 where int() has no use for it. */
static int base_argument(struct vm *vm, int index)
{
    if (lua_type(vm->L, index) != LUA_TNUMBER)
        return -1;
    double base = lua_tonumber(vm->L, index);
    return base == 0 || (base >= 2 && base <= 36 && floor(base) == base) ? (int)base : -1;
}

enum vm_status filter_int(struct vm *vm, struct vm_frame *frame)
{
    double value;
    struct slice text;
    int base = base_argument(vm, frame->base + 2);
    bool is_text = value_slice(vm, frame->base, &text);
    if (is_text && base >= 0 && read_int(vm, text, base, &value)) {
        lua_pushnumber(vm->L, value);
        return VM_DONE;
    }
    /* "42.23"|int is 42: by way of float() */
    if (!as_float(vm, frame->base, &value) || isnan(value))
        lua_pushvalue(vm->L, frame->base + 1);
    else if (isinf(value))
        vm_fail(vm, TEMPLATE_RUNTIME, "cannot convert float infinity to integer");
    else
        lua_pushnumber(vm->L, trunc(value) + 0.0);
    return VM_DONE;
}

enum vm_status filter_abs(struct vm *vm, struct vm_frame *frame)
{
    switch (value_kind(vm, frame->base)) {
    case VALUE_NUMBER: lua_pushnumber(vm->L, fabs(lua_tonumber(vm->L, frame->base))); break;
    case VALUE_BOOLEAN: lua_pushnumber(vm->L, lua_toboolean(vm->L, frame->base)); break;
    default: filter_fail_type(vm, frame->base, "bad operand type for abs(): '", "'");
    }
    return VM_DONE;
}

/* ---- round ----------------------------------------------------------------------------------- */

/* The largest double has 309 digits before the point; the least one ends 1074 behind it. */
enum {
    WHOLE_DIGITS = 309,
    FRACTION_DIGITS = 1074,
    FIXED_TEXT = NUMBER_FIXED_MAX + FRACTION_DIGITS
};

/* x (finite) with so many digits behind the point. */
static struct slice write_fixed(char text[FIXED_TEXT], double x, int digits)
{
    return slice_of(text, number_write_fixed(text, x, digits));
}

static double read_fixed(struct slice text)
{
    struct number number = {0};
    number_read(text, &number);
    return number.is_int ? (double)number.whole : number.real;
}

/* Add one to the decimal digits, which begin with a zero. */
static void increment(char *digits, int len)
{
    while (digits[len - 1] == '9')
        digits[--len] = '0';
    digits[len - 1]++;
}

/* |x| rounded half to even to a multiple of 10^places, places from 1 to WHOLE_DIGITS. */
static double round_places(double x, int places)
{
    char text[FIXED_TEXT];
    /* at least one digit before those that are cut, and a zero in front of all for the carry */
    int len = snprintf(text + 1, sizeof(text) - 1, "%0*.0f", places + 1, trunc(x)) + 1;
    int kept = len - places;
    text[0] = '0';
    bool has_more = x != trunc(x);
    for (int i = kept + 1; i < len; i++)
        has_more = has_more || text[i] != '0';
    bool is_odd = (text[kept - 1] - '0') % 2 == 1;
    if (text[kept] > '5' || (text[kept] == '5' && (has_more || is_odd)))
        increment(text, kept);
    memset(text + kept, '0', (size_t)(len - kept));
    struct slice digits = slice_of(text, (size_t)len);
    while (digits.len > 1 && digits.data[0] == '0')
        digits = slice_from(digits, 1);
    return read_fixed(digits);
}

/* Python's round(x, precision). */
static double round_common(double x, double precision)
{
    char text[FIXED_TEXT];
    if (!isfinite(x) || precision > FRACTION_DIGITS)
        return x;
    if (precision < -WHOLE_DIGITS)
        return 0;
    if (precision < 0)
        return copysign(round_places(fabs(x), (int)-precision), x);
    return read_fixed(write_fixed(text, x, (int)precision));
}

/* ceil or floor of x * 10^precision, divided by it. */
static double round_to(struct vm *vm, double x, double precision, bool up)
{
    double scale = pow(10, precision);
    double scaled = x * scale;
    if (scale == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "float division by zero");
    if (isnan(scaled))
        vm_fail(vm, TEMPLATE_RUNTIME, "cannot convert float NaN to integer");
    if (isinf(scaled))
        vm_fail(vm, TEMPLATE_RUNTIME, "cannot convert float infinity to integer");
    return (up ? ceil(scaled) : floor(scaled)) / scale;
}

static double number_at(struct vm *vm, int index, const char *before, const char *after)
{
    enum value_kind kind = value_kind(vm, index);
    if (kind == VALUE_BOOLEAN)
        return lua_toboolean(vm->L, index);
    if (kind != VALUE_NUMBER)
        filter_fail_type(vm, index, before, after);
    return lua_tonumber(vm->L, index);
}

enum vm_status filter_round(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, precision = frame->base + 1, method = frame->base + 2;
    struct slice how = {NULL, 0};
    bool is_text = value_slice(vm, method, &how);
    bool is_ceil = is_text && slice_eq(how, SLICE("ceil"));
    if (!is_ceil && !slice_eq(how, SLICE("floor")) && !slice_eq(how, SLICE("common")))
        vm_fail(vm, TEMPLATE_FILTER_ARG, "method must be common, ceil or floor");
    double rounded;
    if (slice_eq(how, SLICE("common"))) {
        double x = number_at(vm, value, "type ", " doesn't define __round__ method");
        double digits = filter_is_absent(vm, precision) ? 0 : filter_whole(vm, precision);
        rounded = round_common(x, digits);
    } else {
        if (value_kind(vm, value) == VALUE_UNDEFINED)
            value_fail_undefined(vm, value);
        double x = number_at(vm, value, "must be real number, not ", "");
        double digits = number_at(vm, precision, "unsupported operand type for **: '", "'");
        rounded = round_to(vm, x, digits, is_ceil);
    }
    lua_pushnumber(vm->L, rounded);
    return VM_DONE;
}

/* ---- filesizeformat -------------------------------------------------------------------------- */

static void write_size(struct vm *vm, double bytes, bool binary)
{
    static const char units[] = "kMGTPEZY";
    char text[FIXED_TEXT];
    double base = binary ? 1024 : 1000;
    double unit = base;
    struct buf *out = &vm->text;
    if (bytes == 1) {
        buf_cstr(out, "1 Byte");
        return;
    }
    if (bytes < base) {
        if (isinf(bytes))
            vm_fail(vm, TEMPLATE_RUNTIME, "cannot convert float infinity to integer");
        buf_slice(out, write_fixed(text, trunc(bytes) + 0.0, 0));
        buf_cstr(out, " Bytes");
        return;
    }
    size_t i = 0;
    for (unit *= base; !(bytes < unit) && i + 2 < sizeof(units); i++)
        unit *= base;
    double scaled = base * bytes / unit;
    if (isfinite(scaled))
        buf_slice(out, write_fixed(text, scaled, 1));
    else
        buf_cstr(out, isnan(scaled) ? "nan" : "inf");
    buf_printf(out, " %c%s", binary && i == 0 ? 'K' : units[i], binary ? "iB" : "B");
}

_Noreturn static void fail_conversion(struct vm *vm, struct slice text)
{
    size_t start = vm->text.len;
    text_repr(text, &vm->text);
    vm_push_text(vm, start);
    vm_fail(vm, TEMPLATE_RUNTIME, "could not convert string to float: %.200s",
            lua_tostring(vm->L, -1));
}

enum vm_status filter_filesizeformat(struct vm *vm, struct vm_frame *frame)
{
    double bytes;
    struct slice text;
    if (!as_float(vm, frame->base, &bytes)) {
        if (value_slice(vm, frame->base, &text))
            fail_conversion(vm, text);
        filter_fail_type(vm, frame->base,
                         "float() argument must be a string or a real number, not '", "'");
    }
    size_t start = vm->text.len;
    write_size(vm, bytes, filter_flag(vm, frame->base + 1));
    vm_push_text(vm, start);
    return VM_DONE;
}
