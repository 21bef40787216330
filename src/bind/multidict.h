/* bind/multidict.h - names with one or more values, as Lua sees them.
 *
 * Place in the flow: bind/request and bind/form push what a client sent as a MultiDict, which
 * cannot be changed; responses and middleware hold Headers, which can. Both are userdata that
 * Lua's collector accounts for and frees: no finalizer, no reference to the request. One that
 * cannot change is a single allocation (struct, items and text); one that can starts so and
 * anchors bigger blocks in its environment table when it grows.
 */
#ifndef QLUA_BIND_MULTIDICT_H
#define QLUA_BIND_MULTIDICT_H

#include <lua.h>

#include "http/headers.h"

enum multidict_kind {
    MULTIDICT_ARGS,
    MULTIDICT_FORM,
    MULTIDICT_COOKIES,
    MULTIDICT_VALUES,
    MULTIDICT_FILES,           /* the values are Lua objects */
    MULTIDICT_REQUEST_HEADERS, /* case-blind from here on */
    MULTIDICT_FILE_HEADERS,    /* of an uploaded file */
    MULTIDICT_HEADERS          /* writable */
};

/* Push a copy of fields that cannot be changed; any kind but MULTIDICT_FILES and _HEADERS. */
void multidict_push(lua_State *L, enum multidict_kind kind, const struct fields *fields);

/* Push the MultiDict of uploaded files: the object of fields->items[i] is list[i + 1] of the
 * table on top, which is taken. */
void multidict_push_files(lua_State *L, const struct fields *fields);

/* Push new, empty Headers. */
void headers_push(lua_State *L);

/* Add a line to the Headers at index; name and value are copied. Raises, naming the header,
 * when they may not stand on the wire. */
void headers_add(lua_State *L, int index, struct slice name, struct slice value);

/* The lines of the Headers at index (request.headers too): borrowed from the userdata, valid
 * until it is next changed or collected. check_ raises for any other value, headers_fields
 * gives NULL. */
const struct fields *check_headers(lua_State *L, int index);
const struct fields *headers_fields(lua_State *L, int index);

#endif
