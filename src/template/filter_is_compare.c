/* template/filter_is_compare.c - tests that compare: ==, <, in, divisibleby, odd, even.
 *
 * Place in the flow: listed in filter.c under their names and signs. An object is asked once; its
 * answer is the result, or for >, <=, != and >= what follows from it.
 */
#include <math.h>

#include "template/filter_internal.h"

static enum vm_status answer(struct vm *vm, bool is)
{
    lua_pushboolean(vm->L, is);
    return VM_DONE;
}

/* Ask Lua about two values; frame->state is 1 from then on. */
static enum vm_status ask(struct vm *vm, struct vm_frame *frame, enum vm_ask what, int a, int b)
{
    frame->state = 1;
    lua_pushvalue(vm->L, a);
    lua_pushvalue(vm->L, b);
    return vm_ask(vm, what, 2);
}

static enum vm_status equal(struct vm *vm, struct vm_frame *frame, bool wanted)
{
    bool is_equal;
    if (frame->state == 1)
        is_equal = lua_toboolean(vm->L, -1);
    else if (value_equal(vm, frame->base, frame->base + 1, &is_equal) == VALUE_ASK)
        return ask(vm, frame, VM_ASK_EQUAL, frame->base, frame->base + 1);
    return answer(vm, is_equal == wanted);
}

enum vm_status test_eq(struct vm *vm, struct vm_frame *frame)
{
    return equal(vm, frame, true);
}

enum vm_status test_ne(struct vm *vm, struct vm_frame *frame)
{
    return equal(vm, frame, false);
}

/* a OP b, where a < b says yes when `less`, else b < a does; `or_equal`: the other one says no. */
static enum vm_status compare(struct vm *vm, struct vm_frame *frame, const char *op, bool less,
                              bool or_equal)
{
    int a = frame->base, b = frame->base + 1, order = 0;
    if (frame->state == 1)
        return answer(vm, (bool)lua_toboolean(vm->L, -1) != or_equal);
    if (value_order(vm, a, b, op, &order) == VALUE_ASK) {
        bool straight = less != or_equal; /* a <= b is not b < a */
        return ask(vm, frame, VM_ASK_LESS, straight ? a : b, straight ? b : a);
    }
    if (!less)
        order = -order;
    return answer(vm, order < 0 || (or_equal && order == 0));
}

enum vm_status test_lt(struct vm *vm, struct vm_frame *frame)
{
    return compare(vm, frame, "<", true, false);
}

enum vm_status test_le(struct vm *vm, struct vm_frame *frame)
{
    return compare(vm, frame, "<=", true, true);
}

enum vm_status test_gt(struct vm *vm, struct vm_frame *frame)
{
    return compare(vm, frame, ">", false, false);
}

enum vm_status test_ge(struct vm *vm, struct vm_frame *frame)
{
    return compare(vm, frame, ">=", false, true);
}

enum vm_status test_in(struct vm *vm, struct vm_frame *frame)
{
    int item = frame->base, container = frame->base + 1;
    bool is_in;
    if (frame->state == 1)
        is_in = lua_toboolean(vm->L, -1);
    else if (value_contains(vm, container, item, &is_in) == VALUE_ASK)
        return ask(vm, frame, VM_ASK_CONTAINS, container, item);
    return answer(vm, is_in);
}

/* ---- remainders ------------------------------------------------------------------------------ */

/* Is value % number == wanted? frame->state 1: the remainder was asked of Lua, 2: its equality. */
static enum vm_status remainder_is(struct vm *vm, struct vm_frame *frame, int value, int number,
                                   double wanted)
{
    lua_State *L = vm->L;
    bool is_equal;
    if (frame->state == 2)
        return answer(vm, lua_toboolean(L, -1));
    if (frame->state == 0 && value_arith(vm, VALUE_MOD, value, number) == VALUE_ASK) {
        frame->state = 1;
        lua_pushliteral(L, "%");
        lua_pushvalue(L, value);
        lua_pushvalue(L, number);
        return vm_ask(vm, VM_ASK_ARITH, 3);
    }
    lua_pushnumber(L, wanted);
    int top = lua_gettop(L);
    if (value_equal(vm, top - 1, top, &is_equal) == VALUE_ASK) {
        frame->state = 2;
        return vm_ask(vm, VM_ASK_EQUAL, 2);
    }
    return answer(vm, is_equal);
}

/* The number 2 is put into the slot above the parameter. */
static enum vm_status parity(struct vm *vm, struct vm_frame *frame, double wanted)
{
    if (frame->state == 0 && lua_type(vm->L, frame->base) == LUA_TNUMBER) {
        double rest = fmod(lua_tonumber(vm->L, frame->base), 2);
        return answer(vm, (rest < 0 ? rest + 2 : rest) == wanted);
    }
    if (frame->state == 0)
        lua_pushnumber(vm->L, 2);
    return remainder_is(vm, frame, frame->base, frame->base + 1, wanted);
}

enum vm_status test_odd(struct vm *vm, struct vm_frame *frame)
{
    return parity(vm, frame, 1);
}

enum vm_status test_even(struct vm *vm, struct vm_frame *frame)
{
    return parity(vm, frame, 0);
}

enum vm_status test_divisibleby(struct vm *vm, struct vm_frame *frame)
{
    return remainder_is(vm, frame, frame->base, frame->base + 1, 0);
}
