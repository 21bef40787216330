/* template/vm_call.c - calling: functions, macros, methods, filters and tests.
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

/* What lies below the arguments is called by Lua. */
static enum vm_status call_lua(struct render *r, const struct vm_args *args)
{
    lua_State *L = r->vm.L;
    int function = args->first - 1;
    if (!args_have_keywords(args)) {
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

static struct frame *push_native(struct render *r, const struct vm_signature *signature, int base,
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
    push_native(r, signature, args->first, ret);
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

/* ---- filters and tests ----------------------------------------------------------------------- */

/* Has the environment filters (or tests) of its own? Looked up once a slice. */
static bool has_own(struct render *r, bool is_test)
{
    lua_State *L = r->vm.L;
    if (r->has_own[is_test] < 0) {
        lua_rawgeti(L, STACK_TABLES, is_test ? ENV_TESTS : ENV_FILTERS);
        lua_pushnil(L);
        r->has_own[is_test] = lua_next(L, -2) != 0;
        lua_pop(L, r->has_own[is_test] ? 3 : 1);
    }
    return r->has_own[is_test];
}

bool vm_has_own_tests(struct vm *vm)
{
    return has_own(render_of(vm), true);
}

/* Push the environment's own filter or test of the name on top, which is popped; false: none. */
static bool push_own(struct render *r, bool is_test)
{
    lua_State *L = r->vm.L;
    lua_rawgeti(L, STACK_TABLES, is_test ? ENV_TESTS : ENV_FILTERS);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    lua_replace(L, -2);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static _Noreturn void fail_unknown(struct render *r, bool is_test, struct slice name)
{
    vm_fail(&r->vm, TEMPLATE_RUNTIME, "No %s named '%.*s' found.", is_test ? "test" : "filter",
            (int)name.len, name.data);
}

/* The function on top, below it the arguments: call it. */
static enum vm_status call_own_filter(struct render *r, struct vm_args *args)
{
    lua_State *L = r->vm.L;
    lua_insert(L, args->first);
    args->first++;
    if (args->dict != 0)
        args->dict++;
    return call_value(r, args, -1, NULL);
}

/* The arguments of a use that come as [operand list dict] are laid out one by one. */
static void spread(struct render *r, struct vm_args *args)
{
    lua_State *L = r->vm.L;
    int list = args->first + args->count;
    int n = (int)lua_objlen(L, list);
    frame_room(r, n);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, list, i);
        lua_insert(L, list + i); /* between the list and the dict */
    }
    lua_remove(L, list);
    args->count += n;
    args->dict = args->first + args->count;
}

/* The use has keywords: plan how they are bound, by the form of its filter that has them as
 * parameters, if there is one and they fit. */
static void plan_keywords(struct render *r, const struct program *program,
                          const struct program_use *use, struct vm_use *known)
{
    const struct vm_native *native = known->signature->native;
    const struct vm_native *named = use->nargs == 1 ? filter_named(native) : NULL;
    const struct vm_signature *signature =
        named != NULL ? vm_signature_of(r->state, named) : known->signature;
    const struct vm_args args = {.count = use->nargs,
                                 .keywords = &program->keywords[use->keywords - 1],
                                 .names = program->consts};
    known->is_planned = bind_plan(signature, &args, known->plan);
    if (known->is_planned)
        known->signature = signature;
}

/* Look up what is to be known of the use of a builtin; false: there is none of the name. */
static bool find_builtin(struct render *r, const struct program *program, const struct insn *insn,
                         const struct program_use *use, struct vm_use *known)
{
    bool is_test = insn->op == OP_TEST;
    struct slice name = program->consts[use->name].text;
    const struct vm_native *native = is_test ? test_builtin(name) : filter_builtin(name);
    if (native == NULL)
        return false;
    known->signature = vm_signature_of(r->state, native);
    known->count = use->nargs;
    if (!use->has_list && use->keywords != 0)
        plan_keywords(r, program, use, known);
    if (!use->has_list && use->keywords == 0) {
        known->quick = known->signature->quick;
        known->text = known->signature->text;
    }
    bool makes = (known->signature->walk & WALK_MAKES) != 0;
    known->link = makes || known->text != NULL ? chain_link(program, insn, makes) : 0;
    known->feeds = makes && known->link > 0;
    known->writes = insn[1].op == OP_OUT && !is_test ? 1 + insn[1].a : 0;
    return true;
}

const struct vm_use *call_builtin_of(struct render *r, const struct frame *frame,
                                     const struct insn *insn)
{
    bool is_test = insn->op == OP_TEST;
    const struct program *program = frame->program->program;
    const struct program_use *use = is_test ? &program->tests[insn->c] : &program->filters[insn->c];
    struct vm_use *known =
        is_test ? &frame->program->tests[insn->c] : &frame->program->filters[insn->c];
    if (has_own(r, is_test) && known->not_own != r->slice) {
        lua_rawgeti(r->vm.L, frame->fixed + FIXED_PROGRAM, use->name + 1);
        if (push_own(r, is_test)) {
            lua_pop(r->vm.L, 1);
            return NULL;
        }
        known->not_own = r->slice;
    }
    return known->signature != NULL || find_builtin(r, program, insn, use, known) ? known : NULL;
}

/* The arguments of a use on top of the stack. */
static struct vm_args args_of(struct render *r, const struct frame *frame,
                              const struct program_use *use)
{
    int top = lua_gettop(r->vm.L);
    struct vm_args args = {.count = use->nargs, .consts = frame->fixed + FIXED_PROGRAM};
    if (use->has_list) {
        args.first = top - 2;
        args.count = 1;
        spread(r, &args);
        return args;
    }
    int count = use->nargs;
    if (use->keywords != 0) {
        args.keywords = &frame->program->program->keywords[use->keywords - 1];
        args.names = frame->program->program->consts;
        count += args.keywords->count;
    }
    args.first = top - count + 1;
    return args;
}

/* The usual call, if the native has a short way for it; false: nothing was done. What it gives is
 * in the arguments' place, or was written (r->is_written). */
static inline bool call_quick(struct render *r, native_quick quick, int first, int count,
                              int writes)
{
    lua_State *L = r->vm.L;
    r->writes = writes;
    r->is_written = false;
    bool is_done = quick(&r->vm, first, count);
    r->writes = -1;
    if (!is_done)
        return false;
    if (r->is_written) {
        lua_settop(L, first - 1);
    } else if (lua_gettop(L) > first) {
        lua_replace(L, first);
        lua_settop(L, first);
    }
    return true;
}

/* The arguments are in their places: call it. */
static enum vm_status call_bound(struct render *r, const struct vm_signature *signature, int first,
                                 int writes)
{
    push_native(r, signature, first, first)->writes = writes;
    return native_resume(r);
}

/* A generator is on top, and nobody but the next filter gets it. If that walks it, it may as well
 * be a list, which need not be copied; an empty one is another thing: it is true, a list is not. */
static void feed(struct render *r, struct frame *frame, const struct insn *link)
{
    lua_State *L = r->vm.L;
    const struct vm_use *next = call_builtin_of(r, frame, link);
    if (next == NULL || (next->signature->walk & WALK_WALKS) == 0)
        return;
    bool is_list = (next->signature->walk & WALK_LISTS) != 0;
    lua_rawgeti(L, -1, 1);
    bool is_empty = lua_type(L, -1) == LUA_TNIL;
    lua_pop(L, 1);
    if (is_empty && !is_list)
        return;
    vm_push_meta(&r->vm, VM_META_ARRAY);
    lua_setmetatable(L, -2);
    if (!is_list)
        return;
    double count = (double)lua_objlen(L, -1);
    value_check_items(&r->vm, count);
    value_spend(&r->vm, count);
    frame->next = link + 1;
}

/* The usual call of a use by one of the short ways; false: nothing was done. */
static inline bool call_short(struct render *r, struct frame *frame, const struct insn *insn,
                              const struct vm_use *known, int count)
{
    if (known->text != NULL && chain_run(r, frame, insn))
        return true;
    if (known->quick == NULL ||
        !call_quick(r, known->quick, lua_gettop(r->vm.L) - count + 1, count, known->writes))
        return false;
    frame->next = insn + 1 + r->is_written; /* behind the OP_OUT */
    return true;
}

enum vm_status call_use(struct render *r, struct frame *frame, const struct insn *insn)
{
    bool is_test = insn->op == OP_TEST;
    const struct program *program = frame->program->program;
    const struct program_use *use = is_test ? &program->tests[insn->c] : &program->filters[insn->c];
    struct vm_args args = args_of(r, frame, use);
    frame->next = insn + 1;
    const struct vm_use *known = call_builtin_of(r, frame, insn);
    if (known == NULL) {
        lua_rawgeti(r->vm.L, args.consts, use->name + 1);
        if (push_own(r, is_test))
            return call_own_filter(r, &args);
        fail_unknown(r, is_test, program->consts[use->name].text);
    }
    if (call_short(r, frame, insn, known, args.count))
        return VM_DONE;
    if (known->is_planned)
        bind_planned(r, known->signature, &args, known->plan);
    else
        bind_native(r, known->signature, &args);
    enum vm_status status = call_bound(r, known->signature, args.first, known->writes);
    if (status == VM_DONE && known->feeds)
        feed(r, frame, insn + known->link);
    return status;
}

enum vm_status call_filter(struct render *r, struct frame *frame, const struct insn *insn)
{
    const struct vm_use *known = &frame->program->filters[insn->c];
    if ((known->quick == NULL && known->text == NULL) ||
        (r->has_own[false] != 0 && known->not_own != r->slice))
        return call_use(r, frame, insn);
    int count = known->count;
    if (call_short(r, frame, insn, known, count))
        return VM_DONE;
    int first = lua_gettop(r->vm.L) - count + 1;
    frame->next = insn + 1;
    if (known->signature->is_simple)
        bind_missing(r, known->signature, count);
    else
        bind_native(r, known->signature, &(struct vm_args){.first = first, .count = count});
    return call_bound(r, known->signature, first, known->writes);
}

/* ---- what builtins may call ------------------------------------------------------------------ */

static struct vm_args args_on_top(struct vm *vm, int nargs, bool has_kwargs)
{
    int top = lua_gettop(vm->L);
    return (struct vm_args){
        .first = top - nargs - has_kwargs + 1, .count = nargs, .dict = has_kwargs ? top : 0};
}

/* NULL: no builtin of the name. */
static const struct vm_signature *signature_of_name(struct render *r, bool is_test,
                                                    struct slice name)
{
    const struct vm_signature *last = r->last[is_test]; /* it is called for item after item */
    if (last != NULL && slice_eq(name, slice_cstr(last->native->name)))
        return last;
    const struct vm_native *native = is_test ? test_builtin(name) : filter_builtin(name);
    if (native != NULL)
        r->last[is_test] = vm_signature_of(r->state, native);
    return native == NULL ? NULL : r->last[is_test];
}

static enum vm_status call_by_name(struct vm *vm, bool is_test, struct slice name, int nargs,
                                   bool has_kwargs)
{
    struct render *r = render_of(vm);
    struct vm_args args = args_on_top(vm, nargs, has_kwargs);
    frame_room(r, 0);
    if (has_own(r, is_test)) {
        lua_pushlstring(vm->L, name.data, name.len);
        if (push_own(r, is_test))
            return call_own_filter(r, &args);
    }
    const struct vm_signature *last = signature_of_name(r, is_test, name);
    if (last == NULL)
        fail_unknown(r, is_test, name);
    if (!has_kwargs && last->text != NULL && chain_call(r, last->text, nargs))
        return VM_DONE;
    if (!has_kwargs && last->quick != NULL && call_quick(r, last->quick, args.first, nargs, 0))
        return VM_DONE;
    return call_native(r, last, &args, args.first);
}

enum vm_status vm_call_filter(struct vm *vm, struct slice name, int nargs, bool has_kwargs)
{
    return call_by_name(vm, false, name, nargs, has_kwargs);
}

native_quick vm_quick_filter(struct vm *vm, struct slice name)
{
    struct render *r = render_of(vm);
    if (has_own(r, false)) {
        lua_pushlstring(vm->L, name.data, name.len);
        if (push_own(r, false)) {
            lua_pop(vm->L, 1);
            return NULL;
        }
    }
    const struct vm_signature *signature = signature_of_name(r, false, name);
    return signature == NULL ? NULL : signature->quick;
}

bool vm_call_quick(struct vm *vm, native_quick quick, int nargs)
{
    return call_quick(render_of(vm), quick, lua_gettop(vm->L) - nargs + 1, nargs, 0);
}

enum vm_status vm_call_test(struct vm *vm, struct slice name, int nargs, bool has_kwargs)
{
    return call_by_name(vm, true, name, nargs, has_kwargs);
}

enum vm_status vm_call_native(struct vm *vm, const struct vm_native *native, int nargs,
                              bool has_kwargs)
{
    struct render *r = render_of(vm);
    struct vm_args args = args_on_top(vm, nargs, has_kwargs);
    frame_room(r, 0);
    return call_native(r, vm_signature_of(r->state, native), &args, args.first);
}

enum vm_status vm_call(struct vm *vm, int nargs, bool has_kwargs)
{
    struct vm_args args = args_on_top(vm, nargs, has_kwargs);
    frame_room(render_of(vm), 0);
    return call_value(render_of(vm), &args, -1, NULL);
}
