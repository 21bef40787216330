/* bind/headers_write.c - the methods by which Headers are changed: set, add, setlist,
 * setdefault, remove, pop, clear, update, plain assignment. See multidict.h. */
#include <lauxlib.h>
#include <stdio.h>

#include "bind/check.h"
#include "bind/headers_internal.h"

#define PARAMS_MAX 16

/* ---- parameters: value; name=text ---- */
/* "_" in a parameter's name stands for "-", as Quart's keyword arguments do. */
static void add_param_name(luaL_Buffer *buffer, struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        luaL_addchar(buffer, (char)(name.data[i] == '_' ? '-' : name.data[i]));
}

static void add_quoted(luaL_Buffer *buffer, struct slice text)
{
    luaL_addchar(buffer, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            luaL_addchar(buffer, '\\');
        luaL_addchar(buffer, text.data[i]);
    }
    luaL_addchar(buffer, '"');
}

/* RFC 8187: name*=UTF-8''text, for what is not ASCII. */
static void add_extended(luaL_Buffer *buffer, struct slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    luaL_addstring(buffer, "UTF-8''");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= '0' && c <= '9') ||
                     (ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'z') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) {
            luaL_addchar(buffer, (char)c);
        } else {
            luaL_addchar(buffer, '%');
            luaL_addchar(buffer, hex[c >> 4]);
            luaL_addchar(buffer, hex[c & 15]);
        }
    }
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

static void add_param(luaL_Buffer *buffer, struct slice name, struct slice text)
{
    luaL_addstring(buffer, "; ");
    add_param_name(buffer, name);
    bool is_extended = name.len > 0 && name.data[name.len - 1] == '*';
    if (is_ascii(text) || is_extended) {
        luaL_addchar(buffer, '=');
        if (is_extended || header_name_is_valid(text)) /* a token */
            luaL_addlstring(buffer, text.data, text.len);
        else
            add_quoted(buffer, text);
        return;
    }
    luaL_addstring(buffer, "*=");
    add_extended(buffer, text);
}

/* Push the parameters' names and texts, sorted by name, each in a slot of its own; they stay
 * alive in the table at index and in those slots. Returns how many there are. */
static size_t push_params(lua_State *L, int index, struct slice header, struct slice *names)
{
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || n == PARAMS_MAX)
            luaL_error(L, "header %s: parameters are a table of at most %d names", header.data,
                       PARAMS_MAX);
        struct slice name = check_slice(L, -1);
        size_t at = n++;
        for (; at > 0 && slice_cmp(name, names[at - 1]) < 0; at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
    return n;
}

/* Push `value; a=b; c=d` of the value at 3 and the table at 4. */
static struct slice push_with_params(lua_State *L, struct slice header)
{
    struct slice names[PARAMS_MAX];
    struct slice value = headers_check_value(L, 3, header);
    size_t n = push_params(L, 4, header, names);
    lua_newtable(L); /* 5: the texts, alive while the buffer uses the stack */
    for (size_t i = 0; i < n; i++) {
        lua_getfield(L, 4, names[i].data);
        headers_check_value(L, lua_gettop(L), names[i]);
        lua_rawseti(L, 5, (int)i + 1);
    }
    struct slice texts[PARAMS_MAX];
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 5, (int)i + 1);
        texts[i] = check_slice(L, -1);
        lua_pop(L, 1);
    }
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    luaL_addlstring(&buffer, value.data, value.len);
    for (size_t i = 0; i < n; i++)
        add_param(&buffer, names[i], texts[i]);
    luaL_pushresult(&buffer);
    return check_slice(L, -1);
}

/* The value of add and set: the third argument, with the parameters of a fourth. */
static struct slice value_argument(lua_State *L, struct slice name)
{
    lua_settop(L, 4);
    if (lua_isnil(L, 4))
        return headers_check_value(L, 3, name);
    if (!lua_istable(L, 4))
        luaL_error(L, "header %s: parameters must be a table, { name = value }, got %s", name.data,
                   luaL_typename(L, 4));
    return push_with_params(L, name);
}

/* ---- methods ---- */

/* A value or a list of values, at `value`. */
static void set_any(lua_State *L, int index, struct multidict *dict, struct slice name, int value)
{
    if (lua_istable(L, value))
        headers_set_list(L, index, dict, name, value);
    else
        headers_set_line(L, index, dict, name, headers_check_value(L, value, name));
}

/* headers[name] = value (nil removes) */
static int l_newindex(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    struct slice name = headers_check_name(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (!lua_isnil(L, -1))
        luaL_error(L, "headers.%s is a method; use headers:set(\"%s\", value)", name.data,
                   name.data);
    if (lua_isnil(L, 3))
        fields_remove(&dict->fields, name);
    else
        headers_set_line(L, 1, dict, name, headers_check_value(L, 3, name));
    return 0;
}

/* headers:add(name, value [, params]) */
static int l_add(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    struct slice name = headers_check_name(L, 2);
    headers_add_line(L, 1, dict, name, value_argument(L, name));
    return 0;
}

/* headers:set(name, value [, params]); nil removes */
static int l_set(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    struct slice name = headers_check_name(L, 2);
    if (lua_isnoneornil(L, 3))
        fields_remove(&dict->fields, name);
    else
        headers_set_line(L, 1, dict, name, value_argument(L, name));
    return 0;
}

/* headers:setlist(name, values) */
static int l_setlist(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    struct slice name = headers_check_name(L, 2);
    if (!lua_istable(L, 3))
        luaL_error(L, "header %s: a list of values expected, got %s", name.data,
                   luaL_typename(L, 3));
    headers_set_list(L, 1, dict, name, 3);
    return 0;
}

/* headers:setdefault(name, value) -> the value there is now */
static int l_setdefault(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    struct slice name = headers_check_name(L, 2);
    const struct field *item = fields_get(&dict->fields, name);
    if (item != NULL)
        return push_slice(L, item->value);
    struct slice value = value_argument(L, name);
    headers_add_line(L, 1, dict, name, value);
    return push_slice(L, value);
}

/* headers:remove(name) */
static int l_remove(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    fields_remove(&dict->fields, headers_check_name(L, 2));
    return 0;
}

/* headers:pop(name [, default]) -> the first value there was */
static int l_pop(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    struct slice name = headers_check_name(L, 2);
    lua_settop(L, 3);
    const struct field *item = fields_get(&dict->fields, name);
    if (item == NULL)
        return 1;
    push_slice(L, item->value);
    fields_remove(&dict->fields, name);
    return 1;
}

/* headers:clear() */
static int l_clear(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    dict->fields.count = 0;
    dict->text_used = 0;
    return 0;
}

/* The lines of other in place of those of the same names. */
static void update_from(lua_State *L, int index, struct multidict *dict, const struct fields *other)
{
    if (other == &dict->fields)
        return;
    for (uint32_t i = 0; i < other->count; i++)
        fields_remove(&dict->fields, other->items[i].name);
    for (uint32_t i = 0; i < other->count; i++)
        headers_add_line(L, index, dict, other->items[i].name, other->items[i].value);
}

/* Take over the pair { name, value } on top: a line more, or one in place of those there are. */
static void take_pair(lua_State *L, int index, struct multidict *dict, bool replace)
{
    if (!lua_istable(L, -1))
        luaL_error(L,
                   "headers: { name = value } or a list of { name, value } expected, got a "
                   "list of %s",
                   luaL_typename(L, -1));
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    struct slice name = headers_check_name(L, lua_gettop(L) - 1);
    struct slice value = headers_check_value(L, lua_gettop(L), name);
    if (replace)
        headers_set_line(L, index, dict, name, value);
    else
        headers_add_line(L, index, dict, name, value);
    lua_pop(L, 2);
}

/* Take over what is at `from`: a table by name, a list of pairs, or Headers. replace: of pairs
 * of the same name the last counts, as in Quart. */
static void update(lua_State *L, int index, struct multidict *dict, int from, bool replace)
{
    const struct fields *other = headers_fields(L, from);
    if (other != NULL) {
        update_from(L, index, dict, other);
        return;
    }
    if (!lua_istable(L, from))
        luaL_error(L, "headers: a table { name = value } or Headers expected, got %s",
                   luaL_typename(L, from));
    lua_pushnil(L);
    while (lua_next(L, from) != 0) {
        if (lua_type(L, -2) == LUA_TNUMBER)
            take_pair(L, index, dict, replace);
        else
            set_any(L, index, dict, headers_check_name(L, lua_gettop(L) - 1), lua_gettop(L));
        lua_pop(L, 1);
    }
}

/* headers:update(table or Headers): replaces the names it brings */
static int l_update(lua_State *L)
{
    struct multidict *dict = headers_check(L, 1);
    lua_settop(L, 2);
    update(L, 1, dict, 2, true);
    return 0;
}

/* core.headers([init]) -> Headers */
static int l_headers(lua_State *L)
{
    lua_settop(L, 1);
    headers_push(L);
    if (!lua_isnil(L, 1))
        update(L, 2, lua_touserdata(L, 2), 1, false);
    return 1;
}

static const luaL_Reg writers[] = {
    {"set", l_set},
    {"add", l_add},
    {"setlist", l_setlist},
    {"remove", l_remove},
    {"setdefault", l_setdefault},
    {"pop", l_pop},
    {"clear", l_clear},
    {"update", l_update},
    {NULL, NULL},
};

/* core.response_headers(content_type|nil, length|nil, headers|nil) -> Headers: those two lines,
 * with those of the table or Headers in their place or behind them */
static int l_response_headers(lua_State *L)
{
    lua_settop(L, 3);
    headers_push(L);
    struct multidict *dict = headers_check(L, 4);
    if (!lua_isnil(L, 1))
        headers_add_line(L, 4, dict, header_name(HEADER_CONTENT_TYPE), check_slice(L, 1));
    if (!lua_isnil(L, 2)) {
        char digits[24];
        int n = snprintf(digits, sizeof(digits), "%.0f", luaL_checknumber(L, 2));
        headers_add_line(L, 4, dict, header_name(HEADER_CONTENT_LENGTH),
                         slice_of(digits, (size_t)n));
    }
    if (lua_isnil(L, 3))
        return 1;
    update(L, 4, dict, 3, true);
    return 1;
}

static const luaL_Reg functions[] = {
    {"headers", l_headers},
    {"response_headers", l_response_headers},
    {NULL, NULL},
};

void bind_headers(lua_State *L)
{
    luaL_register(L, NULL, functions);
    multidict_make_metatable(L, HEADERS_NAME, writers, l_newindex);
}
