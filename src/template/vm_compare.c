/* template/vm_compare.c - truth, ==, < and `in`, as Python has them.
 *
 * Place in the flow: if, and, or, the comparison operators, sort, min, max, unique and tests.
 * Objects inside containers equal only themselves. One comparison looks at a bounded number of
 * items: lists that share their parts can unfold to more than any patience.
 */
#include <lauxlib.h>
#include <math.h>

#include "template/vm_dict.h"
#include "template/vm_value.h"

/* Items that one == or < may look at. */
#define ITEMS_MAX 20000000

struct comparison {
    struct vm *vm;
    const char *op; /* of an ordering: "<", ">=", ... */
    unsigned depth;
    unsigned items;
};

static bool equal_values(struct comparison *c, int a, int b);

bool value_number(struct vm *vm, int index, double *number)
{
    switch (lua_type(vm->L, index)) {
    case LUA_TNUMBER: *number = lua_tonumber(vm->L, index); return true;
    case LUA_TBOOLEAN: *number = lua_toboolean(vm->L, index); return true;
    default: return false;
    }
}

double value_range_length(const struct value_range *range)
{
    double n = ceil((range->stop - range->start) / range->step);
    return n > 0 ? n : 0;
}

/* Take the value's strictness: every use of such an undefined fails. */
static void check_strict(struct vm *vm, int index)
{
    if (value_undefined_kind(vm, index) == UNDEFINED_STRICT)
        value_fail_undefined(vm, index);
}

/* ---- truth ----------------------------------------------------------------------------------- */

static bool has_pairs(lua_State *L, int index)
{
    lua_pushnil(L);
    if (!lua_next(L, index))
        return false;
    lua_pop(L, 2);
    return true;
}

static bool native_truth(struct vm *vm, int index)
{
    if (value_meta(vm, index) != VM_META_BYTES)
        return true;
    lua_rawgeti(vm->L, index, 1);
    bool is_true = lua_objlen(vm->L, -1) > 0;
    lua_pop(vm->L, 1);
    return is_true;
}

enum value_result value_truth(struct vm *vm, int index, bool *is_true)
{
    struct slice text;
    *is_true = true;
    switch (value_kind(vm, index)) {
    case VALUE_UNDEFINED:
        check_strict(vm, index);
        *is_true = false;
        break;
    case VALUE_NONE: *is_true = false; break;
    case VALUE_BOOLEAN: *is_true = lua_toboolean(vm->L, index); break;
    case VALUE_NUMBER: *is_true = lua_tonumber(vm->L, index) != 0; break;
    case VALUE_STRING: *is_true = lua_objlen(vm->L, index) > 0; break;
    case VALUE_MARKUP: *is_true = value_slice(vm, index, &text) && text.len > 0; break;
    case VALUE_LIST:
    case VALUE_TUPLE: *is_true = lua_objlen(vm->L, index) > 0; break;
    case VALUE_DICT: *is_true = has_pairs(vm->L, index); break;
    case VALUE_RANGE: *is_true = value_range_length(lua_touserdata(vm->L, index)) > 0; break;
    case VALUE_NATIVE: *is_true = native_truth(vm, index); break;
    case VALUE_OBJECT: return VALUE_ASK;
    default: break;
    }
    return VALUE_OK;
}

/* ---- == -------------------------------------------------------------------------------------- */

/* Another level, and its items. */
static void enter(struct comparison *c, size_t items)
{
    luaL_checkstack(c->vm->L, 8, "comparison");
    if (++c->depth > VALUE_MAX_DEPTH)
        vm_fail(c->vm, TEMPLATE_LIMIT, "the values to compare nest deeper than %d levels",
                VALUE_MAX_DEPTH);
    if (items > ITEMS_MAX - c->items)
        vm_fail(c->vm, TEMPLATE_LIMIT, "the values to compare have more than %d items", ITEMS_MAX);
    c->items += (unsigned)items + 1;
    value_spend(c->vm, (double)items);
}

static bool equal_texts(struct vm *vm, int a, int b)
{
    struct slice left, right;
    return value_slice(vm, a, &left) && value_slice(vm, b, &right) && slice_eq(left, right);
}

static bool equal_items(struct comparison *c, int a, int b)
{
    lua_State *L = c->vm->L;
    int n = (int)lua_objlen(L, a);
    if (n != (int)lua_objlen(L, b))
        return false;
    enter(c, (size_t)n);
    int top = lua_gettop(L);
    bool is_equal = true;
    for (int i = 1; i <= n && is_equal; i++) {
        lua_rawgeti(L, a, i);
        lua_rawgeti(L, b, i);
        is_equal = equal_values(c, top + 1, top + 2);
        lua_settop(L, top);
    }
    c->depth--;
    return is_equal;
}

static size_t count_pairs(lua_State *L, int index)
{
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        n++;
    return n;
}

static bool equal_dicts(struct comparison *c, int a, int b)
{
    lua_State *L = c->vm->L;
    size_t n = count_pairs(L, a);
    if (n != count_pairs(L, b))
        return false;
    enter(c, n);
    int key = lua_gettop(L) + 1;
    for (lua_pushnil(L); lua_next(L, a); lua_settop(L, key)) {
        value_dict_get(c->vm, b, key);
        if (lua_isnil(L, -1) || !equal_values(c, key + 1, key + 2)) {
            lua_settop(L, key - 1);
            c->depth--;
            return false;
        }
    }
    c->depth--;
    return true;
}

static bool equal_ranges(const struct value_range *a, const struct value_range *b)
{
    double n = value_range_length(a);
    return n == value_range_length(b) &&
           (n == 0 || (a->start == b->start && (n == 1 || a->step == b->step)));
}

/* Two values of one kind which are not the same one. */
static bool equal_natives(struct vm *vm, int a, int b)
{
    enum vm_meta meta = value_meta(vm, a);
    if (meta != value_meta(vm, b))
        return false;
    lua_State *L = vm->L;
    bool is_equal = false;
    switch (meta) {
    case VM_META_BYTES:
    case VM_META_UUID:
    case VM_META_DATETIME:
        lua_rawgeti(L, a, 1);
        lua_rawgeti(L, b, 1);
        is_equal = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        return is_equal;
    case VM_META_METHOD:
        for (int i = 1; i <= 2; i++) {
            lua_rawgeti(L, a, i);
            lua_rawgeti(L, b, i);
            is_equal = (i == 1 || is_equal) && lua_rawequal(L, -1, -2);
            lua_pop(L, 2);
        }
        return is_equal;
    default: return false;
    }
}

static bool equal_values(struct comparison *c, int a, int b)
{
    struct vm *vm = c->vm;
    double left, right;
    if (value_number(vm, a, &left) && value_number(vm, b, &right))
        return left == right;
    enum value_kind kind = value_kind(vm, a);
    enum value_kind other = value_kind(vm, b);
    if (kind == VALUE_UNDEFINED || other == VALUE_UNDEFINED) {
        if (kind == VALUE_UNDEFINED)
            check_strict(vm, a);
        if (other == VALUE_UNDEFINED)
            check_strict(vm, b);
        return kind == other && value_undefined_kind(vm, a) == value_undefined_kind(vm, b);
    }
    if (lua_rawequal(vm->L, a, b))
        return true;
    if (kind == VALUE_STRING || kind == VALUE_MARKUP)
        return (kind == VALUE_MARKUP || other == VALUE_MARKUP) && equal_texts(vm, a, b);
    if (kind != other)
        return false;
    switch (kind) {
    case VALUE_LIST:
    case VALUE_TUPLE: return equal_items(c, a, b);
    case VALUE_DICT: return equal_dicts(c, a, b);
    case VALUE_RANGE: return equal_ranges(lua_touserdata(vm->L, a), lua_touserdata(vm->L, b));
    case VALUE_NATIVE: return equal_natives(vm, a, b);
    default: return false;
    }
}

/* Only two objects, or a cdata and anything, can be equal by a metamethod (Lua 5.1 manual 2.8). */
static bool must_ask_equal(struct vm *vm, int a, int b)
{
    bool is_object = value_kind(vm, a) == VALUE_OBJECT;
    bool is_other = value_kind(vm, b) == VALUE_OBJECT;
    if (is_object && is_other)
        return !lua_rawequal(vm->L, a, b);
    int type = lua_type(vm->L, is_object ? a : b);
    return (is_object || is_other) && type != LUA_TTABLE && type != LUA_TUSERDATA;
}

enum value_result value_equal(struct vm *vm, int a, int b, bool *is_equal)
{
    int left = lua_type(vm->L, a);
    int right = lua_type(vm->L, b);
    if (left == right && (left == LUA_TSTRING || left == LUA_TNUMBER)) {
        *is_equal = lua_rawequal(vm->L, a, b);
        return VALUE_OK;
    }
    if (must_ask_equal(vm, a, b))
        return VALUE_ASK;
    struct comparison c = {vm, "==", 0, 0};
    *is_equal = equal_values(&c, a, b);
    return VALUE_OK;
}

/* ---- < --------------------------------------------------------------------------------------- */

static int order_values(struct comparison *c, int a, int b);

/* Sign of left - right; with a nan such that op is false. */
static int order_numbers(const struct comparison *c, double left, double right)
{
    if (isnan(left) || isnan(right))
        return c->op[0] == '<' ? 1 : -1;
    return (left > right) - (left < right);
}

/* As lists: the first items that differ decide, else the lengths. */
static int order_items(struct comparison *c, int a, int b)
{
    lua_State *L = c->vm->L;
    int n = (int)lua_objlen(L, a);
    int m = (int)lua_objlen(L, b);
    int top = lua_gettop(L);
    int order = (n > m) - (n < m);
    enter(c, (size_t)(n < m ? n : m));
    for (int i = 1; i <= n && i <= m; i++) {
        lua_rawgeti(L, a, i);
        lua_rawgeti(L, b, i);
        if (!equal_values(c, top + 1, top + 2)) {
            order = order_values(c, top + 1, top + 2);
            lua_settop(L, top);
            break;
        }
        lua_settop(L, top);
    }
    c->depth--;
    return order;
}

static int order_values(struct comparison *c, int a, int b)
{
    struct vm *vm = c->vm;
    double left, right;
    struct slice text, other;
    if (value_number(vm, a, &left) && value_number(vm, b, &right))
        return order_numbers(c, left, right);
    if (value_slice(vm, a, &text) && value_slice(vm, b, &other))
        return slice_cmp(text, other);
    enum value_kind kind = value_kind(vm, a);
    if (kind == VALUE_UNDEFINED)
        value_fail_undefined(vm, a);
    if (value_kind(vm, b) == VALUE_UNDEFINED)
        value_fail_undefined(vm, b);
    if (kind == value_kind(vm, b) && (kind == VALUE_LIST || kind == VALUE_TUPLE))
        return order_items(c, a, b);
    vm_fail(vm, TEMPLATE_RUNTIME, "'%s' not supported between instances of '%s' and '%s'", c->op,
            value_type_name(vm, a), value_type_name(vm, b));
}

enum value_result value_order(struct vm *vm, int a, int b, const char *op, int *order)
{
    if (value_kind(vm, a) == VALUE_OBJECT || value_kind(vm, b) == VALUE_OBJECT)
        return VALUE_ASK;
    struct comparison c = {vm, op, 0, 0};
    *order = order_values(&c, a, b);
    return VALUE_OK;
}

/* ---- in -------------------------------------------------------------------------------------- */

static bool contains_item(struct vm *vm, int container, int item)
{
    lua_State *L = vm->L;
    struct comparison c = {vm, "==", 0, 0};
    int n = (int)lua_objlen(L, container);
    bool is_in = false;
    value_spend(vm, n);
    for (int i = 1; i <= n && !is_in; i++) {
        lua_rawgeti(L, container, i);
        is_in = lua_rawequal(L, -1, item) || equal_values(&c, lua_gettop(L), item);
        lua_pop(L, 1);
    }
    return is_in;
}

/* What `in` walked over is gone from a generator. */
static bool generator_contains(struct vm *vm, int container, int item)
{
    struct comparison c = {vm, "==", 0, 0};
    struct value_iter iter;
    value_iter_begin(vm, container, &iter);
    while (value_iter_next(vm, &iter)) {
        bool is_equal = equal_values(&c, lua_gettop(vm->L), item);
        lua_pop(vm->L, 1);
        if (is_equal)
            return true;
    }
    return false;
}

static bool range_contains(struct vm *vm, int container, int item)
{
    const struct value_range *range = lua_touserdata(vm->L, container);
    double number;
    if (!value_number(vm, item, &number))
        return false;
    double at = (number - range->start) / range->step;
    return at == floor(at) && at >= 0 && at < value_range_length(range);
}

static bool text_contains(struct vm *vm, int container, int item)
{
    struct slice text, part;
    value_slice(vm, container, &text);
    if (!value_slice(vm, item, &part)) {
        vm_fail(vm, TEMPLATE_RUNTIME, "'in <string>' requires string as left operand, not %s",
                value_type_name(vm, item));
    }
    value_spend_text(vm, text.len);
    return part.len == 0 || memmem(text.data, text.len, part.data, part.len) != NULL;
}

enum value_result value_contains(struct vm *vm, int container, int item, bool *is_in)
{
    switch (value_kind(vm, container)) {
    case VALUE_STRING:
    case VALUE_MARKUP: *is_in = text_contains(vm, container, item); break;
    case VALUE_LIST:
    case VALUE_TUPLE: *is_in = contains_item(vm, container, item); break;
    case VALUE_DICT:
        value_dict_get(vm, container, item);
        *is_in = !lua_isnil(vm->L, -1);
        lua_pop(vm->L, 1);
        break;
    case VALUE_RANGE: *is_in = range_contains(vm, container, item); break;
    case VALUE_GENERATOR: *is_in = generator_contains(vm, container, item); break;
    case VALUE_UNDEFINED:
        check_strict(vm, container);
        *is_in = false;
        break;
    case VALUE_OBJECT: return VALUE_ASK;
    default:
        vm_fail(vm, TEMPLATE_RUNTIME, "argument of type '%s' is not iterable",
                value_type_name(vm, container));
    }
    return VALUE_OK;
}
