/* template/vm_operate.c - operators, access and the making of lists and dicts. See vm_run.h. */
#include "template/vm_run.h"

#include "template/ast.h"

/* The operands for a question to Lua whose answer is the result. */
static bool ask(struct render *r, enum vm_ask what, int count)
{
    render_ask(r, (int)what, count, 0);
    return false;
}

/* The value at index is to be put in another form. */
static bool ask_form(struct render *r, enum vm_ask what, int index)
{
    lua_pushvalue(r->vm.L, index);
    render_ask(r, (int)what, 1, index);
    return false;
}

/* The result is on top, below it n operands that it takes the place of. */
static bool replace(struct render *r, int n)
{
    lua_replace(r->vm.L, -1 - n);
    lua_pop(r->vm.L, n - 1);
    return true;
}

/* Is the table on top one without a metatable that has anything in it? */
static bool is_full_table(lua_State *L)
{
    if (lua_getmetatable(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    lua_pushnil(L);
    if (lua_next(L, -2) == 0)
        return false;
    lua_pop(L, 2);
    return true;
}

bool operate_truth(struct render *r, bool *is_true)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    int type = lua_type(L, top);
    if (type == LUA_TBOOLEAN)
        *is_true = lua_toboolean(L, top);
    else if (type == LUA_TSTRING)
        *is_true = lua_objlen(L, top) > 0;
    else if (type == LUA_TNUMBER)
        *is_true = lua_tonumber(L, top) != 0;
    else if ((type == LUA_TTABLE && is_full_table(L)) ||
             (type == LUA_TUSERDATA && macro_is(r, top)))
        *is_true = true;
    else if (value_truth(&r->vm, top, is_true) == VALUE_ASK)
        return ask_form(r, VM_ASK_TRUTH, top);
    lua_pop(L, 1);
    return true;
}

/* ---- arithmetic and comparison --------------------------------------------------------------- */

static const char *const arith_names[] = {"+", "-", "*", "/", "//", "%", "**"};

bool operate_arith(struct render *r, int op)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    if (value_arith(&r->vm, (enum value_operator)op, top - 1, top) == VALUE_OK)
        return replace(r, 2);
    enum value_kind left = value_kind(&r->vm, top - 1);
    if (op == VALUE_MOD && left == VALUE_STRING) /* '%s' % object */
        return ask_form(r, VM_ASK_TOSTRING, top);
    if (op == VALUE_MOD && left == VALUE_MARKUP)
        return ask_form(r, VM_ASK_HTML, top);
    lua_pushstring(L, arith_names[op]);
    lua_insert(L, top - 1);
    return ask(r, VM_ASK_ARITH, 3);
}

bool operate_negate(struct render *r, bool negative)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    if (value_negate(&r->vm, top, negative) == VALUE_OK)
        return replace(r, 1);
    lua_pushstring(L, negative ? "-" : "+");
    lua_insert(L, top);
    return ask(r, VM_ASK_ARITH, 2);
}

/* == and != */
static bool compare_equal(struct render *r, int top, bool wanted)
{
    bool is_equal;
    if (value_equal(&r->vm, top - 1, top, &is_equal) == VALUE_OK) {
        lua_settop(r->vm.L, top - 2);
        lua_pushboolean(r->vm.L, is_equal == wanted);
        return true;
    }
    ask(r, VM_ASK_EQUAL, 2);
    r->asked.negate = !wanted;
    return false;
}

/* < <= > >=; in terms of "less" when Lua decides. */
static bool compare_order(struct render *r, int top, enum ast_comparison op)
{
    static const char *const names[] = {
        [AST_LT] = "<", [AST_LE] = "<=", [AST_GT] = ">", [AST_GE] = ">="};
    lua_State *L = r->vm.L;
    int order;
    if (value_order(&r->vm, top - 1, top, names[op], &order) == VALUE_OK) {
        bool holds = op == AST_LT   ? order < 0
                     : op == AST_LE ? order <= 0
                     : op == AST_GT ? order > 0
                                    : order >= 0;
        lua_settop(L, top - 2);
        lua_pushboolean(L, holds);
        return true;
    }
    if (op == AST_GT || op == AST_LE)
        lua_insert(L, top - 1); /* a > b: b < a */
    ask(r, VM_ASK_LESS, 2);
    r->asked.negate = op == AST_LE || op == AST_GE;
    return false;
}

static bool compare_in(struct render *r, int top, bool wanted)
{
    bool is_in;
    if (value_contains(&r->vm, top, top - 1, &is_in) == VALUE_OK) {
        lua_settop(r->vm.L, top - 2);
        lua_pushboolean(r->vm.L, is_in == wanted);
        return true;
    }
    lua_insert(r->vm.L, top - 1);
    ask(r, VM_ASK_CONTAINS, 2);
    r->asked.negate = !wanted;
    return false;
}

bool operate_compare(struct render *r, int op)
{
    int top = lua_gettop(r->vm.L);
    switch ((enum ast_comparison)op) {
    case AST_EQ: return compare_equal(r, top, true);
    case AST_NE: return compare_equal(r, top, false);
    case AST_IN: return compare_in(r, top, true);
    case AST_NOT_IN: return compare_in(r, top, false);
    default: return compare_order(r, top, (enum ast_comparison)op);
    }
}

/* ---- text ------------------------------------------------------------------------------------ */

bool operate_concat(struct render *r, int escape, int n)
{
    lua_State *L = r->vm.L;
    int first = lua_gettop(L) - n + 1;
    bool has_markup = false;
    for (int i = first; i < first + n; i++) {
        enum value_kind kind = value_kind(&r->vm, i);
        if (kind == VALUE_OBJECT)
            return ask_form(r, escape == ESCAPE_ON ? VM_ASK_HTML : VM_ASK_TOSTRING, i);
        has_markup |= kind == VALUE_MARKUP;
    }
    bool escapes = has_markup && escape == ESCAPE_ON;
    bool autoescape = r->vm.autoescape;
    size_t start = r->vm.text.len;
    for (int i = first; i < first + n; i++) {
        r->vm.autoescape = escapes;
        if (escapes)
            value_write_escaped(&r->vm, i, &r->vm.text);
        else
            value_write(&r->vm, i, &r->vm.text);
        r->vm.autoescape = autoescape;
        value_check_text(&r->vm, (double)(r->vm.text.len - start));
    }
    if (escapes)
        vm_push_markup_text(&r->vm, start);
    else
        vm_push_text(&r->vm, start);
    return replace(r, n);
}

bool operate_mark_safe(struct render *r, int escape)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    bool wanted = escape == ESCAPE_ON || (escape == ESCAPE_DYNAMIC && r->vm.autoescape);
    if (!wanted || value_kind(&r->vm, top) == VALUE_MARKUP)
        return true;
    if (value_push_str(&r->vm, top) == VALUE_ASK)
        return ask_form(r, VM_ASK_HTML, top);
    vm_to_markup(&r->vm);
    return replace(r, 1);
}

/* ---- access ---------------------------------------------------------------------------------- */

bool operate_attr(struct render *r, const struct frame *frame, int name)
{
    lua_State *L = r->vm.L;
    lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
    int top = lua_gettop(L);
    if (value_getattr_at(&r->vm, top - 1, top) == VALUE_OK)
        return replace(r, 2);
    return ask(r, VM_ASK_INDEX, 2);
}

bool operate_item(struct render *r)
{
    int top = lua_gettop(r->vm.L);
    if (value_getitem(&r->vm, top - 1, top) == VALUE_OK)
        return replace(r, 2);
    return ask(r, VM_ASK_ITEM, 2);
}

bool operate_slice(struct render *r)
{
    int top = lua_gettop(r->vm.L);
    if (value_getslice(&r->vm, top - 3, top - 2, top - 1, top) == VALUE_OK)
        return replace(r, 4);
    /* an object is sliced as the list of what it has */
    return ask_form(r, VM_ASK_LIST, top - 3);
}

/* ---- sequences and dicts --------------------------------------------------------------------- */

bool operate_unpack(struct render *r, int n)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    struct value_iter iter;
    enum value_kind kind = value_kind(&r->vm, top);
    if (kind == VALUE_NUMBER || kind == VALUE_NONE || kind == VALUE_BOOLEAN)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "cannot unpack non-iterable %s object",
                value_type_name(&r->vm, top));
    if (value_iter_begin(&r->vm, top, &iter) == VALUE_ASK)
        return ask_form(r, VM_ASK_LIST, top);
    frame_room(r, n);
    int got = 0;
    while (got < n && value_iter_next(&r->vm, &iter)) {
        lua_insert(L, top + 1); /* the first comes out on top */
        got++;
    }
    if (got < n)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "not enough values to unpack (expected %d, got %d)", n,
                got);
    if (value_iter_next(&r->vm, &iter))
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "too many values to unpack (expected %d)", n);
    lua_remove(L, top);
    return true;
}

void operate_list(struct render *r, int n, bool is_tuple)
{
    lua_State *L = r->vm.L;
    int first = lua_gettop(L) - n + 1;
    if (is_tuple)
        vm_new_tuple(&r->vm, n);
    else
        vm_new_list(&r->vm, n);
    for (int i = 0; i < n; i++) {
        lua_pushvalue(L, first + i);
        lua_rawseti(L, -2, i + 1);
    }
    if (n > 0)
        replace(r, n);
}

void operate_dict(struct render *r, int n)
{
    lua_State *L = r->vm.L;
    int first = lua_gettop(L) - 2 * n + 1;
    vm_new_dict(&r->vm);
    int dict = lua_gettop(L);
    for (int i = 0; i < n; i++) {
        lua_pushvalue(L, first + 2 * i);
        lua_pushvalue(L, first + 2 * i + 1);
        vm_dict_set(&r->vm, dict);
    }
    if (n > 0)
        replace(r, 2 * n);
}

/* Arguments that are laid out must fit on the stack. */
#define MOST_ARGUMENTS 200

bool operate_extend(struct render *r)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    struct value_iter iter;
    if (value_iter_begin(&r->vm, top, &iter) == VALUE_ASK)
        return ask_form(r, VM_ASK_LIST, top);
    int n = (int)lua_objlen(L, top - 1);
    while (value_iter_next(&r->vm, &iter)) {
        if (n == MOST_ARGUMENTS)
            vm_fail(&r->vm, TEMPLATE_LIMIT, "a call has more than %d arguments", MOST_ARGUMENTS);
        lua_rawseti(L, top - 1, ++n);
    }
    lua_pop(L, 1);
    return true;
}

/* dict[name] = the value on top, popped; a name that is there already is an error. */
static void add_argument(struct render *r, int dict, int name)
{
    lua_State *L = r->vm.L;
    int value = lua_gettop(L);
    lua_pushvalue(L, name);
    lua_pushvalue(L, -1);
    lua_rawget(L, dict);
    if (!lua_isnil(L, -1))
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "got multiple values for keyword argument '%s'",
                lua_tostring(L, name));
    lua_pop(L, 1);
    lua_insert(L, value);
    vm_dict_set(&r->vm, dict);
}

void operate_add_key(struct render *r, const struct frame *frame, int name)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
    lua_insert(L, top);
    add_argument(r, top - 1, top);
    lua_settop(L, top - 1);
}

bool operate_merge(struct render *r)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    enum value_kind kind = value_kind(&r->vm, top);
    if (kind == VALUE_OBJECT) {
        lua_pushvalue(L, top);
        render_ask(r, ASK_DICT, 1, top);
        return false;
    }
    if (kind == VALUE_UNDEFINED)
        value_fail_undefined(&r->vm, top);
    if (kind == VALUE_UNDEFINED)
        value_fail_undefined(&r->vm, top);
    if (kind != VALUE_DICT)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "argument after ** must be a mapping, not %s",
                value_type_name(&r->vm, top));
    value_dict_keys(&r->vm, top);
    int n = (int)lua_objlen(L, top + 1);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, top + 1, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            vm_fail(&r->vm, TEMPLATE_RUNTIME, "keywords must be strings");
        lua_pushvalue(L, -1);
        lua_rawget(L, top);
        add_argument(r, top - 1, top + 2);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top - 1);
    return true;
}

/* ---- namespaces and parameters --------------------------------------------------------------- */

void operate_check_namespace(struct render *r)
{
    if (value_meta(&r->vm, lua_gettop(r->vm.L)) != VM_META_NAMESPACE)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "cannot assign attribute on non-namespace object");
}

void operate_set_attr(struct render *r, const struct frame *frame, int name)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    operate_check_namespace(r);
    lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
    lua_pushvalue(L, top - 1);
    lua_rawset(L, top);
    lua_settop(L, top - 2);
}

void operate_parameter(struct render *r, const struct frame *frame, int name)
{
    struct slice parameter = const_slice(frame, name);
    size_t start = r->vm.text.len;
    buf_printf(&r->vm.text, "parameter '%.*s' was not provided", (int)parameter.len,
               parameter.data);
    struct slice hint = {r->vm.text.data + start, r->vm.text.len - start};
    value_push_undefined_hint(&r->vm, hint);
    r->vm.text.len = start;
}
