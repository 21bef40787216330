/* template/vm_iter.c - walking values, and the keys of a dict in their order.
 *
 * Place in the flow: for loops, list(), join and every filter that takes a sequence. A walk keeps
 * no pointers, so that a render may be parked between two items.
 */
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#include "template/chars.h"
#include "template/vm_dict.h"
#include "template/vm_value.h"

/* ---- the keys of a dict ---------------------------------------------------------------------- */

/* A key to sort: numbers before texts before others. */
struct sort_key {
    int class; /* 0 a number, 1 a string, 2 another */
    int place; /* in the list of keys */
    double number;
    struct slice text;
};

static int compare_keys(const void *a, const void *b)
{
    const struct sort_key *left = a, *right = b;
    if (left->class != right->class)
        return left->class - right->class;
    int order = 0;
    if (left->class == 0)
        order = (left->number > right->number) - (left->number < right->number);
    else if (left->class == 1)
        order = slice_cmp(left->text, right->text);
    return order != 0 ? order : left->place - right->place;
}

static void read_key(lua_State *L, int index, int place, struct sort_key *key)
{
    *key = (struct sort_key){.class = 2, .place = place};
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        key->class = 0;
        key->number = lua_tonumber(L, index);
        break;
    case LUA_TBOOLEAN:
        key->class = 0;
        key->number = lua_toboolean(L, index);
        break;
    case LUA_TSTRING:
        key->class = 1;
        key->text.data = lua_tolstring(L, index, &key->text.len);
        break;
    default: break;
    }
}

#define KEYS_INSIDE 32

/* Push the sorted list of the keys in the list on top from item `from` on, in its place. */
static void sort_keys(struct vm *vm, int from)
{
    lua_State *L = vm->L;
    int list = lua_gettop(L);
    int n = (int)lua_objlen(L, list) - from + 1;
    struct sort_key inside[KEYS_INSIDE];
    struct sort_key *keys = inside;
    if (n < 2)
        return;
    if (n > KEYS_INSIDE)
        keys = lua_newuserdata(L, (size_t)n * sizeof(*keys));
    bool is_sorted = true;
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, list, from + i);
        read_key(L, -1, i, &keys[i]);
        lua_pop(L, 1); /* the list keeps it */
        is_sorted = is_sorted && (i == 0 || compare_keys(&keys[i - 1], &keys[i]) < 0);
    }
    if (!is_sorted) {
        qsort(keys, (size_t)n, sizeof(*keys), compare_keys);
        vm_new_list(vm, from - 1 + n);
        for (int i = 1; i < from + n; i++) {
            lua_rawgeti(L, list, i < from ? i : from + keys[i - from].place);
            lua_rawseti(L, -2, i);
        }
        lua_replace(L, list);
    }
    lua_settop(L, list);
}

/* Push a list of all keys of the table in lua_next's order; the first `known` of them are those
 * of the order list at `order` which are still there. */
static int list_known(struct vm *vm, int table, int order)
{
    lua_State *L = vm->L;
    int n = (int)lua_objlen(L, order);
    int known = 0;
    vm_new_list(vm, n);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, order, i);
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        bool is_there = !lua_isnil(L, -1);
        lua_pop(L, 1);
        if (is_there)
            lua_rawseti(L, -2, ++known);
        else
            lua_pop(L, 1);
    }
    return known;
}

static int count_pairs(lua_State *L, int table)
{
    int n = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        n++;
    return n;
}

/* Is the key on top among the first `known` items of the list at index? */
static bool is_known(lua_State *L, int list, int known)
{
    bool found = false;
    for (int i = 1; i <= known && !found; i++) {
        lua_rawgeti(L, list, i);
        found = lua_rawequal(L, -1, -2);
        lua_pop(L, 1);
    }
    return found;
}

/* The keys that a Lua function added to a dict of ours come last, sorted. */
static void add_unknown(struct vm *vm, int table, int known)
{
    lua_State *L = vm->L;
    int list = lua_gettop(L);
    int n = known;
    for (lua_pushnil(L); lua_next(L, table);) {
        lua_pop(L, 1);
        if (known == 0 || !is_known(L, list, known)) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, list, ++n);
        }
    }
    sort_keys(vm, known + 1);
}

void value_dict_keys(struct vm *vm, int index)
{
    lua_State *L = vm->L;
    luaL_checkstack(L, 10, "keys");
    int known = 0;
    if (dict_push_order(vm, index)) {
        known = list_known(vm, index, lua_gettop(L));
        lua_remove(L, -2);
    } else {
        vm_new_list(vm, 8);
    }
    if (known == 0 || known != count_pairs(L, index))
        add_unknown(vm, index, known);
    value_spend(vm, 4.0 * (double)lua_objlen(L, -1));
}

/* ---- walking --------------------------------------------------------------------------------- */

static void fail_not_iterable(struct vm *vm, int index)
{
    vm_fail(vm, TEMPLATE_RUNTIME, "'%s' object is not iterable", value_type_name(vm, index));
}

/* A generator keeps in [0] how many items have been taken. */
static double generator_at(lua_State *L, int index)
{
    lua_rawgeti(L, index, 0);
    double at = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return at;
}

enum value_result value_iter_begin(struct vm *vm, int index, struct value_iter *iter)
{
    lua_State *L = vm->L;
    struct slice text;
    *iter = (struct value_iter){.kind = value_kind(vm, index), .source = index};
    switch (iter->kind) {
    case VALUE_LIST:
    case VALUE_TUPLE: iter->count = (double)lua_objlen(L, index); break;
    case VALUE_GENERATOR:
        iter->at = generator_at(L, index);
        iter->count = (double)lua_objlen(L, index) - iter->at;
        break;
    case VALUE_DICT:
        value_dict_keys(vm, index);
        lua_replace(L, index);
        iter->count = (double)lua_objlen(L, index);
        break;
    case VALUE_MARKUP:
        lua_rawgeti(L, index, 1);
        lua_replace(L, index); /* its characters are plain strings */
        iter->kind = VALUE_STRING;
        value_slice(vm, index, &text);
        value_spend_text(vm, text.len);
        iter->count = (double)chars_count(text);
        break;
    case VALUE_STRING:
        value_slice(vm, index, &text);
        value_spend_text(vm, text.len);
        iter->count = (double)chars_count(text);
        break;
    case VALUE_RANGE: iter->count = value_range_length(lua_touserdata(L, index)); break;
    case VALUE_UNDEFINED:
        if (value_undefined_kind(vm, index) == UNDEFINED_STRICT)
            value_fail_undefined(vm, index);
        break;
    case VALUE_FUNCTION: /* an iterator of Lua's */
    case VALUE_OBJECT: return VALUE_ASK;
    default: fail_not_iterable(vm, index);
    }
    return VALUE_OK;
}

static bool next_char(struct vm *vm, struct value_iter *iter)
{
    struct slice text;
    text.data = lua_tolstring(vm->L, iter->source, &text.len);
    struct slice rest = slice_from(text, (size_t)iter->at);
    size_t n = chars_first(rest);
    if (n == 0)
        return false;
    lua_pushlstring(vm->L, rest.data, n);
    iter->at += (double)n;
    return true;
}

/* The next item of a list that may have grown or shrunk since. */
static bool next_item(struct vm *vm, struct value_iter *iter)
{
    lua_State *L = vm->L;
    int at = (int)iter->at + 1;
    lua_rawgeti(L, iter->source, at);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        if (at > (int)lua_objlen(L, iter->source))
            return false;
        vm_push_none(vm); /* a hole */
    }
    iter->at = at;
    return true;
}

bool value_iter_next(struct vm *vm, struct value_iter *iter)
{
    const struct value_range *range;
    switch (iter->kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT: return next_item(vm, iter);
    case VALUE_GENERATOR:
        iter->at = generator_at(vm->L, iter->source); /* others may walk it too */
        if (!next_item(vm, iter))
            return false;
        lua_pushnumber(vm->L, iter->at);
        lua_rawseti(vm->L, iter->source, 0);
        return true;
    case VALUE_STRING: return next_char(vm, iter);
    case VALUE_RANGE:
        range = lua_touserdata(vm->L, iter->source);
        if (iter->at >= iter->count)
            return false;
        lua_pushnumber(vm->L, range->start + iter->at * range->step);
        iter->at++;
        return true;
    default: return false;
    }
}

/* Put all that the generator has left into the list on top. */
static void drain(struct vm *vm, const struct value_iter *iter)
{
    lua_State *L = vm->L;
    int at = (int)iter->at, n = (int)iter->count;
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, iter->source, at + i);
        if (lua_isnil(L, -1)) { /* a hole */
            lua_pop(L, 1);
            vm_push_none(vm);
        }
        lua_rawseti(L, -2, i);
    }
    lua_pushnumber(L, at + n);
    lua_rawseti(L, iter->source, 0);
}

enum value_result value_to_list(struct vm *vm, int index)
{
    struct value_iter iter;
    if (value_iter_begin(vm, index, &iter) == VALUE_ASK)
        return VALUE_ASK;
    if (iter.kind == VALUE_DICT)
        return VALUE_OK; /* its keys: a fresh list already */
    value_check_items(vm, iter.count);
    value_spend(vm, iter.count);
    vm_new_list(vm, (int)iter.count);
    if (iter.kind == VALUE_GENERATOR)
        drain(vm, &iter);
    else
        for (int i = 1; value_iter_next(vm, &iter); i++)
            lua_rawseti(vm->L, -2, i);
    lua_replace(vm->L, index);
    return VALUE_OK;
}
