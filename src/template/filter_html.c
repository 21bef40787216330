/* template/filter_html.c - escape and its family, striptags, urlencode, xmlattr.
 *
 * Place in the flow: listed in filter.c. An object says what its HTML is by its __html (the driver
 * asks it); without one it is its text.
 */
#include "base/escape.h"
#include "template/filter_internal.h"
#include "template/strip_tags.h"

/* ---- escape, forceescape, safe, striptags ---------------------------------------------------- */

enum vm_status filter_escape(struct vm *vm, struct vm_frame *frame)
{
    if (frame->state == 1) { /* what Lua gave is Markup, or a text to be escaped */
        value_escape(vm, lua_gettop(vm->L));
    } else if (value_escape(vm, frame->base) == VALUE_ASK) {
        frame->state = 1;
        lua_pushvalue(vm->L, frame->base);
        return vm_ask(vm, VM_ASK_HTML, 1);
    }
    return VM_DONE;
}

/* Push the HTML of what has any, as Markup, else the text. The state is 1 once Lua was asked. */
static enum vm_status push_html(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base;
    if (frame->state == 1)
        return VM_DONE;
    if (value_kind(vm, value) == VALUE_MARKUP) {
        lua_pushvalue(vm->L, value);
    } else if (value_push_str(vm, value) == VALUE_ASK) {
        frame->state = 1;
        lua_pushvalue(vm->L, value);
        return vm_ask(vm, VM_ASK_HTML, 1);
    }
    return VM_DONE;
}

enum vm_status filter_forceescape(struct vm *vm, struct vm_frame *frame)
{
    if (push_html(vm, frame) == VM_AGAIN)
        return VM_AGAIN;
    struct slice text = filter_text(vm, lua_gettop(vm->L), "__html__");
    size_t start = vm->text.len;
    escape_html(&vm->text, text);
    vm_push_markup_text(vm, start);
    return VM_DONE;
}

enum vm_status filter_safe(struct vm *vm, struct vm_frame *frame)
{
    if (push_html(vm, frame) == VM_AGAIN)
        return VM_AGAIN;
    if (value_kind(vm, lua_gettop(vm->L)) != VALUE_MARKUP)
        vm_to_markup(vm);
    return VM_DONE;
}

enum vm_status filter_striptags(struct vm *vm, struct vm_frame *frame)
{
    if (push_html(vm, frame) == VM_AGAIN)
        return VM_AGAIN;
    size_t start = vm->text.len;
    strip_tags(filter_text(vm, lua_gettop(vm->L), "striptags"), &vm->text);
    return vm_give_text(vm, start, false);
}

/* ---- lists of keys and values ---------------------------------------------------------------- */

enum { PAIRS_BEGIN, PAIRS_ASKED, PAIRS_TEXTS };

/* Append the two items of the pair on top, which is popped, to the list of n; gives the new n. */
static int add_pair(struct vm *vm, int list, int n)
{
    lua_State *L = vm->L;
    int pair = lua_gettop(L);
    struct value_iter iter;
    enum value_kind kind = value_kind(vm, pair);
    bool is_scalar = kind == VALUE_NONE || kind == VALUE_BOOLEAN || kind == VALUE_NUMBER;
    if (is_scalar || value_iter_begin(vm, pair, &iter) == VALUE_ASK)
        filter_fail_type(vm, pair, "cannot unpack non-iterable ", " object");
    int count = 0;
    while (count < 3 && value_iter_next(vm, &iter)) {
        if (++count < 3)
            lua_rawseti(L, list, n + count);
    }
    if (count < 2)
        vm_fail(vm, TEMPLATE_RUNTIME, "not enough values to unpack (expected 2, got %d)", count);
    if (count > 2)
        vm_fail(vm, TEMPLATE_RUNTIME, "too many values to unpack (expected 2)");
    lua_settop(L, pair - 1);
    return n + 2;
}

/* Push the flat list {key, value, key, value, ...} of the list of pairs. frame->n: its length. */
static void push_flat(struct vm *vm, struct vm_frame *frame, int pairs)
{
    int n = filter_items(vm, pairs);
    vm_new_list(vm, 2 * n);
    int flat = lua_gettop(vm->L);
    frame->n = 0;
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(vm->L, pairs, i);
        frame->n = add_pair(vm, flat, frame->n);
    }
}

/* Push the pairs of a dict, or of an object, and then their flat list. */
static enum vm_status begin_pairs(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base;
    if (frame_phase(frame) == PAIRS_BEGIN) {
        switch (value_kind(vm, value)) {
        case VALUE_DICT: filter_dict_pairs(vm, value); break;
        case VALUE_OBJECT:
            frame->state = PAIRS_ASKED;
            lua_pushvalue(vm->L, value);
            return vm_ask(vm, VM_ASK_PAIRS, 1);
        default: lua_pushvalue(vm->L, value); break;
        }
    }
    push_flat(vm, frame, lua_gettop(vm->L));
    frame_begin(frame, PAIRS_TEXTS);
    return VM_DONE;
}

/* ---- urlencode ------------------------------------------------------------------------------- */

/* Percent-encode str() of the value at index; in a query "/" too, and a space is "+". */
static void add_quoted(struct vm *vm, int index, bool in_query)
{
    struct slice rest;
    int top = lua_gettop(vm->L);
    if (!value_slice(vm, index, &rest)) {
        value_push_str(vm, index); /* objects are texts by now */
        rest = filter_text(vm, top + 1, "encode");
    }
    value_check_text(vm, (double)rest.len * 3);
    value_spend_text(vm, 8 * rest.len);
    if (!in_query) {
        escape_url(&vm->text, rest, SLICE("/"));
    } else {
        for (;;) {
            size_t space = slice_find(rest, ' ');
            escape_url(&vm->text, slice_of(rest.data, space), SLICE(""));
            if (space == rest.len)
                break;
            buf_char(&vm->text, '+');
            rest = slice_from(rest, space + 1);
        }
    }
    lua_settop(vm->L, top);
}

/* A text, and what cannot be walked, is quoted by itself. */
static bool is_single(struct vm *vm, int index)
{
    switch (value_kind(vm, index)) {
    case VALUE_NONE:
    case VALUE_BOOLEAN:
    case VALUE_NUMBER:
    case VALUE_STRING:
    case VALUE_MARKUP:
    case VALUE_NATIVE:
    case VALUE_FUNCTION: return true;
    default: return false;
    }
}

enum vm_status filter_urlencode(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, flat = frame->base + frame->nparams + 1;
    size_t start = vm->text.len;
    if (is_single(vm, value)) {
        add_quoted(vm, value, false);
        return vm_give_text(vm, start, false);
    }
    if (frame_phase(frame) != PAIRS_TEXTS && begin_pairs(vm, frame) == VM_AGAIN)
        return VM_AGAIN;
    if (filter_texts(vm, frame, flat, false) == VM_AGAIN)
        return VM_AGAIN;
    start = vm->text.len;
    for (int i = 1; i <= frame->n; i++) {
        if (i > 1)
            buf_char(&vm->text, i % 2 == 0 ? '=' : '&');
        lua_rawgeti(vm->L, flat, i);
        add_quoted(vm, lua_gettop(vm->L), true);
        lua_pop(vm->L, 1);
    }
    return vm_give_text(vm, start, false);
}

/* ---- xmlattr --------------------------------------------------------------------------------- */

static bool is_attribute_break(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '/' || c == '>' || c == '=';
}

/* The key on top must not end the name of the attribute early. */
static void check_attribute(struct vm *vm)
{
    int key = lua_gettop(vm->L);
    struct slice name;
    if (!value_slice(vm, key, &name))
        vm_fail(vm, TEMPLATE_RUNTIME, "expected string or bytes-like object, got '%s'",
                value_type_name(vm, key));
    for (size_t i = 0; i < name.len; i++) {
        if (!is_attribute_break(name.data[i]))
            continue;
        struct buf *out = &vm->text;
        size_t start = out->len;
        value_repr(vm, key, out);
        vm_push_text(vm, start);
        vm_fail(vm, TEMPLATE_RUNTIME, "Invalid character in attribute name: %.200s",
                lua_tostring(vm->L, -1));
    }
}

/* Append key="value" of flat[at] and flat[at + 1], escaped; nothing for none and undefined. */
static void add_attribute(struct vm *vm, int flat, int at, bool with_space)
{
    lua_State *L = vm->L;
    int top = lua_gettop(L);
    lua_rawgeti(L, flat, at + 1);
    enum value_kind kind = value_kind(vm, top + 1);
    if (kind != VALUE_NONE && kind != VALUE_UNDEFINED) {
        lua_rawgeti(L, flat, at);
        check_attribute(vm);
        if (with_space)
            buf_char(&vm->text, ' ');
        filter_add_escaped(vm, top + 2);
        buf_cstr(&vm->text, "=\"");
        value_escape(vm, top + 1);
        filter_add_escaped(vm, lua_gettop(L));
        buf_char(&vm->text, '"');
        value_check_text(vm, (double)vm->text.len);
    }
    lua_settop(L, top);
}

enum vm_status filter_xmlattr(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, flat = frame->base + frame->nparams + 1;
    if (frame_phase(frame) == PAIRS_BEGIN) {
        enum value_kind kind = value_kind(vm, value);
        if (kind != VALUE_DICT && kind != VALUE_OBJECT)
            filter_fail_attribute(vm, value, "items");
    }
    if (frame_phase(frame) != PAIRS_TEXTS && begin_pairs(vm, frame) == VM_AGAIN)
        return VM_AGAIN;
    if (filter_texts(vm, frame, flat, true) == VM_AGAIN)
        return VM_AGAIN;
    bool with_space = filter_flag(vm, frame->base + 1);
    size_t start = vm->text.len;
    for (int i = 1; i < frame->n; i += 2)
        add_attribute(vm, flat, i, with_space || vm->text.len > start);
    filter_push_text(vm, start, vm->autoescape);
    return VM_DONE;
}
