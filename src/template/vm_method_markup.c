/* template/vm_method_markup.c - the methods that only a Markup has: back to plain text. */
#include "template/entity.h"
#include "template/vm_method.h"
#include "template/vm_value.h"

static enum vm_status markup_unescape(struct vm *vm, struct vm_frame *frame)
{
    size_t start = vm->text.len;
    entity_unescape(method_self(vm, frame), &vm->text);
    vm_push_text(vm, start);
    return VM_DONE;
}

void value_strip_tags(struct vm *vm, struct slice html)
{
    struct slice text;
    size_t start = vm->text.len;
    entity_strip_tags(html, &vm->text);
    text = slice_from(buf_view(&vm->text), start);
    bool has_reference = slice_find(text, '&') < text.len;
    vm_push_text(vm, start);
    if (has_reference) {
        text.data = lua_tolstring(vm->L, -1, &text.len);
        entity_unescape(text, &vm->text);
        vm_push_text(vm, start);
    }
}

static enum vm_status markup_striptags(struct vm *vm, struct vm_frame *frame)
{
    value_strip_tags(vm, method_self(vm, frame));
    return VM_DONE;
}

/* In strcmp order; the others are those of plain texts. */
static const struct vm_native table[] = {
    {"striptags", "self", markup_striptags},
    {"unescape", "self", markup_unescape},
};

const struct method_table markup_methods = {table, sizeof(table) / sizeof(table[0])};
