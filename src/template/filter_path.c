/* template/filter_path.c - the attribute by which items are sorted, grouped, summed, joined
 *
 * Place in the flow: filters with an `attribute` prepare it once as a path ("a.b.0": the keys "a",
 * "b" and 0) and follow it from every item, by the rules of item[key]. Where an item is an object
 * Lua is asked; the frame keeps which item and which key of the path it was.
 */
#include "template/filter_internal.h"
#include "template/filter_quick.h"
#include "template/unicode.h"

/* ---- preparing ------------------------------------------------------------------------------- */

/* Push a part of a path: a number when it is all digits. */
static void push_key(struct vm *vm, struct slice part)
{
    double number = 0;
    for (size_t i = 0; i < part.len; i++) {
        if (part.data[i] < '0' || part.data[i] > '9') {
            lua_pushlstring(vm->L, part.data, part.len);
            return;
        }
        number = number * 10 + (part.data[i] - '0');
    }
    if (part.len == 0)
        lua_pushliteral(vm->L, "");
    else
        lua_pushnumber(vm->L, number);
}

/* Push what path_follow reads for the path of this text. */
static void push_path(struct vm *vm, struct slice text)
{
    if (slice_find(text, '.') == text.len) {
        push_key(vm, text);
        return;
    }
    int count = 0;
    lua_newtable(vm->L);
    for (;;) {
        size_t dot = slice_find(text, '.');
        if (++count > FRAME_PARTS_MAX)
            vm_fail(vm, TEMPLATE_FILTER_ARG, "an attribute path has more than %d parts",
                    FRAME_PARTS_MAX);
        push_key(vm, slice_of(text.data, dot));
        lua_rawseti(vm->L, -2, count);
        if (dot == text.len)
            return;
        text = slice_from(text, dot + 1);
    }
}

/* A key that is no text: a list of one, so that a list or nil as a key is not taken for a path. */
static void push_single(struct vm *vm, int index)
{
    if (lua_type(vm->L, index) == LUA_TNUMBER) {
        lua_pushvalue(vm->L, index);
        return;
    }
    lua_newtable(vm->L);
    lua_pushvalue(vm->L, index);
    lua_rawseti(vm->L, -2, 1);
}

/* Is it the text of a single key already? */
static bool is_key(struct vm *vm, int index)
{
    struct slice text;
    if (lua_type(vm->L, index) != LUA_TSTRING)
        return false;
    text.data = lua_tolstring(vm->L, index, &text.len);
    return text.len > 0 && (text.data[0] < '0' || text.data[0] > '9') &&
           slice_find(text, '.') == text.len;
}

void path_prepare(struct vm *vm, int index)
{
    struct slice text;
    if (is_key(vm, index))
        return;
    if (filter_is_absent(vm, index))
        lua_pushnil(vm->L);
    else if (value_slice(vm, index, &text))
        push_path(vm, text);
    else
        push_single(vm, index);
    lua_replace(vm->L, index);
}

void path_prepare_list(struct vm *vm, int index)
{
    struct slice text = filter_text(vm, index, "split");
    int count = 0;
    lua_newtable(vm->L);
    for (bool more = true; more;) {
        size_t comma = slice_find(text, ',');
        more = comma < text.len;
        if (++count > FRAME_PARTS_MAX)
            vm_fail(vm, TEMPLATE_FILTER_ARG, "sort has more than %d attributes", FRAME_PARTS_MAX);
        push_path(vm, slice_of(text.data, comma));
        lua_rawseti(vm->L, -2, count);
        text = slice_from(text, comma + 1);
    }
    lua_replace(vm->L, index);
}

/* ---- following ------------------------------------------------------------------------------- */

static int path_length(struct vm *vm, int path)
{
    switch (lua_type(vm->L, path)) {
    case LUA_TNIL: return 0;
    case LUA_TTABLE: return (int)lua_objlen(vm->L, path);
    default: return 1;
    }
}

/* Replace the value on top by its item of one key of the path. */
static enum vm_status follow_key(struct vm *vm, int path, int part)
{
    lua_State *L = vm->L;
    int item = lua_gettop(L), key = path;
    if (lua_istable(L, path)) {
        lua_rawgeti(L, path, part + 1);
        key = item + 1;
    } else if (lua_type(L, path) == LUA_TSTRING && quick_push_field(vm, path)) {
        lua_replace(L, item);
        return VM_DONE;
    }
    if (value_getitem(vm, item, key) == VALUE_ASK) {
        if (key == path)
            lua_pushvalue(L, path);
        return vm_ask(vm, VM_ASK_ITEM, 2);
    }
    lua_replace(L, item);
    lua_settop(L, item);
    return VM_DONE;
}

enum vm_status path_follow(struct vm *vm, int path, int fallback, int *part, bool asked)
{
    lua_State *L = vm->L;
    int length = path_length(vm, path);
    for (; *part < length; ++*part) {
        if (!asked && follow_key(vm, path, *part) == VM_AGAIN)
            return VM_AGAIN;
        asked = false;
        if (fallback != 0 && value_kind(vm, lua_gettop(L)) == VALUE_UNDEFINED) {
            lua_pop(L, 1);
            lua_pushvalue(L, fallback);
        }
    }
    return VM_DONE;
}

/* True when lower() leaves the text as it is. */
static bool is_lower(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if ((c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80)
            return false;
    }
    return true;
}

bool path_is_folded(struct vm *vm)
{
    struct slice text;
    int type = lua_type(vm->L, -1);
    if (type != LUA_TSTRING && type != LUA_TTABLE)
        return true;
    return !value_slice(vm, lua_gettop(vm->L), &text) || is_lower(text);
}

void path_fold(struct vm *vm)
{
    if (path_is_folded(vm))
        return;
    int top = lua_gettop(vm->L);
    size_t start = vm->text.len;
    unicode_convert(filter_text(vm, top, "lower"), UNICODE_LOWER, &vm->text);
    filter_push_text(vm, start, value_kind(vm, top) == VALUE_MARKUP);
    lua_replace(vm->L, top);
}

/* Push the attribute (a string) of items[i] when that is a plain table which has it; false: nothing
 * pushed. */
static bool push_attribute(struct vm *vm, int items, int i, int path)
{
    lua_rawgeti(vm->L, items, i);
    if (!quick_push_field(vm, path)) {
        lua_pop(vm->L, 1);
        return false;
    }
    return true;
}

/* Go as far as items are plain tables that have the attribute. */
static void project_plain(struct vm *vm, struct vm_frame *frame, int items, int path, int keys)
{
    lua_State *L = vm->L;
    for (; frame->i < frame->n && push_attribute(vm, items, frame->i + 1, path); frame->i++) {
        lua_rawseti(L, keys, frame->i + 1);
        lua_pop(L, 1);
    }
}

enum vm_status path_project(struct vm *vm, struct vm_frame *frame, int items, int path,
                            int fallback, int keys, bool fold)
{
    lua_State *L = vm->L;
    int part;
    bool asked = frame_answered(frame, &part);
    if (!asked && !fold && lua_type(L, path) == LUA_TSTRING)
        project_plain(vm, frame, items, path, keys);
    for (; frame->i < frame->n; frame->i++) {
        if (!asked) {
            lua_rawgeti(L, items, frame->i + 1);
            part = 0;
        }
        if (path_follow(vm, path, fallback, &part, asked) == VM_AGAIN)
            return frame_asked(frame, part);
        asked = false;
        if (fold)
            path_fold(vm);
        lua_rawseti(L, keys, frame->i + 1);
    }
    return VM_DONE;
}

/* ---- texts of objects ------------------------------------------------------------------------ */

/* Is list[i] an object? Leaves it on the stack when it is. */
static bool push_object(struct vm *vm, int list, int i)
{
    lua_rawgeti(vm->L, list, i);
    int type = lua_type(vm->L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER &&
        value_kind(vm, lua_gettop(vm->L)) == VALUE_OBJECT)
        return true;
    lua_pop(vm->L, 1);
    return false;
}

/* The list may be the user's: replace it by a copy. */
static void copy_list(struct vm *vm, int list, int n)
{
    lua_createtable(vm->L, n, 0);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(vm->L, list, i);
        lua_rawseti(vm->L, -2, i);
    }
    if (lua_getmetatable(vm->L, list))
        lua_setmetatable(vm->L, -2);
    lua_replace(vm->L, list);
}

enum vm_status filter_texts(struct vm *vm, struct vm_frame *frame, int list, bool html)
{
    int part;
    bool asked = frame_answered(frame, &part);
    bool is_copy = asked; /* made when the first object was met */
    if (asked)
        lua_rawseti(vm->L, list, ++frame->i);
    for (; frame->i < frame->n; frame->i++) {
        if (!push_object(vm, list, frame->i + 1))
            continue;
        if (!is_copy)
            copy_list(vm, list, frame->n);
        vm_ask(vm, html ? VM_ASK_HTML : VM_ASK_TOSTRING, 1);
        return frame_asked(frame, 0);
    }
    return VM_DONE;
}
