/* template/filter_usual_text.c - the usual calls of filters that make a text of a text.
 *
 * Place in the flow: listed in filter_usual.c, run by vm_chain.c (see native_text in vm.h);
 * truncate's is in filter_wrap.c.
 */
#include <math.h>

#include "base/escape.h"
#include "template/filter_internal.h"
#include "template/filter_usual.h"
#include "template/strip_tags.h"
#include "template/unicode.h"
#include "value/number.h"

/* Begin a call without arguments; false: it has some. Counts the work on the text. */
static bool begin(struct vm *vm, const struct text_flow *flow, int count)
{
    value_spend_text(vm, 8 * flow->text.len);
    return count == 0;
}

/* What was written is the text. */
static bool give(struct text_flow *flow)
{
    flow->text = buf_view(flow->out);
    return true;
}

/* ---- as it is -------------------------------------------------------------------------------- */

/* A text is there; with `true` it gives way when it is empty. */
bool text_default(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)vm;
    if (count == 2 && args[1].type == LUA_TBOOLEAN && args[1].number != 0 && flow->text.len == 0) {
        if (args[0].type != LUA_TSTRING)
            return false;
        flow->text = args[0].text;
        return true;
    }
    return count <= 1 || (count == 2 && args[1].type == LUA_TBOOLEAN);
}

bool text_safe(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)vm, (void)args;
    if (count != 0)
        return false;
    flow->is_markup = true;
    return true;
}

bool text_string(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)vm, (void)flow, (void)args;
    return count == 0;
}

bool text_trim(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    if (!begin(vm, flow, count))
        return false;
    flow->text = filter_strip(flow->text);
    return true;
}

/* ---- case ------------------------------------------------------------------------------------ */

static bool change_case(struct vm *vm, struct text_flow *flow, int count, enum unicode_case to)
{
    if (!begin(vm, flow, count))
        return false;
    unicode_convert(flow->text, to, flow->out);
    return give(flow);
}

bool text_lower(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    return change_case(vm, flow, count, UNICODE_LOWER);
}

bool text_upper(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    return change_case(vm, flow, count, UNICODE_UPPER);
}

bool text_capitalize(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    return change_case(vm, flow, count, UNICODE_CAPITALIZE);
}

bool text_title(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    if (count != 0)
        return false;
    filter_add_title(vm, flow->text, flow->out);
    return give(flow);
}

/* ---- for HTML and URLs ----------------------------------------------------------------------- */

bool text_escape(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    if (!begin(vm, flow, count))
        return false;
    escape_html(flow->out, flow->text);
    flow->is_markup = true;
    return give(flow);
}

bool text_striptags(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    if (!begin(vm, flow, count))
        return false;
    strip_tags(flow->text, flow->out);
    return give(flow);
}

bool text_urlencode(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)args;
    if (!begin(vm, flow, count))
        return false;
    value_check_text(vm, (double)flow->text.len * 3);
    escape_url(flow->out, flow->text, SLICE("/"));
    return give(flow);
}

/* ---- replace, format ------------------------------------------------------------------------- */

bool text_replace(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    if (count != 2 || args[0].type != LUA_TSTRING || args[1].type != LUA_TSTRING ||
        args[0].text.len == 0)
        return false;
    value_spend_text(vm, 8 * flow->text.len);
    filter_replace_all(vm, flow->text, args[0].text, args[1].text, (double)flow->text.len + 1,
                       flow->out);
    return give(flow);
}

/* A format whose only directive is %.Nf, one digit, and a number. */
bool text_format(struct vm *vm, struct text_flow *flow, const struct vm_plain *args, int count)
{
    (void)vm;
    if (count != 1 || args[0].type != LUA_TNUMBER || !isfinite(args[0].number))
        return false;
    size_t at = slice_find(flow->text, '%');
    struct slice rest = slice_from(flow->text, at);
    if (rest.len < 4 || rest.data[1] != '.' || rest.data[2] < '0' || rest.data[2] > '9' ||
        rest.data[3] != 'f')
        return false;
    struct slice behind = slice_from(rest, 4);
    if (slice_find(behind, '%') < behind.len)
        return false;
    buf_append(flow->out, flow->text.data, at);
    char *digits = buf_reserve(flow->out, NUMBER_FIXED_MAX + 9);
    flow->out->len += number_write_fixed(digits, args[0].number, rest.data[2] - '0');
    buf_slice(flow->out, behind);
    return give(flow);
}
