/* bind/multidict_read.c - the methods by which a MultiDict is read: get, getlist, items, keys,
 * lists, to_dict, contains, plain index and #. See multidict.h. */
#include "bind/multidict_internal.h"

#include <lauxlib.h>
#include <string.h>

#include "bind/check.h"
#include "value/marker.h"

/* Up to so many items a look back for an earlier one of the same name is cheaper than a table. */
#define FEW 32

/* A name given to a method. */
static struct slice check_key(lua_State *L, int index, const struct multidict *dict)
{
    if (!lua_isstring(L, index))
        luaL_error(L, "%s: a name (string) expected, got %s", multidict_label(dict),
                   luaL_typename(L, index));
    return check_slice(L, index);
}

/* Is there a conversion at index? Raises when there is something else. */
static bool has_convert(lua_State *L, int index, const struct multidict *dict)
{
    if (lua_isnoneornil(L, index))
        return false;
    bool is_callable = lua_isfunction(L, index) || luaL_getmetafield(L, index, "__call");
    if (!is_callable)
        luaL_error(L, "%s: convert must be a function such as tonumber, got %s",
                   multidict_label(dict), luaL_typename(L, index));
    if (!lua_isfunction(L, index))
        lua_pop(L, 1);
    return true;
}

/* Replace the value on top by convert(value); false, and nothing pushed, for nil or an error. */
static bool convert_top(lua_State *L, int convert)
{
    lua_pushvalue(L, convert);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 1, 0) == 0 && !lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static uint32_t index_of(const struct multidict *dict, const struct field *item)
{
    return (uint32_t)(item - dict->fields.items);
}

/* dict[key] -> a method, the first value, or nil */
static int l_index(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (!lua_isnil(L, -1) || !lua_isstring(L, 2))
        return 1;
    const struct field *item = fields_get(&dict->fields, check_slice(L, 2));
    if (item != NULL)
        multidict_push_value(L, 1, dict, index_of(dict, item));
    return 1;
}

/* dict:get(key [, default [, convert]]) -> the first value, converted */
static int l_get(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    struct slice key = check_key(L, 2, dict);
    lua_settop(L, 4);
    bool converts = has_convert(L, 4, dict);
    const struct field *item = fields_get(&dict->fields, key);
    if (item != NULL) {
        multidict_push_value(L, 1, dict, index_of(dict, item));
        if (!converts || convert_top(L, 4))
            return 1;
    }
    lua_pushvalue(L, 3);
    return 1;
}

/* Push the list of key's values, converted when convert is not 0. */
static void push_list(lua_State *L, int self, struct multidict *dict, struct slice key, int convert)
{
    int n = 0;
    lua_newtable(L);
    const struct field *item = fields_next(&dict->fields, NULL, key);
    for (; item != NULL; item = fields_next(&dict->fields, item, key)) {
        multidict_push_value(L, self, dict, index_of(dict, item));
        if (convert == 0 || convert_top(L, convert))
            lua_rawseti(L, -2, ++n);
    }
    marker_set_array(L, -1);
}

/* dict:getlist(key [, convert]) -> list */
static int l_getlist(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    struct slice key = check_key(L, 2, dict);
    lua_settop(L, 3);
    push_list(L, 1, dict, key, has_convert(L, 3, dict) ? 3 : 0);
    return 1;
}

/* dict:contains(key) -> boolean */
static int l_contains(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    lua_pushboolean(L, fields_get(&dict->fields, check_key(L, 2, dict)) != NULL);
    return 1;
}

/* Push the key of item i as a table's key: header names in lower case, since case is no
 * difference there. */
static void push_fold(lua_State *L, const struct multidict *dict, uint32_t i)
{
    struct slice name = dict->fields.items[i].name;
    if (!dict->fields.nocase) {
        push_slice(L, name);
        return;
    }
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (size_t at = 0; at < name.len; at++)
        luaL_addchar(&buffer, ascii_lower(name.data[at]));
    luaL_pushresult(&buffer);
}

/* Is item i the first of its name? seen is the index of a table for long lists, filled here in
 * order; 0 for short ones. */
static bool is_first(lua_State *L, const struct multidict *dict, uint32_t i, int seen)
{
    if (seen == 0)
        return fields_get(&dict->fields, dict->fields.items[i].name) == &dict->fields.items[i];
    push_fold(L, dict, i);
    lua_pushvalue(L, -1);
    lua_rawget(L, seen);
    bool is_new = lua_isnil(L, -1);
    lua_pop(L, 1);
    if (is_new) {
        lua_pushboolean(L, 1);
        lua_rawset(L, seen);
    } else {
        lua_pop(L, 1);
    }
    return is_new;
}

/* What an iterator gives. Its upvalues: the object, this, the position, the names seen (nil for
 * short ones), and for WALK_LISTS the lists by folded name. */
enum walk { WALK_ITEMS, WALK_ALL, WALK_LISTS };

static int l_walk(lua_State *L)
{
    int self = lua_upvalueindex(1);
    struct multidict *dict = lua_touserdata(L, self);
    enum walk walk = (enum walk)lua_tointeger(L, lua_upvalueindex(2));
    uint32_t i = (uint32_t)lua_tonumber(L, lua_upvalueindex(3));
    int seen = lua_isnil(L, lua_upvalueindex(4)) ? 0 : lua_upvalueindex(4);
    bool all = walk == WALK_ALL;

    while (i < dict->fields.count && !all && !is_first(L, dict, i, seen))
        i++;
    if (i >= dict->fields.count)
        return 0;
    lua_pushnumber(L, i + 1);
    lua_replace(L, lua_upvalueindex(3));
    push_slice(L, dict->fields.items[i].name);
    if (walk != WALK_LISTS) {
        multidict_push_value(L, self, dict, i);
    } else {
        push_fold(L, dict, i);
        lua_rawget(L, lua_upvalueindex(5));
    }
    return 2;
}

static int push_walk(lua_State *L, struct multidict *dict, enum walk walk)
{
    lua_pushvalue(L, 1);
    lua_pushinteger(L, walk);
    lua_pushinteger(L, 0);
    if (dict->fields.count > FEW)
        lua_newtable(L);
    else
        lua_pushnil(L);
    if (walk == WALK_LISTS)
        lua_pushvalue(L, 2);
    lua_pushcclosure(L, l_walk, walk == WALK_LISTS ? 5 : 4);
    return 1;
}

/* The only option that a method has, a boolean in a table at index; preset when it is not given. */
static bool option(lua_State *L, int index, const struct multidict *dict, const char *method,
                   const char *name, bool preset)
{
    if (lua_isnoneornil(L, index))
        return preset;
    if (!lua_istable(L, index))
        luaL_error(L, "%s:%s: a table of options expected, { %s = %s }, got %s",
                   multidict_label(dict), method, name, preset ? "false" : "true",
                   luaL_typename(L, index));
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), name) != 0)
            luaL_error(L, "%s:%s: unknown option (known: %s)", multidict_label(dict), method, name);
    lua_getfield(L, index, name);
    bool value = lua_isnil(L, -1) ? preset : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* dict:items([{ multi = true }]) -> iterator of name, value: the first of each name, or all;
 * always all of Headers */
static int l_items(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    bool all = option(L, 2, dict, "items", "multi", dict->fields.nocase);
    lua_settop(L, 1);
    return push_walk(L, dict, all ? WALK_ALL : WALK_ITEMS);
}

/* dict:keys() -> list of the names, each once */
static int l_keys(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    int n = 0;
    lua_settop(L, 1);
    lua_newtable(L);
    lua_newtable(L);
    int seen = dict->fields.count > FEW ? 3 : 0;
    for (uint32_t i = 0; i < dict->fields.count; i++) {
        if (!is_first(L, dict, i, seen))
            continue;
        push_slice(L, dict->fields.items[i].name);
        lua_rawseti(L, 2, ++n);
    }
    lua_settop(L, 2);
    marker_set_array(L, 2);
    return 1;
}

/* Append the value of item i to the list lists[folded name], made when there is none. */
static void add_to_list(lua_State *L, const struct multidict *dict, uint32_t i, int lists)
{
    push_fold(L, dict, i);
    lua_pushvalue(L, -1);
    lua_rawget(L, lists);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        marker_set_array(L, -1);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, lists);
    }
    multidict_push_value(L, 1, dict, i);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_pop(L, 2);
}

/* dict:lists() -> iterator of name, list of all its values */
static int l_lists(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    lua_settop(L, 1);
    lua_newtable(L);
    for (uint32_t i = 0; i < dict->fields.count; i++)
        add_to_list(L, dict, i, 2);
    return push_walk(L, dict, WALK_LISTS);
}

/* dict:to_dict([{ flat = false }]) -> table of first values, or of lists */
static int l_to_dict(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    bool flat = option(L, 2, dict, "to_dict", "flat", true);
    lua_settop(L, 1);
    lua_newtable(L); /* 2: the result */
    lua_newtable(L); /* 3: the names seen, or the lists by folded name */
    for (uint32_t i = 0; i < dict->fields.count; i++) {
        if (!flat)
            add_to_list(L, dict, i, 3);
        else if (!is_first(L, dict, i, 3))
            continue;
        push_slice(L, dict->fields.items[i].name);
        if (flat) {
            multidict_push_value(L, 1, dict, i);
        } else {
            push_fold(L, dict, i);
            lua_rawget(L, 3);
        }
        lua_rawset(L, 2);
    }
    lua_settop(L, 2);
    return 1;
}

/* #dict -> how many names (lines of Headers) */
static int l_len(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    uint32_t count = dict->fields.nocase ? dict->fields.count : 0;
    lua_settop(L, 1);
    lua_newtable(L);
    int seen = dict->fields.count > FEW ? 2 : 0;
    for (uint32_t i = 0; i < dict->fields.count && !dict->fields.nocase; i++)
        if (is_first(L, dict, i, seen))
            count++;
    lua_pushnumber(L, count);
    return 1;
}

/* tostring(dict) */
static int l_tostring(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    lua_pushfstring(L, "<%s of %d>", multidict_label(dict), (int)dict->fields.count);
    return 1;
}

static const luaL_Reg readers[] = {
    {"get", l_get},     {"getlist", l_getlist}, {"items", l_items},       {"keys", l_keys},
    {"lists", l_lists}, {"to_dict", l_to_dict}, {"contains", l_contains}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__len", l_len},
    {"__tostring", l_tostring},
    {NULL, NULL},
};

void multidict_make_metatable(lua_State *L, const char *name, const luaL_Reg *writers,
                              lua_CFunction newindex)
{
    luaL_newmetatable(L, name);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    luaL_register(L, NULL, metamethods);
    lua_newtable(L);
    luaL_register(L, NULL, readers);
    if (writers != NULL)
        luaL_register(L, NULL, writers);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -3, "__index");
    lua_pushcclosure(L, newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}
