/* template/vm_format_spec.c - Python's format specification mini-language, and format().
 *
 * Place in the flow: str.format() and the fields of its texts.
 */
#include <math.h>

#include "template/chars.h"
#include "template/vm_format.h"
#include "template/vm_value.h"

/* Widths and precisions beyond this are beyond any limit. */
#define NUMBER_MOST 1e9

static bool is_align(char c)
{
    return c == '<' || c == '>' || c == '=' || c == '^';
}

/* Take a decimal number off the text; `otherwise` where none stands. */
static double take_number(struct slice *text, double otherwise)
{
    if (text->len == 0 || text->data[0] < '0' || text->data[0] > '9')
        return otherwise;
    double number = 0;
    while (text->len > 0 && text->data[0] >= '0' && text->data[0] <= '9') {
        number = fmin(number * 10 + (text->data[0] - '0'), NUMBER_MOST);
        *text = slice_from(*text, 1);
    }
    return number;
}

static bool take_char(struct slice *text, char c)
{
    if (text->len == 0 || text->data[0] != c)
        return false;
    *text = slice_from(*text, 1);
    return true;
}

/* [[fill]align][sign]; true: with a fill character. */
static bool take_align(struct slice *text, struct format_spec *spec)
{
    size_t fill = chars_first(*text);
    bool has_fill = fill > 0 && text->len > fill && is_align(text->data[fill]);
    if (has_fill) {
        spec->fill = slice_of(text->data, fill);
        spec->align = text->data[fill];
        *text = slice_from(*text, fill + 1);
    } else if (text->len > 0 && is_align(text->data[0])) {
        spec->align = text->data[0];
        *text = slice_from(*text, 1);
    }
    if (text->len > 0 && strchr("+- ", text->data[0]) != NULL && text->data[0] != 0) {
        spec->sign = text->data[0];
        *text = slice_from(*text, 1);
    }
    return has_fill;
}

static struct format_spec read_spec(struct vm *vm, struct slice text)
{
    struct format_spec spec = FORMAT_SPEC_NONE;
    bool has_fill = take_align(&text, &spec);
    take_char(&text, 'z');
    spec.alternate = take_char(&text, '#');
    if (take_char(&text, '0')) {
        if (!has_fill)
            spec.fill = SLICE("0");
        if (spec.align == 0)
            spec.align = '0'; /* = for numbers, < for texts */
    }
    spec.width = take_number(&text, 0);
    spec.grouping = take_char(&text, ',') ? ',' : take_char(&text, '_') ? '_' : 0;
    if (spec.grouping != 0 && (take_char(&text, ',') || take_char(&text, '_')))
        vm_fail(vm, TEMPLATE_RUNTIME, "Cannot specify both ',' and '_'.");
    if (take_char(&text, '.')) {
        spec.precision = take_number(&text, -1);
        if (spec.precision < 0)
            vm_fail(vm, TEMPLATE_RUNTIME, "Format specifier missing precision");
    }
    if (text.len > 1)
        vm_fail(vm, TEMPLATE_RUNTIME, "Invalid format specifier");
    if (text.len == 1)
        spec.type = text.data[0];
    return spec;
}

static void check_text_spec(struct vm *vm, const struct format_spec *spec)
{
    if (spec->type != 0 && spec->type != 's')
        vm_fail(vm, TEMPLATE_RUNTIME, "Unknown format code '%c' for object of type 'str'",
                spec->type);
    if (spec->sign != 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "Sign not allowed in string format specifier");
    if (spec->alternate)
        vm_fail(vm, TEMPLATE_RUNTIME, "Alternate form (#) not allowed in string format specifier");
    if (spec->align == '=')
        vm_fail(vm, TEMPLATE_RUNTIME, "'=' alignment not allowed in string format specifier");
    if (spec->grouping != 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "Cannot specify '%c' with 's'.", spec->grouping);
}

void format_value(struct vm *vm, int index, struct slice text, struct buf *out)
{
    double number;
    struct slice string;
    if (text.len == 0) {
        value_write(vm, index, out);
        return;
    }
    if (value_number(vm, index, &number)) {
        struct format_spec spec = read_spec(vm, text);
        if (spec.align == '0')
            spec.align = '=';
        format_number(vm, number, &spec, out);
    } else if (value_slice(vm, index, &string)) {
        struct format_spec spec = read_spec(vm, text);
        check_text_spec(vm, &spec);
        if (spec.align == '0')
            spec.align = '<';
        format_text(vm, string, &spec, out);
    } else {
        vm_fail(vm, TEMPLATE_RUNTIME, "unsupported format string passed to %s.__format__",
                value_type_name(vm, index));
    }
}

void format_ascii(struct vm *vm, int index, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";
    struct slice text;
    size_t start = vm->text.len;
    value_repr(vm, index, &vm->text);
    vm_push_text(vm, start);
    text.data = lua_tolstring(vm->L, -1, &text.len);
    while (text.len > 0) {
        uint32_t code;
        size_t n = chars_decode(text, &code);
        int digits = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
        if (code < 0x80 || code == UINT32_MAX) {
            buf_char(out, text.data[0]);
        } else {
            buf_cstr(out, digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U");
            while (digits-- > 0)
                buf_char(out, hex[code >> 4 * digits & 15]);
        }
        text = slice_from(text, n);
    }
    lua_pop(vm->L, 1);
}
