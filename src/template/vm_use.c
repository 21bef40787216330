/* template/vm_use.c - filters and tests, where a template uses them and where builtins call them.
 *
 * Place in the flow: the instructions OP_FILTER and OP_TEST come here. One of the environment's own
 * goes before the builtin of its name. What is to be known of a use is found out once; usual calls
 * take the builtin's short way (native_text, native_quick in vm.h), all others get a frame.
 */
#include "template/filter.h"
#include "template/vm_internal.h"

/* ---- the environment's own ------------------------------------------------------------------- */

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

/* ---- a use in a template ----------------------------------------------------------------------
 */

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

const struct vm_use *use_builtin(struct render *r, const struct frame *frame,
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
        args_spread(r, &args);
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
    call_push_native(r, signature, first, first)->writes = writes;
    return native_resume(r);
}

/* A generator is on top, and nobody but the next filter gets it. If that walks it, it may as well
 * be a list, which need not be copied; an empty one is another thing: it is true, a list is not. */
static void feed(struct render *r, struct frame *frame, const struct insn *link)
{
    lua_State *L = r->vm.L;
    const struct vm_use *next = use_builtin(r, frame, link);
    if (next == NULL || (next->signature->walk & WALK_WALKS) == 0)
        return;
    /* with an argument it is an error */
    bool is_list = (next->signature->walk & WALK_LISTS) != 0 && link == frame->next;
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

enum vm_status use_run(struct render *r, struct frame *frame, const struct insn *insn)
{
    bool is_test = insn->op == OP_TEST;
    const struct program *program = frame->program->program;
    const struct program_use *use = is_test ? &program->tests[insn->c] : &program->filters[insn->c];
    struct vm_args args = args_of(r, frame, use);
    frame->next = insn + 1;
    const struct vm_use *known = use_builtin(r, frame, insn);
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

enum vm_status use_filter(struct render *r, struct frame *frame, const struct insn *insn)
{
    const struct vm_use *known = &frame->program->filters[insn->c];
    if ((known->quick == NULL && known->text == NULL) ||
        (r->has_own[false] != 0 && known->not_own != r->slice))
        return use_run(r, frame, insn);
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

/* ---- called by builtins ---------------------------------------------------------------------- */

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
    struct vm_args args = call_args_on_top(vm, nargs, has_kwargs);
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
