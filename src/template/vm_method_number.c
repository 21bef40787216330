/* template/vm_method_number.c - the methods of int and float, and of ranges. */
#include <math.h>
#include <stdio.h>

#include "template/vm_method.h"
#include "template/vm_value.h"

static double self_number(struct vm *vm, const struct vm_frame *frame)
{
    double number = 0;
    value_number(vm, frame->base, &number);
    return number;
}

static enum vm_status number_is_integer(struct vm *vm, struct vm_frame *frame)
{
    double number = self_number(vm, frame);
    return method_boolean(vm, isfinite(number) && number == floor(number));
}

static enum vm_status number_conjugate(struct vm *vm, struct vm_frame *frame)
{
    return method_number(vm, self_number(vm, frame));
}

static void push_pair(struct vm *vm, double a, double b)
{
    vm_new_tuple(vm, 2);
    lua_pushnumber(vm->L, a);
    lua_rawseti(vm->L, -2, 1);
    lua_pushnumber(vm->L, b);
    lua_rawseti(vm->L, -2, 2);
}

static enum vm_status number_ratio(struct vm *vm, struct vm_frame *frame)
{
    double number = self_number(vm, frame);
    if (!isfinite(number))
        vm_fail(vm, TEMPLATE_RUNTIME, "cannot convert %s to integer ratio",
                isnan(number) ? "NaN" : "Infinity");
    double under = 1;
    while (number != floor(number) && isfinite(under * 2)) {
        number *= 2;
        under *= 2;
    }
    push_pair(vm, number, under);
    return VM_DONE;
}

static enum vm_status number_bit_length(struct vm *vm, struct vm_frame *frame)
{
    int exponent = 0;
    double number = self_number(vm, frame);
    if (!isfinite(number) || number != floor(number))
        vm_fail(vm, TEMPLATE_RUNTIME, "'float' object has no attribute 'bit_length'");
    frexp(number, &exponent);
    return method_number(vm, number == 0 ? 0 : exponent);
}

/* 0x1.8000000000000p+0: always 13 digits, unlike printf's %a */
static enum vm_status number_hex(struct vm *vm, struct vm_frame *frame)
{
    double number = self_number(vm, frame);
    char text[64];
    if (number == 0)
        snprintf(text, sizeof(text), "%s", signbit(number) ? "-0x0.0p+0" : "0x0.0p+0");
    else if (isfinite(number))
        snprintf(text, sizeof(text), "%.13a", number);
    else
        snprintf(text, sizeof(text), "%s", isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
    lua_pushstring(vm->L, text);
    return VM_DONE;
}

static const struct vm_native numbers[] = {
    {"as_integer_ratio", "self", number_ratio}, {"bit_length", "self", number_bit_length},
    {"conjugate", "self", number_conjugate},    {"hex", "self", number_hex},
    {"is_integer", "self", number_is_integer},
};

const struct method_table number_methods = {numbers, sizeof(numbers) / sizeof(numbers[0])};

/* ---- range ----------------------------------------------------------------------------------- */

static enum vm_status range_count(struct vm *vm, struct vm_frame *frame)
{
    bool is_in = false;
    value_contains(vm, frame->base, method_param(frame, 1), &is_in);
    return method_number(vm, is_in);
}

static enum vm_status range_index(struct vm *vm, struct vm_frame *frame)
{
    const struct value_range *range = lua_touserdata(vm->L, frame->base);
    bool is_in = false;
    double number = 0;
    value_contains(vm, frame->base, method_param(frame, 1), &is_in);
    if (!is_in)
        vm_fail(vm, TEMPLATE_RUNTIME, "value is not in range");
    value_number(vm, method_param(frame, 1), &number);
    return method_number(vm, (number - range->start) / range->step);
}

static const struct vm_native ranges[] = {
    {"count", "self, value", range_count},
    {"index", "self, value", range_index},
};

const struct method_table range_methods = {ranges, sizeof(ranges) / sizeof(ranges[0])};
