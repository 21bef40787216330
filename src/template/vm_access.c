/* template/vm_access.c - a.name, a[key], a[start:stop:step] and len().
 *
 * Place in the flow: the access instructions, and the filters that take attributes. As Jinja's
 * environment.getattr and getitem: `.` looks for an attribute (a method) and then for an item, []
 * the other way round; what neither finds is undefined and says of what it was asked. Plain tables
 * are read raw.
 */
#include <limits.h>
#include <math.h>

#include "template/chars.h"
#include "template/filter.h"
#include "template/vm_dict.h"
#include "template/vm_method.h"
#include "template/vm_value.h"
#include "value/marker.h"

/* ---- dicts ----------------------------------------------------------------------------------- */

void value_dict_get(struct vm *vm, int dict, int key)
{
    lua_State *L = vm->L;
    lua_pushvalue(L, key);
    if (lua_type(L, -1) != LUA_TSTRING)
        dict_key(vm, dict);
    lua_rawget(L, dict);
}

/* Push the value of the dict's or namespace's string key; false (nothing pushed): none. */
static bool push_field(struct vm *vm, int object, int name)
{
    lua_pushvalue(vm->L, name);
    lua_rawget(vm->L, object);
    if (!lua_isnil(vm->L, -1))
        return true;
    lua_pop(vm->L, 1);
    return false;
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* A bound method: {object, name}. */
static void push_method(struct vm *vm, int object, int name)
{
    lua_State *L = vm->L;
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, object);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, name);
    lua_rawseti(L, -2, 2);
    vm_push_meta(vm, VM_META_METHOD);
    lua_setmetatable(L, -2);
}

static bool range_attribute(struct vm *vm, int object, struct slice name)
{
    const struct value_range *range = lua_touserdata(vm->L, object);
    double number;
    if (slice_eq(name, SLICE("start")))
        number = range->start;
    else if (slice_eq(name, SLICE("stop")))
        number = range->stop;
    else if (slice_eq(name, SLICE("step")))
        number = range->step;
    else
        return false;
    lua_pushnumber(vm->L, number);
    return true;
}

/* int.real and its kin */
static bool number_attribute(struct vm *vm, int object, struct slice name)
{
    double number;
    value_number(vm, object, &number);
    bool is_whole = number == floor(number);
    if (slice_eq(name, SLICE("real")) || (is_whole && slice_eq(name, SLICE("numerator"))))
        lua_pushnumber(vm->L, number);
    else if (slice_eq(name, SLICE("imag")))
        lua_pushnumber(vm->L, 0);
    else if (is_whole && slice_eq(name, SLICE("denominator")))
        lua_pushnumber(vm->L, 1);
    else
        return false;
    return true;
}

static bool group_attribute(struct vm *vm, int object, struct slice name)
{
    if (value_meta(vm, object) != VM_META_GROUP)
        return false;
    bool is_list = slice_eq(name, SLICE("list"));
    if (!is_list && !slice_eq(name, SLICE("grouper")))
        return false;
    lua_rawgeti(vm->L, object, is_list ? 2 : 1);
    return true;
}

static bool native_attribute(struct vm *vm, int object, int name_index, struct slice name)
{
    switch (value_meta(vm, object)) {
    case VM_META_NAMESPACE:
    case VM_META_BYTES:
    case VM_META_UUID:
    case VM_META_DATETIME: /* its seconds */ return push_field(vm, object, name_index);
    case VM_META_CYCLER: return global_getattr(vm, object, name);
    case VM_META_METHOD:
    case VM_META_FUNCTION:
    case VM_META_TRANSLATION:
    case VM_META_JOINER: return false;
    default: return vm_native_getattr(vm, object, name);
    }
}

/* Push what the object has under this name besides methods; false: nothing. */
static bool push_attribute(struct vm *vm, int object, enum value_kind kind, int name_index,
                           struct slice name)
{
    switch (kind) {
    case VALUE_DICT: return push_field(vm, object, name_index);
    case VALUE_BOOLEAN:
    case VALUE_NUMBER: return number_attribute(vm, object, name);
    case VALUE_TUPLE: return group_attribute(vm, object, name);
    case VALUE_RANGE: return range_attribute(vm, object, name);
    case VALUE_NATIVE: return native_attribute(vm, object, name_index, name);
    default: return false;
    }
}

static bool is_hidden(struct vm *vm, struct slice name)
{
    return vm->sandboxed && name.len > 0 && name.data[0] == '_';
}

/* Push what a table without a metatable has under the name; false (nothing pushed): it has nothing,
 * or it is no such table. Most accesses end here. */
static bool push_plain_field(struct vm *vm, int object, int name_index)
{
    lua_State *L = vm->L;
    if (lua_type(L, object) != LUA_TTABLE)
        return false;
    if (lua_getmetatable(L, object)) {
        lua_pop(L, 1);
        return false;
    }
    return push_field(vm, object, name_index);
}

enum value_result value_getattr_at(struct vm *vm, int object, int name_index)
{
    lua_State *L = vm->L;
    struct slice name;
    name.data = lua_tolstring(L, name_index, &name.len);
    if (!method_may_be(name) && push_plain_field(vm, object, name_index))
        return VALUE_OK; /* a method would come first */
    enum value_kind kind = value_kind(vm, object);
    if (kind == VALUE_OBJECT) {
        if (!is_hidden(vm, name))
            return VALUE_ASK;
        value_push_unsafe(vm, object, name);
        return VALUE_OK;
    }
    if (kind == VALUE_UNDEFINED) {
        if (undefined_push_own(vm, object, name))
            return VALUE_OK;
        if (value_undefined_kind(vm, object) != UNDEFINED_CHAINABLE)
            value_fail_undefined(vm, object);
        lua_pushvalue(L, object);
        return VALUE_OK;
    }
    if (value_method(vm, object, name) != NULL)
        push_method(vm, object, name_index);
    else if (!push_attribute(vm, object, kind, name_index, name)) {
        if (is_hidden(vm, name))
            value_push_unsafe(vm, object, name);
        else
            value_push_missing(vm, object, name_index);
    }
    return VALUE_OK;
}

enum value_result value_getattr(struct vm *vm, int object, struct slice name)
{
    lua_pushlstring(vm->L, name.data, name.len);
    int at = lua_gettop(vm->L);
    enum value_result result = value_getattr_at(vm, object, at);
    if (result == VALUE_OK)
        lua_remove(vm->L, at);
    else
        lua_pop(vm->L, 1);
    return result;
}

/* ---- items ----------------------------------------------------------------------------------- */

/* The 0-based place that index means in a sequence of n; false: none. */
static bool place_of(struct vm *vm, int key, double n, double *place)
{
    if (!value_number(vm, key, place) || *place != floor(*place))
        return false;
    if (*place < 0)
        *place += n;
    return *place >= 0 && *place < n;
}

/* Push the character at `place` of text, as the same kind of text. */
static void push_char(struct vm *vm, enum value_kind kind, struct slice text, double place)
{
    size_t at = chars_offset(text, (size_t)place);
    struct slice rest = slice_from(text, at);
    lua_pushlstring(vm->L, rest.data, chars_first(rest));
    if (kind == VALUE_MARKUP)
        vm_to_markup(vm);
}

/* Push a[key] where the key is a place in a sequence; false: there is none. */
static bool push_place(struct vm *vm, int object, enum value_kind kind, int key)
{
    struct slice text;
    double place;
    const struct value_range *range;
    switch (kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        if (!place_of(vm, key, (double)lua_objlen(vm->L, object), &place))
            return false;
        lua_rawgeti(vm->L, object, (int)place + 1);
        if (lua_isnil(vm->L, -1)) { /* a hole */
            lua_pop(vm->L, 1);
            vm_push_none(vm);
        }
        return true;
    case VALUE_STRING:
    case VALUE_MARKUP:
        value_slice(vm, object, &text);
        value_spend_text(vm, text.len);
        if (!place_of(vm, key, (double)chars_count(text), &place))
            return false;
        push_char(vm, kind, text, place);
        return true;
    case VALUE_RANGE:
        range = lua_touserdata(vm->L, object);
        if (!place_of(vm, key, value_range_length(range), &place))
            return false;
        lua_pushnumber(vm->L, range->start + place * range->step);
        return true;
    default: return false;
    }
}

/* Push what the object has by this key as an item; false: nothing. */
static bool push_item(struct vm *vm, int object, enum value_kind kind, int key)
{
    if (kind != VALUE_DICT)
        return push_place(vm, object, kind, key);
    if (!dict_is_key(vm, key)) /* a TypeError, for which Jinja gives undefined */
        return false;
    value_dict_get(vm, object, key);
    if (!lua_isnil(vm->L, -1))
        return true;
    lua_pop(vm->L, 1);
    return false;
}

/* Push the attribute that a Markup names. */
static void push_named_by_markup(struct vm *vm, int object, int key)
{
    lua_State *L = vm->L;
    struct slice name;
    int top = lua_gettop(L);
    value_slice(vm, key, &name);
    value_getattr(vm, object, name);
    if (value_kind(vm, top + 1) == VALUE_UNDEFINED) {
        lua_settop(L, top);
        value_push_missing(vm, object, key); /* as what it was asked for */
    }
}

enum value_result value_getitem(struct vm *vm, int object, int key)
{
    lua_State *L = vm->L;
    bool is_name = lua_type(L, key) == LUA_TSTRING;
    if (is_name && push_plain_field(vm, object, key))
        return VALUE_OK;
    enum value_kind kind = value_kind(vm, object);
    if (kind == VALUE_UNDEFINED) {
        if (value_undefined_kind(vm, object) != UNDEFINED_CHAINABLE)
            value_fail_undefined(vm, object);
        lua_pushvalue(L, object);
        return VALUE_OK;
    }
    if (kind == VALUE_OBJECT && !is_name)
        return VALUE_ASK;
    if (kind != VALUE_OBJECT && push_item(vm, object, kind, key))
        return VALUE_OK;
    if (is_name)
        return value_getattr_at(vm, object, key);
    if (value_kind(vm, key) == VALUE_MARKUP)
        push_named_by_markup(vm, object, key);
    else
        value_push_missing(vm, object, key);
    return VALUE_OK;
}

/* ---- slices ---------------------------------------------------------------------------------- */

/* Positions start, start + step, ... before stop: count of them. */
struct places {
    double start, stop, step, count;
};

/* The number at index, none giving `otherwise`; fails for other kinds. */
static double slice_number(struct vm *vm, int index, double otherwise)
{
    double number;
    if (marker_is_null(vm->L, index))
        return otherwise;
    if (!value_number(vm, index, &number) || number != floor(number))
        vm_fail(vm, TEMPLATE_RUNTIME,
                "slice indices must be integers or None or have an __index__ method");
    return number;
}

/* Python's slice.indices(n). */
static struct places slice_places(struct vm *vm, double n, int start, int stop, int step)
{
    struct places places;
    places.step = slice_number(vm, step, 1);
    if (places.step == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "slice step cannot be zero");
    bool is_back = places.step < 0;
    double low = is_back ? -1 : 0;
    double high = is_back ? n - 1 : n;
    double from = slice_number(vm, start, is_back ? INFINITY : 0);
    double to = slice_number(vm, stop, is_back ? -INFINITY : INFINITY);
    from = from < 0 ? fmax(from + n, low) : fmin(from, high);
    to = to < 0 ? fmax(to + n, low) : fmin(to, high);
    double count = ceil((to - from) / places.step);
    places.start = from;
    places.stop = to;
    places.count = count > 0 ? count : 0;
    return places;
}

static void slice_list(struct vm *vm, int object, enum value_kind kind, struct places places)
{
    int n = (int)places.count;
    value_spend(vm, n);
    if (kind == VALUE_LIST)
        vm_new_list(vm, n);
    else
        vm_new_tuple(vm, n);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(vm->L, object, (int)(places.start + i * places.step) + 1);
        if (lua_isnil(vm->L, -1)) {
            lua_pop(vm->L, 1);
            vm_push_none(vm);
        }
        lua_rawseti(vm->L, -2, i + 1);
    }
}

/* Characters with a step, or from the end: by the places where each begins. */
static void slice_chars(struct vm *vm, struct slice text, size_t chars, struct places places)
{
    size_t start = vm->text.len;
    uint32_t *offsets = NULL;
    value_spend(vm, (double)chars);
    if (chars != text.len) {
        value_check_text(vm, (double)chars * sizeof(*offsets));
        offsets = lua_newuserdata(vm->L, chars * sizeof(*offsets));
        size_t at = 0;
        for (size_t i = 0; i < chars; i++) {
            offsets[i] = (uint32_t)at;
            at += chars_first(slice_from(text, at));
        }
    }
    for (double i = 0; i < places.count; i++) {
        size_t place = (size_t)(places.start + i * places.step);
        struct slice rest = slice_from(text, offsets == NULL ? place : offsets[place]);
        buf_append(&vm->text, rest.data, offsets == NULL ? 1 : chars_first(rest));
    }
    if (offsets != NULL)
        lua_pop(vm->L, 1);
    vm_push_text(vm, start);
}

static void slice_text(struct vm *vm, int object, enum value_kind kind, int start, int stop,
                       int step)
{
    struct slice text;
    value_slice(vm, object, &text);
    value_spend_text(vm, text.len);
    size_t chars = chars_count(text);
    struct places places = slice_places(vm, (double)chars, start, stop, step);
    if (places.count == 0) {
        lua_pushliteral(vm->L, "");
    } else if (places.step == 1) {
        size_t from = (size_t)places.start, count = (size_t)places.count;
        bool by_bytes = chars == text.len; /* each character is one */
        struct slice part = slice_from(text, by_bytes ? from : chars_offset(text, from));
        lua_pushlstring(vm->L, part.data, by_bytes ? count : chars_offset(part, count));
    } else {
        slice_chars(vm, text, chars, places);
    }
    if (kind == VALUE_MARKUP)
        vm_to_markup(vm);
}

void value_push_range(struct vm *vm, double start, double stop, double step)
{
    struct value_range *range = lua_newuserdata(vm->L, sizeof(*range));
    *range = (struct value_range){start, stop, step};
    vm_push_meta(vm, VM_META_RANGE);
    lua_setmetatable(vm->L, -2);
}

enum value_result value_getslice(struct vm *vm, int object, int start, int stop, int step)
{
    enum value_kind kind = value_kind(vm, object);
    const struct value_range *range;
    struct places places;
    switch (kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        places = slice_places(vm, (double)lua_objlen(vm->L, object), start, stop, step);
        slice_list(vm, object, kind, places);
        break;
    case VALUE_STRING:
    case VALUE_MARKUP: slice_text(vm, object, kind, start, stop, step); break;
    case VALUE_RANGE:
        range = lua_touserdata(vm->L, object);
        places = slice_places(vm, value_range_length(range), start, stop, step);
        value_push_range(vm, range->start + places.start * range->step,
                         range->start + places.stop * range->step, range->step * places.step);
        break;
    case VALUE_UNDEFINED:
        if (value_undefined_kind(vm, object) != UNDEFINED_CHAINABLE)
            value_fail_undefined(vm, object);
        lua_pushvalue(vm->L, object);
        break;
    case VALUE_DICT: vm_fail(vm, TEMPLATE_RUNTIME, "unhashable type: 'slice'");
    case VALUE_OBJECT: return VALUE_ASK;
    default:
        vm_fail(vm, TEMPLATE_RUNTIME, "'%s' object is not subscriptable",
                value_type_name(vm, object));
    }
    return VALUE_OK;
}

/* ---- len() ----------------------------------------------------------------------------------- */

static double dict_length(lua_State *L, int index)
{
    double n = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        n++;
    return n;
}

enum value_result value_length(struct vm *vm, int index, double *length)
{
    struct slice text;
    switch (value_kind(vm, index)) {
    case VALUE_STRING:
    case VALUE_MARKUP:
        value_slice(vm, index, &text);
        value_spend_text(vm, text.len);
        *length = (double)chars_count(text);
        break;
    case VALUE_LIST:
    case VALUE_TUPLE: *length = (double)lua_objlen(vm->L, index); break;
    case VALUE_DICT:
        *length = dict_length(vm->L, index);
        value_spend(vm, *length);
        break;
    case VALUE_RANGE: *length = value_range_length(lua_touserdata(vm->L, index)); break;
    case VALUE_UNDEFINED:
        if (value_undefined_kind(vm, index) == UNDEFINED_STRICT)
            value_fail_undefined(vm, index);
        *length = 0;
        break;
    case VALUE_OBJECT: return VALUE_ASK;
    default:
        vm_fail(vm, TEMPLATE_RUNTIME, "object of type '%s' has no len()",
                value_type_name(vm, index));
    }
    return VALUE_OK;
}
