/* template/filter_list.c - filters on sequences: ends, length, parts; attr and default.
 *
 * Place in the flow: listed in filter.c; those that apply a filter or a test to every item are in
 * filter_project.c, those that sort in filter_sort.c. What is a generator in Jinja is one here, but
 * its items are made at once.
 */
#include <math.h>

#include "template/chars.h"
#include "template/filter_internal.h"

/* ---- single values --------------------------------------------------------------------------- */

enum vm_status filter_default(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base;
    bool is_true = true;
    if (frame->state == 1) { /* the truth that was asked for */
        is_true = lua_toboolean(vm->L, -1);
    } else if (value_kind(vm, value) == VALUE_UNDEFINED) {
        is_true = false;
    } else if (filter_flag(vm, frame->base + 2) && value_truth(vm, value, &is_true) == VALUE_ASK) {
        frame->state = 1;
        lua_pushvalue(vm->L, value);
        return vm_ask(vm, VM_ASK_TRUTH, 1);
    }
    lua_pushvalue(vm->L, is_true ? value : frame->base + 1);
    return VM_DONE;
}

/* Has the value the attribute, other than as an item? Natives have no items. */
static bool has_attribute(struct vm *vm, int value, struct slice name)
{
    switch (value_kind(vm, value)) {
    case VALUE_NATIVE:
    case VALUE_UNDEFINED:
    case VALUE_OBJECT: return true;
    case VALUE_TUPLE:
        if (value_meta(vm, value) == VM_META_GROUP)
            return true;
        break;
    default: break;
    }
    return value_method(vm, value, name) != NULL;
}

enum vm_status filter_attr(struct vm *vm, struct vm_frame *frame)
{
    struct slice name;
    int value = frame->base, key = frame->base + 1;
    if (frame->state == 1)
        return VM_DONE;
    if (!value_slice(vm, key, &name))
        filter_fail_type(vm, key, "attribute name must be string, not '", "'");
    if (!has_attribute(vm, value, name)) {
        value_push_missing(vm, value, key);
        return VM_DONE;
    }
    if (value_getattr(vm, value, name) == VALUE_OK)
        return VM_DONE;
    frame->state = 1;
    lua_pushvalue(vm->L, value);
    lua_pushvalue(vm->L, key);
    return vm_ask(vm, VM_ASK_INDEX, 2);
}

enum vm_status filter_length(struct vm *vm, struct vm_frame *frame)
{
    double length;
    if (frame->state == 1)
        return VM_DONE;
    if (value_length(vm, frame->base, &length) == VALUE_ASK) {
        frame->state = 1;
        lua_pushvalue(vm->L, frame->base);
        return vm_ask(vm, VM_ASK_LENGTH, 1);
    }
    lua_pushnumber(vm->L, length);
    return VM_DONE;
}

/* ---- ends ------------------------------------------------------------------------------------ */

enum vm_status filter_first(struct vm *vm, struct vm_frame *frame)
{
    struct value_iter iter;
    if (value_iter_begin(vm, frame->base, &iter) == VALUE_ASK)
        filter_fail_type(vm, frame->base, "'", "' object is not iterable");
    if (!value_iter_next(vm, &iter))
        value_push_undefined_hint(vm, SLICE("No first item, sequence was empty."));
    return VM_DONE;
}

/* Can it be walked backwards? A generator cannot. */
static bool is_reversible(struct vm *vm, int index)
{
    switch (value_kind(vm, index)) {
    case VALUE_UNDEFINED:
    case VALUE_STRING:
    case VALUE_MARKUP:
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
    case VALUE_RANGE: return true;
    default: return false;
    }
}

/* Push item number `at`; of a string the code point. */
static void push_item(struct vm *vm, int sequence, double at)
{
    lua_pushnumber(vm->L, at);
    value_getitem(vm, sequence, lua_gettop(vm->L));
}

enum vm_status filter_last(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base;
    double length;
    if (!is_reversible(vm, value))
        filter_fail_type(vm, value, "'", "' object is not reversible");
    if (value_kind(vm, value) == VALUE_DICT)
        filter_items(vm, value); /* its keys */
    value_length(vm, value, &length);
    if (length == 0)
        value_push_undefined_hint(vm, SLICE("No last item, sequence was empty."));
    else
        push_item(vm, value, length - 1);
    return VM_DONE;
}

enum vm_status filter_random(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base;
    double length;
    value_length(vm, value, &length);
    if (length == 0) {
        value_push_undefined_hint(vm, SLICE("No random item, sequence was empty."));
        return VM_DONE;
    }
    if (value_kind(vm, value) == VALUE_DICT)
        vm_fail(vm, TEMPLATE_RUNTIME, "a dict has no item by number; use its keys: |list|random");
    uint64_t state = filter_random_seed();
    push_item(vm, value, filter_random_below(&state, length));
    return VM_DONE;
}

/* ---- whole sequences ------------------------------------------------------------------------- */

enum vm_status filter_list(struct vm *vm, struct vm_frame *frame)
{
    if (value_to_list(vm, frame->base) == VALUE_ASK)
        filter_fail_type(vm, frame->base, "'", "' object is not iterable");
    lua_pushvalue(vm->L, frame->base);
    return VM_DONE;
}

static void reverse_text(struct vm *vm, int index)
{
    struct slice text = filter_text(vm, index, "reverse");
    size_t start = vm->text.len;
    char *dst = buf_reserve(&vm->text, text.len);
    vm->text.len += text.len;
    while (text.len > 0) {
        size_t len = chars_first(text);
        memcpy(dst + text.len - len, text.data, len);
        text = slice_from(text, len);
    }
    filter_push_text(vm, start, value_kind(vm, index) == VALUE_MARKUP);
}

enum vm_status filter_reverse(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int value = frame->base;
    enum value_kind kind = value_kind(vm, value);
    if (kind == VALUE_STRING || kind == VALUE_MARKUP) {
        reverse_text(vm, value);
        return VM_DONE;
    }
    if (!is_reversible(vm, value) && kind != VALUE_GENERATOR)
        vm_fail(vm, TEMPLATE_FILTER_ARG, "argument must be iterable");
    int n = filter_items(vm, value);
    if (kind == VALUE_GENERATOR)
        vm_new_list(vm, n);
    else
        vm_new_generator(vm, n);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, value, n + 1 - i);
        lua_rawseti(L, -2, i);
    }
    return VM_DONE;
}

/* Push a generator of (key, value) tuples: of the pairs that Lua gave, or of a dict's. */
static void push_pairs(struct vm *vm, int pairs)
{
    lua_State *L = vm->L;
    int n = (int)lua_objlen(L, pairs);
    vm_new_generator(vm, n);
    int result = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, pairs, i);
        vm_new_tuple(vm, 2);
        lua_rawgeti(L, result + 1, 1);
        lua_rawseti(L, result + 2, 1);
        lua_rawgeti(L, result + 1, 2);
        lua_rawseti(L, result + 2, 2);
        lua_rawseti(L, result, i);
        lua_settop(L, result);
    }
}

void filter_dict_pairs(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, dict);
    int keys = lua_gettop(L);
    int n = (int)lua_objlen(L, keys);
    for (int i = 1; i <= n; i++) {
        vm_new_tuple(vm, 2);
        lua_rawgeti(L, keys, i);
        value_dict_get(vm, dict, keys + 2);
        lua_rawseti(L, keys + 1, 2);
        lua_rawseti(L, keys + 1, 1);
        lua_rawseti(L, keys, i);
    }
}

enum vm_status filter_items_of(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base;
    if (frame->state == 0) {
        switch (value_kind(vm, value)) {
        case VALUE_UNDEFINED: vm_new_generator(vm, 0); return VM_DONE;
        case VALUE_DICT: filter_dict_pairs(vm, value); break;
        case VALUE_OBJECT:
            frame->state = 1;
            lua_pushvalue(vm->L, value);
            return vm_ask(vm, VM_ASK_PAIRS, 1);
        default: vm_fail(vm, TEMPLATE_RUNTIME, "Can only get item pairs from a mapping.");
        }
    }
    push_pairs(vm, lua_gettop(vm->L));
    return VM_DONE;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Push a list of value[from..to], 1-based, with room for one more. */
static void push_part(struct vm *vm, int value, int from, int to)
{
    int count = to < from ? 0 : to - from + 1;
    vm_new_list(vm, count);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(vm->L, value, from + i);
        lua_rawseti(vm->L, -2, i + 1);
    }
}

/* Append `count` times the value at index to the list on top, which has n items. */
static void fill_part(struct vm *vm, int index, int n, double count)
{
    value_check_items(vm, n + count);
    for (int i = 1; i <= (int)count; i++) {
        lua_pushvalue(vm->L, index);
        lua_rawseti(vm->L, -2, n + i);
    }
}

/* A line is full when it has exactly linecount items, so with 0 the first one stays empty and the
 * second takes everything; so do numbers below and what is no number. */
enum vm_status filter_batch(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int value = frame->base, linecount = frame->base + 1, fill = frame->base + 2;
    int n = filter_items(vm, value);
    double size = lua_type(L, linecount) == LUA_TNUMBER ? lua_tonumber(L, linecount) : -1;
    int line = size >= 1 && size <= n && size == floor(size) ? (int)size : n;
    int count = 0, at = 1;
    vm_new_generator(vm, line > 0 ? n / line + 1 : 1);
    if (size == 0 && n > 0) {
        vm_new_list(vm, 0);
        lua_rawseti(L, -2, ++count);
    }
    for (; at <= n; at += line) {
        int last = at + line - 1 < n ? at + line - 1 : n;
        int part = last - at + 1;
        push_part(vm, value, at, last);
        if (last == n && !filter_is_absent(vm, fill)) {
            double wanted = filter_whole(vm, linecount);
            if (part < wanted)
                fill_part(vm, fill, part, wanted - part);
        }
        lua_rawseti(L, -2, ++count);
    }
    return VM_DONE;
}

enum vm_status filter_slice(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int value = frame->base, fill = frame->base + 2;
    int n = filter_items(vm, value);
    double slices = filter_whole(vm, frame->base + 1);
    if (slices == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "integer division or modulo by zero");
    value_check_items(vm, slices);
    int count = slices < 0 ? 0 : (int)slices;
    vm_new_generator(vm, count);
    for (int i = 0, at = 1; i < count; i++) {
        int length = n / count + (i < n % count);
        push_part(vm, value, at, at + length - 1);
        if (i >= n % count && !filter_is_absent(vm, fill))
            fill_part(vm, fill, length, 1);
        lua_rawseti(L, -2, i + 1);
        at += length;
    }
    return VM_DONE;
}
