/* template/vm_arith.c - + - * / // % ** and unary minus, as Python has them.
 *
 * Place in the flow: the arithmetic instructions and sum. All numbers are doubles and true is 1;
 * // rounds down and % takes the divisor's sign. + joins texts and lists, * repeats them, % on a
 * text formats. A Markup operand makes the result Markup, and the other one is escaped for it
 * (markupsafe's algebra).
 */
#include <math.h>

#include "base/escape.h"
#include "template/vm_value.h"

static const char *const names[] = {
    [VALUE_ADD] = "+",       [VALUE_SUB] = "-", [VALUE_MUL] = "*",           [VALUE_DIV] = "/",
    [VALUE_FLOORDIV] = "//", [VALUE_MOD] = "%", [VALUE_POW] = "** or pow()",
};

/* ---- numbers --------------------------------------------------------------------------------- */

static double modulo(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0)
        return copysign(0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

/* As float_floor_div of Python: from the exact remainder, so that rounding cannot lift it. */
static double floor_divide(double a, double b)
{
    double rest = fmod(a, b);
    double quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0))
        quotient -= 1;
    if (quotient == 0)
        return copysign(0, a / b);
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

static double power(struct vm *vm, double a, double b)
{
    if (a == 0 && b < 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "0.0 cannot be raised to a negative power");
    double result = pow(a, b);
    if (isnan(result) && !isnan(a) && !isnan(b))
        vm_fail(vm, TEMPLATE_RUNTIME,
                "a negative number to a fractional power is complex, which templates have not");
    if (isinf(result) && isfinite(a) && isfinite(b))
        vm_fail(vm, TEMPLATE_RUNTIME, "the result of ** is too large for a number");
    return result;
}

static double calculate(struct vm *vm, enum value_operator op, double a, double b)
{
    switch (op) {
    case VALUE_ADD: return a + b;
    case VALUE_SUB: return a - b;
    case VALUE_MUL: return a * b;
    case VALUE_POW: return power(vm, a, b);
    default: break;
    }
    if (b == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "%s",
                op == VALUE_DIV        ? "division by zero"
                : op == VALUE_FLOORDIV ? "integer division or modulo by zero"
                                       : "integer modulo by zero");
    return op == VALUE_DIV ? a / b : op == VALUE_FLOORDIV ? floor_divide(a, b) : modulo(a, b);
}

/* ---- texts and lists ------------------------------------------------------------------------- */

static bool is_text(enum value_kind kind)
{
    return kind == VALUE_STRING || kind == VALUE_MARKUP;
}

static bool is_sequence(enum value_kind kind)
{
    return is_text(kind) || kind == VALUE_LIST || kind == VALUE_TUPLE;
}

/* Append the text at index, escaped when it is a plain string that joins a Markup. */
static void append_text(struct vm *vm, int index, bool escaped)
{
    struct slice text;
    value_slice(vm, index, &text);
    if (escaped && lua_type(vm->L, index) == LUA_TSTRING)
        escape_html(&vm->text, text);
    else
        buf_slice(&vm->text, text);
}

static void join_texts(struct vm *vm, int a, int b, bool is_markup)
{
    size_t start = vm->text.len;
    append_text(vm, a, is_markup);
    append_text(vm, b, is_markup);
    value_check_text(vm, (double)(vm->text.len - start));
    value_spend_text(vm, vm->text.len - start);
    if (is_markup)
        vm_push_markup_text(vm, start);
    else
        vm_push_text(vm, start);
}

/* Append the items of the list at index to the one on top, which has `have` items. */
static void append_items(struct vm *vm, int index, int have)
{
    int n = (int)lua_objlen(vm->L, index);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(vm->L, index, i);
        lua_rawseti(vm->L, -2, have + i);
    }
}

static void new_sequence(struct vm *vm, enum value_kind kind, int n)
{
    if (kind == VALUE_LIST)
        vm_new_list(vm, n);
    else
        vm_new_tuple(vm, n);
}

static void join_lists(struct vm *vm, enum value_kind kind, int a, int b)
{
    int n = (int)lua_objlen(vm->L, a);
    int m = (int)lua_objlen(vm->L, b);
    value_check_items(vm, (double)n + m);
    value_spend(vm, (double)n + m);
    new_sequence(vm, kind, n + m);
    append_items(vm, a, 0);
    append_items(vm, b, n);
}

static void repeat_text(struct vm *vm, int index, double times, bool is_markup)
{
    struct slice text;
    value_slice(vm, index, &text);
    size_t start = vm->text.len;
    if (times > 0 && text.len > 0) {
        value_check_text(vm, (double)text.len * times);
        value_spend(vm, times);
        for (double i = 0; i < times; i++)
            buf_slice(&vm->text, text);
    }
    if (is_markup)
        vm_push_markup_text(vm, start);
    else
        vm_push_text(vm, start);
}

static void repeat(struct vm *vm, int index, double times)
{
    enum value_kind kind = value_kind(vm, index);
    if (is_text(kind)) {
        repeat_text(vm, index, times, kind == VALUE_MARKUP);
        return;
    }
    int n = (int)lua_objlen(vm->L, index);
    int count = 0;
    if (times > 0 && n > 0) {
        value_check_items(vm, n * times);
        value_spend(vm, n * times);
        count = (int)times;
    }
    new_sequence(vm, kind, n * count);
    for (int i = 0; i < count; i++)
        append_items(vm, index, i * n);
}

/* ---- operators ------------------------------------------------------------------------------- */

_Noreturn static void fail_operands(struct vm *vm, enum value_operator op, int a, int b)
{
    enum value_kind kind = value_kind(vm, a);
    const char *left = value_type_name(vm, a);
    const char *right = value_type_name(vm, b);
    if (op == VALUE_ADD && is_sequence(kind))
        vm_fail(vm, TEMPLATE_RUNTIME, "can only concatenate %s (not \"%s\") to %s", left, right,
                left);
    if (op == VALUE_MUL && (is_sequence(kind) || is_sequence(value_kind(vm, b))))
        vm_fail(vm, TEMPLATE_RUNTIME, "can't multiply sequence by non-int of type '%s'",
                is_sequence(kind) ? right : left);
    vm_fail(vm, TEMPLATE_RUNTIME, "unsupported operand type(s) for %s: '%s' and '%s'", names[op],
            left, right);
}

/* a + b of texts or lists; false when they do not go together. */
static bool add(struct vm *vm, int a, int b)
{
    enum value_kind kind = value_kind(vm, a);
    enum value_kind other = value_kind(vm, b);
    if (is_text(kind) && is_text(other)) {
        join_texts(vm, a, b, kind == VALUE_MARKUP || other == VALUE_MARKUP);
        return true;
    }
    if (kind == other && (kind == VALUE_LIST || kind == VALUE_TUPLE)) {
        join_lists(vm, kind, a, b);
        return true;
    }
    return false;
}

static bool multiply(struct vm *vm, int a, int b)
{
    double times;
    int sequence = is_sequence(value_kind(vm, a)) ? a : b;
    int other = sequence == a ? b : a;
    if (!is_sequence(value_kind(vm, sequence)) || !value_number(vm, other, &times) ||
        times != floor(times))
        return false;
    repeat(vm, sequence, times);
    return true;
}

enum value_result value_arith(struct vm *vm, enum value_operator op, int a, int b)
{
    double left, right;
    if (value_number(vm, a, &left) && value_number(vm, b, &right)) {
        lua_pushnumber(vm->L, calculate(vm, op, left, right));
        return VALUE_OK;
    }
    enum value_kind kind = value_kind(vm, a);
    if (op == VALUE_MOD && is_text(kind))
        return value_format(vm, a, b);
    if (kind == VALUE_UNDEFINED)
        value_fail_undefined(vm, a);
    if (value_kind(vm, b) == VALUE_UNDEFINED) {
        if (op != VALUE_ADD || kind != VALUE_MARKUP ||
            value_undefined_kind(vm, b) != UNDEFINED_CHAINABLE)
            value_fail_undefined(vm, b);
        lua_pushvalue(vm->L, a); /* it has an __html__, which is empty */
        return VALUE_OK;
    }
    if (kind == VALUE_OBJECT || value_kind(vm, b) == VALUE_OBJECT)
        return VALUE_ASK;
    if ((op == VALUE_ADD && add(vm, a, b)) || (op == VALUE_MUL && multiply(vm, a, b)))
        return VALUE_OK;
    fail_operands(vm, op, a, b);
}

enum value_result value_negate(struct vm *vm, int index, bool negative)
{
    double number;
    if (value_number(vm, index, &number)) {
        lua_pushnumber(vm->L, negative ? -number : number);
        return VALUE_OK;
    }
    switch (value_kind(vm, index)) {
    case VALUE_UNDEFINED: value_fail_undefined(vm, index);
    case VALUE_OBJECT: return VALUE_ASK;
    default:
        vm_fail(vm, TEMPLATE_RUNTIME, "bad operand type for unary %s: '%s'", negative ? "-" : "+",
                value_type_name(vm, index));
    }
}
