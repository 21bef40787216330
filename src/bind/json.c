/* bind/json.c - the room value/ as Lua sees it: json_encode, json_decode, array, is_array, tuple,
 * markup, null */
#include "bind/bind.h"

#include "value/value.h"

void bind_json(struct lua_State *L)
{
    value_register(L);
}
