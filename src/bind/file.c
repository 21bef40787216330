/* bind/file.c - qlua.File: core.file_open, file_open_in, file_stat, is_file. See file.h. */
#include "bind/file.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "value/number.h"

#define FILE_NAME "qlua.File"

struct lua_file *lua_file_at(lua_State *L, int index)
{
    void *data = lua_touserdata(L, index);
    if (data == NULL || !lua_getmetatable(L, index))
        return NULL;
    luaL_getmetatable(L, FILE_NAME);
    if (!lua_rawequal(L, -1, -2))
        data = NULL;
    lua_pop(L, 2);
    return data;
}

static struct lua_file *check_file(lua_State *L)
{
    return luaL_checkudata(L, 1, FILE_NAME);
}

static void close_file(struct lua_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* Nothing there that could be opened, or nothing that may be? Such a file is a 404. */
static bool is_missing(int code)
{
    switch (-code) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case EINVAL:
    case ENXIO: return true;
    default: return false;
    }
}

/* nil, message, code, missing */
static int push_file_failure(lua_State *L, int code, const char *path)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, code == -EINVAL ? "not a regular file" : strerror(-code));
    lua_pushinteger(L, code);
    lua_pushboolean(L, is_missing(code));
    return 4;
}

static double seconds_of(const struct stat *st)
{
    return (double)st->st_mtim.tv_sec + 1e-9 * (double)st->st_mtim.tv_nsec;
}

/* An empty handle on the stack, before anything is opened: it will own the descriptor. The string
 * at path is what the file is called. */
static struct lua_file *push_file(lua_State *L, int path)
{
    struct lua_file *file = lua_newuserdata(L, sizeof(*file));
    memset(file, 0, sizeof(*file));
    file->fd = -1;
    set_metatable(L, FILE_NAME);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, path);
    lua_setfield(L, -2, "path");
    lua_setfenv(L, -2);
    return file;
}

/* Finish a handle for an opened descriptor, or fail. */
static int finish_file(lua_State *L, struct lua_file *file, int fd, const char *path)
{
    struct stat st;
    if (fd < 0)
        return push_file_failure(L, fd, path);
    file->fd = fd;
    if (fstat(fd, &st) != 0)
        return push_file_failure(L, -errno, path);
    file->size = st.st_size;
    file->length = (uint64_t)st.st_size;
    file->mtime = seconds_of(&st);
    return 1;
}

/* core.file_open(path) -> qlua.File | nil, message, code, missing */
static int l_file_open(lua_State *L)
{
    struct slice path = check_slice(L, 1);
    struct lua_file *file = push_file(L, 1);
    bool has_nul = memchr(path.data, '\0', path.len) != NULL;
    return finish_file(L, file, has_nul ? -EINVAL : file_open_path(path.data), path.data);
}

/* core.file_open_in(folder, name) -> qlua.File | nil, message, code, missing; never a file outside
 * of the folder */
static int l_file_open_in(lua_State *L)
{
    struct slice folder = check_slice(L, 1);
    struct slice name = check_slice(L, 2);
    char clean[PATH_MAX];
    int code = file_normalise(name.data, name.len, clean);
    if (code != 0)
        return push_file_failure(L, code, name.data);
    lua_pushfstring(L, "%s/%s", folder.data, clean);
    struct lua_file *file = push_file(L, lua_gettop(L));
    return finish_file(L, file, file_open_below(folder.data, clean), lua_tostring(L, -2));
}

/* core.file_stat(path) -> size, mtime | nil, message, code, missing; regular files only */
static int l_file_stat(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct stat st;
    int code = stat(path, &st) != 0  ? -errno
               : S_ISREG(st.st_mode) ? 0
               : S_ISDIR(st.st_mode) ? -EISDIR
                                     : -EINVAL;
    if (code != 0)
        return push_file_failure(L, code, path);
    lua_pushnumber(L, (double)st.st_size);
    lua_pushnumber(L, seconds_of(&st));
    return 2;
}

/* core.is_file(value) -> boolean */
static int l_is_file(lua_State *L)
{
    lua_pushboolean(L, lua_file_at(L, 1) != NULL);
    return 1;
}

/* file:close() */
static int l_close(lua_State *L)
{
    close_file(check_file(L));
    return 0;
}

/* file:range(first, last) -> file: only these bytes, both included, counted from 0 */
static int l_range(lua_State *L)
{
    struct lua_file *file = check_file(L);
    lua_Number first = luaL_checknumber(L, 2);
    lua_Number last = luaL_checknumber(L, 3);
    luaL_argcheck(L, first >= 0 && first <= last, 2, "a range has its first byte first");
    luaL_argcheck(L, last < (lua_Number)file->size, 3, "the range ends behind the file");
    file->offset = (int64_t)first;
    file->length = (uint64_t)(last - first) + 1;
    lua_settop(L, 1);
    return 1;
}

/* file:read(n?) -> the next n bytes (all that are left by default), nil at the end | nil, message,
 * code */
static int l_read(lua_State *L)
{
    struct lua_file *file = check_file(L);
    lua_Number wanted = luaL_optnumber(L, 2, (lua_Number)file->length);
    luaL_Buffer buffer;
    luaL_argcheck(L, wanted >= 0, 2, "a number of bytes cannot be negative");
    if (file->fd < 0)
        return push_file_failure(L, -EBADF, "file");
    if (file->length == 0)
        return 0;
    uint64_t left = wanted < (lua_Number)file->length ? (uint64_t)wanted : file->length;
    luaL_buffinit(L, &buffer);
    while (left > 0) {
        size_t piece = left < LUAL_BUFFERSIZE ? (size_t)left : LUAL_BUFFERSIZE;
        ssize_t got = pread(file->fd, luaL_prepbuffer(&buffer), piece, file->offset);
        if (got <= 0)
            break; /* shrunk, or an error: what there is */
        luaL_addsize(&buffer, (size_t)got);
        file->offset += got;
        file->length -= (uint64_t)got;
        left -= (uint64_t)got;
    }
    luaL_pushresult(&buffer);
    return 1;
}

/* Adler-32 (RFC 1950 8.2) of the path, as Quart's ETags have it. */
static uint32_t adler32(struct slice text)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < text.len; i++) {
        a = (a + (unsigned char)text.data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* file:etag() -> "<mtime>-<size>-<checksum of the path>", unquoted */
static int l_etag(lua_State *L)
{
    struct lua_file *file = check_file(L);
    char text[NUMBER_TEXT_MAX * 3];
    size_t len = number_write(text, file->mtime);
    struct slice path;
    lua_getfenv(L, 1);
    lua_getfield(L, -1, "path");
    path = check_slice(L, -1);
    bool is_whole = memchr(text, '.', len) == NULL; /* Python writes 1.0 */
    snprintf(text + len, sizeof(text) - len, "%s-%lld-%u", is_whole ? ".0" : "",
             (long long)file->size, adler32(path));
    lua_pushstring(L, text);
    return 1;
}

/* file.size, .mtime, .path, .offset, .length, and the methods */
static int l_index(lua_State *L)
{
    struct lua_file *file = check_file(L);
    const char *name = luaL_checkstring(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (!lua_isnil(L, -1))
        return 1;
    if (strcmp(name, "size") == 0)
        lua_pushnumber(L, (double)file->size);
    else if (strcmp(name, "mtime") == 0)
        lua_pushnumber(L, file->mtime);
    else if (strcmp(name, "offset") == 0)
        lua_pushnumber(L, (double)file->offset);
    else if (strcmp(name, "length") == 0)
        lua_pushnumber(L, (double)file->length);
    else {
        lua_getfenv(L, 1);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"close", l_close}, {"range", l_range}, {"read", l_read}, {"etag", l_etag}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"file_open", l_file_open},
    {"file_open_in", l_file_open_in},
    {"file_stat", l_file_stat},
    {"is_file", l_is_file},
    {NULL, NULL},
};

void bind_file(lua_State *L)
{
    luaL_newmetatable(L, FILE_NAME);
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, FILE_NAME);
    lua_setfield(L, -2, "__name");
    lua_newtable(L);
    luaL_register(L, NULL, methods);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_register(L, NULL, functions);
    bind_condition(L);
}
