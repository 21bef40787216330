/* template/filter_join.c - join and sum: many values made one.
 *
 * Place in the flow: listed in filter.c. Both may first follow an attribute from every item; then
 * objects are asked, one after the other, and the rest is done in one go.
 */
#include "base/escape.h"
#include "template/filter_internal.h"
#include "template/filter_quick.h"

/* ---- join ------------------------------------------------------------------------------------ */

enum { JOIN_BEGIN, JOIN_PROJECT, JOIN_TEXTS };

/* Jinja's ChainableUndefined has HTML too: its text. */
static bool is_chainable(struct vm *vm, int index)
{
    return vm->undefined == UNDEFINED_CHAINABLE && value_kind(vm, index) == VALUE_UNDEFINED &&
           value_undefined_kind(vm, index) == UNDEFINED_CHAINABLE;
}

static bool is_any_markup(struct vm *vm, int items, int n)
{
    bool is_any = false;
    for (int i = 1; i <= n && !is_any; i++) {
        lua_rawgeti(vm->L, items, i);
        int item = lua_gettop(vm->L);
        is_any = lua_type(vm->L, item) == LUA_TTABLE &&
                 (value_kind(vm, item) == VALUE_MARKUP || is_chainable(vm, item));
        lua_pop(vm->L, 1);
    }
    return is_any;
}

/* Under autoescape one Markup, item or separator, makes the result one: the others are escaped.
 * Without it all are texts. No item is an object any more; beside a separator that is Markup
 * objects gave their texts, not their HTML: so it is in Jinja. */
static enum vm_status join(struct vm *vm, int items, int n, int separator)
{
    lua_State *L = vm->L;
    bool is_markup =
        vm->autoescape && (value_kind(vm, separator) == VALUE_MARKUP ||
                           (!is_chainable(vm, separator) && is_any_markup(vm, items, n)));
    if (is_markup && value_kind(vm, separator) != VALUE_MARKUP) {
        value_escape(vm, separator);
        lua_replace(L, separator);
    }
    struct slice between = filter_text(vm, separator, "join");
    size_t start = vm->text.len;
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            buf_slice(&vm->text, between);
        lua_rawgeti(L, items, i);
        if (is_markup)
            value_write_escaped(vm, lua_gettop(L), &vm->text);
        else
            value_write(vm, lua_gettop(L), &vm->text);
        lua_pop(L, 1);
        value_check_text(vm, (double)(vm->text.len - start));
    }
    return vm_give_text(vm, start, is_markup);
}

enum vm_status filter_join(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, separator = frame->base + 1, attribute = frame->base + 2;
    int texts = frame->base + frame->nparams;
    switch (frame_phase(frame)) {
    case JOIN_BEGIN:
        frame->n = filter_items(vm, value);
        if (filter_is_absent(vm, attribute)) {
            lua_pushvalue(vm->L, value);
            frame_begin(frame, JOIN_TEXTS);
            break;
        }
        path_prepare(vm, attribute);
        vm_new_list(vm, frame->n);
        frame_begin(frame, JOIN_PROJECT); /* fall through */
    case JOIN_PROJECT:
        if (path_project(vm, frame, value, attribute, 0, texts, false) == VM_AGAIN)
            return VM_AGAIN;
        frame_begin(frame, JOIN_TEXTS);
        break;
    default: break;
    }
    bool html = vm->autoescape && value_kind(vm, separator) != VALUE_MARKUP;
    if (filter_texts(vm, frame, texts, html) == VM_AGAIN)
        return VM_AGAIN;
    return join(vm, texts, frame->n, separator);
}

/* ---- sum ------------------------------------------------------------------------------------- */

enum { SUM_BEGIN, SUM_PROJECT, SUM_ADD };

/* Add items to the number in the slot `total` while both are numbers. */
static void add_numbers(struct vm *vm, struct vm_frame *frame, int items, int total)
{
    lua_State *L = vm->L;
    double sum = lua_tonumber(L, total);
    for (; frame->i < frame->n; frame->i++) {
        lua_rawgeti(L, items, frame->i + 1);
        bool is_number = lua_type(L, -1) == LUA_TNUMBER;
        if (is_number)
            sum += lua_tonumber(L, -1);
        lua_pop(L, 1);
        if (!is_number)
            break;
    }
    lua_pushnumber(L, sum);
    lua_replace(L, total);
}

static enum vm_status add(struct vm *vm, struct vm_frame *frame, int items, int total)
{
    lua_State *L = vm->L;
    int part;
    if (frame_answered(frame, &part)) {
        lua_replace(L, total);
        frame->i++;
    }
    for (; frame->i < frame->n; frame->i++) {
        if (lua_type(L, total) == LUA_TNUMBER) {
            add_numbers(vm, frame, items, total);
            if (frame->i == frame->n)
                break;
        }
        lua_rawgeti(L, items, frame->i + 1);
        int item = lua_gettop(L);
        if (value_arith(vm, VALUE_ADD, total, item) == VALUE_ASK) {
            lua_pushliteral(L, "+");
            lua_insert(L, item);
            lua_pushvalue(L, total);
            lua_insert(L, item + 1);
            vm_ask(vm, VM_ASK_ARITH, 3);
            return frame_asked(frame, 0);
        }
        lua_replace(L, total);
        lua_settop(L, item - 1);
    }
    return VM_DONE;
}

/* Push the sum when there is nothing but numbers; false: there is more to it. */
static bool sum_numbers(struct vm *vm, int items, int n, int attribute, int total)
{
    struct quick_keys keys;
    if (lua_type(vm->L, total) != LUA_TNUMBER || n == 0 ||
        !quick_take(vm, items, n, attribute, false, &keys) || keys.are_texts)
        return false;
    double sum = lua_tonumber(vm->L, total);
    for (int i = 0; i < n; i++)
        sum += keys.keys[i].number;
    lua_pushnumber(vm->L, sum);
    return true;
}

enum vm_status filter_sum(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, attribute = frame->base + 1, total = frame->base + 2;
    int items = frame->base + frame->nparams;
    struct slice text;
    switch (frame_phase(frame)) {
    case SUM_BEGIN:
        if (value_slice(vm, total, &text))
            vm_fail(vm, TEMPLATE_RUNTIME, "sum() can't sum strings [use ''.join(seq) instead]");
        frame->n = filter_items(vm, value);
        if (sum_numbers(vm, value, frame->n, attribute, total))
            return VM_DONE;
        if (filter_is_absent(vm, attribute)) {
            lua_pushvalue(vm->L, value);
            frame_begin(frame, SUM_ADD);
            break;
        }
        path_prepare(vm, attribute);
        vm_new_list(vm, frame->n);
        frame_begin(frame, SUM_PROJECT); /* fall through */
    case SUM_PROJECT:
        if (path_project(vm, frame, value, attribute, 0, items, false) == VM_AGAIN)
            return VM_AGAIN;
        frame_begin(frame, SUM_ADD);
        break;
    default: break;
    }
    if (add(vm, frame, items, total) == VM_AGAIN)
        return VM_AGAIN;
    lua_pushvalue(vm->L, total);
    return VM_DONE;
}
