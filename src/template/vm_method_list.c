/* template/vm_method_list.c - the methods of lists and tuples.
 *
 * A list keeps being one when it becomes empty: it is marked as an array before anything is taken
 * out. Those that change a list give none.
 */
#include <math.h>

#include "template/vm_method.h"
#include "template/vm_sort.h"
#include "template/vm_value.h"
#include "value/marker.h"

static int length_of(struct vm *vm, int index)
{
    return (int)lua_objlen(vm->L, index);
}

/* The same for work on all items. */
static int walk_length(struct vm *vm, int index)
{
    int n = length_of(vm, index);
    value_spend(vm, n);
    return n;
}

/* A list that Lua made gets the array mark, which tells an empty list from an empty dict. */
static void mark(struct vm *vm, const struct vm_frame *frame)
{
    if (!lua_getmetatable(vm->L, frame->base))
        marker_set_array(vm->L, frame->base);
    else
        lua_pop(vm->L, 1);
}

/* A place to insert at or to begin with: 0 .. n. */
static int clamp_place(double place, int n)
{
    if (place < 0)
        place = fmax(place + n, 0);
    return (int)fmin(place, n);
}

/* Take item `at` (from 1) out of n. */
static void take_out(lua_State *L, int list, int at, int n)
{
    for (int i = at; i <= n; i++) {
        lua_rawgeti(L, list, i + 1);
        lua_rawseti(L, list, i);
    }
}

static enum vm_status list_append(struct vm *vm, struct vm_frame *frame)
{
    mark(vm, frame);
    lua_pushvalue(vm->L, method_param(frame, 1));
    lua_rawseti(vm->L, frame->base, length_of(vm, frame->base) + 1);
    return method_none(vm);
}

static enum vm_status list_clear(struct vm *vm, struct vm_frame *frame)
{
    mark(vm, frame);
    for (int i = walk_length(vm, frame->base); i > 0; i--) {
        lua_pushnil(vm->L);
        lua_rawseti(vm->L, frame->base, i);
    }
    return method_none(vm);
}

static enum vm_status list_copy(struct vm *vm, struct vm_frame *frame)
{
    lua_pushvalue(vm->L, frame->base);
    value_to_list(vm, lua_gettop(vm->L));
    return VM_DONE;
}

static enum vm_status list_extend(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int items = method_param(frame, 1);
    value_to_list(vm, items); /* a list of its own: l.extend(l) ends */
    int n = walk_length(vm, frame->base);
    int more = length_of(vm, items);
    value_check_items(vm, (double)n + more);
    mark(vm, frame);
    for (int i = 1; i <= more; i++) {
        lua_rawgeti(L, items, i);
        lua_rawseti(L, frame->base, n + i);
    }
    return method_none(vm);
}

static enum vm_status list_insert(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int n = walk_length(vm, frame->base);
    int at = clamp_place(method_int(vm, frame, 1, 0), n);
    mark(vm, frame);
    for (int i = n; i > at; i--) {
        lua_rawgeti(L, frame->base, i);
        lua_rawseti(L, frame->base, i + 1);
    }
    lua_pushvalue(L, method_param(frame, 2));
    lua_rawseti(L, frame->base, at + 1);
    return method_none(vm);
}

static enum vm_status list_pop(struct vm *vm, struct vm_frame *frame)
{
    int n = walk_length(vm, frame->base);
    double at = method_int(vm, frame, 1, -1);
    if (n == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "pop from empty list");
    if (at < 0)
        at += n;
    if (!(at >= 0 && at < n))
        vm_fail(vm, TEMPLATE_RUNTIME, "pop index out of range");
    mark(vm, frame);
    lua_rawgeti(vm->L, frame->base, (int)at + 1);
    if (lua_isnil(vm->L, -1)) {
        lua_pop(vm->L, 1);
        vm_push_none(vm);
    }
    take_out(vm->L, frame->base, (int)at + 1, n);
    return VM_DONE;
}

/* The place (from 0) of the item equal to parameter 1 within from .. to - 1; -1: none. */
static int find_item(struct vm *vm, const struct vm_frame *frame, int from, int to)
{
    int item = lua_gettop(vm->L) + 1;
    for (int i = from; i < to; i++) {
        bool is_equal = false;
        lua_rawgeti(vm->L, frame->base, i + 1);
        if (value_equal(vm, item, method_param(frame, 1), &is_equal) == VALUE_ASK)
            is_equal = lua_rawequal(vm->L, item, method_param(frame, 1));
        lua_pop(vm->L, 1);
        if (is_equal)
            return i;
    }
    return -1;
}

static enum vm_status list_remove(struct vm *vm, struct vm_frame *frame)
{
    int n = walk_length(vm, frame->base);
    int at = find_item(vm, frame, 0, n);
    if (at < 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "list.remove(x): x not in list");
    mark(vm, frame);
    take_out(vm->L, frame->base, at + 1, n);
    return method_none(vm);
}

static enum vm_status list_reverse(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    for (int i = 1, j = walk_length(vm, frame->base); i < j; i++, j--) {
        lua_rawgeti(L, frame->base, i);
        lua_rawgeti(L, frame->base, j);
        lua_rawseti(L, frame->base, i);
        lua_rawseti(L, frame->base, j);
    }
    return method_none(vm);
}

static enum vm_status sequence_count(struct vm *vm, struct vm_frame *frame)
{
    int n = walk_length(vm, frame->base);
    int count = 0;
    for (int at = find_item(vm, frame, 0, n); at >= 0; at = find_item(vm, frame, at + 1, n))
        count++;
    return method_number(vm, count);
}

static enum vm_status sequence_index(struct vm *vm, struct vm_frame *frame)
{
    int n = walk_length(vm, frame->base);
    int from = clamp_place(method_int(vm, frame, 2, 0), n);
    int to = clamp_place(method_int(vm, frame, 3, n), n);
    int at = find_item(vm, frame, from, to);
    if (at >= 0)
        return method_number(vm, at);
    if (value_kind(vm, frame->base) == VALUE_TUPLE)
        vm_fail(vm, TEMPLATE_RUNTIME, "tuple.index(x): x not in tuple");
    size_t start = vm->text.len;
    value_repr(vm, method_param(frame, 1), &vm->text);
    vm_push_text(vm, start);
    vm_fail(vm, TEMPLATE_RUNTIME, "%s is not in list", lua_tostring(vm->L, -1));
}

/* ---- sort ------------------------------------------------------------------------------------ */

/* The list of what key(item) gives lies behind the parameters; frame->i counts its items. */
static enum vm_status list_sort(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int keys = method_param(frame, 3);
    int n = walk_length(vm, frame->base);
    bool is_reversed = false;
    bool has_key = method_given(vm, frame, 1);
    if (frame->state == 0)
        vm_new_list(vm, has_key ? n : 0);
    else
        lua_rawseti(L, keys, frame->i);
    for (frame->state = 1; has_key && frame->i < n;) {
        lua_pushvalue(L, method_param(frame, 1));
        lua_rawgeti(L, frame->base, ++frame->i);
        if (vm_call(vm, 1, false) == VM_AGAIN)
            return VM_AGAIN;
        lua_rawseti(L, keys, frame->i);
    }
    value_truth(vm, method_param(frame, 2), &is_reversed);
    sort_list(vm, frame->base, has_key ? keys : frame->base, is_reversed);
    return method_none(vm);
}

/* In strcmp order. */
static const struct vm_native lists[] = {
    {"append", "self, item", list_append},
    {"clear", "self", list_clear},
    {"copy", "self", list_copy},
    {"count", "self, item", sequence_count},
    {"extend", "self, i:iterable", list_extend},
    {"index", "self, item, start=none, stop=none", sequence_index},
    {"insert", "self, index, item", list_insert},
    {"pop", "self, index=-1", list_pop},
    {"remove", "self, item", list_remove},
    {"reverse", "self", list_reverse},
    {"sort", "self, key=none, reverse=false", list_sort},
};

static const struct vm_native tuples[] = {
    {"count", "self, item", sequence_count},
    {"index", "self, item, start=none, stop=none", sequence_index},
};

const struct method_table list_methods = {lists, sizeof(lists) / sizeof(lists[0])};
const struct method_table tuple_methods = {tuples, sizeof(tuples) / sizeof(tuples[0])};
