/* server/version.c - `qlua --version`. See version.h. */
#include "server/version.h"

#include <hiredis/hiredis.h>
#include <lauxlib.h>
#include <llhttp.h>
#include <lmdb.h>
#include <luajit.h>
#include <lualib.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <uv.h>
#include <zlib.h>

/* lua-cjson is a module of Lua: only Lua can say whether it is there and which it is. */
static void print_cjson(void)
{
    lua_State *L = luaL_newstate();
    if (L == NULL)
        return;
    luaL_openlibs(L);
    if (luaL_dostring(L, "return require('cjson')._VERSION") == 0 && lua_isstring(L, -1))
        printf("cjson %s\n", lua_tostring(L, -1));
    else
        printf("cjson not found\n");
    lua_close(L);
}

void version_print(void)
{
    printf("qlua %s\n", QLUA_VERSION);
    printf("%s\n", LUAJIT_VERSION);
    printf("libuv %s\n", uv_version_string());
    printf("llhttp %d.%d.%d\n", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
    printf("zlib %s\n", zlibVersion());
    printf("lmdb %s\n", mdb_version(NULL, NULL, NULL));
    printf("hiredis %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    print_cjson();
}
