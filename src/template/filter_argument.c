/* template/filter_argument.c - what filters read of their arguments, and how they push texts.
 *
 * Place in the flow: all filter files call this. The binder (vm_call) has put every parameter into
 * its slot; here they become C values, or fail in Python's words.
 */
#include <limits.h>
#include <math.h>

#include "base/escape.h"
#include "template/filter_internal.h"
#include "template/space.h"
#include "template/unicode.h"

bool filter_is_absent(struct vm *vm, int index)
{
    int type = lua_type(vm->L, index);
    return type == LUA_TNIL || (type == LUA_TLIGHTUSERDATA && lua_touserdata(vm->L, index) == NULL);
}

bool filter_flag(struct vm *vm, int index)
{
    bool is_true;
    int type = lua_type(vm->L, index);
    if (type == LUA_TNIL || type == LUA_TBOOLEAN)
        return lua_toboolean(vm->L, index);
    return value_truth(vm, index, &is_true) == VALUE_ASK || is_true;
}

double filter_whole(struct vm *vm, int index)
{
    switch (value_kind(vm, index)) {
    case VALUE_BOOLEAN: return lua_toboolean(vm->L, index);
    case VALUE_NUMBER: {
        double number = lua_tonumber(vm->L, index);
        if (isfinite(number) && floor(number) == number)
            return number;
    } break;
    case VALUE_UNDEFINED: value_fail_undefined(vm, index);
    default: break;
    }
    filter_fail_type(vm, index, "'", "' object cannot be interpreted as an integer");
}

void filter_fail_type(struct vm *vm, int index, const char *before, const char *after)
{
    vm_fail(vm, TEMPLATE_RUNTIME, "%s%s%s", before, value_type_name(vm, index), after);
}

void filter_fail_attribute(struct vm *vm, int index, const char *attribute)
{
    if (value_kind(vm, index) == VALUE_UNDEFINED)
        value_fail_undefined(vm, index);
    vm_fail(vm, TEMPLATE_RUNTIME, "'%s' object has no attribute '%s'", value_type_name(vm, index),
            attribute);
}

struct slice filter_text(struct vm *vm, int index, const char *attribute)
{
    struct slice text;
    if (!value_slice(vm, index, &text))
        filter_fail_attribute(vm, index, attribute);
    value_spend_text(vm, text.len);
    return text;
}

int filter_items(struct vm *vm, int index)
{
    enum value_kind kind = value_kind(vm, index);
    if (kind == VALUE_LIST || kind == VALUE_TUPLE) {
        double count = (double)lua_objlen(vm->L, index);
        if (count > (double)INT_MAX)
            value_check_items(vm, count);
        value_spend(vm, count);
        return (int)count;
    }
    if (value_to_list(vm, index) == VALUE_ASK)
        filter_fail_type(vm, index, "'", "' object is not iterable");
    int n = (int)lua_objlen(vm->L, index);
    value_spend(vm, n);
    return n;
}

int filter_rest(struct vm *vm, int index)
{
    return lua_istable(vm->L, index) ? (int)lua_objlen(vm->L, index) : 0;
}

bool filter_has_keywords(struct vm *vm, int index)
{
    if (!lua_istable(vm->L, index))
        return false;
    lua_pushnil(vm->L);
    if (lua_next(vm->L, index) == 0)
        return false;
    lua_pop(vm->L, 2);
    return true;
}

struct slice filter_strip(struct slice text)
{
    text = slice_from(text, space_before(text));
    text.len -= space_behind(text);
    return text;
}

bool filter_is_word(uint32_t code)
{
    return code == '_' || unicode_is_alnum(code);
}

void filter_push_text(struct vm *vm, size_t start, bool is_markup)
{
    if (is_markup)
        vm_push_markup_text(vm, start);
    else
        vm_push_text(vm, start);
}

void filter_repeat(struct vm *vm, struct slice unit, double times)
{
    if (!(times >= 1) || unit.len == 0)
        return;
    double bytes = times * (double)unit.len;
    value_check_text(vm, (double)vm->text.len + bytes);
    size_t all = (size_t)times * unit.len;
    value_spend_text(vm, all);
    char *dst = buf_reserve(&vm->text, all);
    memcpy(dst, unit.data, unit.len);
    for (size_t done = unit.len; done < all; done *= 2) /* what is there, once more */
        memcpy(dst + done, dst, done < all - done ? done : all - done);
    vm->text.len += all;
}

void filter_add_escaped(struct vm *vm, int index)
{
    struct slice text = filter_text(vm, index, "__html__");
    if (value_kind(vm, index) == VALUE_MARKUP)
        buf_slice(&vm->text, text);
    else
        escape_html(&vm->text, text);
}
