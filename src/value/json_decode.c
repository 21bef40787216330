/* value/json_decode.c - JSON text into Lua values: json_scan's events. See json.h. */
#include "value/json.h"

#include <assert.h>
#include <lauxlib.h>

#include "base/err.h"
#include "value/json_scan.h"
#include "value/marker.h"

/* A hint above this is not believed: a table's room must not outgrow the text by much. */
#define HINT_MAX 64

/* One open array or object. */
struct level {
    bool is_array;
    int count; /* values so far */
};

/* On the Lua stack: array metatable, scratch, then for each level its table and, in an object,
 * the key whose value comes next. */
struct decoder {
    lua_State *L;
    int metatable;
    int scratch;
    unsigned depth;
    struct level levels[JSON_MAX_DEPTH];
    /* How many values the former container of this depth and kind had: in rows of one shape the
     * next is as large, and its table is made with the right room at once. */
    unsigned char hints[JSON_MAX_DEPTH][2];
};

/* The value on top goes where it belongs. */
static int put(struct decoder *d)
{
    if (d->depth == 0)
        return 0;
    struct level *level = &d->levels[d->depth - 1];
    level->count++;
    if (level->is_array)
        lua_rawseti(d->L, -2, level->count);
    else
        lua_rawset(d->L, -3);
    return 0;
}

static int on_null(void *data)
{
    struct decoder *d = data;
    lua_pushlightuserdata(d->L, NULL);
    return put(d);
}

static int on_bool(void *data, bool value)
{
    struct decoder *d = data;
    lua_pushboolean(d->L, value);
    return put(d);
}

static int on_int(void *data, int64_t value)
{
    struct decoder *d = data;
    lua_pushnumber(d->L, (double)value);
    return put(d);
}

static int on_number(void *data, double value)
{
    struct decoder *d = data;
    lua_pushnumber(d->L, value);
    return put(d);
}

static int on_string(void *data, struct slice text)
{
    struct decoder *d = data;
    lua_pushlstring(d->L, text.data, text.len);
    return put(d);
}

static int on_key(void *data, struct slice name)
{
    struct decoder *d = data;
    lua_pushlstring(d->L, name.data, name.len);
    return 0;
}

static int open_level(struct decoder *d, bool is_array)
{
    luaL_checkstack(d->L, 4, "JSON");
    int hint = d->hints[d->depth][is_array];
    lua_createtable(d->L, is_array ? hint : 0, is_array ? 0 : hint);
    if (is_array) {
        lua_pushvalue(d->L, d->metatable);
        lua_setmetatable(d->L, -2);
    }
    d->levels[d->depth] = (struct level){.is_array = is_array};
    d->depth++;
    return 0;
}

static int close_level(struct decoder *d)
{
    d->depth--;
    const struct level *level = &d->levels[d->depth];
    int hint = level->count > HINT_MAX ? HINT_MAX : level->count;
    d->hints[d->depth][level->is_array] = (unsigned char)hint;
    return put(d);
}

static int on_object(void *data)
{
    return open_level(data, false);
}

static int on_array(void *data)
{
    return open_level(data, true);
}

static int on_end(void *data)
{
    return close_level(data);
}

/* The scanner's memory as a userdata: nothing to free when Lua raises. */
static void *on_scratch(void *data, size_t size)
{
    struct decoder *d = data;
    void *memory = lua_newuserdata(d->L, size);
    lua_replace(d->L, d->scratch);
    return memory;
}

int json_decode(lua_State *L, struct slice text, struct err *err)
{
    static const struct json_handler handler = {
        .on_null = on_null,
        .on_bool = on_bool,
        .on_int = on_int,
        .on_number = on_number,
        .on_string = on_string,
        .on_object = on_object,
        .on_key = on_key,
        .on_object_end = on_end,
        .on_array = on_array,
        .on_array_end = on_end,
        .scratch = on_scratch,
    };
    struct decoder d;
    memset(d.hints, 0, sizeof(d.hints));
    d.L = L;
    d.depth = 0;
    luaL_checkstack(L, 8, "JSON");
    marker_push_array(L);
    d.metatable = lua_gettop(L);
    lua_pushnil(L);
    d.scratch = d.metatable + 1;

    int rc = json_scan(text, &handler, &d, JSON_MAX_DEPTH, err);
    if (rc != 0) {
        lua_settop(L, d.metatable - 1);
        return rc;
    }
    assert(lua_gettop(L) == d.scratch + 1);
    lua_replace(L, d.metatable);
    lua_settop(L, d.metatable);
    return 0;
}
