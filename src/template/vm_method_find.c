/* template/vm_method_find.c - find(), count(), startswith(), replace() and their kin.
 *
 * Places are counted in characters; texts are searched as bytes, which comes to the same, for no
 * character of UTF-8 begins inside another.
 */
#include <math.h>

#include "template/chars.h"
#include "template/vm_method.h"
#include "template/vm_method_text.h"
#include "template/vm_value.h"

/* The part of a text that start and end delimit. */
struct part {
    struct slice text;
    double before; /* characters before it */
    bool is_void;  /* start lies behind the end: not even an empty text is there */
};

/* Parameters i and i + 1 are start and end, as in a slice. */
static struct part read_part(struct vm *vm, const struct vm_frame *frame, int i)
{
    struct part part = {.text = method_self(vm, frame)};
    if (!method_given(vm, frame, i) && !method_given(vm, frame, i + 1))
        return part;
    double n = (double)chars_count(part.text);
    double start = method_int(vm, frame, i, 0);
    double end = fmin(method_int(vm, frame, i + 1, n), n);
    start = start < 0 ? fmax(start + n, 0) : start;
    end = end < 0 ? fmax(end + n, 0) : end;
    part.is_void = start > end;
    if (part.is_void)
        return part;
    part.before = start;
    part.text = slice_from(part.text, chars_offset(part.text, (size_t)start));
    part.text.len = chars_offset(part.text, (size_t)(end - start));
    return part;
}

/* Where `what` begins in text; text.len + 1: nowhere. */
static size_t find_first(struct slice text, struct slice what)
{
    if (what.len == 0)
        return 0;
    const char *at = text.len == 0 ? NULL : memmem(text.data, text.len, what.data, what.len);
    return at == NULL ? text.len + 1 : (size_t)(at - text.data);
}

static size_t find_last(struct slice text, struct slice what)
{
    for (size_t at = text.len + 1; at-- > what.len;)
        if (what.len == 0 || memcmp(text.data + at - what.len, what.data, what.len) == 0)
            return at - what.len;
    return what.len == 0 ? text.len : text.len + 1;
}

/* The place in characters, -1: it is not there. */
static double find(struct vm *vm, struct vm_frame *frame,
                   size_t (*search)(struct slice, struct slice))
{
    struct slice what = method_plain_text(vm, frame, 1);
    struct part part = read_part(vm, frame, 2);
    if (part.is_void)
        return -1;
    size_t at = search(part.text, what);
    if (at > part.text.len)
        return -1;
    part.text.len = at;
    return part.before + (double)chars_count(part.text);
}

enum vm_status method_text_find(struct vm *vm, struct vm_frame *frame)
{
    return method_number(vm, find(vm, frame, find_first));
}

enum vm_status method_text_rfind(struct vm *vm, struct vm_frame *frame)
{
    return method_number(vm, find(vm, frame, find_last));
}

static enum vm_status index_of(struct vm *vm, double place)
{
    if (place < 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "substring not found");
    return method_number(vm, place);
}

enum vm_status method_text_index(struct vm *vm, struct vm_frame *frame)
{
    return index_of(vm, find(vm, frame, find_first));
}

enum vm_status method_text_rindex(struct vm *vm, struct vm_frame *frame)
{
    return index_of(vm, find(vm, frame, find_last));
}

enum vm_status method_text_count(struct vm *vm, struct vm_frame *frame)
{
    struct slice what = method_plain_text(vm, frame, 1);
    struct part part = read_part(vm, frame, 2);
    double n = 0;
    if (part.is_void)
        return method_number(vm, 0);
    if (what.len == 0)
        return method_number(vm, (double)chars_count(part.text) + 1);
    for (;;) {
        size_t at = find_first(part.text, what);
        if (at > part.text.len)
            return method_number(vm, n);
        part.text = slice_from(part.text, at + what.len);
        n++;
    }
}

/* ---- startswith, endswith -------------------------------------------------------------------- */

static enum vm_status has_affix(struct vm *vm, struct vm_frame *frame,
                                bool (*has)(struct slice, struct slice))
{
    lua_State *L = vm->L;
    struct part part = read_part(vm, frame, 2);
    int affix = method_param(frame, 1);
    bool result = false;
    struct slice text;
    if (value_kind(vm, affix) != VALUE_TUPLE) {
        if (!value_slice(vm, affix, &text))
            vm_fail(vm, TEMPLATE_RUNTIME, "%s first arg must be str or a tuple of str, not %s",
                    frame->native->name, value_type_name(vm, affix));
        return method_boolean(vm, !part.is_void && has(part.text, text));
    }
    int n = (int)lua_objlen(L, affix);
    for (int i = 1; i <= n && !result; i++) {
        lua_rawgeti(L, affix, i);
        if (!value_slice(vm, lua_gettop(L), &text))
            vm_fail(vm, TEMPLATE_RUNTIME, "tuple for %s must only contain str, not %s",
                    frame->native->name, value_type_name(vm, lua_gettop(L)));
        result = !part.is_void && has(part.text, text);
        lua_pop(L, 1);
    }
    return method_boolean(vm, result);
}

enum vm_status method_text_startswith(struct vm *vm, struct vm_frame *frame)
{
    return has_affix(vm, frame, slice_starts_with);
}

enum vm_status method_text_endswith(struct vm *vm, struct vm_frame *frame)
{
    return has_affix(vm, frame, slice_ends_with);
}

/* ---- replace --------------------------------------------------------------------------------- */

/* An empty text stands before every character and at the end. */
static void replace_empty(struct vm *vm, struct slice text, struct slice with, double count)
{
    size_t start = vm->text.len;
    while (count > 0) {
        size_t n = chars_first(text);
        buf_slice(&vm->text, with);
        buf_append(&vm->text, text.data, n);
        value_check_text(vm, (double)(vm->text.len - start));
        if (n == 0)
            return;
        text = slice_from(text, n);
        count--;
    }
    buf_slice(&vm->text, text);
}

/* Append text with `count` (negative: all) of the places of old replaced. */
static void replace(struct vm *vm, struct slice text, struct slice old, struct slice with,
                    double count)
{
    size_t start = vm->text.len;
    count = count < 0 ? INFINITY : count;
    if (old.len == 0) {
        replace_empty(vm, text, with, count);
        return;
    }
    for (; count > 0; count--) {
        size_t at = find_first(text, old);
        if (at > text.len)
            break;
        buf_append(&vm->text, text.data, at);
        buf_slice(&vm->text, with);
        value_check_text(vm, (double)(vm->text.len - start));
        text = slice_from(text, at + old.len);
    }
    buf_slice(&vm->text, text);
}

enum vm_status method_text_replace(struct vm *vm, struct vm_frame *frame)
{
    struct slice old = method_text(vm, frame, 1);
    struct slice with = method_text(vm, frame, 2);
    size_t start = vm->text.len;
    replace(vm, method_self(vm, frame), old, with, method_int(vm, frame, 3, -1));
    method_push_text(vm, frame, start);
    return VM_DONE;
}
