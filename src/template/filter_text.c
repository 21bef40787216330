/* template/filter_text.c - filters on text: case, trim, replace, format, words.
 *
 * Place in the flow: listed in filter.c. The binder has made text of the operand (`s:`): a string
 * or a Markup, which most of these keep as what it is, as soft_str does in Jinja.
 */
#include "base/escape.h"
#include "template/chars.h"
#include "template/filter_internal.h"
#include "template/unicode.h"

static bool is_markup(struct vm *vm, int index)
{
    return value_kind(vm, index) == VALUE_MARKUP;
}

/* ---- case ------------------------------------------------------------------------------------ */

static enum vm_status change_case(struct vm *vm, struct vm_frame *frame, enum unicode_case to)
{
    size_t start = vm->text.len;
    unicode_convert(filter_text(vm, frame->base, "lower"), to, &vm->text);
    bool is_markup = lua_type(vm->L, frame->base) != LUA_TSTRING;
    return vm_give_text(vm, start, is_markup);
}

enum vm_status filter_upper(struct vm *vm, struct vm_frame *frame)
{
    return change_case(vm, frame, UNICODE_UPPER);
}

enum vm_status filter_lower(struct vm *vm, struct vm_frame *frame)
{
    return change_case(vm, frame, UNICODE_LOWER);
}

enum vm_status filter_capitalize(struct vm *vm, struct vm_frame *frame)
{
    return change_case(vm, frame, UNICODE_CAPITALIZE);
}

/* Between words, for title: white space and - ( { [ < */
static bool is_title_break(uint32_t code)
{
    return code == '-' || code == '(' || code == '{' || code == '[' || code == '<' ||
           unicode_is_space(code);
}

/* The length of what stands before the next code point that is a break, or that is none. */
static size_t title_span(struct slice text, bool breaks)
{
    size_t n = 0;
    while (n < text.len) {
        uint32_t code;
        size_t len = chars_decode(slice_from(text, n), &code);
        if (is_title_break(code) != breaks)
            break;
        n += len;
    }
    return n;
}

static void add_ascii_title(struct slice text, struct buf *out)
{
    char *dst = buf_reserve(out, text.len);
    bool is_first = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_letter = (unsigned char)((c | 0x20) - 'a') < 26;
        dst[i] = (char)(!is_letter ? c : is_first ? c & ~0x20 : c | 0x20);
        is_first = !is_letter && is_title_break(c);
    }
    out->len += text.len;
}

void filter_add_title(struct vm *vm, struct slice rest, struct buf *out)
{
    value_spend_text(vm, 16 * rest.len); /* character by character */
    if (chars_is_ascii(rest)) {
        add_ascii_title(rest, out);
        return;
    }
    while (rest.len > 0) {
        size_t gap = title_span(rest, true);
        buf_append(out, rest.data, gap);
        rest = slice_from(rest, gap);
        struct slice word = slice_of(rest.data, title_span(rest, false));
        size_t first = chars_first(word);
        unicode_convert(slice_of(word.data, first), UNICODE_UPPER, out);
        unicode_convert(slice_from(word, first), UNICODE_LOWER, out);
        rest = slice_from(rest, word.len);
    }
}

/* The result is made of pieces joined, so a Markup becomes a plain text. */
enum vm_status filter_title(struct vm *vm, struct vm_frame *frame)
{
    size_t start = vm->text.len;
    filter_add_title(vm, filter_text(vm, frame->base, "title"), &vm->text);
    return vm_give_text(vm, start, false);
}

/* ---- trim ------------------------------------------------------------------------------------ */

enum vm_status filter_trim(struct vm *vm, struct vm_frame *frame)
{
    if (frame->state == 1)
        return VM_DONE;
    int chars = frame->base + 1;
    if (!filter_is_absent(vm, chars)) {
        frame->state = 1;
        lua_pushvalue(vm->L, frame->base);
        lua_pushvalue(vm->L, chars);
        return vm_call_native(vm, value_method(vm, frame->base, SLICE("strip")), 2, false);
    }
    struct slice text = filter_text(vm, frame->base, "strip");
    value_spend_text(vm, 8 * text.len);
    struct slice inner = filter_strip(text);
    if (inner.len == text.len) {
        lua_pushvalue(vm->L, frame->base);
        return VM_DONE;
    }
    lua_pushlstring(vm->L, inner.data, inner.len);
    if (is_markup(vm, frame->base))
        vm_to_markup(vm);
    return VM_DONE;
}

/* ---- replace --------------------------------------------------------------------------------- */

/* Put the escaped text of the argument, unless it is Markup, into its slot. */
static void escape_argument(struct vm *vm, int index)
{
    if (is_markup(vm, index))
        return;
    value_escape(vm, index); /* text: never asks */
    lua_replace(vm->L, index);
}

/* Append text with `to` before each code point and at the end, at most `left` times. */
static void replace_empty(struct vm *vm, struct slice text, struct slice to, double left)
{
    while (left >= 1) {
        buf_slice(&vm->text, to);
        left--;
        if (text.len == 0)
            return;
        size_t len = chars_first(text);
        buf_append(&vm->text, text.data, len);
        text = slice_from(text, len);
    }
    buf_slice(&vm->text, text);
}

void filter_replace_all(struct vm *vm, struct slice text, struct slice from, struct slice to,
                        double left, struct buf *out)
{
    while (left >= 1 && text.len >= from.len) {
        const char *at = from.len == 1 ? memchr(text.data, from.data[0], text.len)
                                       : memmem(text.data, text.len, from.data, from.len);
        if (at == NULL)
            break;
        size_t before = (size_t)(at - text.data);
        value_check_text(vm, (double)(out->len + before + to.len));
        buf_append(out, text.data, before);
        buf_slice(out, to);
        text = slice_from(text, before + from.len);
        left--;
    }
    buf_slice(out, text);
}

enum vm_status filter_replace(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, old = frame->base + 1, new = frame->base + 2;
    double left = filter_is_absent(vm, frame->base + 3) ? -1 : filter_whole(vm, frame->base + 3);
    bool makes_markup = false;
    if (vm->autoescape) {
        makes_markup = is_markup(vm, value) || is_markup(vm, old) || is_markup(vm, new);
        if (makes_markup) {
            escape_argument(vm, value);
            escape_argument(vm, old);
            escape_argument(vm, new);
        }
    }
    struct slice text = filter_text(vm, value, "replace");
    struct slice from = filter_text(vm, old, "replace");
    struct slice to = filter_text(vm, new, "replace");
    if (left < 0)
        left = (double)text.len + 1;
    size_t start = vm->text.len;
    if (from.len == 0) {
        double inserted = left < (double)text.len + 1 ? left : (double)text.len + 1;
        value_check_text(vm, (double)text.len + inserted * (double)to.len);
        replace_empty(vm, text, to, left);
    } else {
        filter_replace_all(vm, text, from, to, left, &vm->text);
    }
    return vm_give_text(vm, start, makes_markup);
}

/* ---- format ---------------------------------------------------------------------------------- */

enum { FORMAT_BEGIN, FORMAT_TEXTS };

/* The positional arguments as the tuple that `%` takes, in the slot of the list. */
static void make_tuple(struct vm *vm, int index, int n)
{
    vm_new_tuple(vm, n);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(vm->L, index, i);
        lua_rawseti(vm->L, -2, i);
    }
    lua_replace(vm->L, index);
}

/* Push the only argument if it is a number or a string: `%` takes one such without a tuple. */
static bool push_scalar(struct vm *vm, int args)
{
    lua_rawgeti(vm->L, args, 1);
    int type = lua_type(vm->L, -1);
    if (type == LUA_TNUMBER || type == LUA_TSTRING)
        return true;
    lua_pop(vm->L, 1);
    return false;
}

/* value % args, as the filter's value. */
static enum vm_status give_formatted(struct vm *vm, int value, int args)
{
    bool is_markup = false;
    size_t start = vm->text.len;
    value_format_text(vm, value, args, &is_markup); /* of these arguments it asks nothing */
    return vm_give_text(vm, start, is_markup);
}

/* format(value, *args, **kwargs): value % (kwargs or args). Objects among the positional arguments
 * give their texts first. */
enum vm_status filter_format(struct vm *vm, struct vm_frame *frame)
{
    int args = frame->base + 1, keywords = frame->base + 2;
    if (frame_phase(frame) == FORMAT_BEGIN) {
        frame->n = filter_rest(vm, args);
        if (frame->n > 0 && filter_has_keywords(vm, keywords))
            vm_fail(vm, TEMPLATE_FILTER_ARG,
                    "can't handle positional and keyword arguments at the same time");
        if (frame->n == 1 && push_scalar(vm, args))
            return give_formatted(vm, frame->base, lua_gettop(vm->L));
        make_tuple(vm, args, frame->n);
        frame_begin(frame, FORMAT_TEXTS);
    }
    if (filter_texts(vm, frame, args, is_markup(vm, frame->base)) == VM_AGAIN)
        return VM_AGAIN;
    return give_formatted(vm, frame->base, filter_has_keywords(vm, keywords) ? keywords : args);
}

/* ---- the rest -------------------------------------------------------------------------------- */

enum vm_status filter_string(struct vm *vm, struct vm_frame *frame)
{
    lua_pushvalue(vm->L, frame->base);
    return VM_DONE;
}

enum vm_status filter_wordcount(struct vm *vm, struct vm_frame *frame)
{
    struct slice text = filter_text(vm, frame->base, "wordcount");
    value_spend_text(vm, 16 * text.len); /* character by character */
    double words = 0;
    bool in_word = false;
    while (text.len > 0) {
        uint32_t code;
        text = slice_from(text, chars_decode(text, &code));
        bool is_word = filter_is_word(code);
        words += is_word && !in_word;
        in_word = is_word;
    }
    lua_pushnumber(vm->L, words);
    return VM_DONE;
}
