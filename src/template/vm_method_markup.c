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

/* Unescape what was appended to vm->text from start on, in its place. */
static void unescape_tail(struct vm *vm, size_t start)
{
    struct buf *text = &vm->text;
    size_t len = text->len - start;
    buf_reserve(text, 2 * len + 16); /* no reference is half as long as what it stands for */
    entity_unescape(slice_from(buf_view(text), start), text);
    size_t result = text->len - start - len;
    memmove(text->data + start, text->data + start + len, result);
    text->len = start + result;
}

void value_strip_tags_text(struct vm *vm, struct slice html)
{
    size_t start = vm->text.len;
    entity_strip_tags(html, &vm->text);
    struct slice text = slice_from(buf_view(&vm->text), start);
    if (slice_find(text, '&') < text.len)
        unescape_tail(vm, start);
}

void value_strip_tags(struct vm *vm, struct slice html)
{
    size_t start = vm->text.len;
    value_strip_tags_text(vm, html);
    vm_push_text(vm, start);
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
