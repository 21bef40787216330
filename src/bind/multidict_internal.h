/* bind/multidict_internal.h - the storage of a MultiDict, for multidict.c and headers.c. */
#ifndef QLUA_BIND_MULTIDICT_INTERNAL_H
#define QLUA_BIND_MULTIDICT_INTERNAL_H

#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>

#include "bind/multidict.h"

#define MULTIDICT_NAME "qlua.MultiDict" /* metatable of those that cannot be changed */
#define HEADERS_NAME   "qlua.Headers"   /* of those that can */

/* Items and text follow in the same userdata until they are outgrown. fields.arena is NULL: of
 * the functions of http/headers only those that allocate nothing may be used. */
struct multidict {
    const char *mark; /* multidict.c's own address: this is one */
    struct fields fields;
    char *text;
    size_t text_used;
    size_t text_cap;
    uint8_t kind;   /* enum multidict_kind */
    bool has_store; /* its environment is a table of its own: grown blocks, or files' objects */
};

/* The kind's object in messages: "request.args". */
const char *multidict_label(const struct multidict *dict);

/* The one at index, of either metatable; raises for any other value. */
struct multidict *check_multidict(lua_State *L, int index);
/* NULL for any other value. */
struct multidict *to_multidict(lua_State *L, int index);

/* Push one with room for count items and `text` bytes. */
struct multidict *multidict_new(lua_State *L, enum multidict_kind kind, uint32_t count,
                                size_t text);
/* Append within the room there is; the text is copied. */
void multidict_append(struct multidict *dict, struct slice name, struct slice value, unsigned id);

/* Push the value of item i: its text, or a file's object. */
void multidict_push_value(lua_State *L, int index, const struct multidict *dict, uint32_t i);
/* Push the environment table of the userdata at index, made when it has none. */
void multidict_push_store(lua_State *L, int index, struct multidict *dict);

/* Make the metatable `name` with the methods for reading and those of writers (may be NULL).
 * newindex gets the table of methods as its upvalue. */
void multidict_make_metatable(lua_State *L, const char *name, const luaL_Reg *writers,
                              lua_CFunction newindex);
/* Make the metatable of Headers, and core.headers in the table on top (headers_write.c). */
void bind_headers(lua_State *L);

#endif
