/* template/vm_kind.c - what kind of Python's a Lua value is, and the metatables which say so.
 *
 * Place in the flow: every operation on values begins with value_kind. The metatables are kept in
 * the registry under numbers (lua_rawgeti is one call); which number is which is told by a userdata
 * that vm_meta_open leaves there.
 */
#include <lauxlib.h>
#include <math.h>

#include "template/vm_value.h"
#include "value/marker.h"

static const char refs_key; /* its address: the registry's key of the userdata of numbers */

static const char *const meta_names[VM_META_COUNT] = {
    [VM_META_GROUP] = "qlua.group",
    [VM_META_UNDEFINED] = "qlua.undefined",
    [VM_META_GENERATOR] = "qlua.generator",
    [VM_META_RANGE] = "qlua.range",
    [VM_META_FUNCTION] = "qlua.template_function",
    [VM_META_MACRO] = "qlua.macro",
    [VM_META_LOOP] = "qlua.loop",
    [VM_META_NAMESPACE] = "qlua.namespace",
    [VM_META_CYCLER] = "qlua.cycler",
    [VM_META_JOINER] = "qlua.joiner",
    [VM_META_METHOD] = "qlua.method",
    [VM_META_BLOCK] = "qlua.block",
    [VM_META_MODULE] = "qlua.template_module",
    [VM_META_SELF] = "qlua.template_self",
    [VM_META_TRANSLATION] = "qlua.translation",
};

static const enum marker markers[VM_META_COUNT] = {
    [VM_META_ARRAY] = MARKER_ARRAY, [VM_META_TUPLE] = MARKER_TUPLE,
    [VM_META_BYTES] = MARKER_BYTES, [VM_META_MARKUP] = MARKER_MARKUP,
    [VM_META_UUID] = MARKER_UUID,   [VM_META_DATETIME] = MARKER_DATETIME,
    [VM_META_DICT] = MARKER_DICT,
};

static const enum value_kind kinds[VM_META_COUNT + 1] = {
    [VM_META_ARRAY] = VALUE_LIST,         [VM_META_TUPLE] = VALUE_TUPLE,
    [VM_META_GROUP] = VALUE_TUPLE,        [VM_META_BYTES] = VALUE_NATIVE,
    [VM_META_MARKUP] = VALUE_MARKUP,      [VM_META_UUID] = VALUE_NATIVE,
    [VM_META_DATETIME] = VALUE_NATIVE,    [VM_META_UNDEFINED] = VALUE_UNDEFINED,
    [VM_META_DICT] = VALUE_DICT,          [VM_META_GENERATOR] = VALUE_GENERATOR,
    [VM_META_RANGE] = VALUE_RANGE,        [VM_META_FUNCTION] = VALUE_NATIVE,
    [VM_META_MACRO] = VALUE_NATIVE,       [VM_META_LOOP] = VALUE_NATIVE,
    [VM_META_NAMESPACE] = VALUE_NATIVE,   [VM_META_CYCLER] = VALUE_NATIVE,
    [VM_META_JOINER] = VALUE_NATIVE,      [VM_META_METHOD] = VALUE_NATIVE,
    [VM_META_BLOCK] = VALUE_NATIVE,       [VM_META_MODULE] = VALUE_NATIVE,
    [VM_META_TRANSLATION] = VALUE_NATIVE, [VM_META_SELF] = VALUE_NATIVE,
    [VM_META_COUNT] = VALUE_OBJECT,
};

/* ---- metatables ------------------------------------------------------------------------------ */

static void push_meta_table(lua_State *L, enum vm_meta meta)
{
    if (markers[meta] != MARKER_NONE) {
        marker_push(L, markers[meta]);
        return;
    }
    lua_newtable(L);
    lua_pushstring(L, meta_names[meta]);
    lua_setfield(L, -2, "__name");
}

void vm_meta_open(lua_State *L)
{
    marker_open(L);
    lua_pushlightuserdata(L, (void *)&refs_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    bool is_open = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (is_open)
        return;
    lua_pushlightuserdata(L, (void *)&refs_key);
    int *refs = lua_newuserdata(L, VM_REF_COUNT * sizeof(int));
    for (int i = 0; i < VM_REF_COUNT; i++) {
        if (i < VM_META_COUNT) {
            push_meta_table(L, (enum vm_meta)i);
        } else {
            lua_newtable(L);
        }
        if (i == VM_REF_ORDERS) {
            lua_newtable(L);
            lua_pushliteral(L, "k");
            lua_setfield(L, -2, "__mode");
            lua_setmetatable(L, -2);
        }
        refs[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawset(L, LUA_REGISTRYINDEX);
}

static unsigned meta_hash(const void *meta)
{
    uintptr_t address = (uintptr_t)meta;
    return (unsigned)((address >> 4 ^ address >> 11) % VM_META_HASH);
}

static void add_meta(struct vm *vm, int i)
{
    unsigned at = meta_hash(vm->meta[i]);
    while (vm->meta_at[at] != 0)
        at = (at + 1) % VM_META_HASH;
    vm->meta_at[at] = (unsigned char)(i + 1);
}

void vm_meta_load(struct vm *vm)
{
    lua_State *L = vm->L;
    lua_pushlightuserdata(L, (void *)&refs_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    const int *refs = lua_touserdata(L, -1);
    memset(vm->meta_at, 0, sizeof(vm->meta_at));
    for (int i = 0; i < VM_REF_COUNT; i++) {
        vm->ref[i] = refs[i];
        if (i < VM_META_COUNT) {
            lua_rawgeti(L, LUA_REGISTRYINDEX, refs[i]);
            vm->meta[i] = lua_topointer(L, -1);
            lua_pop(L, 1);
            add_meta(vm, i);
        }
    }
    lua_pop(L, 1);
}

/* ---- kinds ----------------------------------------------------------------------------------- */

/* VM_META_COUNT: not one of ours. */
static enum vm_meta find_meta(const struct vm *vm, const void *meta)
{
    for (unsigned at = meta_hash(meta); vm->meta_at[at] != 0; at = (at + 1) % VM_META_HASH)
        if (vm->meta[vm->meta_at[at] - 1] == meta)
            return (enum vm_meta)(vm->meta_at[at] - 1);
    return VM_META_COUNT;
}

enum vm_meta value_meta(struct vm *vm, int index)
{
    int type = lua_type(vm->L, index);
    if ((type != LUA_TTABLE && type != LUA_TUSERDATA) || !lua_getmetatable(vm->L, index))
        return VM_META_COUNT;
    const void *meta = lua_topointer(vm->L, -1);
    lua_pop(vm->L, 1);
    return find_meta(vm, meta);
}

static enum value_kind table_kind(struct vm *vm, int index)
{
    lua_State *L = vm->L;
    if (lua_getmetatable(L, index)) {
        const void *meta = lua_topointer(L, -1);
        lua_pop(L, 1);
        return meta == vm->meta[VM_META_ARRAY] ? VALUE_LIST : kinds[find_meta(vm, meta)];
    }
    lua_rawgeti(L, index, 1);
    bool is_list = lua_type(L, -1) != LUA_TNIL;
    lua_pop(L, 1);
    return is_list ? VALUE_LIST : VALUE_DICT;
}

enum value_kind value_kind(struct vm *vm, int index)
{
    switch (lua_type(vm->L, index)) {
    case LUA_TNIL: return VALUE_UNDEFINED;
    case LUA_TBOOLEAN: return VALUE_BOOLEAN;
    case LUA_TLIGHTUSERDATA: return marker_is_null(vm->L, index) ? VALUE_NONE : VALUE_OBJECT;
    case LUA_TNUMBER: return VALUE_NUMBER;
    case LUA_TSTRING: return VALUE_STRING;
    case LUA_TTABLE: return table_kind(vm, index);
    case LUA_TFUNCTION: return VALUE_FUNCTION;
    case LUA_TUSERDATA: return kinds[value_meta(vm, index)];
    default: return VALUE_OBJECT;
    }
}

/* ---- names of types -------------------------------------------------------------------------- */

static const char *native_type_name(enum vm_meta meta)
{
    switch (meta) {
    case VM_META_BYTES: return "bytes";
    case VM_META_UUID: return "UUID";
    case VM_META_DATETIME: return "datetime";
    case VM_META_FUNCTION:
    case VM_META_TRANSLATION:
    case VM_META_BLOCK: return "function";
    case VM_META_MACRO: return "Macro";
    case VM_META_LOOP: return "LoopContext";
    case VM_META_NAMESPACE: return "Namespace";
    case VM_META_CYCLER: return "Cycler";
    case VM_META_JOINER: return "Joiner";
    case VM_META_METHOD: return "builtin_function_or_method";
    case VM_META_MODULE: return "TemplateModule";
    case VM_META_SELF: return "TemplateReference";
    default: return "object";
    }
}

static const char *undefined_type_name(enum undefined_kind kind)
{
    switch (kind) {
    case UNDEFINED_STRICT: return "StrictUndefined";
    case UNDEFINED_CHAINABLE: return "ChainableUndefined";
    case UNDEFINED_DEBUG: return "DebugUndefined";
    default: return "Undefined";
    }
}

/* __name of a foreign metatable; its table keeps it alive. */
static const char *object_type_name(lua_State *L, int index)
{
    const char *name = "object";
    if (!lua_getmetatable(L, index))
        return lua_type(L, index) == LUA_TTHREAD ? "coroutine" : name;
    if (lua_type(L, -1) == LUA_TTABLE) {
        lua_pushliteral(L, "__name");
        lua_rawget(L, -2);
        if (lua_type(L, -1) == LUA_TSTRING)
            name = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return name;
}

const char *value_type_name(struct vm *vm, int index)
{
    switch (value_kind(vm, index)) {
    case VALUE_UNDEFINED: return undefined_type_name(value_undefined_kind(vm, index));
    case VALUE_NONE: return "NoneType";
    case VALUE_BOOLEAN: return "bool";
    case VALUE_NUMBER: {
        double number = lua_tonumber(vm->L, index);
        return number == floor(number) && isfinite(number) ? "int" : "float";
    }
    case VALUE_STRING: return "str";
    case VALUE_MARKUP: return "Markup";
    case VALUE_LIST: return "list";
    case VALUE_TUPLE: return "tuple";
    case VALUE_DICT: return "dict";
    case VALUE_GENERATOR: return "generator";
    case VALUE_RANGE: return "range";
    case VALUE_NATIVE: return native_type_name(value_meta(vm, index));
    case VALUE_FUNCTION: return "function";
    default: return object_type_name(vm->L, index);
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

#define ITEMS_LIMIT 1e7
#define ITEMS_MOST  1073741824.0 /* counts of items are ints */

void value_check_text(struct vm *vm, double bytes)
{
    double limit = vm->max_text > 0 ? (double)vm->max_text : VALUE_TEXT_LIMIT;
    if (!(bytes <= limit))
        vm_fail(vm, TEMPLATE_LIMIT, "a text of %.0f bytes; the limit is %.0f", bytes, limit);
}

void value_check_items(struct vm *vm, double items)
{
    double limit = vm->max_range > 0 ? fmin(vm->max_range, ITEMS_MOST) : ITEMS_LIMIT;
    if (!(items <= limit))
        vm_fail(vm, TEMPLATE_LIMIT, "a list of %.0f items; the limit is %.0f", items, limit);
}
