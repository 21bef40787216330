/* value/json_encode.c - Lua values as JSON text. See json.h. */
#include "value/json.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/escape.h"
#include "value/json_path.h"
#include "value/marker.h"
#include "value/number.h"
#include "value/plain.h"

#define LUA_TCDATA 10 /* LuaJIT's own type, which lua.h does not name */

/* Of a table's pairs so many are kept on the Lua stack while it is written; of larger tables the
 * keys go into a Lua table of ours. Either way the keys stay alive: making that table can run a
 * finalizer, and that may change the table being written. */
#define PAIRS_ON_STACK 32

/* Pairs are kept while the Lua stack is below this: LuaJIT gives a C function 8,000 slots, and
 * JSON_MAX_DEPTH levels that keep none must still fit. */
#define STACK_FOR_PAIRS 4000

/* What a level takes besides its pairs. */
#define SLOTS_A_LEVEL 16

/* What a marked array may have in holes: qlua.array{[1e9] = 1} is a mistake, not a gigabyte. */
#define HOLES_MAX 1000000

/* The key of an object, and where its value is. */
struct item {
    uint64_t rank;     /* orders like the key; equal only for names that share 8 bytes */
    struct slice name; /* data is NULL for a number, which is then what rank stands for */
    unsigned at;       /* 0-based place in lua_next's order */
};

#define ITEMS_INSIDE 48

struct encoder {
    lua_State *L;
    struct buf *out;
    struct json_options options;
    struct err *err;
    const void *array; /* the array metatable */
    unsigned depth;
    /* A stack of items: those of each open object. Beyond ITEMS_INSIDE in a userdata, which
     * stands on the Lua stack at items_index. */
    struct item *items;
    size_t item_count;
    size_t item_cap;
    int items_index;
    struct item inside[ITEMS_INSIDE];
};

const struct json_options json_defaults = {
    .compact = true, .sort_keys = true, .ensure_ascii = true};

/* One table as a walk over it found it. On the Lua stack from base on: the list of keys (or nil),
 * then the kept pairs, key and value. */
struct walk {
    int table; /* its stack index */
    int base;
    unsigned kept_max; /* 0 when the Lua stack is rather full */
    unsigned count;    /* pairs */
    unsigned names;    /* pairs with a string for a key */
    size_t first;      /* its items in encoder.items: first .. first + count */
    double low, high;  /* least and greatest number key */
};

static int write_value(struct encoder *e, int index, struct json_path *path);

/* ---- errors ------------------------------------------------------------------------------ */

/* "<what> at a.b[3]<hint>" */
static int fail(struct encoder *e, const struct json_path *path, const char *what, const char *hint)
{
    char place[JSON_PATH_TEXT];
    json_path_text(path, place);
    err_set(e->err, -EINVAL, "%s%s%s%s", what, place[0] != 0 ? " at " : "", place, hint);
    if (e->err != NULL)
        snprintf(e->err->name, sizeof(e->err->name), "%s", place);
    return -EINVAL;
}

static int fail_type(struct encoder *e, const struct json_path *path, const char *type)
{
    char what[64];
    snprintf(what, sizeof(what), "cannot encode a %s", type);
    return fail(e, path, what, "; leave it out or encode what it stands for");
}

static int fail_mixed(struct encoder *e, const struct json_path *path)
{
    return fail(e, path, "both string and number keys in the table",
                "; JSON has arrays and objects, no mixture: use one kind of key");
}

/* Too deep: most often a table inside itself; then the path ends where it comes again. */
static int fail_depth(struct encoder *e, const struct json_path *path)
{
    const struct json_path *again = json_path_cycle(e->L, path);
    if (again != NULL)
        return fail(e, again, "a cycle: the table", " is inside itself");
    char what[64];
    snprintf(what, sizeof(what), "tables nest deeper than %d levels", JSON_MAX_DEPTH);
    fail(e, path->up, what, "");
    if (e->err != NULL)
        e->err->code = QLUA_ELIMIT;
    return QLUA_ELIMIT;
}

/* ---- scalars ----------------------------------------------------------------------------- */

static void write_string(struct encoder *e, struct slice text)
{
    char *dst = buf_reserve(e->out, text.len + 2);
    dst[0] = '"';
    if (plain_copy(dst + 1, text.data, text.len)) {
        dst[text.len + 1] = '"';
        e->out->len += text.len + 2;
        return;
    }
    e->out->len++;
    escape_json(e->out, text, e->options.ensure_ascii);
    buf_char(e->out, '"');
}

static int write_number(struct encoder *e, double number, const struct json_path *path)
{
    if (!isfinite(number))
        return fail(e, path, isnan(number) ? "cannot encode nan" : "cannot encode an infinity",
                    "; use qlua.null or a string");
    e->out->len += number_write(buf_reserve(e->out, NUMBER_TEXT_MAX), number);
    return 0;
}

/* Is the cdata at index of this C type? Asked of LuaJIT's own ffi.istype, which runs no Lua; a
 * replacement written in Lua is not called. */
static bool is_ctype(lua_State *L, int index, const char *type)
{
    int top = lua_gettop(L);
    bool is = false;
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_pushliteral(L, "ffi");
    lua_rawget(L, -2);
    if (lua_istable(L, -1)) {
        lua_pushliteral(L, "istype");
        lua_rawget(L, -2);
        if (lua_iscfunction(L, -1)) {
            lua_pushstring(L, type);
            lua_pushvalue(L, index);
            is = lua_pcall(L, 2, 1, 0) == 0 && lua_toboolean(L, -1);
        }
    }
    lua_settop(L, top);
    return is;
}

static int write_cdata(struct encoder *e, int index, const struct json_path *path)
{
    bool is_signed = is_ctype(e->L, index, "int64_t");
    if (!is_signed && !is_ctype(e->L, index, "uint64_t"))
        return fail_type(e, path, "cdata");
    uint64_t bits;
    memcpy(&bits, lua_topointer(e->L, index), sizeof(bits));
    if (is_signed && (int64_t)bits < 0) {
        buf_char(e->out, '-');
        bits = 0 - bits;
    }
    e->out->len += number_write_uint(buf_reserve(e->out, NUMBER_TEXT_MAX), bits);
    return 0;
}

/* ---- walking a table --------------------------------------------------------------------- */

/* Push what lua_next begins with and the first pair; false when there is none. */
static bool start_walk(struct encoder *e, struct walk *w)
{
    lua_settop(e->L, w->base);
    lua_pushnil(e->L); /* no list of keys yet */
    lua_pushnil(e->L);
    w->count = 0;
    return lua_next(e->L, w->table);
}

/* The pair on top has been seen: keep it if there is room, and push the next. */
static bool next_pair(struct encoder *e, struct walk *w)
{
    if (w->count < w->kept_max)
        lua_pushvalue(e->L, -2);
    else
        lua_pop(e->L, 1);
    w->count++;
    return lua_next(e->L, w->table);
}

/* From the first pair on: are the keys 1, 2, 3 ... in this order, in which lua_next gives a
 * table's array part? */
static bool walk_list(struct encoder *e, struct walk *w)
{
    do {
        if (lua_type(e->L, -2) != LUA_TNUMBER || lua_tonumber(e->L, -2) != w->count + 1.0)
            return false;
    } while (next_pair(e, w));
    return true;
}

/* The first 8 bytes, so that comparing the numbers compares the bytes. */
static uint64_t rank_name(struct slice name)
{
    uint64_t rank = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (name.len >= 8) {
        memcpy(&rank, name.data, 8);
        return __builtin_bswap64(rank);
    }
#endif
    for (size_t i = 0; i < name.len && i < 8; i++)
        rank |= (uint64_t)(unsigned char)name.data[i] << (56 - 8 * i);
    return rank;
}

/* The bits of a double, so that comparing them as numbers compares the doubles. */
static uint64_t rank_number(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double number_of_rank(uint64_t rank)
{
    uint64_t bits = rank >> 63 ? rank & ~((uint64_t)1 << 63) : ~rank;
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static struct item *add_item(struct encoder *e)
{
    if (e->item_count == e->item_cap) {
        size_t cap = e->item_cap * 2;
        struct item *items = lua_newuserdata(e->L, cap * sizeof(*items));
        memcpy(items, e->items, e->item_count * sizeof(*items));
        lua_replace(e->L, e->items_index);
        e->items = items;
        e->item_cap = cap;
    }
    return &e->items[e->item_count++];
}

static int read_number_key(struct encoder *e, struct walk *w, struct item *item,
                           const struct json_path *path)
{
    double number = lua_tonumber(e->L, -2);
    if (!isfinite(number) || floor(number) != number)
        return fail(e, path, "a key that is not a whole number in the table",
                    "; use strings for keys");
    bool is_first = w->count == w->names;
    w->low = is_first || number < w->low ? number : w->low;
    w->high = is_first || number > w->high ? number : w->high;
    item->rank = rank_number(number);
    return 0;
}

/* Make the item of the pair on top of the stack. */
static int read_key(struct encoder *e, struct walk *w, const struct json_path *path)
{
    struct item item = {.at = w->count};
    int type = lua_type(e->L, -2);
    if (type == LUA_TSTRING) {
        item.name.data = lua_tolstring(e->L, -2, &item.name.len);
        item.rank = rank_name(item.name);
        w->names++;
    } else if (type == LUA_TNUMBER) {
        int rc = read_number_key(e, w, &item, path);
        if (rc != 0)
            return rc;
    } else {
        char what[64];
        snprintf(what, sizeof(what), "a %s as a key in the table", lua_typename(e->L, type));
        return fail(e, path, what, "; use strings for keys");
    }
    *add_item(e) = item;
    return 0;
}

/* A table of more pairs than are kept: list its keys. The pair on top of the stack stays. */
static void list_key(struct encoder *e, struct walk *w)
{
    lua_State *L = e->L;
    if (w->count == w->kept_max) {
        lua_createtable(L, 2 * PAIRS_ON_STACK, 0);
        lua_replace(L, w->base + 1);
    }
    lua_pushvalue(L, -2);
    lua_rawseti(L, w->base + 1, (int)(w->count - w->kept_max) + 1);
}

/* From the first pair on: gather every pair as an item, in lua_next's order. */
static int walk_items(struct encoder *e, struct walk *w, const struct json_path *path)
{
    do {
        int rc = read_key(e, w, path);
        if (rc != 0)
            return rc;
        if (w->count >= w->kept_max)
            list_key(e, w);
    } while (next_pair(e, w));
    return 0;
}

static int by_rank(const void *left, const void *right)
{
    const struct item *a = left;
    const struct item *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return slice_cmp(a->name, b->name);
}

static void sort_items(struct item *items, size_t count)
{
    if (count > PAIRS_ON_STACK) {
        qsort(items, count, sizeof(*items), by_rank);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct item item = items[i];
        size_t to = i;
        for (; to > 0 && by_rank(&item, &items[to - 1]) < 0; to--)
            items[to] = items[to - 1];
        items[to] = item;
    }
}

/* ---- writing a table --------------------------------------------------------------------- */

static void start_line(struct encoder *e)
{
    if (e->options.compact)
        return;
    size_t spaces = 2 * (size_t)e->depth;
    char *dst = buf_reserve(e->out, spaces + 1);
    dst[0] = '\n';
    memset(dst + 1, ' ', spaces);
    e->out->len += spaces + 1;
}

static void start_entry(struct encoder *e, bool is_first)
{
    if (!is_first)
        buf_char(e->out, ',');
    start_line(e);
}

static void open_bracket(struct encoder *e, char bracket)
{
    buf_char(e->out, bracket);
    e->depth++;
}

static void close_bracket(struct encoder *e, char bracket)
{
    e->depth--;
    start_line(e);
    buf_char(e->out, bracket);
}

/* Elements 1..count by number, except that the first `kept` are on the stack. */
static int write_list(struct encoder *e, const struct walk *w, unsigned count, unsigned kept,
                      struct json_path *path)
{
    lua_State *L = e->L;
    int top = lua_gettop(L);
    path->name.data = NULL;
    open_bracket(e, '[');
    for (unsigned i = 0; i < count; i++) {
        int index = w->base + 3 + 2 * (int)i;
        if (i >= kept) {
            lua_rawgeti(L, w->table, (int)i + 1);
            index = top + 1;
        }
        path->number = i + 1.0;
        start_entry(e, i == 0);
        int rc = write_value(e, index, path);
        if (rc != 0)
            return rc;
        if (i >= kept)
            lua_settop(L, top);
    }
    close_bracket(e, ']');
    return 0;
}

/* Is the object's only key one that a tag has? */
static bool is_like_tag(const struct encoder *e, const struct walk *w)
{
    return e->options.tags != NULL && w->count == 1 && w->names == 1 &&
           json_tag_kind(e->options.tags, e->items[w->first].name) >= 0;
}

static void open_tag(struct encoder *e, enum marker kind)
{
    open_bracket(e, '{');
    write_string(e, slice_cstr(e->options.tags->keys[kind]));
    buf_char(e->out, ':');
}

static void write_key(struct encoder *e, const struct item *item)
{
    if (item->name.data != NULL) {
        write_string(e, item->name);
    } else {
        char text[NUMBER_TEXT_MAX];
        write_string(e, slice_of(text, number_write(text, number_of_rank(item->rank))));
    }
    buf_append(e->out, ": ", e->options.compact ? 1 : 2);
}

static int write_object(struct encoder *e, const struct walk *w, struct json_path *path)
{
    lua_State *L = e->L;
    int top = lua_gettop(L);
    bool is_escaped = is_like_tag(e, w);
    if (is_escaped && e->depth + 2 > JSON_MAX_DEPTH)
        return fail_depth(e, path);
    if (is_escaped)
        open_tag(e, MARKER_NONE);
    if (e->options.sort_keys || w->names == 0)
        sort_items(e->items + w->first, w->count);
    open_bracket(e, '{');
    for (unsigned i = 0; i < w->count; i++) {
        /* writing the value can move the items: not used behind it */
        const struct item *item = &e->items[w->first + i];
        bool is_kept = item->at < w->kept_max;
        int index = w->base + 3 + 2 * (int)item->at;
        if (!is_kept) {
            lua_rawgeti(L, w->base + 1, (int)(item->at - w->kept_max) + 1);
            lua_rawget(L, w->table);
            index = top + 1;
        }
        path->name = item->name;
        if (item->name.data == NULL)
            path->number = number_of_rank(item->rank);
        start_entry(e, i == 0);
        write_key(e, item);
        if (is_escaped) { /* behind the name's bytes: before the quote and the colon */
            e->out->len -= 2;
            buf_append(e->out, "__\":", 4);
        }
        int rc = write_value(e, index, path);
        if (rc != 0)
            return rc;
        if (!is_kept)
            lua_settop(L, top);
    }
    close_bracket(e, '}');
    if (is_escaped)
        close_bracket(e, '}');
    return 0;
}

/* A table whose keys are not simply 1, 2, 3 ... in order; its items are gathered. `path` is its
 * own step. */
static int write_items(struct encoder *e, struct walk *w, enum marker kind, struct json_path *path)
{
    bool is_array = kind != MARKER_NONE;
    if (kind == MARKER_DICT || (w->names == w->count && !is_array))
        return write_object(e, w, path);
    if (w->names > 0)
        return fail_mixed(e, path->up);
    if (!is_array && (w->low < 1 || w->high != w->count))
        return write_object(e, w, path);
    if (w->low < 1)
        return fail(e, path->up, "a key below 1 in the array", "; arrays count from 1");
    if (w->high - w->count > HOLES_MAX)
        return fail(e, path->up, "more than a million holes in the array",
                    "; without the array mark it is an object");
    return write_list(e, w, (unsigned)w->high, 0, path);
}

static int write_pairs(struct encoder *e, struct walk *w, enum marker kind, struct json_path *path)
{
    bool is_object = kind == MARKER_NONE || kind == MARKER_DICT;
    if (!start_walk(e, w)) {
        buf_append(e->out, is_object ? "{}" : "[]", 2);
        return 0;
    }
    if (lua_type(e->L, -2) == LUA_TNUMBER && kind != MARKER_DICT) {
        if (walk_list(e, w))
            return write_list(e, w, w->count, w->kept_max, path);
        start_walk(e, w);
    }
    int rc = walk_items(e, w, path->up);
    return rc != 0 ? rc : write_items(e, w, kind, path);
}

/* A marked table that stands for a scalar. */
static int write_marked(struct encoder *e, int index, enum marker kind, const struct json_path *up)
{
    const struct json_tags *tags = e->options.tags;
    if (!lua_checkstack(e->L, SLOTS_A_LEVEL))
        return fail(e, up, "the Lua stack is full", "");
    if (tags != NULL)
        tags->push_text(e->L, index, kind);
    else
        lua_rawgeti(e->L, index, 1);
    if (lua_type(e->L, -1) != LUA_TSTRING || (tags == NULL && kind == MARKER_BYTES))
        return fail_type(e, up, kind == MARKER_BYTES ? "value of bytes" : "marked value");
    struct slice text;
    text.data = lua_tolstring(e->L, -1, &text.len);
    if (tags != NULL)
        open_tag(e, kind);
    write_string(e, text);
    if (tags != NULL)
        close_bracket(e, '}');
    lua_pop(e->L, 1);
    return 0;
}

static int write_table(struct encoder *e, int index, struct json_path *up)
{
    struct json_path path;
    path.up = up;
    path.table = index;
    enum marker kind = marker_of(e->L, index, e->array);
    bool is_tagged = kind == MARKER_TUPLE && e->options.tags != NULL;
    if (e->depth + is_tagged >= JSON_MAX_DEPTH)
        return fail_depth(e, &path);
    if (kind >= MARKER_BYTES)
        return write_marked(e, index, kind, up);
    struct walk w;
    w.table = index;
    w.base = lua_gettop(e->L);
    w.kept_max = w.base < STACK_FOR_PAIRS ? PAIRS_ON_STACK : 0;
    if (!lua_checkstack(e->L, 2 * (int)w.kept_max + SLOTS_A_LEVEL))
        return fail(e, up, "the Lua stack is full", "");
    w.names = 0;
    w.first = e->item_count;
    if (is_tagged)
        open_tag(e, kind);
    int rc = write_pairs(e, &w, kind, &path);
    if (is_tagged)
        close_bracket(e, '}');
    lua_settop(e->L, w.base);
    e->item_count = w.first;
    return rc;
}

static int write_value(struct encoder *e, int index, struct json_path *path)
{
    lua_State *L = e->L;
    struct slice text;
    int type = lua_type(L, index);
    switch (type) {
    case LUA_TSTRING:
        text.data = lua_tolstring(L, index, &text.len);
        write_string(e, text);
        return 0;
    case LUA_TNUMBER: return write_number(e, lua_tonumber(L, index), path);
    case LUA_TTABLE: return write_table(e, index, path);
    case LUA_TBOOLEAN: buf_cstr(e->out, lua_toboolean(L, index) ? "true" : "false"); return 0;
    case LUA_TNIL: buf_append(e->out, "null", 4); return 0;
    case LUA_TCDATA: return write_cdata(e, index, path);
    default:
        if (!marker_is_null(L, index))
            return fail_type(e, path, lua_typename(L, type));
        buf_append(e->out, "null", 4);
        return 0;
    }
}

int json_encode(lua_State *L, int index, const struct json_options *options, struct buf *out,
                struct err *err)
{
    struct encoder e;
    e.L = L;
    e.out = out;
    e.options = *options;
    e.err = err;
    e.depth = 0;
    e.items = e.inside;
    e.item_count = 0;
    e.item_cap = ITEMS_INSIDE;
    luaL_checkstack(L, 8, "JSON");
    int top = lua_gettop(L);
    marker_push_array(L);
    e.array = lua_topointer(L, -1);
    e.items_index = top + 1; /* the metatable's slot: the registry keeps it alive */
    lua_pushvalue(L, index < 0 && index > LUA_REGISTRYINDEX ? index - 1 : index);
    int rc = write_value(&e, top + 2, NULL);
    lua_settop(L, top);
    return rc;
}
