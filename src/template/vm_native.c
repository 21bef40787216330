/* template/vm_native.c - the VM's own values as others see them: macros, loops, blocks, modules.
 *
 * Place in the flow: vm_text.c prints and vm_access.c reads attributes of what is none of Python's
 * plain types; they ask here.
 */
#include "template/vm_internal.h"

/* A module's text is what its body wrote. */
static void module_write(struct render *r, int module, struct buf *out)
{
    struct slice body;
    lua_rawgeti(r->vm.L, module, 1);
    body.data = lua_tolstring(r->vm.L, -1, &body.len);
    buf_slice(out, body);
    lua_pop(r->vm.L, 1);
}

static bool module_getattr(struct render *r, int module, struct slice name)
{
    lua_State *L = r->vm.L;
    if (slice_eq(name, SLICE("__name__"))) {
        lua_rawgeti(L, module, 2);
        return true;
    }
    lua_pushlstring(L, name.data, name.len);
    lua_rawget(L, module);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

void vm_native_write(struct vm *vm, int index, struct buf *out)
{
    struct render *r = render_of(vm);
    switch (value_meta(vm, index)) {
    case VM_META_MACRO: macro_write(r, index, out); break;
    case VM_META_LOOP: loop_write(r, index, out); break;
    case VM_META_BLOCK: block_write(r, index, out); break;
    case VM_META_SELF: self_write(r, index, out); break;
    case VM_META_MODULE: module_write(r, index, out); break;
    default: buf_printf(out, "<%s>", value_type_name(vm, index)); break;
    }
}

bool vm_native_getattr(struct vm *vm, int index, struct slice name)
{
    struct render *r = render_of(vm);
    switch (value_meta(vm, index)) {
    case VM_META_MACRO: return macro_getattr(r, index, name);
    case VM_META_LOOP: return loop_getattr(r, index, name);
    case VM_META_BLOCK: return block_getattr(r, index, name);
    case VM_META_SELF: return self_getattr(r, index, name);
    case VM_META_MODULE: return module_getattr(r, index, name);
    default: return false;
    }
}
