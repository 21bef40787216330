/* template/vm_method_dict.c - the methods of dicts.
 *
 * keys(), values() and items() give lists, not views: what is added afterwards is not in them.
 */
#include "template/vm_dict.h"
#include "template/vm_method.h"
#include "template/vm_value.h"

/* Push the value of parameter i as a key; false (nothing pushed): the dict has not got it. */
static bool push_value(struct vm *vm, const struct vm_frame *frame, int i)
{
    value_dict_get(vm, frame->base, method_param(frame, i));
    if (!lua_isnil(vm->L, -1))
        return true;
    lua_pop(vm->L, 1);
    return false;
}

/* dict[key at index] = value at index */
static void set(struct vm *vm, int dict, int key, int value)
{
    lua_pushvalue(vm->L, key);
    lua_pushvalue(vm->L, value);
    vm_dict_set(vm, dict);
}

_Noreturn static void fail_key(struct vm *vm, int key)
{
    size_t start = vm->text.len;
    value_repr(vm, key, &vm->text);
    vm_push_text(vm, start);
    vm_fail(vm, TEMPLATE_RUNTIME, "%s", lua_tostring(vm->L, -1)); /* Python's KeyError */
}

static enum vm_status dict_get(struct vm *vm, struct vm_frame *frame)
{
    if (!push_value(vm, frame, 1))
        lua_pushvalue(vm->L, method_param(frame, 2));
    return VM_DONE;
}

static enum vm_status dict_keys(struct vm *vm, struct vm_frame *frame)
{
    value_dict_keys(vm, frame->base);
    return VM_DONE;
}

static enum vm_status dict_values(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, frame->base);
    int list = lua_gettop(L);
    int n = (int)lua_objlen(L, list);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, list, i);
        lua_rawget(L, frame->base);
        lua_rawseti(L, list, i);
    }
    return VM_DONE;
}

static enum vm_status dict_items(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, frame->base);
    int list = lua_gettop(L);
    int n = (int)lua_objlen(L, list);
    for (int i = 1; i <= n; i++) {
        vm_new_tuple(vm, 2);
        lua_rawgeti(L, list, i);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, 1);
        lua_rawget(L, frame->base);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, list, i);
    }
    return VM_DONE;
}

static enum vm_status dict_pop(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int rest = method_param(frame, 2);
    if (!push_value(vm, frame, 1)) {
        if (lua_objlen(L, rest) == 0)
            fail_key(vm, method_param(frame, 1));
        lua_rawgeti(L, rest, 1);
        return VM_DONE;
    }
    lua_pushvalue(L, method_param(frame, 1));
    dict_key(vm, frame->base);
    dict_remove(vm, frame->base);
    return VM_DONE;
}

static enum vm_status dict_popitem(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, frame->base);
    int n = (int)lua_objlen(L, -1);
    if (n == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "popitem(): dictionary is empty");
    lua_rawgeti(L, -1, n);
    int key = lua_gettop(L);
    vm_new_tuple(vm, 2);
    lua_pushvalue(L, key);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, key);
    lua_rawget(L, frame->base);
    lua_rawseti(L, -2, 2);
    lua_pushvalue(L, key);
    dict_remove(vm, frame->base);
    return VM_DONE;
}

static enum vm_status dict_setdefault(struct vm *vm, struct vm_frame *frame)
{
    if (!push_value(vm, frame, 1)) {
        set(vm, frame->base, method_param(frame, 1), method_param(frame, 2));
        lua_pushvalue(vm->L, method_param(frame, 2));
    }
    return VM_DONE;
}

static enum vm_status dict_clear(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, frame->base);
    int n = (int)lua_objlen(L, -1);
    for (int i = n; i > 0; i--) {
        lua_rawgeti(L, -1, i);
        dict_remove(vm, frame->base);
    }
    return method_none(vm);
}

/* Set all keys of the dict at `from`, in their order. */
static void set_all(struct vm *vm, int dict, int from)
{
    lua_State *L = vm->L;
    if (lua_isnil(L, from))
        return;
    value_dict_keys(vm, from);
    int keys = lua_gettop(L);
    int n = (int)lua_objlen(L, keys);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, keys, i);
        lua_pushvalue(L, -1);
        lua_rawget(L, from);
        vm_dict_set(vm, dict);
    }
    lua_pop(L, 1);
}

/* Set the keys of a list of pairs. */
static void set_pairs(struct vm *vm, int dict, int pairs)
{
    lua_State *L = vm->L;
    value_to_list(vm, pairs);
    int n = (int)lua_objlen(L, pairs);
    int pair = lua_gettop(L) + 1;
    for (int i = 1; i <= n; i++) {
        double length = 0;
        lua_rawgeti(L, pairs, i);
        enum value_kind kind = value_kind(vm, pair);
        if (kind != VALUE_LIST && kind != VALUE_TUPLE && kind != VALUE_STRING)
            vm_fail(vm, TEMPLATE_RUNTIME,
                    "cannot convert dictionary update sequence element #%d to a sequence", i - 1);
        value_length(vm, pair, &length);
        if (length != 2)
            vm_fail(vm, TEMPLATE_RUNTIME,
                    "dictionary update sequence element #%d has length %.0f; 2 is required", i - 1,
                    length);
        value_to_list(vm, pair);
        lua_rawgeti(L, pair, 1);
        lua_rawgeti(L, pair, 2);
        vm_dict_set(vm, dict);
        lua_settop(L, pair - 1);
    }
}

/* Set the keys of a dict, or of a list of pairs (which a plain list takes the place of). */
static void update(struct vm *vm, int dict, int from)
{
    if (value_kind(vm, from) == VALUE_DICT)
        set_all(vm, dict, from);
    else
        set_pairs(vm, dict, from);
}

static enum vm_status dict_update(struct vm *vm, struct vm_frame *frame)
{
    int from = method_param(frame, 1);
    if (frame->state == 0 && value_kind(vm, from) == VALUE_OBJECT) {
        frame->state = 1;
        lua_pushvalue(vm->L, from);
        return vm_ask(vm, VM_ASK_PAIRS, 1);
    }
    if (frame->state == 1)
        lua_replace(vm->L, from);
    if (method_given(vm, frame, 1))
        update(vm, frame->base, from);
    set_all(vm, frame->base, method_param(frame, 2));
    return method_none(vm);
}

static enum vm_status dict_copy(struct vm *vm, struct vm_frame *frame)
{
    vm_new_dict(vm);
    set_all(vm, lua_gettop(vm->L), frame->base);
    return VM_DONE;
}

static enum vm_status dict_fromkeys(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int keys = method_param(frame, 1);
    value_to_list(vm, keys);
    vm_new_dict(vm);
    int dict = lua_gettop(L);
    int n = (int)lua_objlen(L, keys);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, keys, i);
        lua_pushvalue(L, method_param(frame, 2));
        vm_dict_set(vm, dict);
    }
    return VM_DONE;
}

/* In strcmp order. */
static const struct vm_native table[] = {
    {"clear", "self", dict_clear},
    {"copy", "self", dict_copy},
    {"fromkeys", "self, i:iterable, value=none", dict_fromkeys},
    {"get", "self, key, default=none", dict_get},
    {"items", "self", dict_items},
    {"keys", "self", dict_keys},
    {"pop", "self, key, *", dict_pop},
    {"popitem", "self", dict_popitem},
    {"setdefault", "self, key, default=none", dict_setdefault},
    {"update", "self, other=none, **", dict_update},
    {"values", "self", dict_values},
};

const struct method_table dict_methods = {table, sizeof(table) / sizeof(table[0])};
