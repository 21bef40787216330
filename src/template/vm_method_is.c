/* template/vm_method_is.c - isalpha() and the other questions that texts answer. */
#include "template/chars.h"
#include "template/unicode.h"
#include "template/vm_method.h"
#include "template/vm_method_text.h"

/* Are all characters so? Of an empty text: no. */
static enum vm_status all(struct vm *vm, struct vm_frame *frame, bool (*is)(uint32_t))
{
    struct slice text = method_self(vm, frame);
    bool result = text.len > 0;
    for (size_t at = 0; result && at < text.len;) {
        uint32_t code;
        at += chars_decode(slice_from(text, at), &code);
        result = is(code);
    }
    return method_boolean(vm, result);
}

enum vm_status method_text_isalnum(struct vm *vm, struct vm_frame *frame)
{
    return all(vm, frame, unicode_is_alnum);
}

enum vm_status method_text_isalpha(struct vm *vm, struct vm_frame *frame)
{
    return all(vm, frame, unicode_is_alpha);
}

enum vm_status method_text_isdecimal(struct vm *vm, struct vm_frame *frame)
{
    return all(vm, frame, unicode_is_decimal);
}

enum vm_status method_text_isdigit(struct vm *vm, struct vm_frame *frame)
{
    return all(vm, frame, unicode_is_digit);
}

enum vm_status method_text_isnumeric(struct vm *vm, struct vm_frame *frame)
{
    return all(vm, frame, unicode_is_numeric);
}

enum vm_status method_text_isspace(struct vm *vm, struct vm_frame *frame)
{
    return all(vm, frame, unicode_is_space);
}

enum vm_status method_text_isascii(struct vm *vm, struct vm_frame *frame)
{
    return method_boolean(vm, chars_is_ascii(method_self(vm, frame)));
}

enum vm_status method_text_isprintable(struct vm *vm, struct vm_frame *frame)
{
    if (method_self(vm, frame).len == 0)
        return method_boolean(vm, true);
    return all(vm, frame, unicode_is_printable);
}

enum vm_status method_text_isidentifier(struct vm *vm, struct vm_frame *frame)
{
    struct slice text = method_self(vm, frame);
    bool result = text.len > 0;
    for (size_t at = 0; result && at < text.len;) {
        uint32_t code;
        size_t n = chars_decode(slice_from(text, at), &code);
        result = at == 0 ? unicode_is_name_start(code) : unicode_is_name(code);
        at += n;
    }
    return method_boolean(vm, result);
}

/* Is some character of this case, and none of the other? */
static enum vm_status all_cased(struct vm *vm, struct vm_frame *frame, bool (*is)(uint32_t),
                                bool (*is_other)(uint32_t))
{
    struct slice text = method_self(vm, frame);
    bool some = false;
    for (size_t at = 0; at < text.len;) {
        uint32_t code;
        at += chars_decode(slice_from(text, at), &code);
        if (is_other(code) || unicode_is_title(code))
            return method_boolean(vm, false);
        some = some || is(code);
    }
    return method_boolean(vm, some);
}

enum vm_status method_text_islower(struct vm *vm, struct vm_frame *frame)
{
    return all_cased(vm, frame, unicode_is_lower, unicode_is_upper);
}

enum vm_status method_text_isupper(struct vm *vm, struct vm_frame *frame)
{
    return all_cased(vm, frame, unicode_is_upper, unicode_is_lower);
}

/* Upper case only behind what has no case, lower only behind what has. */
enum vm_status method_text_istitle(struct vm *vm, struct vm_frame *frame)
{
    struct slice text = method_self(vm, frame);
    bool some = false, behind = false;
    for (size_t at = 0; at < text.len;) {
        uint32_t code;
        at += chars_decode(slice_from(text, at), &code);
        bool is_upper = unicode_is_upper(code) || unicode_is_title(code);
        bool is_lower = unicode_is_lower(code);
        if ((is_upper && behind) || (is_lower && !behind))
            return method_boolean(vm, false);
        behind = is_upper || is_lower;
        some = some || behind;
    }
    return method_boolean(vm, some);
}
