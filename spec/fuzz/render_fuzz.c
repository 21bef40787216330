/* spec/fuzz/render_fuzz.c - templates compiled and run: whatever parses, on values of each kind.
 *
 * The first byte chooses options; the rest are templates, separated by zero bytes: the one that is
 * rendered, then those that it may load. What is done with them, and what has to come of it, is in
 * render_driver.lua.
 */
#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "template/vm_library.h"
#include "value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    int rc = luaL_loadfile(L, "spec/fuzz/render_driver.lua");
    assert(rc == 0);
    luaopen_qlua_value(L);
    template_register(L);
    lua_pushinteger(L, data[0]);
    lua_pushlstring(L, (const char *)data + 1, size - 1);
    if (lua_pcall(L, 3, 0, 0) != 0) {
        const char *message = lua_tostring(L, -1);
        if (message == NULL || strncmp(message, "template: ", 10) != 0) {
            fprintf(stderr, "%s\n", message == NULL ? "an error that is no text" : message);
            assert(!"an error that is no template's");
        }
    }
    lua_close(L);
    return 0;
}
