/* bind/file.h - open files as Lua holds them: qlua.File.
 *
 * Place in the flow: lua/qlua/static.lua opens one and puts it into a Response as its body;
 * server/respond takes the descriptor out and sends it. Regular files only. The userdata's
 * environment table holds the path; the collector closes what nobody sent or closed.
 */
#ifndef QLUA_BIND_FILE_H
#define QLUA_BIND_FILE_H

#include <stddef.h>
#include <stdint.h>

struct lua_State;

struct lua_file {
    int fd;          /* -1: taken or closed */
    int64_t offset;  /* of the first byte to send */
    uint64_t length; /* bytes to send */
    int64_t size;    /* of the file when it was opened */
    double mtime;    /* seconds since 1970 */
};

/* The file at index, or NULL for any other value. Whoever takes the fd sets it to -1. */
struct lua_file *lua_file_at(struct lua_State *L, int index);

/* Open the regular file at path for reading, without waiting for anything (a FIFO, a device) and
 * without inheritance. Returns the descriptor, or negative errno: -EISDIR for a folder, -EINVAL
 * for what is neither. */
int file_open_path(const char *path);

/* Resolve "." and ".." of a name by its text alone, as posixpath.normpath does: a folder that is
 * named and left again need not exist. dst has PATH_MAX bytes. Returns 0, -EXDEV when the name
 * leads out of where it begins, -EINVAL for a NUL or backslash in it, -EISDIR when nothing is
 * left. */
int file_normalise(const char *name, size_t len, char *dst);

/* The same as file_open_path for a normalised name below `folder`: links are followed inside the
 * folder and never out of it (-EXDEV). */
int file_open_below(const char *folder, const char *name);

/* core.condition and core.range (condition.c), added to the table on top. */
void bind_condition(struct lua_State *L);

#endif
