/* template/filter_is.c - tests of what a value is.
 *
 * Place in the flow: listed in filter.c; those that compare two values are in filter_is_compare.c.
 * Numbers are doubles: a whole one counts as an integer, any other as a float. What an object can
 * be used as Lua says.
 */
#include <math.h>

#include "template/filter_internal.h"

static enum vm_status answer(struct vm *vm, bool is)
{
    lua_pushboolean(vm->L, is);
    return VM_DONE;
}

/* ---- kinds ----------------------------------------------------------------------------------- */

enum vm_status test_defined(struct vm *vm, struct vm_frame *frame)
{
    return answer(vm, value_kind(vm, frame->base) != VALUE_UNDEFINED);
}

enum vm_status test_undefined(struct vm *vm, struct vm_frame *frame)
{
    return answer(vm, value_kind(vm, frame->base) == VALUE_UNDEFINED);
}

enum vm_status test_none(struct vm *vm, struct vm_frame *frame)
{
    return answer(vm, value_kind(vm, frame->base) == VALUE_NONE);
}

enum vm_status test_boolean(struct vm *vm, struct vm_frame *frame)
{
    return answer(vm, lua_isboolean(vm->L, frame->base));
}

enum vm_status test_true(struct vm *vm, struct vm_frame *frame)
{
    return answer(vm, lua_isboolean(vm->L, frame->base) && lua_toboolean(vm->L, frame->base));
}

enum vm_status test_false(struct vm *vm, struct vm_frame *frame)
{
    return answer(vm, lua_isboolean(vm->L, frame->base) && !lua_toboolean(vm->L, frame->base));
}

static bool is_whole(double number)
{
    return isfinite(number) && floor(number) == number;
}

enum vm_status test_integer(struct vm *vm, struct vm_frame *frame)
{
    bool is_number = value_kind(vm, frame->base) == VALUE_NUMBER;
    return answer(vm, is_number && is_whole(lua_tonumber(vm->L, frame->base)));
}

enum vm_status test_float(struct vm *vm, struct vm_frame *frame)
{
    bool is_number = value_kind(vm, frame->base) == VALUE_NUMBER;
    return answer(vm, is_number && !is_whole(lua_tonumber(vm->L, frame->base)));
}

enum vm_status test_number(struct vm *vm, struct vm_frame *frame)
{
    enum value_kind kind = value_kind(vm, frame->base);
    return answer(vm, kind == VALUE_NUMBER || kind == VALUE_BOOLEAN);
}

enum vm_status test_string(struct vm *vm, struct vm_frame *frame)
{
    enum value_kind kind = value_kind(vm, frame->base);
    return answer(vm, kind == VALUE_STRING || kind == VALUE_MARKUP);
}

enum vm_status test_sameas(struct vm *vm, struct vm_frame *frame)
{
    return answer(vm, lua_rawequal(vm->L, frame->base, frame->base + 1));
}

/* ---- what can be done with it ---------------------------------------------------------------- */

/* Ask Lua whether the object can be used so; its answer is the test's. */
static enum vm_status ask_use(struct vm *vm, struct vm_frame *frame, const char *use)
{
    if (frame->state == 1)
        return VM_DONE;
    frame->state = 1;
    lua_pushvalue(vm->L, frame->base);
    lua_pushstring(vm->L, use);
    return vm_ask(vm, VM_ASK_IS, 2);
}

/* Does it say how it is written as HTML? */
enum vm_status test_escaped(struct vm *vm, struct vm_frame *frame)
{
    enum value_kind kind = value_kind(vm, frame->base);
    if (kind == VALUE_OBJECT)
        return ask_use(vm, frame, "escaped");
    if (kind == VALUE_UNDEFINED)
        return answer(vm, value_undefined_kind(vm, frame->base) == UNDEFINED_CHAINABLE);
    return answer(vm, kind == VALUE_MARKUP || value_meta(vm, frame->base) == VM_META_MODULE);
}

static bool is_callable(enum vm_meta meta)
{
    switch (meta) {
    case VM_META_FUNCTION:
    case VM_META_MACRO:
    case VM_META_LOOP:
    case VM_META_JOINER:
    case VM_META_METHOD:
    case VM_META_BLOCK:
    case VM_META_TRANSLATION: return true;
    default: return false;
    }
}

/* Calling an undefined fails, but it is callable: so it is in Jinja. */
enum vm_status test_callable(struct vm *vm, struct vm_frame *frame)
{
    switch (value_kind(vm, frame->base)) {
    case VALUE_UNDEFINED:
    case VALUE_FUNCTION: return answer(vm, true);
    case VALUE_OBJECT: return ask_use(vm, frame, "callable");
    case VALUE_NATIVE: return answer(vm, is_callable(value_meta(vm, frame->base)));
    default: return answer(vm, false);
    }
}

enum vm_status test_mapping(struct vm *vm, struct vm_frame *frame)
{
    enum value_kind kind = value_kind(vm, frame->base);
    if (kind == VALUE_OBJECT)
        return ask_use(vm, frame, "mapping");
    return answer(vm, kind == VALUE_DICT);
}

/* Has it a length and items by number? */
enum vm_status test_sequence(struct vm *vm, struct vm_frame *frame)
{
    switch (value_kind(vm, frame->base)) {
    case VALUE_STRING:
    case VALUE_MARKUP:
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
    case VALUE_RANGE: return answer(vm, true);
    case VALUE_UNDEFINED:
        return answer(vm, value_undefined_kind(vm, frame->base) != UNDEFINED_STRICT);
    case VALUE_OBJECT: return ask_use(vm, frame, "sequence");
    default: return answer(vm, false);
    }
}

enum vm_status test_iterable(struct vm *vm, struct vm_frame *frame)
{
    switch (value_kind(vm, frame->base)) {
    case VALUE_STRING:
    case VALUE_MARKUP:
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
    case VALUE_GENERATOR:
    case VALUE_RANGE: return answer(vm, true);
    case VALUE_UNDEFINED:
        if (value_undefined_kind(vm, frame->base) == UNDEFINED_STRICT)
            value_fail_undefined(vm, frame->base);
        return answer(vm, true);
    case VALUE_NATIVE: return answer(vm, value_meta(vm, frame->base) == VM_META_LOOP);
    case VALUE_OBJECT: return ask_use(vm, frame, "iterable");
    default: return answer(vm, false);
    }
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* By the method of text; the binder has made text of the value. */
static enum vm_status call_method(struct vm *vm, struct vm_frame *frame, struct slice name)
{
    if (frame->state == 1)
        return VM_DONE;
    frame->state = 1;
    lua_pushvalue(vm->L, frame->base);
    return vm_call_native(vm, value_method(vm, frame->base, name), 1, false);
}

enum vm_status test_lower(struct vm *vm, struct vm_frame *frame)
{
    return call_method(vm, frame, SLICE("islower"));
}

enum vm_status test_upper(struct vm *vm, struct vm_frame *frame)
{
    return call_method(vm, frame, SLICE("isupper"));
}

/* A name looked for among filters or tests; lists and dicts are no keys in Python. */
static bool take_name(struct vm *vm, int index, struct slice *name)
{
    enum value_kind kind = value_kind(vm, index);
    if (kind == VALUE_LIST || kind == VALUE_DICT)
        filter_fail_type(vm, index, "unhashable type: '", "'");
    return value_slice(vm, index, name);
}

enum vm_status test_filter(struct vm *vm, struct vm_frame *frame)
{
    struct slice name;
    return answer(vm, take_name(vm, frame->base, &name) && vm_has_filter(vm, name));
}

enum vm_status test_test(struct vm *vm, struct vm_frame *frame)
{
    struct slice name;
    return answer(vm, take_name(vm, frame->base, &name) && vm_has_test(vm, name));
}
