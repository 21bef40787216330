/* template/vm_markup.c - escape(), as markupsafe has it.
 *
 * Place in the flow: the filters escape and forceescape, and everything that joins texts to a
 * Markup.
 */
#include "base/escape.h"
#include "template/vm_value.h"

enum value_result value_escape(struct vm *vm, int index)
{
    enum value_kind kind = value_kind(vm, index);
    struct slice text;
    if (kind == VALUE_MARKUP) {
        lua_pushvalue(vm->L, index);
        return VALUE_OK;
    }
    if (kind == VALUE_OBJECT)
        return VALUE_ASK;
    value_push_str(vm, index);
    text.data = lua_tolstring(vm->L, -1, &text.len);
    size_t start = vm->text.len;
    if (value_meta(vm, index) == VM_META_MODULE)
        buf_slice(&vm->text, text); /* a rendered template is HTML */
    else
        escape_html(&vm->text, text);
    value_check_text(vm, (double)(vm->text.len - start));
    vm_push_markup_text(vm, start);
    lua_remove(vm->L, -2);
    return VALUE_OK;
}
