/* value/json_path.h - where in a value the encoder stands, for its messages: a.b[3].
 *
 * Place in the flow: json_encode keeps one step for each open table, linked on the C stack, and
 * asks for the text only when something is wrong.
 */
#ifndef QLUA_VALUE_JSON_PATH_H
#define QLUA_VALUE_JSON_PATH_H

#include <lua.h>

#include "base/slice.h"

/* Room for a path's text with its NUL; a longer one is cut and ends in "...". */
#define JSON_PATH_TEXT 200

/* An open table and its key that is being written. */
struct json_path {
    const struct json_path *up; /* NULL in the outermost table */
    int table;                  /* stack index */
    struct slice name;          /* the key; data is NULL for a number */
    double number;
};

/* Write the path's text to dst (JSON_PATH_TEXT bytes); "" for NULL, the outermost value. */
void json_path_text(const struct json_path *path, char *dst);

/* The shortest part of path that leads to a table which contains itself; NULL when none does. */
const struct json_path *json_path_cycle(lua_State *L, const struct json_path *path);

#endif
