/* bind/headers_internal.h - the lines of Headers, for headers.c and headers_write.c. Stack
 * indexes are absolute. */
#ifndef QLUA_BIND_HEADERS_INTERNAL_H
#define QLUA_BIND_HEADERS_INTERNAL_H

#include "base/slice.h"
#include "bind/multidict_internal.h"

/* The Headers at index that can be changed; raises for anything else. */
struct multidict *headers_check(lua_State *L, int index);
/* The string at index. */
struct slice headers_check_name(lua_State *L, int index);
/* The text of the string or number at index, which is replaced by it. name is for the message. */
struct slice headers_check_value(lua_State *L, int index, struct slice name);

/* Append a line; name and value are copied. Raises when they may not stand on the wire. */
void headers_add_line(lua_State *L, int index, struct multidict *dict, struct slice name,
                      struct slice value);
/* One line of that name, where the first stood. */
void headers_set_line(lua_State *L, int index, struct multidict *dict, struct slice name,
                      struct slice value);
/* The lines of the list at `list` in place of those of that name. */
void headers_set_list(lua_State *L, int index, struct multidict *dict, struct slice name, int list);

#endif
