/* template/vm_method_markup.c - the methods that only a Markup has: back to plain text. */
#include "template/entity.h"
#include "template/strip_tags.h"
#include "template/vm_method.h"
#include "template/vm_value.h"

static enum vm_status markup_unescape(struct vm *vm, struct vm_frame *frame)
{
    size_t start = vm->text.len;
    entity_unescape(method_self(vm, frame), &vm->text);
    vm_push_text(vm, start);
    return VM_DONE;
}

static enum vm_status markup_striptags(struct vm *vm, struct vm_frame *frame)
{
    size_t start = vm->text.len;
    strip_tags(method_self(vm, frame), &vm->text);
    vm_push_text(vm, start);
    return VM_DONE;
}

/* In strcmp order; the others are those of plain texts. */
static const struct vm_native table[] = {
    {"striptags", "self", markup_striptags},
    {"unescape", "self", markup_unescape},
};

const struct method_table markup_methods = {table, sizeof(table) / sizeof(table[0])};
