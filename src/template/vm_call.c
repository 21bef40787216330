/* template/vm_call.c - calling: functions, macros, methods, builtins.
 *
 * Place in the flow: the call instructions come here, and builtins that call back (vm_call...). A
 * builtin runs at once; a macro gets a frame; a Lua function, or an object that may be called, is
 * Lua's: the driver calls it and the render goes on with what it returns.
 */
#include "template/filter.h"
#include "template/vm_run.h"

bool call_may_write(const struct render *r, int escape, bool is_markup)
{
    if (escape < 0)
        return false;
    return is_markup || (escape == ESCAPE_DYNAMIC ? !r->vm.autoescape : escape != ESCAPE_ON);
}

/* ---- Lua functions --------------------------------------------------------------------------- */

/* Are keywords given? Also after `*`, when there is a dict in any case. */
static bool gives_keywords(lua_State *L, const struct vm_args *args)
{
    if (args->dict == 0)
        return args->keywords != NULL;
    lua_pushnil(L);
    bool is_any = lua_next(L, args->dict) != 0;
    lua_pop(L, is_any ? 2 : 0);
    return is_any;
}

/* What lies below the arguments is called by Lua. */
static enum vm_status call_lua(struct render *r, const struct vm_args *args)
{
    lua_State *L = r->vm.L;
    int function = args->first - 1;
    if (!gives_keywords(L, args)) {
        lua_settop(L, args->first + args->count - 1);
        render_ask(r, VM_ASK_CALL, args->count + 1, 0);
        return VM_AGAIN;
    }
    bind_push_table(r, args);
    lua_replace(L, args->first + args->count);
    lua_settop(L, args->first + args->count);
    render_ask(r, ASK_CALL_KEYWORDS, lua_gettop(L) - function + 1, 0);
    return VM_AGAIN;
}

/* ---- builtins -------------------------------------------------------------------------------- */

/* Bring parameters into the form that the signature asks for; false: Lua was asked. */
static bool convert(struct render *r, struct frame *frame)
{
    lua_State *L = r->vm.L;
    const struct vm_signature *signature = frame->signature;
    for (int i = frame->converting; i < signature->nconverts; i++) {
        int at = frame->native.base + i;
        char wanted = signature->parameters[i].convert;
        if (wanted == 0 || lua_type(L, at) == LUA_TSTRING || lua_type(L, at) == LUA_TNIL)
            continue;
        enum value_kind kind = value_kind(&r->vm, at);
        bool is_asked = kind == VALUE_OBJECT || (wanted == 'i' && kind == VALUE_FUNCTION);
        if (wanted == 'i' ? !is_asked : kind == VALUE_MARKUP)
            continue;
        if (!is_asked) {
            value_push_str(&r->vm, at);
            lua_replace(L, at);
            continue;
        }
        frame->converting = i + 1;
        lua_pushvalue(L, at);
        render_ask(r, wanted == 'i' ? VM_ASK_LIST : VM_ASK_TOSTRING, 1, at);
        return false;
    }
    frame->converting = -1;
    return true;
}

/* The native's value is on top, and goes where the frame's value belongs; or it was written: then
 * the code goes on behind the OP_OUT that would have done it. */
static void native_return(struct render *r, const struct frame *frame)
{
    int ret = frame->ret;
    bool is_written = frame->is_written;
    frame_pop(r);
    if (is_written) {
        lua_settop(r->vm.L, ret - 1);
        r->top->next++;
    } else {
        lua_replace(r->vm.L, ret);
        lua_settop(r->vm.L, ret);
    }
}

enum vm_status native_resume(struct render *r)
{
    struct frame *frame = r->top;
    if (frame->converting >= 0 && !convert(r, frame))
        return VM_AGAIN;
    enum vm_status status = frame->native.native->fn(&r->vm, &frame->native);
    if (status == VM_DONE)
        native_return(r, frame);
    return status;
}

struct frame *call_push_native(struct render *r, const struct vm_signature *signature, int base,
                               int ret)
{
    struct frame *frame = frame_push(r);
    frame->is_native = true;
    frame->is_test = false;
    frame->is_written = false;
    frame->writes = 0;
    frame->ret = ret;
    frame->signature = signature;
    frame->converting = signature->nconverts > 0 ? 0 : -1;
    frame->native.native = signature->native;
    frame->native.base = base;
    frame->native.nparams = signature->is_flat ? lua_gettop(r->vm.L) - base + 1 : signature->count;
    frame->native.state = frame->native.i = frame->native.n = 0;
    return frame;
}

enum vm_status call_native(struct render *r, const struct vm_signature *signature,
                           const struct vm_args *args, int ret)
{
    bind_native(r, signature, args);
    call_push_native(r, signature, args->first, ret);
    return native_resume(r);
}

enum vm_status vm_give_text(struct vm *vm, size_t start, bool is_markup)
{
    struct render *r = render_of(vm);
    struct frame *frame = r->top;
    int writes = r->writes >= 0 ? r->writes : frame->writes;
    if (writes == 0) {
        if (is_markup)
            vm_push_markup_text(vm, start);
        else
            vm_push_text(vm, start);
        return VM_DONE;
    }
    output_slice(r, slice_from(buf_view(&vm->text), start), writes - 1, is_markup);
    vm->text.len = start;
    *(r->writes >= 0 ? &r->is_written : &frame->is_written) = true;
    return VM_DONE;
}

/* ---- values that may be called --------------------------------------------------------------- */

/* {object, name} below the arguments: the object becomes the first of them. */
static enum vm_status call_method(struct render *r, const struct vm_args *args)
{
    lua_State *L = r->vm.L;
    int callee = args->first - 1;
    struct slice name;
    lua_rawgeti(L, callee, 2);
    name.data = lua_tolstring(L, -1, &name.len);
    lua_pop(L, 1);
    lua_rawgeti(L, callee, 1);
    lua_replace(L, callee);
    const struct vm_native *method =
        loop_is(r, callee) ? loop_method(name) : value_method(&r->vm, callee, name);
    if (method == NULL)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "'%s' object has no method '%.*s'",
                value_type_name(&r->vm, callee), (int)name.len, name.data);
    struct vm_args all = *args;
    all.first--;
    all.count++;
    return call_native(r, vm_signature_of(r->state, method), &all, callee);
}

static enum vm_status call_builtin(struct render *r, const struct vm_args *args, enum vm_meta meta)
{
    int callee = args->first - 1;
    if (meta == VM_META_FUNCTION) {
        const struct vm_native *const *native = lua_touserdata(r->vm.L, callee);
        return call_native(r, vm_signature_of(r->state, *native), args, callee);
    }
    const struct vm_native *native =
        meta == VM_META_TRANSLATION ? gettext_call(&r->vm, callee) : global_call(&r->vm, callee);
    struct vm_args all = *args;
    all.first--;
    all.count++;
    return call_native(r, vm_signature_of(r->state, native), &all, callee);
}

static enum vm_status call_own(struct render *r, const struct vm_args *args, int escape,
                               bool *is_written)
{
    int callee = args->first - 1;
    enum vm_meta meta = value_meta(&r->vm, callee);
    switch (meta) {
    case VM_META_MACRO: return macro_call(r, args, escape, is_written);
    case VM_META_LOOP: return loop_call(r, args, escape, is_written);
    case VM_META_BLOCK: return block_call(r, args, escape, is_written);
    case VM_META_METHOD: return call_method(r, args);
    case VM_META_FUNCTION:
    case VM_META_JOINER:
    case VM_META_TRANSLATION: return call_builtin(r, args, meta);
    default:
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "'%s' object is not callable",
                value_type_name(&r->vm, callee));
    }
}

enum vm_status call_value(struct render *r, const struct vm_args *args, int escape,
                          bool *is_written)
{
    int callee = args->first - 1;
    if (macro_is(r, callee))
        return macro_call(r, args, escape, is_written);
    switch (value_kind(&r->vm, callee)) {
    case VALUE_FUNCTION:
    case VALUE_OBJECT: return call_lua(r, args);
    case VALUE_NATIVE: return call_own(r, args, escape, is_written);
    case VALUE_UNDEFINED: value_fail_undefined(&r->vm, callee);
    default:
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "'%s' object is not callable",
                value_type_name(&r->vm, callee));
    }
}

/* ---- what builtins may call ------------------------------------------------------------------ */

struct vm_args call_args_on_top(struct vm *vm, int nargs, bool has_kwargs)
{
    int top = lua_gettop(vm->L);
    return (struct vm_args){
        .first = top - nargs - has_kwargs + 1, .count = nargs, .dict = has_kwargs ? top : 0};
}

enum vm_status vm_call_native(struct vm *vm, const struct vm_native *native, int nargs,
                              bool has_kwargs)
{
    struct render *r = render_of(vm);
    struct vm_args args = call_args_on_top(vm, nargs, has_kwargs);
    frame_room(r, 0);
    return call_native(r, vm_signature_of(r->state, native), &args, args.first);
}

enum vm_status vm_call(struct vm *vm, int nargs, bool has_kwargs)
{
    struct vm_args args = call_args_on_top(vm, nargs, has_kwargs);
    frame_room(render_of(vm), 0);
    return call_value(render_of(vm), &args, -1, NULL);
}
