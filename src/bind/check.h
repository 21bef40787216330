/* bind/check.h - what the bindings share: slices, failures, scratch memory.
 *
 * Place in the flow: every bind/x.c takes its arguments and pushes its results through these.
 * A Lua error jumps over C frames, so memory that must be given back belongs to a userdata:
 * push_scratch makes one that owns an arena. Knows no single binding.
 */
#ifndef QLUA_BIND_CHECK_H
#define QLUA_BIND_CHECK_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/* The string at index (a number is converted): borrowed from the stack slot. Raises otherwise. */
struct slice check_slice(lua_State *L, int index);
/* The same; `otherwise` when the argument is nil or none. */
struct slice opt_slice(lua_State *L, int index, struct slice otherwise);

/* Push bytes as a Lua string. Returns 1, so that bindings write `return push_slice(L, s)`. */
int push_slice(lua_State *L, struct slice s);
/* The same; nil for a slice whose data is NULL. */
int push_slice_or_nil(lua_State *L, struct slice s);

/* nil, message, code: an expected failure. Returns 3. */
int push_failure(lua_State *L, int code);

/* Push an empty arena that lives in a userdata: cleared by arena_clear, at the latest by the
 * collector. Keep it on the stack while its memory is used. */
struct arena *push_scratch(lua_State *L);

/* Set t[name] of the table on top; nothing for a slice whose data is NULL. */
void set_slice_field(lua_State *L, const char *name, struct slice s);

/* Set the metatable `name` of the value on top, made by luaL_newmetatable before. */
void set_metatable(lua_State *L, const char *name);

/* Make the metatable `name` of a userdata: its methods (NULL: none), and what frees it. */
void make_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc);

#endif
