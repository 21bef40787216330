/* spec/fuzz/json_fuzz.c - JSON: any bytes scanned; what was read, written in every style, says
 * the same when read again. */
#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#include "base/err.h"
#include "base/utf8.h"
#include "value/json.h"
#include "value/marker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice encode(lua_State *L, struct json_options options, struct buf *out)
{
    struct err err = {0};
    int rc = json_encode(L, -1, &options, out, &err);
    assert(rc == 0 && err.code == 0);
    assert(utf8_is_valid(buf_view(out)));
    return buf_view(out);
}

/* Write the value on top of the stack, read that, and compare both texts. */
static void check_round_trip(lua_State *L, struct json_options options)
{
    struct buf first = {0};
    struct buf second = {0};
    struct slice text = encode(L, options, &first);
    int rc = json_decode(L, text, NULL);
    assert(rc == 0);
    options.sort_keys = true;
    first.len = 0;
    struct slice again = encode(L, options, &second);
    lua_pop(L, 1);
    assert(slice_eq(encode(L, options, &first), again));
    buf_clear(&first);
    buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    lua_State *L = luaL_newstate();
    marker_open(L);
    int top = lua_gettop(L);
    int rc = json_decode(L, slice_of((const char *)data, size), &err);
    if (rc == 0) {
        assert(lua_gettop(L) == top + 1);
        for (unsigned style = 0; style < 8; style++)
            check_round_trip(L, (struct json_options){style & 1, style & 2, style & 4});
        lua_pop(L, 1);
    } else {
        assert(err.code == rc && err.line > 0 && err.column > 0 && err.message[0] != 0);
    }
    assert(lua_gettop(L) == top);
    lua_close(L);
    return 0;
}
