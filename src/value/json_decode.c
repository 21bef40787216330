/* value/json_decode.c - JSON text into Lua values: json_scan's events. See json.h. */
#include "value/json.h"

#include <assert.h>
#include <lauxlib.h>

#include "base/err.h"
#include "value/json_scan.h"
#include "value/marker.h"

/* So many values wait on the stack for the end of their array or object, which is then made with
 * just the room it needs; a larger one is made before. JSON_MAX_DEPTH levels of them fit on a Lua
 * stack. */
#define WAIT_MAX 16

/* One open array or object. */
struct level {
    bool is_array;
    bool is_made; /* its table lies at base */
    int base;     /* index on the stack where its table and what waits begin */
    int waiting;  /* values on the stack: in an object each above its key */
    int count;    /* values in the table */
};

/* On the Lua stack: array metatable, scratch, then what each level has. */
struct decoder {
    lua_State *L;
    int metatable;
    int scratch;
    unsigned depth;
    const struct json_tags *tags; /* or NULL */
    struct err *err;
    struct level levels[JSON_MAX_DEPTH];
};

/* The level's table, below what waits. */
static void make_table(struct decoder *d, struct level *level, int room)
{
    lua_createtable(d->L, level->is_array ? room : 0, level->is_array ? 0 : room);
    if (level->is_array) {
        lua_pushvalue(d->L, d->metatable);
        lua_setmetatable(d->L, -2);
    }
    lua_insert(d->L, level->base);
    level->is_made = true;
}

/* What waits goes into the table: of a key that comes twice the last value counts. */
static void settle(struct decoder *d, struct level *level)
{
    lua_State *L = d->L;
    int table = level->base;
    level->count += level->waiting;
    if (level->is_array) {
        for (int i = level->count; level->waiting > 0; i--, level->waiting--)
            lua_rawseti(L, table, i);
        return;
    }
    for (int at = table + 1; level->waiting > 0; at += 2, level->waiting--) {
        lua_pushvalue(L, at);
        lua_pushvalue(L, at + 1);
        lua_rawset(L, table);
    }
    lua_settop(L, table);
}

/* The value on top belongs to the innermost level. */
static int put(struct decoder *d)
{
    if (d->depth == 0)
        return 0;
    struct level *level = &d->levels[d->depth - 1];
    if (++level->waiting < WAIT_MAX)
        return 0;
    if (!level->is_made)
        make_table(d, level, 2 * WAIT_MAX);
    settle(d, level);
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
    luaL_checkstack(d->L, 2 * WAIT_MAX + 4, "JSON");
    d->levels[d->depth++] = (struct level){.is_array = is_array, .base = lua_gettop(d->L) + 1};
    return 0;
}

int json_tag_kind(const struct json_tags *tags, struct slice key)
{
    for (int kind = 0; kind < MARKER_COUNT && key.len > 0; kind++) {
        const char *tag = tags->keys[kind];
        if (tag != NULL && tag[0] == key.data[0] && slice_eq(key, slice_cstr(tag)))
            return kind;
    }
    return -1;
}

static int kind_of(const struct decoder *d, int index)
{
    struct slice key;
    key.data = lua_tolstring(d->L, index, &key.len);
    return json_tag_kind(d->tags, key);
}

static int close_level(struct decoder *d)
{
    struct level *level = &d->levels[--d->depth];
    if (d->tags != NULL && !level->is_array && !level->is_made && level->waiting == 1) {
        int kind = kind_of(d, level->base);
        if (kind >= 0) {
            lua_remove(d->L, level->base);
            int rc = d->tags->read(d->L, (enum marker)kind, d->err);
            return rc != 0 ? rc : put(d);
        }
    }
    if (!level->is_made)
        make_table(d, level, level->waiting);
    settle(d, level);
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

int json_decode_tagged(lua_State *L, struct slice text, const struct json_tags *tags,
                       struct err *err)
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
    d.L = L;
    d.depth = 0;
    d.tags = tags;
    d.err = err;
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

int json_decode(lua_State *L, struct slice text, struct err *err)
{
    return json_decode_tagged(L, text, NULL, err);
}
