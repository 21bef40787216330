/* bind/headers.c - the lines of Headers: room for them, and only what may stand on the wire.
 * The methods are headers_write.c. See multidict.h. */
#include "bind/headers_internal.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "bind/check.h"

/* A response has a handful: so much lies in the userdata itself. */
#define ITEMS_INLINE 6
#define TEXT_INLINE  192

/* Blocks of the environment table. */
#define STORE_ITEMS 1
#define STORE_TEXT  2

/* ---- room ---- */

void headers_push(lua_State *L)
{
    multidict_new(L, MULTIDICT_HEADERS, ITEMS_INLINE, TEXT_INLINE);
}

/* A block that lives as long as the object: anchored in its environment, replacing the last. */
static void *push_block(lua_State *L, int index, struct multidict *dict, int slot, size_t size)
{
    multidict_push_store(L, index, dict);
    void *block = lua_newuserdata(L, size);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, slot);
    return block; /* the caller copies the former block, then pops the two */
}

static void reserve_item(lua_State *L, int index, struct multidict *dict)
{
    struct fields *fields = &dict->fields;
    if (fields->count < fields->cap)
        return;
    multidict_push_store(L, index, dict);
    lua_rawgeti(L, -1, STORE_ITEMS); /* the former block stays on the stack while it is read */
    size_t cap = (size_t)fields->cap * 2;
    struct field *items = push_block(L, index, dict, STORE_ITEMS, cap * sizeof(*items));
    memcpy(items, fields->items, fields->count * sizeof(*items));
    fields->items = items;
    fields->cap = (uint32_t)cap;
    lua_pop(L, 4);
}

/* Is s kept in the object's text (and not a static name)? */
static bool is_kept(const struct multidict *dict, struct slice s)
{
    return s.data >= dict->text && s.data < dict->text + dict->text_used;
}

static struct slice move_text(const struct multidict *dict, struct slice s, char **at)
{
    if (!is_kept(dict, s))
        return s;
    memcpy(*at, s.data, s.len);
    struct slice moved = slice_of(*at, s.len);
    *at += s.len;
    return moved;
}

/* Room for `more` bytes of text: a block twice the size of what is in use, which leaves behind
 * what was replaced. */
static void reserve_text(lua_State *L, int index, struct multidict *dict, size_t more)
{
    if (more <= dict->text_cap - dict->text_used)
        return;
    size_t used = 0;
    for (uint32_t i = 0; i < dict->fields.count; i++)
        used += dict->fields.items[i].name.len + dict->fields.items[i].value.len;
    size_t cap = (used + more) * 2;
    multidict_push_store(L, index, dict);
    lua_rawgeti(L, -1, STORE_TEXT);
    char *text = push_block(L, index, dict, STORE_TEXT, cap);
    char *at = text;
    for (uint32_t i = 0; i < dict->fields.count; i++) {
        struct field *item = &dict->fields.items[i];
        item->name = move_text(dict, item->name, &at);
        item->value = move_text(dict, item->value, &at);
    }
    dict->text = text;
    dict->text_used = (size_t)(at - text);
    dict->text_cap = cap;
    lua_pop(L, 4);
}

/* Within the room there is. */
static struct slice keep(struct multidict *dict, struct slice s)
{
    char *at = dict->text + dict->text_used;
    if (s.len > 0)
        memcpy(at, s.data, s.len);
    dict->text_used += s.len;
    return slice_of(at, s.len);
}

/* A known name in its usual spelling is static text. */
static struct slice keep_name(struct multidict *dict, struct slice name, enum header_id id)
{
    struct slice usual = header_name(id);
    return id != HEADER_OTHER && slice_eq(usual, name) ? usual : keep(dict, name);
}

/* ---- checks ---- */

struct multidict *headers_check(lua_State *L, int index)
{
    struct multidict *dict = check_multidict(L, index);
    if (dict->kind != MULTIDICT_HEADERS)
        luaL_error(L, "%s cannot be changed", multidict_label(dict));
    return dict;
}

static void check_line(lua_State *L, struct slice name, enum header_id id, struct slice value)
{
    if (id == HEADER_OTHER && !header_name_is_valid(name)) {
        push_slice(L, name);
        luaL_error(L,
                   "header name '%s' is not valid: it may hold letters, digits and "
                   "!#$%%&'*+-.^_`|~",
                   lua_tostring(L, -1));
    }
    if (!header_value_is_valid(value)) {
        push_slice(L, name);
        luaL_error(L,
                   "header %s: the value holds a line break or another control character; it "
                   "would break the answer apart (encode or remove it)",
                   lua_tostring(L, -1));
    }
}

struct slice headers_check_name(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "header name: a string expected, got %s", luaL_typename(L, index));
    return check_slice(L, index);
}

struct slice headers_check_value(lua_State *L, int index, struct slice name)
{
    if (lua_type(L, index) == LUA_TNUMBER) {
        double number = lua_tonumber(L, index);
        if (number == floor(number) && fabs(number) < 9007199254740992.0) {
            char text[32];
            snprintf(text, sizeof(text), "%.0f", number);
            lua_pushstring(L, text); /* 1e15 stays 1000000000000000 */
            lua_replace(L, index);
        }
    } else if (lua_type(L, index) != LUA_TSTRING) {
        push_slice(L, name);
        luaL_error(L, "header %s: a string or number expected, got %s%s", lua_tostring(L, -1),
                   luaL_typename(L, index),
                   lua_istable(L, index) ? " (for several lines use setlist)" : "");
    }
    return check_slice(L, index);
}

/* ---- writing ---- */

void headers_add_line(lua_State *L, int index, struct multidict *dict, struct slice name,
                      struct slice value)
{
    enum header_id id = header_id_of(name);
    check_line(L, name, id, value);
    reserve_item(L, index, dict);
    reserve_text(L, index, dict, name.len + value.len);
    struct field *item = &dict->fields.items[dict->fields.count++];
    item->id = (uint16_t)id;
    item->name = keep_name(dict, name, id);
    item->value = keep(dict, value);
}

void headers_add(lua_State *L, int index, struct slice name, struct slice value)
{
    if (index < 0)
        index += lua_gettop(L) + 1;
    headers_add_line(L, index, headers_check(L, index), name, value);
}

void headers_set_line(lua_State *L, int index, struct multidict *dict, struct slice name,
                      struct slice value)
{
    struct fields *fields = &dict->fields;
    const struct field *first = fields_get(fields, name);
    if (first == NULL) {
        headers_add_line(L, index, dict, name, value);
        return;
    }
    check_line(L, name, (enum header_id)first->id, value);
    reserve_text(L, index, dict, name.len + value.len);
    struct field kept = {.id = first->id};
    uint32_t at = (uint32_t)(first - fields->items);
    kept.name = keep_name(dict, name, (enum header_id)kept.id);
    kept.value = keep(dict, value);
    /* what stood before it stays, so the line goes in again at the same place */
    fields_remove(fields, name);
    memmove(&fields->items[at + 1], &fields->items[at],
            (fields->count - at) * sizeof(fields->items[0]));
    fields->items[at] = kept;
    fields->count++;
}

void headers_set_list(lua_State *L, int index, struct multidict *dict, struct slice name, int list)
{
    fields_remove(&dict->fields, name);
    int n = (int)lua_objlen(L, list);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, list, i);
        struct slice value = headers_check_value(L, lua_gettop(L), name);
        headers_add_line(L, index, dict, name, value);
        lua_pop(L, 1);
    }
}
