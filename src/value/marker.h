/* value/marker.h - what a Lua value stands for beyond its Lua type.
 *
 * Place in the flow: the codec in value/json asks, bind/ lets Lua mark and ask. A marked value
 * carries a metatable of this room's; marker_of is the one place that tells them apart, so a new
 * kind is a line in the enum and a metatable. null is not among them: it is the light userdata
 * NULL, as lua-cjson's.
 *
 * An array mark goes onto the table itself. A table without a metatable gets the shared array
 * metatable (empty, so that reading and writing stay as they were). A table that has one of its
 * own keeps it and is remembered in a weak table. So the mark is lost when setmetatable is called
 * on a marked table: mark last.
 *
 * The others are what sessions hold that JSON has no form for. Each kind has one metatable, with
 * __tostring and __eq (by text) for those that stand for a scalar; theirs is the text in t[1].
 */
#ifndef QLUA_VALUE_MARKER_H
#define QLUA_VALUE_MARKER_H

#include <lua.h>
#include <stdbool.h>

enum marker {
    MARKER_NONE,
    MARKER_ARRAY,    /* a table that is a list, even when empty */
    MARKER_TUPLE,    /* a list that Python has as a tuple */
    MARKER_DICT,     /* a table that is an object whatever its keys: written in a template */
    MARKER_BYTES,    /* t[1]: the bytes. From here on: a table that stands for a scalar */
    MARKER_MARKUP,   /* t[1]: HTML that needs no escaping */
    MARKER_UUID,     /* t[1]: its text, with dashes */
    MARKER_DATETIME, /* t[1]: an HTTP date, or ISO 8601 in UTC with fractions; t.seconds */
    MARKER_COUNT
};

/* Make the room's metatables; once a Lua state, before anything else here. May raise (memory). */
void marker_open(lua_State *L);

/* Push the shared array metatable: for makers of many arrays, with lua_setmetatable. Raises
 * nothing but "stack overflow"; so does marker_of. */
void marker_push_array(lua_State *L);

/* Mark the table at index. May raise (memory). */
void marker_set_array(lua_State *L, int index);

/* Push the metatable of a kind other than MARKER_NONE. As marker_push_array. */
void marker_push(lua_State *L, enum marker kind);

/* The kind of the table at index; array is what lua_topointer gives of the array metatable. */
enum marker marker_of(lua_State *L, int index, const void *array);

static inline bool marker_is_null(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == NULL;
}

#endif
