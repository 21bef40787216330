/* template/filter_wrap.c - center, truncate, indent: text fitted to a width in code points.
 *
 * Place in the flow: listed in filter.c; wordwrap has a file of its own.
 */
#include <math.h>

#include "base/escape.h"
#include "template/chars.h"
#include "template/filter_internal.h"
#include "template/filter_usual.h"

/* ---- center ---------------------------------------------------------------------------------- */

enum vm_status filter_center(struct vm *vm, struct vm_frame *frame)
{
    struct slice text = filter_text(vm, frame->base, "center");
    double width = filter_whole(vm, frame->base + 1);
    double pad = width - (double)chars_count(text);
    if (pad <= 0) {
        lua_pushvalue(vm->L, frame->base);
        return VM_DONE;
    }
    value_check_text(vm, width);
    size_t spaces = (size_t)pad;
    size_t left = spaces / 2 + (spaces & (size_t)width & 1); /* as CPython shares an odd one out */
    size_t start = vm->text.len;
    filter_repeat(vm, SLICE(" "), (double)left);
    buf_slice(&vm->text, text);
    filter_repeat(vm, SLICE(" "), (double)(spaces - left));
    filter_push_text(vm, start, value_kind(vm, frame->base) == VALUE_MARKUP);
    return VM_DONE;
}

/* ---- truncate -------------------------------------------------------------------------------- */

/* The policy truncate.leeway, looked up once a slice. */
static double policy_leeway(struct vm *vm)
{
    if (isnan(vm->truncate_leeway)) {
        vm_push_policy(vm, SLICE("truncate.leeway"));
        bool is_set = !lua_isnil(vm->L, -1);
        vm->truncate_leeway = is_set ? filter_whole(vm, lua_gettop(vm->L)) : 5;
        lua_pop(vm->L, 1);
    }
    return vm->truncate_leeway;
}

/* Push kept + end: Markup when either is, and then the other is escaped. */
static enum vm_status give_shortened(struct vm *vm, int value, struct slice kept, int end)
{
    size_t start = vm->text.len;
    bool is_markup = value_kind(vm, value) == VALUE_MARKUP;
    bool end_is_markup = value_kind(vm, end) == VALUE_MARKUP;
    if (end_is_markup && !is_markup)
        escape_html(&vm->text, kept);
    else
        buf_slice(&vm->text, kept);
    if (is_markup)
        filter_add_escaped(vm, end);
    else
        buf_slice(&vm->text, filter_text(vm, end, "__len__"));
    return vm_give_text(vm, start, is_markup || end_is_markup);
}

/* The text up to its last space; all of it when there is none. */
static struct slice before_last_space(struct slice text)
{
    const char *space = text.len == 0 ? NULL : memrchr(text.data, ' ', text.len);
    return space == NULL ? text : slice_of(text.data, (size_t)(space - text.data));
}

/* Has the value at most so many items, a text so many code points? */
static bool fits(struct vm *vm, int value, double limit)
{
    struct slice text;
    double length;
    if (value_slice(vm, value, &text))
        return (double)text.len <= limit || chars_offset(text, (size_t)limit) == text.len;
    if (value_length(vm, value, &length) == VALUE_ASK)
        filter_fail_type(vm, value, "object of type '", "' has no len(); use |string first");
    return length <= limit;
}

/* truncate(s, length, killwords, end, leeway). Only a text can be cut; anything else that has a
 * length passes if it is short enough. */
enum vm_status filter_truncate(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, end = frame->base + 3;
    struct slice text, tail;
    double length = filter_whole(vm, frame->base + 1);
    int given = frame->base + 4;
    double leeway = filter_is_absent(vm, given) ? policy_leeway(vm) : filter_whole(vm, given);
    if (!value_slice(vm, end, &tail))
        filter_fail_type(vm, end, "object of type '", "' has no len()");
    double tail_length = (double)chars_count(tail);
    if (length < tail_length)
        vm_fail(vm, TEMPLATE_RUNTIME, "expected length >= %.0f, got %.0f", tail_length, length);
    if (leeway < 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "expected leeway >= 0, got %.0f", leeway);
    bool is_text = value_slice(vm, value, &text);
    if (fits(vm, value, length + leeway)) {
        lua_pushvalue(vm->L, value);
        return VM_DONE;
    }
    if (!is_text)
        filter_fail_type(vm, value, "only text can be cut, not '", "'");
    text.len = chars_offset(text, (size_t)(length - tail_length));
    if (!filter_flag(vm, frame->base + 2))
        text = before_last_space(text);
    return give_shortened(vm, value, text, end);
}

/* The usual call (filter_usual.h): a length, and perhaps whether words are cut and what stands at
 * the end. */
bool text_truncate(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    if (count < 1 || args[0].type != LUA_TNUMBER || (count > 1 && args[1].type != LUA_TBOOLEAN) ||
        (count > 2 && args[2].type != LUA_TSTRING))
        return false;
    struct slice end = count > 2 ? args[2].text : SLICE("...");
    double length = args[0].number, leeway = policy_leeway(vm), left = length - (double)end.len;
    if (!(left >= 0 && length < 1e9 && length == floor(length) && leeway >= 0 && leeway < 1e9))
        return false; /* bytes of the end are no fewer than its code points */
    value_spend_text(vm, flow->text.len);
    size_t most = (size_t)(length + leeway), fitting = chars_offset(flow->text, most);
    if (fitting == flow->text.len)
        return true;
    size_t kept = (size_t)length - (count > 2 ? chars_count(end) : end.len);
    /* when every character so far is one byte the place is known */
    flow->text.len = fitting == most ? kept : chars_offset(flow->text, kept);
    if (count == 1 || args[1].number == 0)
        flow->text = before_last_space(flow->text);
    buf_slice(flow->out, flow->text);
    buf_slice(flow->out, end);
    flow->text = buf_view(flow->out);
    return true;
}

/* ---- indent ---------------------------------------------------------------------------------- */

size_t filter_line_break(struct slice text)
{
    const unsigned char *s = (const unsigned char *)text.data;
    switch (s[0]) {
    case '\r': return text.len > 1 && s[1] == '\n' ? 2 : 1;
    case '\n':
    case '\v':
    case '\f':
    case 0x1c:
    case 0x1d:
    case 0x1e: return 1;
    case 0xc2: return text.len > 1 && s[1] == 0x85 ? 2 : 0;
    case 0xe2: return text.len > 2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9) ? 3 : 0;
    default: return 0;
    }
}

struct slice filter_next_line(struct slice *rest)
{
    size_t n = 0, gap = 0;
    while (n < rest->len && (gap = filter_line_break(slice_from(*rest, n))) == 0)
        n++;
    struct slice line = slice_of(rest->data, n);
    *rest = slice_from(*rest, n + gap);
    return line;
}

/* indent(s, width, first, blank): behind every line but the last stands "\n", and a line break at
 * the end of s stays. */
enum vm_status filter_indent(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, width = frame->base + 1;
    if (value_kind(vm, value) == VALUE_UNDEFINED)
        value_fail_undefined(vm, value);
    struct slice rest, unit;
    if (value_kind(vm, value) == VALUE_LIST) /* += takes any iterable */
        filter_fail_attribute(vm, value, "splitlines");
    if (!value_slice(vm, value, &rest))
        filter_fail_type(vm, value, "unsupported operand type(s) for +=: '", "' and 'str'");
    bool is_given = value_slice(vm, width, &unit);
    double spaces = is_given ? 1 : filter_whole(vm, width);
    if (!is_given)
        unit = SLICE(" ");
    bool first = filter_flag(vm, frame->base + 2), blank = filter_flag(vm, frame->base + 3);
    if (slice_ends_with(rest, SLICE("\r"))) /* with the "\n" that Jinja appends it is one break */
        rest.len--;
    size_t start = vm->text.len;
    bool at_end = false;
    for (bool is_first = true; !at_end; is_first = false) {
        /* one more line is there when the text is empty or ends with a line break */
        size_t before = rest.len;
        struct slice line = filter_next_line(&rest);
        at_end = before == line.len;
        if (!is_first)
            buf_char(&vm->text, '\n');
        if (is_first ? first : (blank || line.len > 0))
            filter_repeat(vm, unit, spaces);
        buf_slice(&vm->text, line);
        value_check_text(vm, (double)(vm->text.len - start));
    }
    filter_push_text(vm, start, value_kind(vm, value) == VALUE_MARKUP);
    return VM_DONE;
}
