/* bind/folder.c - what lies in a folder, as Lua asks for it: core.files_below */
#include <errno.h>
#include <fts.h>
#include <lauxlib.h>
#include <lua.h>
#include <sys/stat.h>

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

void bind_folder(lua_State *L)
{
    lua_pushcfunction(L, l_files_below);
    lua_setfield(L, -2, "files_below");
}
