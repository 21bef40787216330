/* template/vm_bind.c - arguments find their parameters.
 *
 * Place in the flow: vm_call.c and vm_macro.c call this before a builtin or a macro begins.
 * Python's rules and, mostly, its words.
 */
#include "template/vm_internal.h"

bool args_have_keywords(const struct vm_args *args)
{
    return args->keywords != NULL || args->dict != 0;
}

void args_spread(struct render *r, struct vm_args *args)
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

/* ---- keyword arguments, in either form ------------------------------------------------------- */

static struct slice keyword_name(const struct vm_args *args, int i)
{
    return args->names[args->keywords->names[i]].text;
}

/* Push the keyword argument of this name and note that it was taken; false: not given. */
static bool push_keyword(struct render *r, const struct vm_args *args, struct slice name,
                         uint64_t *taken)
{
    lua_State *L = r->vm.L;
    if (args->keywords != NULL) {
        for (int i = 0; i < args->keywords->count; i++) {
            if (!slice_eq(keyword_name(args, i), name))
                continue;
            lua_pushvalue(L, args->first + args->count + i);
            *taken |= (uint64_t)1 << (i & 63);
            return true;
        }
        return false;
    }
    if (args->dict == 0)
        return false;
    lua_pushlstring(L, name.data, name.len);
    lua_rawget(L, args->dict);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    return true;
}

static bool is_among(const struct slice *names, int count, struct slice name)
{
    for (int i = 0; i < count; i++)
        if (slice_eq(names[i], name))
            return true;
    return false;
}

/* Call on_pair with each keyword argument that is not among the names: its name and value are then
 * on top, and are popped afterwards. */
static void each_left(struct render *r, const struct vm_args *args, const struct slice *names,
                      int count, void (*on_pair)(struct render *r, void *data), void *data)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    for (int i = 0; args->keywords != NULL && i < args->keywords->count; i++) {
        if (is_among(names, count, keyword_name(args, i)))
            continue;
        lua_rawgeti(L, args->consts, args->keywords->names[i] + 1);
        lua_pushvalue(L, args->first + args->count + i);
        on_pair(r, data);
        lua_settop(L, top);
    }
    if (args->dict == 0)
        return;
    value_dict_keys(&r->vm, args->dict);
    int n = (int)lua_objlen(L, top + 1);
    for (int i = 1; i <= n; i++) {
        struct slice name;
        lua_rawgeti(L, top + 1, i);
        if (!value_slice(&r->vm, lua_gettop(L), &name))
            vm_fail(&r->vm, TEMPLATE_RUNTIME, "keywords must be strings");
        if (!is_among(names, count, name)) {
            lua_pushvalue(L, -1);
            lua_rawget(L, args->dict);
            on_pair(r, data);
        }
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
}

static void add_to_dict(struct render *r, void *data)
{
    lua_State *L = r->vm.L;
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    vm_dict_set(&r->vm, *(int *)data);
}

/* Push a dict of the keyword arguments that have no parameter. */
static void push_left(struct render *r, const struct vm_args *args, const struct slice *names,
                      int count)
{
    vm_new_dict(&r->vm);
    int dict = lua_gettop(r->vm.L);
    each_left(r, args, names, count, add_to_dict, &dict);
}

static void add_to_table(struct render *r, void *data)
{
    (void)data;
    lua_State *L = r->vm.L;
    int table = lua_gettop(L) - 2;
    lua_pushvalue(L, -2);
    if (value_kind(&r->vm, -2) == VALUE_UNDEFINED)
        lua_pushnil(L);
    else
        lua_pushvalue(L, -2);
    lua_rawset(L, *(int *)data != 0 ? *(int *)data : table);
}

void bind_push_table(struct render *r, const struct vm_args *args)
{
    lua_newtable(r->vm.L);
    int table = lua_gettop(r->vm.L);
    each_left(r, args, NULL, 0, add_to_table, &table);
}

/* ---- builtins -------------------------------------------------------------------------------- */

static void push_fallback(struct render *r, const struct vm_parameter *parameter,
                          const struct vm_native *native)
{
    lua_State *L = r->vm.L;
    switch (parameter->fallback) {
    case 'n': vm_push_none(&r->vm); break;
    case 't': lua_pushboolean(L, 1); break;
    case 'f': lua_pushboolean(L, 0); break;
    case 'd': lua_pushnumber(L, parameter->number); break;
    case 's': lua_pushlstring(L, parameter->text.data, parameter->text.len); break;
    case 'r':
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "%s() missing 1 required positional argument: '%.*s'",
                native->name, (int)parameter->name.len, parameter->name.data);
    default: lua_pushnil(L); break;
    }
}

struct unexpected {
    const char *name;
    struct slice macro;
};

static void fail_unexpected(struct render *r, void *data)
{
    const struct unexpected *called = data;
    struct slice name;
    value_slice(&r->vm, lua_gettop(r->vm.L) - 1, &name);
    vm_fail(&r->vm, TEMPLATE_RUNTIME, "%s() got an unexpected keyword argument '%.*s'",
            called->name, (int)name.len, name.data);
}

#define MOST_PARAMETERS 32

static int plain_count(const struct vm_signature *signature)
{
    return signature->count - signature->has_rest - signature->has_keywords;
}

void bind_missing(struct render *r, const struct vm_signature *signature, int count)
{
    if (count > signature->count)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "%s() takes %d positional argument%s but %d %s given",
                signature->native->name, signature->count, signature->count == 1 ? "" : "s", count,
                count == 1 ? "was" : "were");
    for (int i = count; i < signature->count; i++)
        push_fallback(r, &signature->parameters[i], signature->native);
}

bool bind_plan(const struct vm_signature *signature, const struct vm_args *args,
               unsigned char plan[PLAN_MOST])
{
    int found = 0, given = args->keywords->count;
    if (!signature->is_simple || signature->count > PLAN_MOST || given > PLAN_MOST ||
        args->count > signature->count)
        return false;
    for (int i = args->count; i < signature->count; i++) {
        plan[i] = 0;
        for (int k = 0; k < given; k++)
            if (slice_eq(keyword_name(args, k), signature->parameters[i].name))
                plan[i] = (unsigned char)(k + 1);
        if (plan[i] == 0 && signature->parameters[i].fallback == 'r')
            return false;
        found += plan[i] != 0;
    }
    return found == given;
}

void bind_planned(struct render *r, const struct vm_signature *signature,
                  const struct vm_args *args, const unsigned char plan[PLAN_MOST])
{
    lua_State *L = r->vm.L;
    int keywords = args->first + args->count;
    for (int i = args->count; i < signature->count; i++)
        if (plan[i] != 0)
            lua_pushvalue(L, keywords + plan[i] - 1);
        else
            push_fallback(r, &signature->parameters[i], signature->native);
    for (int k = 0; k < args->keywords->count; k++)
        lua_remove(L, keywords);
}

/* Push the plain parameters that are not given by place. */
static void bind_plain(struct render *r, const struct vm_signature *signature,
                       const struct vm_args *args, int plain, uint64_t *taken)
{
    for (int i = 0; i < plain; i++) {
        const struct vm_parameter *parameter = &signature->parameters[i];
        if (i < args->count) {
            if (push_keyword(r, args, parameter->name, taken))
                vm_fail(&r->vm, TEMPLATE_RUNTIME, "%s() got multiple values for argument '%.*s'",
                        signature->native->name, (int)parameter->name.len, parameter->name.data);
        } else if (!push_keyword(r, args, parameter->name, taken)) {
            push_fallback(r, parameter, signature->native);
        }
    }
}

void bind_native(struct render *r, const struct vm_signature *signature, const struct vm_args *args)
{
    lua_State *L = r->vm.L;
    int plain = plain_count(signature);
    if (signature->is_simple && !args_have_keywords(args)) {
        bind_missing(r, signature, args->count);
        return;
    }
    if (signature->is_flat && args->count >= plain && !args_have_keywords(args)) {
        frame_room(r, args->count); /* they are passed on */
        lua_pushnil(L);
        return;
    }
    struct slice names[MOST_PARAMETERS];
    uint64_t taken = 0;
    int top = lua_gettop(L);
    if (args->count > plain && !signature->has_rest)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "%s() takes %d positional argument%s but %d %s given",
                signature->native->name, plain, plain == 1 ? "" : "s", args->count,
                args->count == 1 ? "was" : "were");
    frame_room(r, args->count + signature->count + 8);
    for (int i = 0; i < plain && i < MOST_PARAMETERS; i++)
        names[i] = signature->parameters[i].name;
    bind_plain(r, signature, args, plain, &taken);
    if (signature->has_rest && !signature->is_flat) {
        vm_new_list(&r->vm, args->count > plain ? args->count - plain : 0);
        for (int i = plain; i < args->count; i++) {
            lua_pushvalue(L, args->first + i);
            lua_rawseti(L, -2, i - plain + 1);
        }
    }
    if (signature->has_keywords && args_have_keywords(args)) {
        push_left(r, args, names, plain);
    } else if (signature->has_keywords) {
        lua_pushnil(L);
    } else if (args_have_keywords(args)) {
        struct unexpected called = {signature->native->name, {NULL, 0}};
        each_left(r, args, names, plain, fail_unexpected, &called);
    }
    int count = lua_gettop(L) - top;
    int first = args->first + (signature->is_flat || args->count < plain ? args->count : plain);
    for (int i = 0; i < count; i++) { /* behind those that are in their places */
        lua_pushvalue(L, top + 1 + i);
        lua_replace(L, first + i);
    }
    lua_settop(L, first + count - 1);
}

/* ---- macros ---------------------------------------------------------------------------------- */

static _Noreturn void fail_macro_keyword(struct render *r, const struct program_unit *unit,
                                         struct slice keyword)
{
    bool has_name = unit->name.len > 0;
    const char *quote = has_name ? "'" : "";
    struct slice name = has_name ? unit->name : SLICE("None");
    if (slice_eq(keyword, SLICE("caller")))
        vm_fail(&r->vm, TEMPLATE_RUNTIME,
                "macro %s%.*s%s was invoked with two values for the special caller argument. This "
                "is most likely a bug.",
                quote, (int)name.len, name.data, quote);
    vm_fail(&r->vm, TEMPLATE_RUNTIME, "macro %s%.*s%s takes no keyword argument '%.*s'", quote,
            (int)name.len, name.data, quote, (int)keyword.len, keyword.data);
}

static void fail_keyword(struct render *r, void *data)
{
    struct slice keyword;
    value_slice(&r->vm, lua_gettop(r->vm.L) - 1, &keyword);
    fail_macro_keyword(r, data, keyword);
}

/* The parameters' values, pushed in order; nil where nothing was given. Adds the names of those
 * that came by keyword to names and gives how many. */
static int bind_parameters(struct render *r, const struct program *program,
                           const struct program_unit *unit, const struct vm_args *args,
                           struct slice *names)
{
    uint64_t taken = 0;
    int n = 0;
    for (int i = 0; i < unit->nparams; i++) {
        struct slice name = program->consts[unit->params[i]].text;
        if (i < args->count) {
            lua_pushvalue(r->vm.L, args->first + i);
        } else if (push_keyword(r, args, name, &taken)) {
            names[n++] = name;
        } else {
            lua_pushnil(r->vm.L);
        }
    }
    return n;
}

static int bind_caller(struct render *r, const struct vm_args *args, struct slice *names, int n)
{
    uint64_t taken = 0;
    if (!push_keyword(r, args, SLICE("caller"), &taken)) {
        value_push_undefined_hint(&r->vm, SLICE("No caller defined"));
        return n;
    }
    names[n] = SLICE("caller");
    return n + 1;
}

static void bind_varargs(struct render *r, const struct program_unit *unit,
                         const struct vm_args *args)
{
    vm_new_tuple(&r->vm, 0);
    for (int i = unit->nparams; i < args->count; i++) {
        lua_pushvalue(r->vm.L, args->first + i);
        lua_rawseti(r->vm.L, -2, i - unit->nparams + 1);
    }
}

/* Are the arguments those of a call block that gives all parameters? Its caller comes behind them,
 * as in the macro's slots. */
static bool is_plain_block_call(const struct program_unit *unit, const struct vm_args *args)
{
    return unit->takes_caller && args->count == unit->nparams && args->keywords != NULL &&
           args->keywords->count == 1 && args->dict == 0 &&
           slice_eq(keyword_name(args, 0), SLICE("caller"));
}

bool bind_macro(struct render *r, const struct program *program, const struct program_unit *unit,
                const struct vm_args *args)
{
    lua_State *L = r->vm.L;
    if (!unit->takes_kwargs && !unit->takes_varargs) { /* the usual calls: nothing to move */
        if (!unit->takes_caller && !args_have_keywords(args) && args->count <= unit->nparams) {
            if (args->count == unit->nparams)
                return true;
            lua_settop(L, args->first + unit->nparams - 1);
            return false;
        }
        if (is_plain_block_call(unit, args))
            return true;
    }
    if (args->count > unit->nparams && !unit->takes_varargs)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "macro %s%.*s%s takes not more than %d argument(s)",
                unit->name.len > 0 ? "'" : "None", (int)unit->name.len, unit->name.data,
                unit->name.len > 0 ? "'" : "", unit->nparams);
    frame_room(r, unit->nparams + 8);
    int base = args->first;
    struct slice inside[16], *names = inside;
    if (unit->nparams >= 16)
        names = lua_newuserdata(L, ((size_t)unit->nparams + 1) * sizeof(*names));
    int from = lua_gettop(L);
    int n = bind_parameters(r, program, unit, args, names);
    if (unit->takes_caller)
        n = bind_caller(r, args, names, n);
    if (unit->takes_kwargs)
        push_left(r, args, names, n);
    else if (args_have_keywords(args))
        each_left(r, args, names, n, fail_keyword, (void *)unit);
    if (unit->takes_varargs)
        bind_varargs(r, unit, args);
    int count = lua_gettop(L) - from;
    for (int i = 0; i < count; i++) {
        lua_pushvalue(L, from + 1 + i);
        lua_replace(L, base + i);
    }
    lua_settop(L, base + count - 1);
    return false; /* or not looked at */
}
