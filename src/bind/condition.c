/* bind/condition.c - conditional requests and ranges as Lua sees them: core.condition, range. */
#include <lauxlib.h>
#include <lua.h>

#include "base/clock.h"
#include "bind/check.h"
#include "bind/file.h"
#include "bind/multidict.h"
#include "http/condition.h"
#include "http/range.h"

static int64_t opt_seconds(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? -1 : (int64_t)luaL_checknumber(L, index);
}

/* core.condition(headers, is_get_or_head, etag?, last_modified?) -> "pass", "not_modified" or
 * "failed"; etag as in the header, quoted */
static int l_condition(lua_State *L)
{
    static const char *const names[] = {
        [CONDITION_PASS] = "pass",
        [CONDITION_NOT_MODIFIED] = "not_modified",
        [CONDITION_FAILED] = "failed",
    };
    enum condition_result result =
        condition_check(check_headers(L, 1), lua_toboolean(L, 2), opt_slice(L, 3, SLICE("")),
                        opt_seconds(L, 4), clock_seconds());
    lua_pushstring(L, names[result]);
    return 1;
}

/* core.range(headers, size, etag?, last_modified?) -> first, last | false: the whole | nil: 416 */
static int l_range(lua_State *L)
{
    const struct fields *headers = check_headers(L, 1);
    uint64_t size = (uint64_t)luaL_checknumber(L, 2);
    uint64_t first = 0, last = 0;
    const struct field *range = fields_get_id(headers, HEADER_RANGE);
    if (range == NULL || !condition_range_applies(headers, opt_slice(L, 3, SLICE("")),
                                                  opt_seconds(L, 4), clock_seconds())) {
        lua_pushboolean(L, 0);
        return 1;
    }
    switch (range_parse(range->value, size, &first, &last)) {
    case RANGE_SATISFIABLE:
        lua_pushnumber(L, (double)first);
        lua_pushnumber(L, (double)last);
        return 2;
    case RANGE_UNSATISFIABLE: lua_pushnil(L); return 1;
    default: lua_pushboolean(L, 0); return 1;
    }
}

void bind_condition(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"condition", l_condition},
        {"range", l_range},
        {NULL, NULL},
    };
    luaL_register(L, NULL, functions);
}
