/* template/vm_make.c - making values: lists, tuples, generators, dicts, Markup, text.
 *
 * Place in the flow: operators, filters and the VM's instructions make their results with these.
 *
 * A dict written in a template is a plain table with the dict metatable; the order of its keys is
 * a list which the weak table VM_REF_ORDERS holds for it, so that a Lua function which gets the
 * dict sees nothing but its keys.
 */
#include <lauxlib.h>
#include <math.h>

#include "template/vm_dict.h"
#include "template/vm_value.h"

void vm_push_meta(struct vm *vm, enum vm_meta meta)
{
    lua_rawgeti(vm->L, LUA_REGISTRYINDEX, vm->ref[meta]);
}

void vm_push_none(struct vm *vm)
{
    lua_pushlightuserdata(vm->L, NULL);
}

/* A table of this metatable with room for n items. */
static void new_table(struct vm *vm, enum vm_meta meta, int n)
{
    lua_createtable(vm->L, n, 0);
    lua_rawgeti(vm->L, LUA_REGISTRYINDEX, vm->ref[meta]);
    lua_setmetatable(vm->L, -2);
}

void vm_new_list(struct vm *vm, int n)
{
    new_table(vm, VM_META_ARRAY, n);
}

void vm_new_tuple(struct vm *vm, int n)
{
    new_table(vm, VM_META_TUPLE, n);
}

void vm_new_generator(struct vm *vm, int n)
{
    new_table(vm, VM_META_GENERATOR, n);
}

/* ---- text ------------------------------------------------------------------------------------ */

void vm_push_text(struct vm *vm, size_t start)
{
    struct slice text = slice_from(buf_view(&vm->text), start);
    lua_pushlstring(vm->L, text.data, text.len);
    vm->text.len = start;
}

void vm_to_markup(struct vm *vm)
{
    lua_State *L = vm->L;
    new_table(vm, VM_META_MARKUP, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
}

void vm_push_markup_text(struct vm *vm, size_t start)
{
    new_table(vm, VM_META_MARKUP, 1);
    vm_push_text(vm, start);
    lua_rawseti(vm->L, -2, 1);
}

/* ---- dicts ----------------------------------------------------------------------------------- */

void vm_new_dict(struct vm *vm)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref[VM_REF_ORDERS]);
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref[VM_META_DICT]);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_newtable(L);
    lua_rawset(L, -4); /* orders[dict] = {} */
    lua_remove(L, -2);
}

bool dict_push_order(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref[VM_REF_ORDERS]);
    lua_pushvalue(L, dict);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (lua_type(L, -1) == LUA_TTABLE)
        return true;
    lua_pop(L, 1);
    return false;
}

/* Is table[key on top] there? */
static bool has_key(lua_State *L, int table)
{
    lua_pushvalue(L, -1);
    lua_rawget(L, table);
    bool has = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return has;
}

/* A tuple is the same key as another of equal items: put the one that is in the dict on top. */
static void find_tuple(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    int key = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, dict)) {
        bool is_equal = false;
        lua_pop(L, 1);
        if (value_kind(vm, -1) == VALUE_TUPLE)
            value_equal(vm, lua_gettop(L), key, &is_equal);
        if (is_equal) {
            lua_replace(L, key);
            return;
        }
    }
}

/* The type of what keeps a value from being a key: a list or dict, itself or in a tuple; NULL:
 * nothing does. */
static const char *unhashable(struct vm *vm, int index, int depth)
{
    lua_State *L = vm->L;
    const char *type = NULL;
    enum value_kind kind = value_kind(vm, index);
    if (kind == VALUE_LIST || kind == VALUE_DICT)
        return value_type_name(vm, index);
    if (kind != VALUE_TUPLE)
        return NULL;
    luaL_checkstack(L, 4, "hash");
    if (depth > VALUE_MAX_DEPTH)
        vm_fail(vm, TEMPLATE_LIMIT, "the key nests deeper than %d levels", VALUE_MAX_DEPTH);
    int n = (int)lua_objlen(L, index);
    for (int i = 1; i <= n && type == NULL; i++) {
        lua_rawgeti(L, index, i);
        type = unhashable(vm, lua_gettop(L), depth + 1);
        lua_pop(L, 1);
    }
    return type;
}

bool dict_is_key(struct vm *vm, int index)
{
    return lua_type(vm->L, index) != LUA_TTABLE || unhashable(vm, index, 0) == NULL;
}

void dict_key(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    switch (lua_type(L, -1)) {
    case LUA_TSTRING: return;
    case LUA_TNUMBER:
        if ((lua_tonumber(L, -1) != 0 && lua_tonumber(L, -1) != 1) || has_key(L, dict))
            return;
        lua_pushboolean(L, lua_tonumber(L, -1) == 1);
        if (has_key(L, dict))
            lua_remove(L, -2); /* {True: 'a'}[1] */
        else
            lua_pop(L, 1);
        return;
    case LUA_TBOOLEAN:
        if (has_key(L, dict))
            return;
        lua_pushnumber(L, lua_toboolean(L, -1));
        if (has_key(L, dict))
            lua_remove(L, -2); /* {1: 'a'}[true] */
        else
            lua_pop(L, 1);
        return;
    default: break;
    }
    const char *type = unhashable(vm, lua_gettop(L), 0);
    if (type != NULL)
        vm_fail(vm, TEMPLATE_RUNTIME, "unhashable type: '%s'", type);
    enum value_kind kind = value_kind(vm, -1);
    if (kind == VALUE_MARKUP) {
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    } else if (kind == VALUE_TUPLE) {
        find_tuple(vm, dict);
    } else if (kind == VALUE_UNDEFINED && value_undefined_kind(vm, -1) == UNDEFINED_STRICT) {
        value_fail_undefined(vm, lua_gettop(L));
    }
}

/* Append the key at index to the dict's order, if it has one. */
static void order_add(struct vm *vm, int dict, int key)
{
    lua_State *L = vm->L;
    if (!dict_push_order(vm, dict))
        return;
    lua_pushvalue(L, key);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_pop(L, 1);
}

void vm_dict_set(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    int value = lua_gettop(L);
    lua_pushvalue(L, value - 1);
    dict_key(vm, dict);
    if (lua_type(L, -1) == LUA_TNUMBER && isnan(lua_tonumber(L, -1)))
        vm_fail(vm, TEMPLATE_RUNTIME, "nan cannot be the key of a dict");
    if (!has_key(L, dict))
        order_add(vm, dict, value + 1);
    lua_pushvalue(L, value);
    lua_rawset(L, dict);
    lua_settop(L, value - 2);
}

void dict_remove(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    int key = lua_gettop(L);
    if (dict_push_order(vm, dict)) {
        int n = (int)lua_objlen(L, -1);
        int at = n;
        bool found = false;
        for (; at > 0 && !found; at--) { /* popitem takes the last */
            lua_rawgeti(L, -1, at);
            found = lua_rawequal(L, -1, key);
            lua_pop(L, 1);
        }
        value_spend(vm, n - at);
        for (int i = at + 1; found && i <= n; i++) {
            lua_rawgeti(L, -1, i + 1);
            lua_rawseti(L, -2, i);
        }
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    lua_rawset(L, dict);
}
