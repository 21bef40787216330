/* template/vm_method_split.c - split(), partition(), splitlines() and join(). */
#include <math.h>

#include "base/escape.h"
#include "template/chars.h"
#include "template/unicode.h"
#include "template/vm_method.h"
#include "template/vm_method_text.h"
#include "template/vm_value.h"

/* A list of parts being made: on top of the stack. */
struct parts {
    struct vm *vm;
    const struct vm_frame *frame;
    int list;
    int count;
};

static struct parts begin_parts(struct vm *vm, const struct vm_frame *frame)
{
    vm_new_list(vm, 4);
    return (struct parts){vm, frame, lua_gettop(vm->L), 0};
}

static void add_part(struct parts *parts, struct slice part)
{
    method_push_part(parts->vm, parts->frame, part);
    lua_rawseti(parts->vm->L, parts->list, ++parts->count);
}

/* Parts found from the end were added last first. */
static void reverse_parts(struct parts *parts)
{
    lua_State *L = parts->vm->L;
    for (int i = 1, j = parts->count; i < j; i++, j--) {
        lua_rawgeti(L, parts->list, i);
        lua_rawgeti(L, parts->list, j);
        lua_rawseti(L, parts->list, i);
        lua_rawseti(L, parts->list, j);
    }
}

static bool is_space_at(struct slice text)
{
    uint32_t code;
    chars_decode(text, &code);
    return unicode_is_space(code);
}

static struct slice skip_space(struct slice text)
{
    while (text.len > 0 && is_space_at(text))
        text = slice_from(text, chars_first(text));
    return text;
}

static struct slice last_char(struct slice text)
{
    size_t n = chars_last(text);
    return slice_of(text.data + text.len - n, n);
}

static struct slice cut_space(struct slice text)
{
    while (text.len > 0 && is_space_at(last_char(text)))
        text.len -= last_char(text).len;
    return text;
}

/* ---- by white space -------------------------------------------------------------------------- */

static void split_words(struct parts *parts, struct slice text, double most)
{
    for (text = skip_space(text); text.len > 0; text = skip_space(text)) {
        if (parts->count >= most) {
            add_part(parts, text);
            return;
        }
        size_t end = 0;
        while (end < text.len && !is_space_at(slice_from(text, end)))
            end += chars_first(slice_from(text, end));
        add_part(parts, slice_of(text.data, end));
        text = slice_from(text, end);
    }
}

static void rsplit_words(struct parts *parts, struct slice text, double most)
{
    for (text = cut_space(text); text.len > 0; text = cut_space(text)) {
        if (parts->count >= most) {
            add_part(parts, text);
            return;
        }
        size_t begin = text.len;
        while (begin > 0 && !is_space_at(last_char(slice_of(text.data, begin))))
            begin -= last_char(slice_of(text.data, begin)).len;
        add_part(parts, slice_from(text, begin));
        text.len = begin;
    }
}

/* ---- by a separator -------------------------------------------------------------------------- */

/* Where the separator begins; text.len: nowhere. */
static size_t find_first(struct slice text, struct slice separator)
{
    const char *at =
        text.len == 0 ? NULL : memmem(text.data, text.len, separator.data, separator.len);
    return at == NULL ? text.len : (size_t)(at - text.data);
}

static size_t find_last(struct slice text, struct slice separator)
{
    for (size_t end = text.len; end >= separator.len; end--)
        if (memcmp(text.data + end - separator.len, separator.data, separator.len) == 0)
            return end - separator.len;
    return text.len;
}

static void split_at(struct parts *parts, struct slice text, struct slice separator, double most)
{
    while (parts->count < most) {
        size_t at = find_first(text, separator);
        if (at == text.len)
            break;
        add_part(parts, slice_of(text.data, at));
        text = slice_from(text, at + separator.len);
    }
    add_part(parts, text);
}

static void rsplit_at(struct parts *parts, struct slice text, struct slice separator, double most)
{
    while (parts->count < most) {
        size_t at = find_last(text, separator);
        if (at == text.len)
            break;
        add_part(parts, slice_from(text, at + separator.len));
        text.len = at;
    }
    add_part(parts, text);
}

static struct slice read_separator(struct vm *vm, struct vm_frame *frame, bool escaped)
{
    struct slice separator = escaped ? method_text(vm, frame, 1) : method_plain_text(vm, frame, 1);
    if (separator.len == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "empty separator");
    return separator;
}

static enum vm_status split(struct vm *vm, struct vm_frame *frame, bool from_end)
{
    double most = method_int(vm, frame, 2, -1);
    struct slice text = method_self(vm, frame);
    struct slice separator = {"", 0};
    if (method_given(vm, frame, 1))
        separator = read_separator(vm, frame, false);
    struct parts parts = begin_parts(vm, frame);
    most = most < 0 ? INFINITY : most;
    if (separator.len == 0)
        (from_end ? rsplit_words : split_words)(&parts, text, most);
    else
        (from_end ? rsplit_at : split_at)(&parts, text, separator, most);
    if (from_end)
        reverse_parts(&parts);
    value_spend(vm, 4.0 * parts.count);
    return VM_DONE;
}

enum vm_status method_text_split(struct vm *vm, struct vm_frame *frame)
{
    return split(vm, frame, false);
}

enum vm_status method_text_rsplit(struct vm *vm, struct vm_frame *frame)
{
    return split(vm, frame, true);
}

/* ---- partition ------------------------------------------------------------------------------- */

static enum vm_status push_three(struct vm *vm, struct vm_frame *frame, struct slice a,
                                 struct slice b, struct slice c)
{
    vm_new_tuple(vm, 3);
    method_push_part(vm, frame, a);
    lua_rawseti(vm->L, -2, 1);
    method_push_part(vm, frame, b);
    lua_rawseti(vm->L, -2, 2);
    method_push_part(vm, frame, c);
    lua_rawseti(vm->L, -2, 3);
    return VM_DONE;
}

enum vm_status method_text_partition(struct vm *vm, struct vm_frame *frame)
{
    struct slice separator = read_separator(vm, frame, true);
    struct slice text = method_self(vm, frame);
    size_t at = find_first(text, separator);
    if (at == text.len)
        return push_three(vm, frame, text, SLICE(""), SLICE(""));
    return push_three(vm, frame, slice_of(text.data, at), separator,
                      slice_from(text, at + separator.len));
}

enum vm_status method_text_rpartition(struct vm *vm, struct vm_frame *frame)
{
    struct slice separator = read_separator(vm, frame, true);
    struct slice text = method_self(vm, frame);
    size_t at = find_last(text, separator);
    if (at == text.len)
        return push_three(vm, frame, SLICE(""), SLICE(""), text);
    return push_three(vm, frame, slice_of(text.data, at), separator,
                      slice_from(text, at + separator.len));
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* The bytes of the line break that text begins with; 0: none. */
static size_t line_break(struct slice text)
{
    uint32_t code;
    size_t n = chars_decode(text, &code);
    if (code == '\r')
        return text.len > 1 && text.data[1] == '\n' ? 2 : 1;
    bool is_break = (code >= '\n' && code <= '\f') || (code >= 0x1c && code <= 0x1e) ||
                    code == 0x85 || code == 0x2028 || code == 0x2029;
    return is_break ? n : 0;
}

enum vm_status method_text_splitlines(struct vm *vm, struct vm_frame *frame)
{
    bool keep_ends = false;
    if (value_truth(vm, method_param(frame, 1), &keep_ends) == VALUE_ASK)
        keep_ends = true;
    struct slice text = method_self(vm, frame);
    struct parts parts = begin_parts(vm, frame);
    size_t begin = 0;
    for (size_t at = 0; at < text.len;) {
        size_t n = line_break(slice_from(text, at));
        if (n > 0) {
            add_part(&parts, slice_of(text.data + begin, at - begin + (keep_ends ? n : 0)));
            begin = at + n;
            at = begin;
        } else {
            at += chars_first(slice_from(text, at));
        }
    }
    if (begin < text.len)
        add_part(&parts, slice_from(text, begin));
    return VM_DONE;
}

/* ---- join ------------------------------------------------------------------------------------ */

/* Append item i (from 1) of the list of parameter 1. */
static void append_item(struct vm *vm, struct vm_frame *frame, int i)
{
    lua_State *L = vm->L;
    struct slice text;
    lua_rawgeti(L, method_param(frame, 1), i);
    int item = lua_gettop(L);
    if (method_self_is_markup(vm, frame)) {
        value_escape(vm, item);
        lua_replace(L, item);
    }
    if (!value_slice(vm, item, &text))
        vm_fail(vm, TEMPLATE_RUNTIME, "sequence item %d: expected str instance, %s found", i - 1,
                value_type_name(vm, item));
    buf_slice(&vm->text, text);
    lua_pop(L, 1);
}

/* A Markup escapes the items, and what an object's HTML is only Lua can tell: before anything is
 * joined, each object among the items is replaced by it. */
enum vm_status method_text_join(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int items = method_param(frame, 1);
    if (frame->state == 0)
        value_to_list(vm, items);
    else
        lua_rawseti(L, items, frame->i);
    int n = (int)lua_objlen(L, items);
    for (frame->state = 1; method_self_is_markup(vm, frame) && frame->i < n;) {
        lua_rawgeti(L, items, ++frame->i);
        if (value_kind(vm, -1) == VALUE_OBJECT)
            return vm_ask(vm, VM_ASK_HTML, 1);
        lua_pop(L, 1);
    }
    struct slice separator = method_self(vm, frame);
    size_t start = vm->text.len;
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            buf_slice(&vm->text, separator);
        append_item(vm, frame, i);
        value_check_text(vm, (double)(vm->text.len - start));
    }
    method_push_text(vm, frame, start);
    return VM_DONE;
}
