/* bind/folder.c - folders, as Lua asks for them: core.files_below, folder_names, make_folder */
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <lauxlib.h>
#include <lua.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "value/marker.h"

static void close_walk(void *data)
{
    fts_close(data);
}

static bool is_hidden(const FTSENT *entry)
{
    return entry->fts_level > 0 && entry->fts_name[0] == '.';
}

/* A regular file, or a link to one? */
static bool is_file(const FTSENT *entry)
{
    struct stat st;
    return entry->fts_info == FTS_F ||
           (entry->fts_info == FTS_SL && stat(entry->fts_accpath, &st) == 0 && S_ISREG(st.st_mode));
}

/* core.files_below(folder) -> list of the paths, within the folder, of the files in it and in the
 * folders below. Hidden ones are left out, linked folders not entered; {} when there is no such
 * folder. */
static int l_files_below(lua_State *L)
{
    struct slice folder = check_slice(L, 1);
    struct arena *scratch = push_scratch(L);
    char *roots[] = {arena_cstr(scratch, folder), NULL};
    lua_newtable(L);
    marker_set_array(L, -1);
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (walk == NULL)
        return 1;
    arena_defer(scratch, close_walk, walk); /* pushing may raise */
    int n = 0;
    for (const FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
        if (is_hidden(entry)) {
            fts_set(walk, (FTSENT *)entry, FTS_SKIP);
        } else if (entry->fts_level > 0 && is_file(entry)) {
            const char *path = entry->fts_path + folder.len;
            lua_pushstring(L, path + (path[0] == '/'));
            lua_rawseti(L, -2, ++n);
        }
    }
    arena_clear(scratch);
    return 1;
}

static void close_folder(void *data)
{
    closedir(data);
}

static int push_errno(lua_State *L, int code)
{
    lua_pushnil(L);
    lua_pushstring(L, err_text(-code));
    lua_pushinteger(L, -code);
    return 3;
}

/* core.folder_names(folder) -> list of the names in it, hidden ones too; or nil, message, code */
static int l_folder_names(lua_State *L)
{
    const char *folder = luaL_checkstring(L, 1);
    struct arena *scratch = push_scratch(L);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return push_errno(L, errno);
    arena_defer(scratch, close_folder, dir); /* pushing may raise */
    lua_newtable(L);
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++n);
    }
    arena_clear(scratch);
    return 1;
}

/* core.make_folder(path, private) -> true; or nil, message, code: its parent must be there */
static int l_make_folder(lua_State *L)
{
    if (mkdir(luaL_checkstring(L, 1), lua_toboolean(L, 2) ? 0700 : 0777) != 0)
        return push_errno(L, errno);
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {
    {"files_below", l_files_below},
    {"folder_names", l_folder_names},
    {"make_folder", l_make_folder},
    {NULL, NULL},
};

void bind_folder(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
