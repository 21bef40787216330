/* template/vm_format_percent.c - "%" formatting: 'a %s of %05.2f' % (x, y).
 *
 * Place in the flow: the % operator and the filter format. As printf, with Python's rules: a tuple
 * gives the arguments in order, a dict those which are named ("%(name)s"), anything else is the one
 * argument. What goes into a Markup is escaped first.
 */
#include <math.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "template/chars.h"
#include "template/vm_format.h"
#include "template/vm_value.h"

struct percent {
    struct vm *vm;
    struct slice format;
    size_t at;       /* in format */
    int args;        /* stack index */
    int used, count; /* of the arguments in order; count -1: one argument, which is no tuple */
    bool is_mapping; /* arguments need not all be used */
    bool is_markup;
    struct buf *out;
};

/* One %[(key)][flags][width][.precision]letter */
struct directive {
    struct format_spec spec;
    char letter;
    bool zero, left;
};

/* ---- reading --------------------------------------------------------------------------------- */

static char take(struct percent *p)
{
    if (p->at >= p->format.len)
        vm_fail(p->vm, TEMPLATE_RUNTIME, "incomplete format");
    return p->format.data[p->at++];
}

/* Push the next argument in order. */
static void push_argument(struct percent *p)
{
    if (p->count < 0 && p->used == 0) {
        lua_pushvalue(p->vm->L, p->args);
    } else if (p->used < p->count) {
        lua_rawgeti(p->vm->L, p->args, p->used + 1);
    } else {
        vm_fail(p->vm, TEMPLATE_RUNTIME, "not enough arguments for format string");
    }
    p->used++;
}

/* Push the argument of this name. */
static void push_named(struct percent *p)
{
    struct vm *vm = p->vm;
    size_t start = p->at;
    for (int depth = 1; depth > 0; p->at++) {
        if (p->at >= p->format.len)
            vm_fail(vm, TEMPLATE_RUNTIME, "incomplete format key");
        char c = p->format.data[p->at];
        depth += (c == '(') - (c == ')');
    }
    lua_pushlstring(vm->L, p->format.data + start, p->at - 1 - start);
    if (value_kind(vm, p->args) != VALUE_DICT)
        vm_fail(vm, TEMPLATE_RUNTIME, "format requires a mapping");
    value_dict_get(vm, p->args, lua_gettop(vm->L));
    if (lua_isnil(vm->L, -1))
        vm_fail(vm, TEMPLATE_RUNTIME, "'%s'", lua_tostring(vm->L, -2)); /* Python's KeyError */
    lua_remove(vm->L, -2);
}

/* A number or "*", whose argument is taken; `otherwise` where neither stands. */
static double take_number(struct percent *p, double otherwise)
{
    double number = 0;
    if (p->at < p->format.len && p->format.data[p->at] == '*') {
        p->at++;
        push_argument(p);
        if (!value_number(p->vm, -1, &number) || number != floor(number))
            vm_fail(p->vm, TEMPLATE_RUNTIME, "* wants int");
        lua_pop(p->vm->L, 1);
        return fmax(fmin(number, 1e9), -1e9);
    }
    bool any = false;
    while (p->at < p->format.len && p->format.data[p->at] >= '0' && p->format.data[p->at] <= '9') {
        number = fmin(number * 10 + (p->format.data[p->at++] - '0'), 1e9);
        any = true;
    }
    return any ? number : otherwise;
}

static void take_flags(struct percent *p, struct directive *d)
{
    for (;; p->at++) {
        char c = p->at < p->format.len ? p->format.data[p->at] : 0;
        switch (c) {
        case '-': d->left = true; break;
        case '+': d->spec.sign = '+'; break;
        case ' ': d->spec.sign = d->spec.sign != 0 ? d->spec.sign : ' '; break;
        case '#': d->spec.alternate = true; break;
        case '0': d->zero = true; break;
        default: return;
        }
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The number that d, x, f, ... need of the argument on top. */
static double argument_number(struct percent *p, const struct directive *d)
{
    struct vm *vm = p->vm;
    double number;
    int index = lua_gettop(vm->L);
    if (value_kind(vm, index) == VALUE_UNDEFINED)
        value_fail_undefined(vm, index);
    bool is_real = strchr("eEfFgG", d->letter) != NULL;
    bool is_number = value_number(vm, index, &number);
    bool is_base = strchr("oxX", d->letter) != NULL;
    if (is_number && (is_real || !is_base || (isfinite(number) && number == floor(number)))) {
        if (!is_real && !isfinite(number))
            vm_fail(vm, TEMPLATE_RUNTIME, "cannot convert float %s to integer",
                    isnan(number) ? "NaN" : "infinity");
        return is_real ? number : trunc(number);
    }
    if (is_real)
        vm_fail(vm, TEMPLATE_RUNTIME, "must be real number, not %s", value_type_name(vm, index));
    vm_fail(vm, TEMPLATE_RUNTIME, "%%%c format: %s is required, not %s", d->letter,
            is_base ? "an integer" : "a real number", value_type_name(vm, index));
}

/* %c: a character or its code. */
static void append_character(struct percent *p, struct directive *d)
{
    struct vm *vm = p->vm;
    struct slice text;
    double number;
    int index = lua_gettop(vm->L);
    d->spec.precision = -1;
    d->spec.align = d->left ? '<' : '>';
    if (value_slice(vm, index, &text) && text.len > 0 && chars_first(text) == text.len) {
        format_text(vm, text, &d->spec, p->out);
    } else if (value_number(vm, index, &number) && number == floor(number)) {
        d->spec.type = 'c';
        d->spec.sign = 0;
        format_number(vm, number, &d->spec, p->out);
    } else {
        vm_fail(vm, TEMPLATE_RUNTIME, "%%c requires int or char");
    }
}

/* %s, %r, %a: the text of the argument on top, in its place. */
static struct slice argument_text(struct percent *p, char letter)
{
    struct vm *vm = p->vm;
    struct slice text;
    int index = lua_gettop(vm->L);
    size_t start = vm->text.len;
    if (letter == 'r')
        value_repr(vm, index, &vm->text);
    else if (letter == 'a')
        format_ascii(vm, index, &vm->text);
    else if (value_write(vm, index, &vm->text) == VALUE_ASK)
        value_repr(vm, index, &vm->text);
    bool is_safe = letter == 's' && value_kind(vm, index) == VALUE_MARKUP;
    vm_push_text(vm, start);
    if (p->is_markup && !is_safe) {
        text.data = lua_tolstring(vm->L, -1, &text.len);
        escape_html(&vm->text, text);
        lua_pop(vm->L, 1);
        vm_push_text(vm, start);
    }
    lua_replace(vm->L, index);
    text.data = lua_tolstring(vm->L, index, &text.len);
    return text;
}

static void append_directive(struct percent *p, struct directive *d)
{
    struct vm *vm = p->vm;
    switch (d->letter) {
    case 's':
    case 'r':
    case 'a':
        d->spec.align = d->left ? '<' : '>';
        format_text(vm, argument_text(p, d->letter), &d->spec, p->out);
        return;
    case 'c': append_character(p, d); return;
    case 'd':
    case 'i':
    case 'u': d->spec.type = 'd'; break;
    case 'o':
    case 'x':
    case 'X':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': d->spec.type = d->letter; break;
    default:
        vm_fail(vm, TEMPLATE_RUNTIME, "unsupported format character '%c' (0x%x) at index %zu",
                d->letter >= 0x20 && d->letter < 0x7f ? d->letter : '?',
                (unsigned)(unsigned char)d->letter, p->at - 1);
    }
    d->spec.align = d->left ? '<' : d->zero ? '=' : '>';
    d->spec.fill = d->zero && !d->left ? SLICE("0") : SLICE(" ");
    format_number(vm, argument_number(p, d), &d->spec, p->out);
}

/* What follows a "%". */
static void format_directive(struct percent *p)
{
    struct vm *vm = p->vm;
    int top = lua_gettop(vm->L);
    if (p->at < p->format.len && p->format.data[p->at] == '%') {
        p->at++;
        buf_char(p->out, '%');
        return;
    }
    struct directive d = {.spec = FORMAT_SPEC_NONE};
    d.spec.percent = true;
    bool is_named = p->at < p->format.len && p->format.data[p->at] == '(';
    if (is_named) {
        p->at++;
        push_named(p);
        p->is_mapping = true;
    }
    take_flags(p, &d);
    d.spec.width = take_number(p, 0);
    if (d.spec.width < 0) {
        d.left = true;
        d.spec.width = -d.spec.width;
    }
    if (p->at < p->format.len && p->format.data[p->at] == '.') {
        p->at++;
        d.spec.precision = fmax(take_number(p, 0), 0);
    }
    d.letter = take(p);
    if (d.letter == 'h' || d.letter == 'l' || d.letter == 'L')
        d.letter = take(p);
    if (!is_named)
        push_argument(p);
    append_directive(p, &d);
    lua_settop(vm->L, top);
}

enum value_result value_format_text(struct vm *vm, int format, int args, bool *is_markup)
{
    enum value_kind kind = value_kind(vm, args);
    if (kind == VALUE_OBJECT)
        return VALUE_ASK;
    struct percent p = {.vm = vm, .args = args, .count = -1, .out = &vm->text};
    value_slice(vm, format, &p.format);
    p.is_markup = value_kind(vm, format) == VALUE_MARKUP;
    /* as Python: whatever has [] but texts and tuples may be a mapping */
    p.is_mapping =
        kind == VALUE_DICT || kind == VALUE_LIST || kind == VALUE_RANGE || kind == VALUE_UNDEFINED;
    if (kind == VALUE_TUPLE)
        p.count = (int)lua_objlen(vm->L, args);
    size_t start = vm->text.len;
    while (p.at < p.format.len) {
        struct slice rest = slice_from(p.format, p.at);
        size_t plain = slice_find(rest, '%');
        buf_append(&vm->text, rest.data, plain);
        p.at += plain;
        if (plain < rest.len) {
            p.at++;
            format_directive(&p);
        }
        value_check_text(vm, (double)(vm->text.len - start));
    }
    if (!p.is_mapping && p.used < (p.count < 0 ? 1 : p.count))
        vm_fail(vm, TEMPLATE_RUNTIME, "not all arguments converted during string formatting");
    *is_markup = p.is_markup;
    return VALUE_OK;
}

enum value_result value_format(struct vm *vm, int format, int args)
{
    bool is_markup;
    size_t start = vm->text.len;
    if (value_format_text(vm, format, args, &is_markup) == VALUE_ASK)
        return VALUE_ASK;
    if (is_markup)
        vm_push_markup_text(vm, start);
    else
        vm_push_text(vm, start);
    return VALUE_OK;
}
