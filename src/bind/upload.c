/* bind/upload.c - the content of a large uploaded file. See upload.h. */
#include "bind/upload.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "bind/check.h"
#include "http/request.h"
#include "http/spool.h"

#define UPLOAD   "qlua.Upload"
#define READ_MAX (1024 * 1024) /* one read never takes more: it happens on the loop */

/* Shared by Lua's userdata and the request's arena: whichever goes first closes the file. */
struct upload {
    int refs;
    int fd;
};

static void close_file(struct upload *upload)
{
    if (upload->fd >= 0)
        close(upload->fd);
    upload->fd = -1;
}

static void drop(void *data)
{
    struct upload *upload = data;
    close_file(upload);
    if (--upload->refs == 0)
        free(upload);
}

void upload_push(lua_State *L, struct request *req, struct spool *spool)
{
    struct upload **slot = lua_newuserdata(L, sizeof(struct upload *));
    *slot = NULL;
    set_metatable(L, UPLOAD);
    *slot = mem_zalloc(sizeof(**slot));
    (*slot)->refs = 2;
    (*slot)->fd = spool_steal_fd(spool);
    arena_defer(&req->arena, drop, *slot);
}

static struct upload *check_upload(lua_State *L, int index)
{
    struct upload **slot = luaL_checkudata(L, index, UPLOAD);
    luaL_argcheck(L, *slot != NULL, index, "the file was collected");
    return *slot;
}

/* upload:read(from, count) -> up to count bytes from that place, "" at the end | nil, message */
static int l_read(lua_State *L)
{
    struct upload *upload = check_upload(L, 1);
    double from = luaL_checknumber(L, 2);
    double count = luaL_checknumber(L, 3);
    if (upload->fd < 0) {
        lua_pushnil(L);
        lua_pushliteral(L, "the file is closed: its request has ended, or close was called");
        return 2;
    }
    luaL_argcheck(L, from >= 0 && from < 9e15, 2, "a place in the file expected");
    luaL_argcheck(L, count >= 0, 3, "a number of bytes expected");
    size_t wanted = count < READ_MAX ? (size_t)count : READ_MAX;
    char *bytes = lua_newuserdata(L, wanted);
    ssize_t n;
    do
        n = pread(upload->fd, bytes, wanted, (off_t)from);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return push_failure(L, -errno);
    lua_pushlstring(L, bytes, (size_t)n);
    return 1;
}

/* upload:close() */
static int l_close(lua_State *L)
{
    close_file(check_upload(L, 1));
    return 0;
}

static int l_gc(lua_State *L)
{
    struct upload **slot = lua_touserdata(L, 1);
    if (*slot != NULL)
        drop(*slot);
    *slot = NULL;
    return 0;
}

static const luaL_Reg methods[] = {
    {"read", l_read},
    {"close", l_close},
    {NULL, NULL},
};

void bind_upload(lua_State *L)
{
    make_class(L, UPLOAD, methods, l_gc);
}
