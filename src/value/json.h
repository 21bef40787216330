/* value/json.h - JSON of Lua values, both ways.
 *
 * Place in the flow: responses, request bodies, the session codec, tojson and qlua.json call it;
 * it calls json_scan, number and marker. Runs no Lua code: tables are read raw, metamethods do
 * not count, so a class instance is the object of its own fields. marker_open comes first.
 *
 * Out of a table: keys exactly 1..n, or the array mark: an array (marked: n is the largest key,
 * holes are null); no keys: {}; only strings, or only whole numbers: an object, numbers as text;
 * a template's dict: an object.
 * Out of a number: value/number.h; int64_t and uint64_t cdata are integers. qlua.null is null.
 * Into Lua: arrays are marked, null is qlua.null, integers beyond 2^53 are the nearest double,
 * of a key that comes twice the last value counts.
 */
#ifndef QLUA_VALUE_JSON_H
#define QLUA_VALUE_JSON_H

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "value/marker.h"

struct err;
struct json_tags;

/* How deep tables, arrays and objects may nest, both ways. */
#define JSON_MAX_DEPTH 200

struct json_options {
    bool compact;                 /* else indented by 2, an item a line */
    bool sort_keys;               /* by bytes; number keys by number */
    bool ensure_ascii;            /* all but 0x20..0x7e as \uXXXX; else UTF-8 */
    const struct json_tags *tags; /* NULL: a tuple is an array, other marked tables their text */
};

/* How a codec on top of this one keeps the marks that JSON has no form for: as objects of one
 * key. An ordinary object of one such key gets "__" behind it and stands in one of its own. */
struct json_tags {
    const char *keys[MARKER_COUNT]; /* by kind; [MARKER_NONE]: of escaped objects; else NULL */
    /* Push the text to write for the marked table at index, a string. */
    void (*push_text)(lua_State *L, int index, enum marker kind);
    /* Put what it stands for in the place of the value on top, which stood under keys[kind].
     * Returns 0, or a negative code with its message in err. May push 4 values. */
    int (*read)(lua_State *L, enum marker kind, struct err *err);
};

/* compact, sorted, ASCII. */
extern const struct json_options json_defaults;

/* The kind (MARKER_NONE: the escape) whose key this is, or -1. */
int json_tag_kind(const struct json_tags *tags, struct slice key);

/* Append the value at index to out. Returns 0, or -EINVAL (no JSON form: functions, nan, both
 * kinds of key, a cycle ...) or QLUA_ELIMIT (too deep), and err (may be NULL) says what and where:
 * message, and in name the path, as a.b[3]; out then has a part of the text. Raises only when Lua
 * is out of memory, so out must belong to something that outlives a Lua error. */
int json_encode(lua_State *L, int index, const struct json_options *options, struct buf *out,
                struct err *err);

/* Push the value of text and return 0; or push nothing and return json_scan's code, with message,
 * line and column in err (may be NULL). Raises only when Lua is out of memory; leaks nothing. */
int json_decode(lua_State *L, struct slice text, struct err *err);
/* The same with tags; also returns what tags->read returned. */
int json_decode_tagged(lua_State *L, struct slice text, const struct json_tags *tags,
                       struct err *err);

#endif
