/* template/vm_method_text.c - methods of texts: case, strip, pad; and the table of all of them.
 *
 * Place in the flow: value_method. Those of a Markup give a Markup and escape what they take in,
 * as markupsafe's do.
 */
#include <math.h>

#include "template/chars.h"
#include "template/unicode.h"
#include "template/vm_format.h"
#include "template/vm_method.h"
#include "template/vm_method_text.h"
#include "template/vm_value.h"

/* ---- case ------------------------------------------------------------------------------------ */

static enum vm_status convert(struct vm *vm, struct vm_frame *frame, enum unicode_case to)
{
    size_t start = vm->text.len;
    unicode_convert(method_self(vm, frame), to, &vm->text);
    method_push_text(vm, frame, start);
    return VM_DONE;
}

static enum vm_status method_capitalize(struct vm *vm, struct vm_frame *frame)
{
    return convert(vm, frame, UNICODE_CAPITALIZE);
}

static enum vm_status method_lower(struct vm *vm, struct vm_frame *frame)
{
    return convert(vm, frame, UNICODE_LOWER);
}

static enum vm_status method_swapcase(struct vm *vm, struct vm_frame *frame)
{
    return convert(vm, frame, UNICODE_SWAP);
}

static enum vm_status method_title(struct vm *vm, struct vm_frame *frame)
{
    return convert(vm, frame, UNICODE_TITLED);
}

static enum vm_status method_upper(struct vm *vm, struct vm_frame *frame)
{
    return convert(vm, frame, UNICODE_UPPER);
}

/* A plain str even of a Markup: markupsafe 2.1 does not wrap it. */
static enum vm_status method_casefold(struct vm *vm, struct vm_frame *frame)
{
    size_t start = vm->text.len;
    unicode_convert(method_self(vm, frame), UNICODE_FOLD, &vm->text);
    vm_push_text(vm, start);
    return VM_DONE;
}

/* ---- strip ----------------------------------------------------------------------------------- */

/* Is the text's first character one of these? */
static bool is_among(struct slice text, struct slice chars)
{
    size_t len = chars_first(text);
    while (chars.len > 0) {
        size_t n = chars_first(chars);
        if (n == len && memcmp(chars.data, text.data, n) == 0)
            return true;
        chars = slice_from(chars, n);
    }
    return false;
}

static bool is_stripped(struct slice text, const struct slice *chars)
{
    uint32_t code;
    if (chars != NULL)
        return is_among(text, *chars);
    chars_decode(text, &code);
    return unicode_is_space(code);
}

/* chars NULL: white space. */
static struct slice strip_left(struct slice text, const struct slice *chars)
{
    while (text.len > 0 && is_stripped(text, chars))
        text = slice_from(text, chars_first(text));
    return text;
}

static struct slice strip_right(struct slice text, const struct slice *chars)
{
    while (text.len > 0) {
        size_t n = chars_last(text);
        if (!is_stripped(slice_of(text.data + text.len - n, n), chars))
            break;
        text.len -= n;
    }
    return text;
}

static enum vm_status strip(struct vm *vm, struct vm_frame *frame, bool left, bool right)
{
    struct slice chars;
    struct slice *given = NULL;
    if (method_given(vm, frame, 1)) {
        chars = method_text(vm, frame, 1);
        given = &chars;
    }
    struct slice text = method_self(vm, frame);
    if (left)
        text = strip_left(text, given);
    if (right)
        text = strip_right(text, given);
    method_push_part(vm, frame, text);
    return VM_DONE;
}

static enum vm_status method_strip(struct vm *vm, struct vm_frame *frame)
{
    return strip(vm, frame, true, true);
}

static enum vm_status method_lstrip(struct vm *vm, struct vm_frame *frame)
{
    return strip(vm, frame, true, false);
}

static enum vm_status method_rstrip(struct vm *vm, struct vm_frame *frame)
{
    return strip(vm, frame, false, true);
}

/* A plain str even of a Markup, as casefold. */
static enum vm_status method_removeprefix(struct vm *vm, struct vm_frame *frame)
{
    struct slice prefix = method_plain_text(vm, frame, 1);
    struct slice text = method_self(vm, frame);
    if (slice_starts_with(text, prefix))
        text = slice_from(text, prefix.len);
    lua_pushlstring(vm->L, text.data, text.len);
    return VM_DONE;
}

static enum vm_status method_removesuffix(struct vm *vm, struct vm_frame *frame)
{
    struct slice suffix = method_plain_text(vm, frame, 1);
    struct slice text = method_self(vm, frame);
    if (slice_ends_with(text, suffix))
        text.len -= suffix.len;
    lua_pushlstring(vm->L, text.data, text.len);
    return VM_DONE;
}

/* ---- pad ------------------------------------------------------------------------------------- */

static void append_fill(struct buf *out, struct slice fill, double times)
{
    for (double i = 0; i < times; i++)
        buf_slice(out, fill);
}

/* Put the text between fill characters: `left` of the missing ones before it. */
static enum vm_status pad(struct vm *vm, struct vm_frame *frame, double (*left)(double, double))
{
    double width = method_int(vm, frame, 1, 0);
    struct slice fill = method_text(vm, frame, 2);
    if (fill.len == 0 || chars_first(fill) != fill.len)
        vm_fail(vm, TEMPLATE_RUNTIME, "The fill character must be exactly one character long");
    struct slice text = method_self(vm, frame);
    double missing = fmax(width - (double)chars_count(text), 0);
    value_check_text(vm, missing * (double)fill.len + (double)text.len);
    double before = left(missing, width);
    size_t start = vm->text.len;
    append_fill(&vm->text, fill, before);
    buf_slice(&vm->text, text);
    append_fill(&vm->text, fill, missing - before);
    method_push_text(vm, frame, start);
    return VM_DONE;
}

/* As str.center: of an odd number missing, the one more goes left when the width is odd. */
static double left_center(double missing, double width)
{
    return floor(missing / 2) + (fmod(missing, 2) == 1 && fmod(width, 2) == 1 ? 1 : 0);
}

static double left_none(double missing, double width)
{
    (void)missing;
    (void)width;
    return 0;
}

static double left_all(double missing, double width)
{
    (void)width;
    return missing;
}

static enum vm_status method_center(struct vm *vm, struct vm_frame *frame)
{
    return pad(vm, frame, left_center);
}

static enum vm_status method_ljust(struct vm *vm, struct vm_frame *frame)
{
    return pad(vm, frame, left_none);
}

static enum vm_status method_rjust(struct vm *vm, struct vm_frame *frame)
{
    return pad(vm, frame, left_all);
}

static enum vm_status method_zfill(struct vm *vm, struct vm_frame *frame)
{
    struct slice text = method_self(vm, frame);
    double missing = fmax(method_int(vm, frame, 1, 0) - (double)chars_count(text), 0);
    value_check_text(vm, missing + (double)text.len);
    size_t start = vm->text.len;
    if (missing > 0 && text.len > 0 && (text.data[0] == '+' || text.data[0] == '-')) {
        buf_char(&vm->text, text.data[0]);
        text = slice_from(text, 1);
    }
    append_fill(&vm->text, SLICE("0"), missing);
    buf_slice(&vm->text, text);
    method_push_text(vm, frame, start);
    return VM_DONE;
}

static enum vm_status method_expandtabs(struct vm *vm, struct vm_frame *frame)
{
    double size = method_int(vm, frame, 1, 8);
    struct slice text = method_self(vm, frame);
    double column = 0;
    size_t start = vm->text.len;
    for (size_t at = 0; at < text.len;) {
        size_t n = chars_first(slice_from(text, at));
        char c = text.data[at];
        if (c == '\t') {
            double spaces = size > 0 ? size - fmod(column, size) : 0;
            value_check_text(vm, (double)(vm->text.len - start) + spaces);
            append_fill(&vm->text, SLICE(" "), spaces);
            column += spaces;
        } else {
            buf_append(&vm->text, text.data + at, n);
            column = c == '\n' || c == '\r' ? 0 : column + 1;
        }
        at += n;
    }
    method_push_text(vm, frame, start);
    return VM_DONE;
}

/* Texts are UTF-8 already; there are no other encodings here. */
static enum vm_status method_encode(struct vm *vm, struct vm_frame *frame)
{
    struct slice name = method_plain_text(vm, frame, 1);
    if (!slice_eq_nocase(name, SLICE("utf-8")) && !slice_eq_nocase(name, SLICE("utf8")))
        vm_fail(vm, TEMPLATE_RUNTIME, "unknown encoding: %.*s; only utf-8 is known",
                (int)(name.len < 80 ? name.len : 80), name.data);
    struct slice text = method_self(vm, frame);
    lua_createtable(vm->L, 1, 0);
    lua_pushlstring(vm->L, text.data, text.len);
    lua_rawseti(vm->L, -2, 1);
    vm_push_meta(vm, VM_META_BYTES);
    lua_setmetatable(vm->L, -2);
    return VM_DONE;
}

/* In strcmp order. */
static const struct vm_native table[] = {
    {"capitalize", "self", method_capitalize},
    {"casefold", "self", method_casefold},
    {"center", "self, width, fillchar=' '", method_center},
    {"count", "self, sub, start=none, end=none", method_text_count},
    {"encode", "self, encoding='utf-8', errors='strict'", method_encode},
    {"endswith", "self, suffix, start=none, end=none", method_text_endswith},
    {"expandtabs", "self, tabsize=8", method_expandtabs},
    {"find", "self, sub, start=none, end=none", method_text_find},
    {"format", "self, *, **", method_text_format},
    {"format_map", "self, mapping", method_text_format_map},
    {"index", "self, sub, start=none, end=none", method_text_index},
    {"isalnum", "self", method_text_isalnum},
    {"isalpha", "self", method_text_isalpha},
    {"isascii", "self", method_text_isascii},
    {"isdecimal", "self", method_text_isdecimal},
    {"isdigit", "self", method_text_isdigit},
    {"isidentifier", "self", method_text_isidentifier},
    {"islower", "self", method_text_islower},
    {"isnumeric", "self", method_text_isnumeric},
    {"isprintable", "self", method_text_isprintable},
    {"isspace", "self", method_text_isspace},
    {"istitle", "self", method_text_istitle},
    {"isupper", "self", method_text_isupper},
    {"join", "self, i:iterable", method_text_join},
    {"ljust", "self, width, fillchar=' '", method_ljust},
    {"lower", "self", method_lower},
    {"lstrip", "self, chars=none", method_lstrip},
    {"partition", "self, sep", method_text_partition},
    {"removeprefix", "self, prefix", method_removeprefix},
    {"removesuffix", "self, suffix", method_removesuffix},
    {"replace", "self, old, new, count=-1", method_text_replace},
    {"rfind", "self, sub, start=none, end=none", method_text_rfind},
    {"rindex", "self, sub, start=none, end=none", method_text_rindex},
    {"rjust", "self, width, fillchar=' '", method_rjust},
    {"rpartition", "self, sep", method_text_rpartition},
    {"rsplit", "self, sep=none, maxsplit=-1", method_text_rsplit},
    {"rstrip", "self, chars=none", method_rstrip},
    {"split", "self, sep=none, maxsplit=-1", method_text_split},
    {"splitlines", "self, keepends=false", method_text_splitlines},
    {"startswith", "self, prefix, start=none, end=none", method_text_startswith},
    {"strip", "self, chars=none", method_strip},
    {"swapcase", "self", method_swapcase},
    {"title", "self", method_title},
    {"upper", "self", method_upper},
    {"zfill", "self, width", method_zfill},
};

const struct method_table text_methods = {table, sizeof(table) / sizeof(table[0])};
