/* bind/multidict.c - names with one or more values: their storage. See multidict.h. */
#include "bind/multidict_internal.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "bind/bind.h"
#include "bind/check.h"
#include "value/marker.h"

static const char *const labels[] = {
    [MULTIDICT_ARGS] = "request.args",         [MULTIDICT_FORM] = "request.form",
    [MULTIDICT_COOKIES] = "request.cookies",   [MULTIDICT_VALUES] = "request.values",
    [MULTIDICT_FILES] = "request.files",       [MULTIDICT_REQUEST_HEADERS] = "request.headers",
    [MULTIDICT_FILE_HEADERS] = "file.headers", [MULTIDICT_HEADERS] = "headers",
};

const char *multidict_label(const struct multidict *dict)
{
    return labels[dict->kind];
}

/* Its address at the head of a userdata says that it is one: only C makes userdata, and this is
 * asked several times for every answer. */
static const char multidict_mark;

/* ---- storage ---- */

struct multidict *multidict_new(lua_State *L, enum multidict_kind kind, uint32_t count, size_t text)
{
    size_t items = (size_t)count * sizeof(struct field);
    struct multidict *dict = lua_newuserdata(L, sizeof(*dict) + items + text);
    *dict = (struct multidict){.mark = &multidict_mark, .kind = (uint8_t)kind, .text_cap = text};
    dict->fields.items = (struct field *)(void *)(dict + 1);
    dict->fields.cap = count;
    dict->fields.nocase = kind >= MULTIDICT_REQUEST_HEADERS;
    dict->text = (char *)(dict + 1) + items;
    set_metatable(L, kind == MULTIDICT_HEADERS ? HEADERS_NAME : MULTIDICT_NAME);
    return dict;
}

static struct slice keep_text(struct multidict *dict, struct slice s)
{
    assert(s.len <= dict->text_cap - dict->text_used);
    char *at = dict->text + dict->text_used;
    if (s.len > 0)
        memcpy(at, s.data, s.len);
    dict->text_used += s.len;
    return slice_of(at, s.len);
}

void multidict_append(struct multidict *dict, struct slice name, struct slice value, unsigned id)
{
    struct fields *fields = &dict->fields;
    assert(fields->count < fields->cap);
    struct field *item = &fields->items[fields->count++];
    item->id = (uint16_t)id;
    item->name = keep_text(dict, name);
    item->value = keep_text(dict, value);
}

static size_t text_of(const struct fields *fields)
{
    size_t text = 0;
    for (uint32_t i = 0; i < fields->count; i++)
        text += fields->items[i].name.len + fields->items[i].value.len;
    return text;
}

static void append_all(struct multidict *dict, const struct fields *fields)
{
    for (uint32_t i = 0; i < fields->count; i++)
        multidict_append(dict, fields->items[i].name, fields->items[i].value, fields->items[i].id);
}

void multidict_push(lua_State *L, enum multidict_kind kind, const struct fields *fields)
{
    append_all(multidict_new(L, kind, fields->count, text_of(fields)), fields);
}

void multidict_push_files(lua_State *L, const struct fields *fields)
{
    struct multidict *dict = multidict_new(L, MULTIDICT_FILES, fields->count, text_of(fields));
    append_all(dict, fields);
    lua_insert(L, -2);
    dict->has_store = true;
    lua_setfenv(L, -2);
}

void multidict_push_store(lua_State *L, int index, struct multidict *dict)
{
    if (dict->has_store) {
        lua_getfenv(L, index);
        return;
    }
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfenv(L, index);
    dict->has_store = true;
}

void multidict_push_value(lua_State *L, int index, const struct multidict *dict, uint32_t i)
{
    if (dict->kind != MULTIDICT_FILES) {
        push_slice(L, dict->fields.items[i].value);
        return;
    }
    lua_getfenv(L, index);
    lua_rawgeti(L, -1, (int)i + 1);
    lua_remove(L, -2);
}

/* ---- arguments ---- */

struct multidict *to_multidict(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || lua_objlen(L, index) < sizeof(struct multidict))
        return NULL;
    struct multidict *dict = lua_touserdata(L, index);
    return dict->mark == &multidict_mark ? dict : NULL;
}

struct multidict *check_multidict(lua_State *L, int index)
{
    struct multidict *dict = to_multidict(L, index);
    if (dict == NULL)
        luaL_error(L,
                   "a MultiDict or Headers object expected, got %s (call its methods with a "
                   "colon: args:get(name))",
                   luaL_typename(L, index));
    return dict;
}

const struct fields *check_headers(lua_State *L, int index)
{
    const struct fields *fields = headers_fields(L, index);
    if (fields == NULL)
        luaL_error(L, "a Headers object expected, got %s", luaL_typename(L, index));
    return fields;
}

const struct fields *headers_fields(lua_State *L, int index)
{
    struct multidict *dict = to_multidict(L, index);
    return dict != NULL && dict->fields.nocase ? &dict->fields : NULL;
}

/* dict[key] = value: refused */
static int l_newindex(lua_State *L)
{
    struct multidict *dict = check_multidict(L, 1);
    return luaL_error(L,
                      "%s is what the client sent and cannot be changed (assignment to %s); keep "
                      "values of your own in g",
                      multidict_label(dict),
                      lua_isstring(L, 2) ? lua_tostring(L, 2) : luaL_typename(L, 2));
}

/* core.multidict_join(args, form) -> a MultiDict of both */
static int l_join(lua_State *L)
{
    struct multidict *first = check_multidict(L, 1);
    struct multidict *second = check_multidict(L, 2);
    size_t text = text_of(&first->fields) + text_of(&second->fields);
    uint32_t count = first->fields.count + second->fields.count;
    struct multidict *dict = multidict_new(L, MULTIDICT_VALUES, count, text);
    append_all(dict, &first->fields);
    append_all(dict, &second->fields);
    return 1;
}

/* core.multidict_empty(kind) -> an empty MultiDict: "form" or "files" */
static int l_empty(lua_State *L)
{
    static const char *const names[] = {"form", "files", NULL};
    static const enum multidict_kind kinds[] = {MULTIDICT_FORM, MULTIDICT_FILES};
    multidict_new(L, kinds[luaL_checkoption(L, 1, NULL, names)], 0, 0);
    return 1;
}

static const luaL_Reg functions[] = {
    {"multidict_join", l_join},
    {"multidict_empty", l_empty},
    {NULL, NULL},
};

void bind_multidict(lua_State *L)
{
    luaL_register(L, NULL, functions);
    multidict_make_metatable(L, MULTIDICT_NAME, NULL, l_newindex);
    bind_headers(L);
}
